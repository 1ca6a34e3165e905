"""grpcio, based on gRPC's C core."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc

import grpc_tests

services = grpc_tests.load("server")

ROLE = "server"
NAME = "grpcio"
CASES = ["grpc-interop"]
CONFIGS = {
    "default": [],
    # GOAWAY after a second; one PING per second; small windows.
    "awkward": [
        ("grpc.max_connection_age_ms", 1000),
        ("grpc.max_connection_age_grace_ms", 60_000),
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.http2.lookahead_bytes", 1024),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.max_concurrent_streams", 5),
    ],
}

stopping = Event()
stop = stopping.set


def serve(config, listening):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), *config]
    server = grpc.server(ThreadPoolExecutor(100), options=options)
    services.test_services.add_TestServiceServicer_to_server(services.TestService(), server)
    services.echo_services.add_EchoServicer_to_server(services.Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    listening(port)
    stopping.wait()
    server.stop(0)
