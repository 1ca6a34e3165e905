"""grpcio as server: the services of the gRPC interoperability tests, and of this project's own cases.

It prints its address, and runs until it is killed.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "guests/grpc-service/proto"))
test, test_services = grpc.protos_and_services("test.proto")
echo, echo_services = grpc.protos_and_services("echo.proto")

INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"
CODES = {code.value[0]: code for code in grpc.StatusCode}
# More than any case needs; each call takes a thread.
MAX_CONCURRENT_CALLS = 1100

# Streaming calls cancelled by their clients.
cancelled_calls = []


def messages(requests, context):
    """Yields the messages of a request, and counts the call as cancelled if it is over when they end."""
    over = Event()
    if not context.add_callback(over.set):
        over.set()
    try:
        yield from requests
    finally:
        # grpcio sometimes reports a cancellation as the end of the messages first.
        if over.wait(0.2):
            cancelled_calls.append(context)


def echo_metadata(context):
    """Echoes the metadata that the tests define for it."""
    wanted = [(name, value) for name, value in context.invocation_metadata() if name == INITIAL]
    if wanted:
        context.send_initial_metadata(wanted)
    context.set_trailing_metadata([pair for pair in context.invocation_metadata() if pair[0] == TRAILING])


def end_as_wanted(message, context):
    """Ends a call with the status that a message requests, unless it is OK."""
    if message.response_status.code:
        context.abort(CODES[message.response_status.code], message.response_status.message)


class TestService(test_services.TestServiceServicer):
    def EmptyCall(self, request, context):
        return test.Empty()

    def UnaryCall(self, request, context):
        end_as_wanted(request, context)
        echo_metadata(context)
        return test.SimpleResponse(payload=test.Payload(body=bytes(request.response_size)))

    def StreamingOutputCall(self, request, context):
        for wanted in request.response_parameters:
            time.sleep(wanted.interval_us / 1e6)
            yield test.StreamingOutputCallResponse(payload=test.Payload(body=bytes(wanted.size)))
        end_as_wanted(request, context)

    def StreamingInputCall(self, requests, context):
        octets = sum(len(message.payload.body) for message in messages(requests, context))
        return test.StreamingInputCallResponse(aggregated_payload_size=octets)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for message in messages(requests, context):
            yield from self.StreamingOutputCall(message, context)


class Echo(echo_services.EchoServicer):
    def Whole(self, request, context):
        return request

    def Each(self, requests, context):
        context.send_initial_metadata(())
        yield from messages(requests, context)

    def First(self, requests, context):
        return next(requests)

    def Refuse(self, requests, context):
        context.set_trailing_metadata([("grpc-status-details-bin", b"\0details\xff")])
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")

    def CancelledCalls(self, request, context):
        return echo.Count(calls=len(cancelled_calls))


def main():
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(MAX_CONCURRENT_CALLS), options=options)
    test_services.add_TestServiceServicer_to_server(TestService(), server)
    echo_services.add_EchoServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
