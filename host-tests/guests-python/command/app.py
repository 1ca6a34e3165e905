"""A client and a server in one program, without an event loop of its own, that never drops a stream."""

from typing import Callable

from wit_world import exports
from wit_world.imports import connection, over_tcp, tcp
from wit_world.imports.types import Method_Get, RequestHead, ResponseHead, Scheme_Http

REQUESTS = 250
PATIENCE = 20_000_000_000  # nanoseconds


class Run(exports.Run):
    def run(self) -> None:
        listener = tcp.Listener.listen("127.0.0.1:0")
        address = listener.local_address()
        host, port = address.rsplit(":", 1)
        self.client = over_tcp.dial(host, int(port), None, PATIENCE)
        io, _peer = listener.blocking_accept(PATIENCE)
        self.server = connection.Connection.handshake(io, connection.Role.SERVER, None)
        self.kept = []
        for number in range(REQUESTS):
            head = RequestHead(Method_Get(), Scheme_Http(), address, f"/{number}", [])
            stream = self.client.open_stream(head, True)
            self.kept.append(stream)
            assert self.wait_for(stream.response).status == 200
            assert self.wait_for(lambda: stream.read_data(100)) == f"/{number}".encode()
        print(f"{REQUESTS} responses")

    def wait_for(self, ask: Callable):
        """Serves until `ask` returns something."""
        while not (answer := ask()):
            ready = connection.wait_any([self.client, self.server], None, PATIENCE)
            assert ready, "nothing happened"
            for request in self.server.turn().requests:
                self.kept.append(request.stream)
                head = ResponseHead(200, [("content-type", b"text/plain")])
                request.stream.answer(head, request.head.path_with_query.encode(), None)
        return answer
