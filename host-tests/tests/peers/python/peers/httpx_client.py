"""httpx, on the package h2.

It sends the whole request before it reads the response, so it has no case that does both at once.
"""

from contextlib import asynccontextmanager

import httpx

ROLE = "client"
NAME = "httpx"
CASES = ["get", "post", "download", "download-slow", "upload", "sessions", "soak"]
OMITTED = {
    "refuse": "fails when a response ends before its request; with Go's server, too",
    "early": "fails when a response ends before its request; with Go's server, too",
    "cancel": "hangs after some rounds, its tasks waiting for a lock of httpcore; with Go's server, too",
}
CONFIGS = {
    "default": {},
    # 20 concurrent connections, which are not reused.
    "awkward": {"limits": httpx.Limits(max_connections=20, max_keepalive_connections=0, keepalive_expiry=0)},
}


class Connection:
    def __init__(self, client, url):
        self.client, self.url = client, url

    async def request(self, method, path, content):
        request = self.client.build_request(method, self.url + path, content=content)
        response = await self.client.send(request, stream=True)
        return response.status_code, response.aiter_raw(), response.aclose


@asynccontextmanager
async def connect(url, config):
    limits = config.get("limits", httpx.Limits())
    async with httpx.AsyncClient(http1=False, http2=True, timeout=None, limits=limits, trust_env=False) as client:
        yield Connection(client, url)
