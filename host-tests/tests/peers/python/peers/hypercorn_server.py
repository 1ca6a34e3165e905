"""hypercorn, on the package h2."""

import asyncio
import socket
import threading

from hypercorn.asyncio import serve as hypercorn
from hypercorn.config import Config

import app

ROLE = "server"
NAME = "hypercorn"
CASES = [case for case in app.CASES if case not in ("refuse", "early")]
# After its default of 1,000 requests on a connection it sends GOAWAY, and ends the connection as for "shutdown".
ENDLESS = {"keep_alive_max_requests": 1_000_000_000}
CONFIGS = {
    "default": ENDLESS,
    "awkward": {**ENDLESS, "h2_max_inbound_frame_size": 16_384, "h2_max_header_list_size": 4_096},
}
OMITTED = {
    "refuse": "fails with KeyError at content that comes after its response; with Node's client, too",
    "early": "fails with KeyError at content that comes after its response; with Node's client, too",
    "one-stream": "ends a connection that has more streams before its SETTINGS have arrived; with h2load, too",
    "shutdown": "ends a connection at the first frame after its GOAWAY, as the package h2 does",
}

stopping = threading.Event()
stop = stopping.set


def serve(config, listening):
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Config.from_mapping(bind=[f"fd://{listener.fileno()}"], errorlog=None, **config)
    listening(listener.getsockname()[1])
    asyncio.run(hypercorn(app.app, settings, shutdown_trigger=lambda: asyncio.to_thread(stopping.wait)))
