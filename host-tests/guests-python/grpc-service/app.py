"""The service of the public gRPC interoperability tests, and a service for this project's own cases.

The guest grpc-service implements the same services in Rust; its folder `proto` holds their definitions.
"""

import echo_pb2
import test_pb2
from calls import FAILED_PRECONDITION, INVALID_ARGUMENT, Call, Status, serve
from wit_world import exports
from wit_world.imports.wasi_http_types import Request, Response

# Request metadata that the response repeats: in its headers, and in its trailers.
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


class Handler(exports.Handler):
    """The exported `wasi:http/handler`."""

    async def handle(self, request: Request) -> Response:
        return await serve(request, METHODS)


async def empty_call(call: Call) -> None:
    await call.message(test_pb2.Empty)
    await call.send(test_pb2.Empty())


async def unary_call(call: Call) -> None:
    echo_metadata(call)
    request = await call.message(test_pb2.SimpleRequest)
    raise_requested_status(request)
    await call.send(test_pb2.SimpleResponse(payload=zeros(request.response_size)))


async def streaming_output_call(call: Call) -> None:
    await respond(call, await call.message(test_pb2.StreamingOutputCallRequest))


async def streaming_input_call(call: Call) -> None:
    size = 0
    async for request in call.messages(test_pb2.StreamingInputCallRequest):
        size += len(request.payload.body)
    await call.send(test_pb2.StreamingInputCallResponse(aggregated_payload_size=size))


async def full_duplex_call(call: Call) -> None:
    echo_metadata(call)
    async for request in call.messages(test_pb2.StreamingOutputCallRequest):
        await respond(call, request)


async def whole(call: Call) -> None:
    await call.send(await call.message(echo_pb2.Content))


async def each(call: Call) -> None:
    call.begin()
    async for content in call.messages(echo_pb2.Content):
        await call.send(content)


async def first(call: Call) -> None:
    async for content in call.messages(echo_pb2.Content):
        return await call.send(content)
    raise Status(INVALID_ARGUMENT, "there is no message")


async def refuse(_call: Call) -> None:
    raise Status(FAILED_PRECONDITION, "not today", b"\0details\xff")


async def cancelled_calls(call: Call) -> None:
    await call.message(echo_pb2.Nothing)
    await call.send(echo_pb2.Count(calls=Call.cancelled_calls))


METHODS = {
    "/grpc.testing.TestService/EmptyCall": empty_call,
    "/grpc.testing.TestService/UnaryCall": unary_call,
    "/grpc.testing.TestService/StreamingOutputCall": streaming_output_call,
    "/grpc.testing.TestService/StreamingInputCall": streaming_input_call,
    "/grpc.testing.TestService/FullDuplexCall": full_duplex_call,
    "/http2.testing.Echo/Whole": whole,
    "/http2.testing.Echo/Each": each,
    "/http2.testing.Echo/First": first,
    "/http2.testing.Echo/Refuse": refuse,
    "/http2.testing.Echo/CancelledCalls": cancelled_calls,
}


async def respond(call: Call, request: test_pb2.StreamingOutputCallRequest) -> None:
    """Sends the requested responses; raises the requested status, if any."""
    for response in request.response_parameters:
        if response.interval_us > 0:
            await call.sleep(response.interval_us * 1000)
        await call.send(test_pb2.StreamingOutputCallResponse(payload=zeros(response.size)))
    raise_requested_status(request)


def raise_requested_status(request: test_pb2.SimpleRequest | test_pb2.StreamingOutputCallRequest) -> None:
    if request.response_status.code:
        raise Status(request.response_status.code, request.response_status.message)


def zeros(size: int) -> test_pb2.Payload:
    if size < 0:
        raise Status(INVALID_ARGUMENT, "a negative size")
    return test_pb2.Payload(body=bytes(size))


def echo_metadata(call: Call) -> None:
    call.initial += [field for field in call.metadata if field[0] == INITIAL]
    call.trailing += [field for field in call.metadata if field[0] == TRAILING]
