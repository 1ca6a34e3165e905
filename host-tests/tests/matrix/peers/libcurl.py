"""libcurl. Arguments: the case, and the URL of our server. Prints "ok" at the end."""

import os
import sys

import pycurl

NAME, URL = sys.argv[1:]


class Request:
    """A request and its response."""

    def __init__(self, path, content=None, method=None):
        self.head = []
        self.content = bytearray()
        self.handle = pycurl.Curl()
        self.handle.setopt(pycurl.URL, URL + path)
        self.handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        self.handle.setopt(pycurl.HEADERFUNCTION, self.head.append)
        self.handle.setopt(pycurl.WRITEFUNCTION, self.receive)
        if content is not None:
            self.handle.setopt(pycurl.POSTFIELDS, content)
        if method == "HEAD":
            self.handle.setopt(pycurl.NOBODY, True)
        MULTI.add_handle(self.handle)

    def receive(self, octets):
        self.content += octets

    def connections(self):
        """Returns how many connections were opened for the request."""
        return self.handle.getinfo(pycurl.NUM_CONNECTS)


def perform(until=lambda: False):
    """Performs all requests, until they are complete or `until` returns true."""
    while not until():
        _, running = MULTI.perform()
        _, _, failed = MULTI.info_read()
        assert not failed, failed
        if not running:
            return
        MULTI.select(1.0)


def send(*what, **how):
    request = Request(*what, **how)
    perform()
    return request


def get():
    request = send("/")
    assert request.head[0].startswith(b"HTTP/2 200"), request.head
    assert request.content.startswith(b"Hello"), request.content
    return request


def head():
    request = send("/bytes/1000", method="HEAD")
    assert b"content-length: 1000\r\n" in request.head, request.head
    assert request.content == b""


def download():
    assert send(f"/bytes/{1 << 24}").content == bytes(1 << 24)


def upload():
    content = os.urandom(1 << 24)
    assert send("/echo", content).content == content


def informational():
    statuses = [line[:10] for line in send("/early-hints").head if line.startswith(b"HTTP/2 ")]
    assert statuses == [b"HTTP/2 103", b"HTTP/2 200"], statuses


def at_once():
    requests = [Request(f"/bytes/{number}") for number in range(100)]
    perform()
    assert [len(request.content) for request in requests] == list(range(100))
    assert sum(request.connections() for request in requests) == 1


def cancel():
    request = Request("/bytes/1000000000000")
    perform(until=lambda: request.content)
    MULTI.remove_handle(request.handle)
    assert get().connections() == 0, "another connection"


def shutdown():
    request = Request("/bytes/100000000")
    perform(until=lambda: request.content)
    print("started", flush=True)
    perform()
    assert len(request.content) == 100_000_000


MULTI = pycurl.CurlMulti()
MULTI.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
globals()[NAME.replace("-", "_")]()
print("ok")
