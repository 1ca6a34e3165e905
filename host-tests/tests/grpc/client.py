"""grpcio as client: runs cases of the gRPC interoperability tests, by their names.

client.py URL CASE...
"""

import asyncio
import random
import sys
from pathlib import Path
from urllib.parse import urlsplit

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "guests/grpc-service/proto"))
test, test_services = grpc.protos_and_services("test.proto")
echo, echo_services = grpc.protos_and_services("echo.proto")

MIB = 1 << 20
INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
LARGE = test.SimpleRequest(response_size=314159, payload=test.Payload(body=bytes(271828)))
# Payload sizes sent and received by the streaming cases.
SENT = [27182, 8, 1828, 45904]
RECEIVED = [31415, 9, 2653, 58979]
# Sizes around those of frames and windows, and far larger ones.
SIZES = [0, 1, 16_378, 16_379, 16_384, 65_530, 65_535, 65_536, MIB, 5 * MIB, 16 * MIB]
CONCURRENT_CALLS = 1000


class Stubs:
    """The services on one channel, and its target."""

    def __init__(self, target, channel):
        self.target = target
        self.test = test_services.TestServiceStub(channel)
        self.unimplemented = test_services.UnimplementedServiceStub(channel)
        self.echo = echo_services.EchoStub(channel)


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r:.200} instead of {wanted!r:.200}")


async def fails(call, code):
    """Waits for a call that must fail, and returns its error."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        same(error.code(), code)
        return error
    raise AssertionError(f"OK instead of {code}")


def duplex(size, received, **fields):
    """A message that requests one response."""
    wanted = [test.ResponseParameters(size=received, **fields)]
    return test.StreamingOutputCallRequest(response_parameters=wanted, payload=test.Payload(body=bytes(size)))


async def empty_unary(stubs):
    same(await stubs.test.EmptyCall(test.Empty()), test.Empty())


async def large_unary(stubs):
    same((await stubs.test.UnaryCall(LARGE)).payload.body, bytes(314159))


async def client_streaming(stubs):
    messages = (test.StreamingInputCallRequest(payload=test.Payload(body=bytes(size))) for size in SENT)
    same((await stubs.test.StreamingInputCall(messages)).aggregated_payload_size, 74922)


async def server_streaming(stubs):
    wanted = [test.ResponseParameters(size=size) for size in RECEIVED]
    call = stubs.test.StreamingOutputCall(test.StreamingOutputCallRequest(response_parameters=wanted))
    same([len(response.payload.body) async for response in call], RECEIVED)


async def ping_pong(stubs):
    call = stubs.test.FullDuplexCall()
    for sent, received in zip(SENT, RECEIVED):
        await call.write(duplex(sent, received))
        same(len((await call.read()).payload.body), received)
    await call.done_writing()
    same(await call.read(), grpc.aio.EOF)
    same(await call.code(), grpc.StatusCode.OK)


async def empty_stream(stubs):
    call = stubs.test.FullDuplexCall()
    await call.done_writing()
    same(await call.read(), grpc.aio.EOF)
    same(await call.code(), grpc.StatusCode.OK)


async def custom_metadata(stubs):
    unary = stubs.test.UnaryCall(LARGE, metadata=(INITIAL, TRAILING))
    stream = stubs.test.FullDuplexCall(metadata=(INITIAL, TRAILING))
    await stream.write(duplex(271828, 314159))
    await stream.done_writing()
    same(len((await stream.read()).payload.body), 314159)
    same(await stream.read(), grpc.aio.EOF)
    for call in unary, stream:
        same((await call.initial_metadata())[INITIAL[0]], INITIAL[1])
        same((await call.trailing_metadata())[TRAILING[0]], TRAILING[1])
        same(await call.code(), grpc.StatusCode.OK)


async def status(stubs, message):
    wanted = test.EchoStatus(code=2, message=message)
    error = await fails(stubs.test.UnaryCall(test.SimpleRequest(response_status=wanted)), grpc.StatusCode.UNKNOWN)
    same(error.details(), message)
    return wanted


async def status_code_and_message(stubs):
    wanted = await status(stubs, "test status message")
    call = stubs.test.FullDuplexCall()
    await call.write(test.StreamingOutputCallRequest(response_status=wanted))
    await call.done_writing()
    same((await fails(call.read(), grpc.StatusCode.UNKNOWN)).details(), wanted.message)


async def special_status_message(stubs):
    await status(stubs, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")


async def unimplemented_method(stubs):
    await fails(stubs.test.UnimplementedCall(test.Empty()), grpc.StatusCode.UNIMPLEMENTED)


async def unimplemented_service(stubs):
    await fails(stubs.unimplemented.UnimplementedCall(test.Empty()), grpc.StatusCode.UNIMPLEMENTED)


async def cancelled_calls(stubs):
    """Returns how many calls the server has seen cancelled by their clients."""
    return (await stubs.echo.CancelledCalls(echo.Nothing())).calls


async def cancel(call, stubs, before):
    """Cancels a call, and waits until the server has noticed."""
    call.cancel()
    same(await call.code(), grpc.StatusCode.CANCELLED)
    while await cancelled_calls(stubs) == before:
        await asyncio.sleep(0.01)
    same(await cancelled_calls(stubs), before + 1)


async def cancel_after_begin(stubs):
    before = await cancelled_calls(stubs)
    call = stubs.test.StreamingInputCall()
    # Otherwise the call may be cancelled before it leaves the client.
    await call.wait_for_connection()
    await empty_unary(stubs)
    await cancel(call, stubs, before)


async def cancel_after_first_response(stubs):
    before = await cancelled_calls(stubs)
    call = stubs.test.FullDuplexCall()
    await call.write(duplex(27182, 31415))
    same(len((await call.read()).payload.body), 31415)
    await cancel(call, stubs, before)


async def timeout_on_sleeping_server(stubs):
    # With asyncio, grpcio forgets the status of a call that ends while a message is written (grpc/grpc#36066).
    await asyncio.to_thread(times_out, stubs.target)
    await empty_unary(stubs)


def times_out(target):
    with grpc.insecure_channel(target) as channel:
        grpc.channel_ready_future(channel).result()
        stub = test_services.TestServiceStub(channel)
        call = stub.FullDuplexCall(iter([duplex(27182, 31415, interval_us=1_000_000)]), timeout=0.001)
        same(call.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        same(stub.EmptyCall(test.Empty()), test.Empty())


async def message_sizes(stubs):
    call = stubs.echo.Each()
    for size in SIZES:
        content = echo.Content(octets=random.Random(size).randbytes(size))
        same(await stubs.echo.Whole(content), content)
        await call.write(content)
        same(await call.read(), content)
    await call.done_writing()
    same(await call.code(), grpc.StatusCode.OK)


async def compressed_messages(stubs):
    call = stubs.echo.Each(compression=grpc.Compression.Gzip)
    for size in 0, 1, 65_536, MIB:
        content = echo.Content(octets=bytes(size))
        same(await stubs.echo.Whole(content, compression=grpc.Compression.Gzip), content)
        await call.write(content)
        same(await call.read(), content)
    await call.done_writing()
    same(await call.code(), grpc.StatusCode.OK)


async def concurrent_calls(stubs):
    contents = [echo.Content(octets=b"%d" % number) for number in range(CONCURRENT_CALLS)]
    same(await asyncio.gather(*map(stubs.echo.Whole, contents)), contents)


async def concurrent_streams(stubs):
    calls = [stubs.echo.Each() for _ in range(CONCURRENT_CALLS)]

    async def exchange(call, number):
        content = echo.Content(octets=b"%d" % number)
        await call.write(content)
        same(await call.read(), content)

    # No call ends before all have begun.
    await asyncio.gather(*(exchange(call, number) for number, call in enumerate(calls)))
    await asyncio.gather(*(call.done_writing() for call in calls))
    same(await asyncio.gather(*(call.code() for call in calls)), [grpc.StatusCode.OK] * CONCURRENT_CALLS)


async def trailers_only_error(stubs):
    call = stubs.echo.Refuse()
    # The client neither sends a message nor ends the request.
    same(await call.code(), grpc.StatusCode.FAILED_PRECONDITION)
    same(await call.details(), "not today")
    same((await call.trailing_metadata())["grpc-status-details-bin"], b"\0details\xff")
    same(len(await call.initial_metadata()), 0)


async def response_before_request_ends(stubs):
    call = stubs.echo.First()
    await call.write(echo.Content(octets=b"first"))
    same((await call).octets, b"first")
    # The head of a response may come before the first message of the request.
    call = stubs.echo.Each()
    await call.initial_metadata()
    await call.write(echo.Content(octets=b"later"))
    same((await call.read()).octets, b"later")
    await call.done_writing()
    same(await call.code(), grpc.StatusCode.OK)


async def main(url, names):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    failed = False
    target = urlsplit(url).netloc
    async with grpc.aio.insecure_channel(target, options) as channel:
        stubs = Stubs(target, channel)
        for name in names:
            try:
                await globals()[name](stubs)
                print(f"{name}: passed", flush=True)
            except (AssertionError, grpc.RpcError) as error:
                failed = True
                print(f"{name}: {error}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
