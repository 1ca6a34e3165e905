"""The routes of the suite as an ASGI application, for all Python servers."""

import asyncio

CASES = ["get", "post", "download", "upload", "cancel", "refuse", "early"]
PIECE = bytes(64 << 10)


async def content_of(receive):
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        yield event.get("body", b"")
        if not event.get("more_body", False):
            return


async def until_disconnected(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    _, route, *rest = scope["path"].split("/")
    argument = int(rest[0]) if rest else None

    async def start(status=200):
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def body(content=b"", more=False):
        await send({"type": "http.response.body", "body": content, "more_body": more})

    async def respond(status, content):
        await start(status)
        await body(content)

    async def zeros(size):
        await start()
        # Some servers discard data sent on a closed stream.
        disconnected = asyncio.create_task(until_disconnected(receive))
        while size > 0 and not disconnected.done():
            await body(PIECE[: min(size, len(PIECE))], True)
            size -= len(PIECE)
            await asyncio.sleep(0)
        disconnected.cancel()
        await body()

    if route in ("", "upload"):
        size = sum([len(piece) async for piece in content_of(receive)])
        await respond(200, f"{size}\n".encode() if scope["method"] == "POST" else b"Hello from Python.\n")
    elif route == "bytes":
        await zeros(argument)
    elif route == "endless":
        await zeros(1 << 60)
    elif route == "echo":
        await start()
        async for piece in content_of(receive):
            await body(piece, True)
        await body()
    elif route == "delay":
        await asyncio.sleep(argument / 1000)
        await respond(200, b"later\n")
    elif route == "refuse":
        await respond(401, b"no\n")
    elif route == "early":
        await respond(200, bytes(10_000))
    else:
        await respond(404, b"nothing here\n")


async def lifespan(receive, send):
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
