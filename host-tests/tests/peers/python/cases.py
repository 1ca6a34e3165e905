"""The cases for clients, in terms of an abstract connection:

    connect(url, config) → a connection, as an asynchronous context manager
    connection.request(method, path, content) → (status, pieces, cancel)

where the content of a request is bytes or an asynchronous generator of bytes, and `pieces` generates the content of the
response.
"""

import asyncio
import os
import time
from contextlib import AsyncExitStack

MIB = 1 << 20
MEGABYTE = b"x" * 1_000_000
PIECE = bytes(64 << 10)
# In runs shorter than this many seconds, large transfers are smaller.
BRIEF = 10
# The longest pause of a reader in seconds.
PAUSE = 75


class Run:
    """One run of one case."""

    def __init__(self, client, config, url, seconds, at_a_time):
        self.client, self.config, self.url = client, config, url
        self.seconds, self.at_a_time = seconds, at_a_time
        self.requests = self.bytes = self.connections = 0
        self.end = time.monotonic() + seconds

    async def case(self, function):
        async with AsyncExitStack() as stack:
            self.connection = await stack.enter_async_context(self.connect())
            await function(self)

    def connect(self):
        self.connections += 1
        return self.client.connect(self.url, self.config)

    def is_on(self):
        return time.monotonic() < self.end

    def size(self, size):
        """The size of a large transfer."""
        if scale := self.config.get("scale"):
            return min(size, scale)
        return 16_000_000 if self.seconds < BRIEF else size

    async def repeat(self, something, least=1, at_a_time=None):
        """Repeats something at least this many times until the time is over, with the concurrency of the run."""

        async def worker():
            times = 0
            while times < least or self.is_on():
                await something(times)
                times += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(at_a_time or self.at_a_time):
                group.create_task(worker())

    async def exchange(self, method, path, content=None, status=200, connection=None):
        """Makes a request whose response must be complete."""
        received, pieces, _ = await (connection or self.connection).request(method, path, content)
        same(received, status)
        whole = b"".join([piece async for piece in pieces])
        self.requests += 1
        self.bytes += len(whole)
        return whole


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r:.200} instead of {wanted!r:.200}")


async def get(run):
    text = await run.exchange("GET", "/")

    async def one(_):
        same(await run.exchange("GET", "/"), text)

    await run.repeat(one, 10)


async def post(run):
    async def one(_):
        same(await run.exchange("POST", "/echo", b"hello"), b"hello")

    await run.repeat(one, 10)


async def download(run, size=200_000_000, pause=None):
    size = run.size(size)

    async def one(_):
        status, pieces, _ = await run.connection.request("GET", f"/bytes/{size}", None)
        same(status, 200)
        received = 0
        async for piece in pieces:
            received += len(piece)
            if pause:
                await pause(received)
        same(received, size)
        run.requests += 1
        run.bytes += received

    await run.repeat(one, 1, 1)


async def download_slow(run):
    """Pauses once for as long as the run allows, and often briefly."""
    following = 0

    async def pause(received):
        nonlocal following
        if received >= following:
            await asyncio.sleep(min(PAUSE, max(1, run.seconds)) if following == 0 else 0.05)
            following += 2_000_000

    await download(run, 20_000_000, pause)


async def zeros(size):
    for start in range(0, size, len(PIECE)):
        yield PIECE[: size - start]


async def upload_path(run):
    """Returns the path at which our server counts received content: one has it at /upload, the other at /."""
    status, pieces, _ = await run.connection.request("POST", "/upload", b"x")
    async for _ in pieces:
        pass
    return "/" if status == 404 else "/upload"


async def upload(run):
    size = run.size(100_000_000)
    path = await upload_path(run)

    async def one(_):
        text = await run.exchange("POST", path, zeros(size))
        if str(size) not in text.decode():
            raise AssertionError(text)
        run.bytes += size

    await run.repeat(one, 1, 1)


async def begin_and_cancel(run, number):
    """Begins an endless request, and cancels it when its response has begun, or after a moment."""
    path = "/endless" if number % 2 else "/delay/60000"

    async def begin():
        status, pieces, cancel = await run.connection.request("GET", path, None)
        try:
            same(status, 200)
            await anext(aiter(pieces))
        finally:
            # Also if the time is over in the midst of this: an endless response would go on for ever.
            await cancel()

    try:
        await asyncio.wait_for(begin(), [0.01, 0.05, 0.2][number % 3])
    except TimeoutError:
        pass
    run.requests += 1


async def cancel(run):
    while True:
        for count in run.config.get("cancels", [100, 1000]):
            await asyncio.gather(*(begin_and_cancel(run, number) for number in range(count)))
            await run.exchange("GET", "/")
        if not run.is_on():
            break


class Echo:
    """A stream on /echo with messages in both directions."""

    def __init__(self, run):
        self.run = run
        self.sent = asyncio.Queue(4)
        self.kept = bytearray()

    async def content(self):
        while (message := await self.sent.get()) is not None:
            yield message

    async def open(self):
        # Some clients report the response only when there is content.
        await self.send(b"first")
        status, pieces, _ = await self.run.connection.request("POST", "/echo", self.content())
        same(status, 200)
        self.pieces = aiter(pieces)
        await self.expect(b"first")
        return self

    async def send(self, message):
        await self.sent.put(message)

    async def expect(self, message):
        while len(self.kept) < len(message):
            self.kept += await anext(self.pieces)
        same(self.kept[: len(message)], message)
        del self.kept[: len(message)]
        self.run.bytes += len(message)

    async def close(self):
        await self.send(None)
        same(b"".join([piece async for piece in self.pieces]), b"")
        self.run.requests += 1


async def echo(run, message, pipelined):
    """Exchanges messages one by one, then this many without waiting."""

    async def one(_):
        echo = await Echo(run).open()
        for _ in range(10):
            await echo.send(message)
            await echo.expect(message)

        async def send():
            for _ in range(pipelined):
                await echo.send(message)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            for _ in range(pipelined):
                await echo.expect(message)
        await echo.close()

    await run.repeat(one, 1, min(run.at_a_time, 10))


async def echo_tiny(run):
    await echo(run, os.urandom(100), 1000)


async def echo_big(run):
    await echo(run, os.urandom(run.config.get("message", MIB)), 5)


async def cancel_beside(run):
    """Keeps a long stream open, while 300 other requests per second are begun and cancelled."""
    message = os.urandom(100)
    long = await Echo(run).open()
    end = time.monotonic() + max(3, run.seconds)
    number = 0
    async with asyncio.TaskGroup() as group:
        while time.monotonic() < end:
            for _ in range(3):
                group.create_task(begin_and_cancel(run, number))
                number += 1
            await long.send(message)
            await long.expect(message)
            await asyncio.sleep(0.01)
    await long.close()


async def answered_early(run, path, status, size=None):
    """Makes uploads that are answered before they have arrived; every other one cannot be sent twice."""

    async def one(times):
        content = zeros(1_000_000) if times % 2 else MEGABYTE
        received = await run.exchange("POST", path, content, status)
        if size is not None:
            same(len(received), size)

    await run.repeat(one, 5)


async def refuse(run):
    await answered_early(run, "/refuse", 401)


async def early(run):
    await answered_early(run, "/early", 200, 10_000)


async def ping(run):
    """Sends PINGs in succession beside requests."""
    is_done = False

    async def pings():
        while not is_done:
            await run.connection.ping()
            await asyncio.sleep(run.config.get("ping_pause", 0.01))

    pinging = asyncio.create_task(pings())
    await get(run)
    is_done = True
    await pinging


async def sessions(run):
    """Opens a connection for each request."""

    async def one(_):
        async with run.connect() as connection:
            await run.exchange("GET", "/", connection=connection)

    await run.repeat(one, 10)


async def soak(run):
    """Runs the client's other cases, five at a time."""
    names = ["get", "post", "cancel", "refuse", "early", "echo-tiny", "echo-big", "upload"]
    left_out = getattr(run.client, "OMITTED", {})
    names = [name for name in names if name in run.client.CASES and name not in left_out]
    brief = Run(run.client, run.config, run.url, 0, 5)
    brief.connection = run.connection
    following = iter(range(1 << 60))

    async def one(_):
        await CASES[names[next(following) % len(names)]](brief)

    await run.repeat(one, 2, 5)
    run.requests, run.bytes = brief.requests, brief.bytes


CASES = {
    "get": get,
    "post": post,
    "download": download,
    "download-slow": download_slow,
    "upload": upload,
    "cancel": cancel,
    "cancel-beside": cancel_beside,
    "refuse": refuse,
    "early": early,
    "echo-tiny": echo_tiny,
    "echo-big": echo_big,
    "ping": ping,
    "sessions": sessions,
    "soak": soak,
}
