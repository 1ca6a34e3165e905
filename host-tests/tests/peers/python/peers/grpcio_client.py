"""grpcio, based on gRPC's C core."""

import asyncio
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import grpc

import grpc_tests

client = grpc_tests.load("client")
echo, test = client.echo, client.test
MIB = 1 << 20

# The public interoperability cases and this project's own that any server can pass.
INTEROP = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "message_sizes",
    "trailers_only_error",
    "response_before_request_ends",
]


@asynccontextmanager
async def connect(url, config):
    target = urlsplit(url).netloc
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), *config.get("options", [])]
    async with grpc.aio.insecure_channel(target, options, compression=config.get("compression")) as channel:
        yield client.Stubs(target, channel)


async def interop(run):
    async def all_of_them(_):
        for name in INTEROP:
            await getattr(client, name)(run.connection)
            run.requests += 1

    await run.repeat(all_of_them, at_a_time=1)


async def unary(run):
    async def one(times):
        content = echo.Content(octets=bytes(times % 1000))
        client.same(await run.connection.echo.Whole(content), content)
        run.requests += 1

    await run.repeat(one, 10)


async def messages(run, size, count, at_a_time):
    """Exchanges messages in both directions on a stream, first one by one, then with many in flight."""
    content = echo.Content(octets=bytes(size))

    async def one(_):
        call = run.connection.echo.Each()
        for _ in range(count):
            await call.write(content)
            client.same(await call.read(), content)

        async def send():
            for _ in range(count):
                await call.write(content)
            await call.done_writing()

        sending = asyncio.create_task(send())
        for _ in range(count):
            client.same(await call.read(), content)
        await sending
        client.same(await call.code(), grpc.StatusCode.OK)
        run.requests += 1
        run.bytes += 4 * count * size

    await run.repeat(one, at_a_time=at_a_time)


async def stream(run):
    """Reads a response of many messages of 1 KB."""
    count = run.size(150_000_000) // 1000
    wanted = test.StreamingOutputCallRequest(response_parameters=[test.ResponseParameters(size=1000)] * count)

    async def one(_):
        received = [len(message.payload.body) async for message in run.connection.test.StreamingOutputCall(wanted)]
        client.same(received, [1000] * count)
        run.requests += 1
        run.bytes += sum(received)

    await run.repeat(one, at_a_time=1)


async def begin_and_cancel(run):
    call = run.connection.echo.Each()
    content = echo.Content(octets=b"first")
    await call.write(content)
    client.same(await call.read(), content)
    call.cancel()
    client.same(await call.code(), grpc.StatusCode.CANCELLED)
    run.requests += 1


async def cancel_beside(run):
    """Keeps a long stream open, while 300 calls per second are cancelled after their first messages."""
    long = run.connection.echo.Each()
    content = echo.Content(octets=bytes(100))
    end = time.monotonic() + max(3, run.seconds)
    async with asyncio.TaskGroup() as group:
        while time.monotonic() < end:
            for _ in range(3):
                group.create_task(begin_and_cancel(run))
            await long.write(content)
            client.same(await long.read(), content)
            await asyncio.sleep(0.01)
    await long.done_writing()
    client.same(await long.code(), grpc.StatusCode.OK)


async def idle(run):
    """Pauses between calls, with only the PINGs of keepalive."""
    await client.empty_unary(run.connection)
    await asyncio.sleep(max(3, run.seconds))
    await client.empty_unary(run.connection)
    run.requests += 2


async def tiny(run):
    await messages(run, 100, 100, run.at_a_time)


async def big(run):
    await messages(run, MIB, 4, 2)


ROLE = "client"
NAME = "grpcio"
CASES = {
    "grpc-interop": interop,
    "grpc-unary": unary,
    "grpc-tiny": tiny,
    "grpc-big": big,
    "grpc-stream": stream,
    "grpc-cancel-beside": cancel_beside,
    "grpc-idle": idle,
}
CONFIGS = {
    "default": {},
    # One PING per second, even without calls; small windows that do not grow; small frames.
    "awkward": {
        "options": [
            ("grpc.keepalive_time_ms", 1000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.lookahead_bytes", 1024),
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.max_frame_size", 16_384),
            ("grpc.http2.hpack_table_size.decoder", 0),
        ],
        "scale": 1_000_000,
    },
    # The client compresses its messages; the service need not.
    "gzip": {"compression": grpc.Compression.Gzip},
}
CASES_OF = {"gzip": ["grpc-unary", "grpc-tiny", "grpc-big"]}
