"""httpx. Arguments: the case, and the URL of our server. Prints "ok" at the end."""

import asyncio
import os
import sys

import httpx

NAME, URL = sys.argv[1:]


def get(client):
    response = client.get("/")
    assert (response.status_code, response.http_version) == (200, "HTTP/2"), response
    assert response.text.startswith("Hello"), response.text


def head(client):
    response = client.head("/bytes/1000")
    assert response.headers["content-length"] == "1000"
    assert response.content == b""


def download(client):
    assert client.get(f"/bytes/{1 << 24}").content == bytes(1 << 24)


def upload(client):
    content = os.urandom(1 << 24)
    assert client.post("/echo", content=content).content == content


def at_once(_client):
    async def ask():
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(http1=False, http2=True, base_url=URL, timeout=60, limits=limits) as client:
            responses = await asyncio.gather(*(client.get(f"/bytes/{number}") for number in range(100)))
            assert [len(response.content) for response in responses] == list(range(100))

    asyncio.run(ask())


def cancel(client):
    with client.stream("GET", "/bytes/1000000000000") as response:
        next(response.iter_raw())
    get(client)


def shutdown(client):
    received = 0
    with client.stream("GET", "/bytes/100000000") as response:
        for piece in response.iter_raw():
            if received == 0:
                print("started", flush=True)
            received += len(piece)
    assert received == 100_000_000


with httpx.Client(http1=False, http2=True, base_url=URL, timeout=60) as client:
    globals()[NAME.replace("-", "_")](client)
print("ok")
