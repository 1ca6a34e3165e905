"""An ASGI application that serves the files of the folder FOLDER, and several paths of its own."""

import asyncio
import os

PIECE = 1 << 16


async def until_disconnected(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def content_of(receive):
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        yield event.get("body", b"")
        if not event.get("more_body", False):
            return


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])

    async def start(headers=(), trailers=False):
        await send({"type": "http.response.start", "status": 200, "headers": list(headers), "trailers": trailers})

    async def body(content=b"", more=False):
        await send({"type": "http.response.body", "body": content, "more_body": more})

    path = scope["path"]
    if path == "/echo":
        await start()
        async for piece in content_of(receive):
            await body(piece, True)
        await body()
    elif path == "/hints":
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload; as=style"]})
        await start()
        await body(b"hinted\n")
    elif path == "/trailers":
        await start(trailers=True)
        await body(b"with trailers\n")
        await send({"type": "http.response.trailers", "headers": [(b"x-check", b"sum")], "more_trailers": False})
    else:
        file = os.path.join(os.environ["FOLDER"], os.path.basename(path))
        await start([(b"content-length", str(os.path.getsize(file)).encode())])
        if scope["method"] != "HEAD":
            # The server silently discards everything sent on a closed stream.
            disconnected = asyncio.create_task(until_disconnected(receive))
            with open(file, "rb") as content:
                while not disconnected.done() and (piece := content.read(PIECE)):
                    await body(piece, True)
                    await asyncio.sleep(0)
            disconnected.cancel()
        await body()
