"""niquests, on urllib3-future and the package jh2."""

from contextlib import asynccontextmanager

import niquests

ROLE = "client"
NAME = "niquests"
CASES = ["get", "post", "download", "download-slow", "upload", "refuse", "early", "sessions", "soak"]
CONFIGS = {"default": {}, "awkward": {"multiplexed": True}}


class Connection:
    def __init__(self, session, url):
        self.session, self.url = session, url

    async def request(self, method, path, content):
        response = await self.session.request(method, self.url + path, data=content, stream=True, timeout=300)
        await self.session.gather(response)
        return response.status_code, await response.iter_raw(1 << 14), response.close


@asynccontextmanager
async def connect(url, config):
    # With prior knowledge of HTTP/2.
    async with niquests.AsyncSession(disable_http1=True, disable_http3=True, **config) as session:
        session.trust_env = False
        yield Connection(session, url)
