"""libcurl, through pycurl.

It makes concurrent transfers on one connection, with a newer libcurl than that of the command curl.
"""

import asyncio
from contextlib import asynccontextmanager

import pycurl

ROLE = "client"
NAME = "libcurl"
CASES = ["get", "post", "download", "download-slow", "cancel", "early", "sessions", "soak"]
OMITTED = {"refuse": "gives up its upload at a status of 400 or more, and fails; with Node's server, too"}
CONFIGS = {
    "default": {},
    # 300 concurrent transfers, of which those above the server's limit wait; small reads.
    "awkward": {"streams": 300, "buffer": 1024},
}


class Failed(Exception):
    """A transfer has ended unexpectedly."""


class Transfer:
    def __init__(self, connection, method, path, content):
        self.pieces = asyncio.Queue()
        self.status = asyncio.get_running_loop().create_future()
        self.is_paused = self.has_ended = False
        self.easy = easy = pycurl.Curl()
        easy.transfer = self
        easy.setopt(pycurl.URL, connection.url + path)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        easy.setopt(pycurl.PIPEWAIT, 1)
        easy.setopt(pycurl.CUSTOMREQUEST, method)
        easy.setopt(pycurl.HEADERFUNCTION, self.header)
        easy.setopt(pycurl.WRITEFUNCTION, self.write)
        if buffer := connection.config.get("buffer"):
            easy.setopt(pycurl.BUFFERSIZE, buffer)
        if content is not None:
            easy.setopt(pycurl.POSTFIELDS, content)
            easy.setopt(pycurl.HTTPHEADER, ["expect:"])

    def header(self, line):
        # The status line comes first, as in `HTTP/2 200`; informational responses precede it.
        is_final = line.startswith(b"HTTP/") and int(line.split()[1]) >= 200
        # A cancelled transfer continues until it is removed.
        if is_final and not self.status.done():
            self.status.set_result(int(line.split()[1]))

    def write(self, piece):
        # libcurl offers rejected data again when the transfer resumes.
        if self.pieces.qsize() > 20:
            self.is_paused = True
            return pycurl.WRITEFUNC_PAUSE
        self.pieces.put_nowait(piece)
        return len(piece)

    def end(self, error):
        self.has_ended = True
        if not self.status.done():
            self.status.set_exception(error or Failed("no response"))
            # Nobody awaits a cancelled transfer.
            self.status.exception()
        self.pieces.put_nowait(error)


class Connection:
    def __init__(self, url, config):
        self.url, self.config = url, config
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        if streams := config.get("streams"):
            self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, streams)

    async def run(self):
        while True:
            self.multi.perform()
            _, ended, failed = self.multi.info_read()
            for easy, error in [(easy, None) for easy in ended] + [(easy, Failed(*why)) for easy, *why in failed]:
                self.multi.remove_handle(easy)
                easy.transfer.end(error)
            # asyncio has no call that waits for libcurl's sockets.
            await asyncio.sleep(0 if self.multi.select(0) > 0 else 0.001)

    async def request(self, method, path, content):
        if content is not None and not isinstance(content, bytes):
            content = b"".join([piece async for piece in content])
        transfer = Transfer(self, method, path, content)
        self.multi.add_handle(transfer.easy)

        async def cancel():
            # A transfer that has ended is already removed.
            if not transfer.has_ended:
                self.multi.remove_handle(transfer.easy)

        try:
            status = await transfer.status
        except asyncio.CancelledError:
            await cancel()
            raise
        return status, self.pieces(transfer), cancel

    async def pieces(self, transfer):
        while (piece := await transfer.pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            if transfer.is_paused and transfer.pieces.empty():
                transfer.is_paused = False
                transfer.easy.pause(pycurl.PAUSE_CONT)
            yield piece


@asynccontextmanager
async def connect(url, config):
    connection = Connection(url, config)
    running = asyncio.create_task(connection.run())
    yield connection
    running.cancel()
    connection.multi.close()
