"""httpx against the demonstration server. Argument: the URL."""

import asyncio
import sys

import httpx

URL = sys.argv[1]


def check_one_after_the_other():
    with httpx.Client(http1=False, http2=True, base_url=URL, timeout=60) as client:
        response = client.get("/")
        assert (response.status_code, response.http_version) == (200, "HTTP/2"), response
        assert response.text.startswith("Hello"), response.text

        assert client.head("/bytes/1000").headers["content-length"] == "1000"
        assert client.delete("/bytes/1").status_code == 405
        assert "x-mine: yes" in client.get("/headers", headers={"X-Mine": "yes"}).text
        assert client.get("/early-hints").status_code == 200

        content = bytes(range(256)) * 4096
        pieces = (content[at : at + 10_000] for at in range(0, len(content), 10_000))
        echo = client.post("/echo", content=pieces)
        assert echo.content == content, f"{len(echo.content)} of {len(content)} octets"

        with client.stream("GET", "/bytes/5000000") as download:
            assert sum(map(len, download.iter_raw())) == 5_000_000


async def check_many_at_a_time():
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http1=False, http2=True, base_url=URL, timeout=60, limits=limits) as client:
        responses = await asyncio.gather(*(client.get(f"/bytes/{number}") for number in range(300)))
        assert [len(response.content) for response in responses] == list(range(300))


check_one_after_the_other()
asyncio.run(check_many_at_a_time())
print("ok")
