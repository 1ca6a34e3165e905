"""gRPC over wasi:http: each request is a call; its response carries the messages and the status of the call."""

import base64
import traceback
from asyncio import Future, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable
from string import punctuation
from urllib.parse import quote

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from google.protobuf.message import DecodeError, Message
from wit_world.imports import monotonic_clock
from wit_world.imports.wasi_http_types import (
    ErrorCode_ConnectionTerminated,
    ErrorCode_InternalError,
    Fields,
    Method_Post,
    Request,
    Response,
)

# gRPC status codes.
OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
UNIMPLEMENTED = 12
INTERNAL = 13

MAX_MESSAGE = 32 << 20
CHUNK = 64 << 10
NANOSECONDS = {"H": 3600 * 10**9, "M": 60 * 10**9, "S": 10**9, "m": 10**6, "u": 10**3, "n": 1}
# Spaces are escaped as well: a field value must not start or end with one.
NOT_ESCAPED = punctuation.replace("%", "")

# Short names for the generated constructors.
new_trailers = wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future
new_result = wit_world.result_unit_wasi_http_types_error_code_future


class Status(Exception):
    """The status that ends a call; `details` is the value of grpc-status-details-bin."""

    def __init__(self, code: int, message: str = "", details: bytes = b"") -> None:
        super().__init__(code, message)
        self.code, self.message, self.details = code, message, details

    def fields(self) -> list[tuple[str, bytes]]:
        fields = [("grpc-status", str(self.code).encode())]
        if self.message:
            fields.append(("grpc-message", quote(self.message, safe=NOT_ESCAPED).encode()))
        if self.details:
            fields.append(("grpc-status-details-bin", to_base64(self.details)))
        return fields


class Cancelled(Status):
    """The client has cancelled the call and no longer reads the response."""

    def __init__(self) -> None:
        super().__init__(CANCELLED, "the client has cancelled the call")


class Call:
    """One call.

    The response head is sent with the first message, or with the status if the method sends no message; `begin`
    sends it earlier. `initial` and `trailing` are the metadata to send, where values of names ending in `-bin` are
    arbitrary bytes. `cancelled_calls` counts the calls that clients cancelled while sending.
    """

    cancelled_calls = 0

    def __init__(self, request: Request) -> None:
        fields = request.get_headers().copy_all()
        self.metadata = [(name, value) for name, raw in fields for value in from_wire(name, raw)]
        self.initial: list[tuple[str, bytes]] = []
        self.trailing: list[tuple[str, bytes]] = []
        self._deadline = deadline(self.metadata)
        self._content, self._end = Request.consume_body(request, new_result(lambda: Ok(None))[1])
        self._received = bytearray()
        self._writer = None
        self._trailers = None
        self._response: Future[Response] = get_running_loop().create_future()

    async def messages[M: Message](self, kind: type[M]) -> AsyncIterator[M]:
        """Yields the client's messages."""
        while await self._receive(5):
            compressed, length = self._received[0], int.from_bytes(self._received[1:5])
            if compressed:
                raise Status(UNIMPLEMENTED, "compressed messages are not supported")
            if length > MAX_MESSAGE:
                raise Status(RESOURCE_EXHAUSTED, f"a message of {length} bytes is too large")
            if not await self._receive(5 + length):
                raise Status(INTERNAL, "the request ends within a message")
            try:
                message = kind.FromString(bytes(self._received[5 : 5 + length]))
            except DecodeError as error:
                raise Status(INTERNAL, f"a message is malformed: {error}") from error
            del self._received[: 5 + length]
            yield message
        if self._received:
            raise Status(INTERNAL, "the request ends within a message")
        if isinstance(await self._end.read(), Err):
            Call.cancelled_calls += 1
            raise Cancelled

    async def message[M: Message](self, kind: type[M]) -> M:
        """Returns the client's only message."""
        messages = [message async for message in self.messages(kind)]
        if len(messages) != 1:
            raise Status(UNIMPLEMENTED, f"expected one message, got {len(messages)}")
        return messages[0]

    def begin(self) -> None:
        """Sends the response head, if it has not been sent."""
        if self._writer is None:
            self._writer, reader = wit_world.byte_stream()
            self._trailers, trailers = new_trailers(lambda: Err(ErrorCode_InternalError(None)))
            self._respond([], reader, trailers)

    async def send(self, message: Message) -> None:
        """Sends a message, and waits until the client has taken it."""
        self.begin()
        content = message.SerializeToString()
        frame = bytes([0]) + len(content).to_bytes(4) + content
        # Each write copies its whole argument, even if the reader takes only a part.
        for offset in range(0, len(frame), CHUNK):
            await self._writer.write_all(frame[offset : offset + CHUNK])
            if self._writer.reader_dropped:
                raise Cancelled

    async def sleep(self, nanoseconds: int) -> None:
        """Waits; raises DEADLINE_EXCEEDED when the deadline of the call passes."""
        now = monotonic_clock.now()
        if self._deadline is not None and now + nanoseconds >= self._deadline:
            await monotonic_clock.wait_until(self._deadline)
            raise Status(DEADLINE_EXCEEDED, "the deadline has passed")
        await monotonic_clock.wait_for(nanoseconds)

    async def answer(self, method: Callable[["Call"], Awaitable[None]]) -> Response:
        """Runs the method, and returns the response once its head is known."""
        spawn(self._run(method))
        return await self._response

    async def _run(self, method: Callable[["Call"], Awaitable[None]]) -> None:
        with self._content:
            try:
                await method(self)
                status = Status(OK)
            except Status as error:
                status = error
            except Exception as error:
                # An unhandled exception would end the instance, and with it all other calls.
                traceback.print_exc()
                status = Status(UNKNOWN, str(error))
        fields = [*status.fields(), *to_wire(self.trailing)]
        if self._writer is None:
            self._respond(fields, None, new_trailers(lambda: Ok(None))[1])
            return
        with self._writer:
            pass
        # componentize-py 0.25 leaks a resource written to a future that nobody reads.
        if isinstance(status, Cancelled):
            await self._trailers.write(Err(ErrorCode_ConnectionTerminated()))
        else:
            await self._trailers.write(Ok(Fields.from_list(fields)))

    def _respond(self, fields, reader, trailers) -> None:
        head = [("content-type", b"application/grpc"), *to_wire(self.initial), *fields]
        self._response.set_result(Response.new(Fields.from_list(head), reader, trailers)[0])

    async def _receive(self, count: int) -> bool:
        """Waits for `count` bytes; returns False if the request ends first."""
        while len(self._received) < count and not self._content.writer_dropped:
            self._received += await self._content.read(CHUNK)
        return len(self._received) >= count


async def serve(request: Request, methods: dict[str, Callable[[Call], Awaitable[None]]]) -> Response:
    """Answers a request by the method named in its path."""
    fields = dict(request.get_headers().copy_all())
    if not isinstance(request.get_method(), Method_Post):
        return refusal(405)
    if not fields.get("content-type", b"").startswith(b"application/grpc"):
        return refusal(415)
    path = request.get_path_with_query() or ""
    try:
        return await Call(request).answer(methods.get(path, unimplemented))
    except Status as status:
        head = [("content-type", b"application/grpc"), *status.fields()]
        return Response.new(Fields.from_list(head), None, new_trailers(lambda: Ok(None))[1])[0]


async def unimplemented(_call: Call) -> None:
    raise Status(UNIMPLEMENTED, "there is no such method")


def refusal(status: int) -> Response:
    """Returns a response without content, for requests other than gRPC."""
    response = Response.new(Fields(), None, new_trailers(lambda: Ok(None))[1])[0]
    response.set_status_code(status)
    return response


def deadline(metadata: list[tuple[str, bytes]]) -> int | None:
    """Returns the deadline of the call on the monotonic clock, if it has one."""
    for name, value in metadata:
        if name == "grpc-timeout":
            amount, unit = value[:-1], value[-1:].decode("latin-1")
            if not amount.isdigit() or len(amount) > 8 or unit not in NANOSECONDS:
                raise Status(INVALID_ARGUMENT, "grpc-timeout is malformed")
            return monotonic_clock.now() + int(amount) * NANOSECONDS[unit]
    return None


def from_wire(name: str, value: bytes) -> list[bytes]:
    """Decodes the values of a field: binary values are Base64, and may be joined by commas."""
    if not name.endswith("-bin"):
        return [value]
    try:
        return [base64.b64decode(part + b"=" * (-len(part) % 4), validate=True) for part in value.split(b",")]
    except ValueError as error:
        raise Status(INVALID_ARGUMENT, f"{name} is not Base64: {error}") from error


def to_wire(metadata: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(name, to_base64(value) if name.endswith("-bin") else value) for name, value in metadata]


def to_base64(value: bytes) -> bytes:
    return base64.b64encode(value).rstrip(b"=")
