"""The service of the public gRPC interoperability tests, and one of this project, in Python.

Their messages are generated from `proto` of the guest grpc-service, which is the same in Rust.
"""

import echo_pb2
import test_pb2
from calls import FAILED_PRECONDITION, INVALID_ARGUMENT, Call, Status, serve
from wit_world import exports
from wit_world.imports.wasi_http_types import Request, Response

# What comes back at the head of a response, and at its end.
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


class Handler(exports.Handler):
    """What the component exports."""

    async def handle(self, request: Request) -> Response:
        return await serve(request, METHODS)


async def empty_call(call: Call) -> None:
    await call.message(test_pb2.Empty)
    await call.send(test_pb2.Empty())


async def unary_call(call: Call) -> None:
    echo_metadata(call)
    request = await call.message(test_pb2.SimpleRequest)
    raise_wanted(request)
    await call.send(test_pb2.SimpleResponse(payload=zeros(request.response_size)))


async def streaming_output_call(call: Call) -> None:
    await respond(call, await call.message(test_pb2.StreamingOutputCallRequest))


async def streaming_input_call(call: Call) -> None:
    octets = 0
    async for request in call.messages(test_pb2.StreamingInputCallRequest):
        octets += len(request.payload.body)
    await call.send(test_pb2.StreamingInputCallResponse(aggregated_payload_size=octets))


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


async def given_up(call: Call) -> None:
    await call.message(echo_pb2.Nothing)
    await call.send(echo_pb2.Count(calls=Call.given_up))


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
    "/http2.testing.Echo/GivenUp": given_up,
}


async def respond(call: Call, request: test_pb2.StreamingOutputCallRequest) -> None:
    """Sends the responses that a request asks for, or ends with the status that it asks for."""
    for wanted in request.response_parameters:
        if wanted.interval_us > 0:
            await call.sleep(wanted.interval_us * 1000)
        await call.send(test_pb2.StreamingOutputCallResponse(payload=zeros(wanted.size)))
    raise_wanted(request)


def raise_wanted(request: test_pb2.SimpleRequest | test_pb2.StreamingOutputCallRequest) -> None:
    if request.response_status.code:
        raise Status(request.response_status.code, request.response_status.message)


def zeros(octets: int) -> test_pb2.Payload:
    if octets < 0:
        raise Status(INVALID_ARGUMENT, "a negative size")
    return test_pb2.Payload(body=bytes(octets))


def echo_metadata(call: Call) -> None:
    call.initial += [field for field in call.metadata if field[0] == INITIAL]
    call.trailing += [field for field in call.metadata if field[0] == TRAILING]
