"""hypercorn, on the package h2."""

import asyncio
import socket
import threading

from hypercorn.asyncio import serve as hypercorn
from hypercorn.config import Config

import app

ROLE = "server"
NAME = "hypercorn"
CASES = app.CASES
CONFIGS = {
    "default": {},
    "awkward": {"h2_max_concurrent_streams": 5, "h2_max_inbound_frame_size": 16_384, "h2_max_header_list_size": 4_096},
    # Says GOAWAY after so many requests on a connection.
    "shutdown": {"keep_alive_max_requests": 50},
    "one-stream": {"h2_max_concurrent_streams": 1},
}
CASES_OF = {"shutdown": ["shutdown"], "one-stream": ["one-stream"]}

stopping = threading.Event()
stop = stopping.set


def serve(config, listening):
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Config.from_mapping(bind=[f"fd://{listener.fileno()}"], errorlog=None, **config)
    listening(listener.getsockname()[1])
    asyncio.run(hypercorn(app.app, settings, shutdown_trigger=lambda: asyncio.to_thread(stopping.wait)))
