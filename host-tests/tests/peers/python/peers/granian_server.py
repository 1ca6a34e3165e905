"""granian, on Rust's hyper."""

import os
import signal
import socket
import threading
import time

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP2Settings

import app

ROLE = "server"
NAME = "granian"
CASES = app.CASES
CONFIGS = {
    "default": HTTP2Settings(),
    "awkward": HTTP2Settings(
        initial_connection_window_size=65_535,
        initial_stream_window_size=1_000,
        keep_alive_interval=1_000,
        max_concurrent_streams=5,
        max_headers_size=4_096,
    ),
    "one-stream": HTTP2Settings(max_concurrent_streams=1),
}
CASES_OF = {"one-stream": ["one-stream"]}


def stop():
    os.kill(os.getpid(), signal.SIGTERM)


def serve(config, listening):
    # It opens the port by itself, in a process of its own.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = Granian(
        "app:app", address="127.0.0.1", port=port, interface=Interfaces.ASGI, http=HTTPModes.http2, http2_settings=config,
        log_enabled=False, websockets=False,
    )
    threading.Thread(target=wait, args=(port, listening), daemon=True).start()
    server.serve()


def wait(port, listening):
    """Tells the port when it can be connected to: the worker is ready later than the server says."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return listening(port)
        except ConnectionRefusedError:
            time.sleep(0.05)
