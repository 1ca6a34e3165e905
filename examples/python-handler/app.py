"""A service in Python: a handler of wasi:http 0.3, which knows nothing of HTTP/2.

    GET  /           a short text
    GET  /lines/N    N lines, each sent before the next is generated
    POST /echo       the content, as it arrives; then the request's trailers, and a SHA-256 digest of the content
    GET  /fetch?URL  the response of another service: its status, content and trailers
"""

import hashlib
from urllib.parse import urlsplit

import wit_world
from componentize_py_async_support import spawn
from componentize_py_async_support.streams import ByteStreamWriter
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import client, monotonic_clock
from wit_world.imports.wasi_http_types import (
    ErrorCode_InternalError,
    Fields,
    Method_Get,
    Method_Post,
    Request,
    Response,
    Scheme_Http,
    Scheme_Https,
)

# Short names for generated functions, which are named after their whole type.
new_trailers = wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future
new_result = wit_world.result_unit_wasi_http_types_error_code_future

CHUNK = 64 * 1024
LINE_EVERY = 10_000_000  # nanoseconds


class Handler(exports.Handler):
    """The implementation of the component's exports."""

    async def handle(self, request: Request) -> Response:
        path = request.get_path_with_query() or "/"
        match request.get_method(), path.partition("?")[0].split("/")[1:]:
            case Method_Get(), [""]:
                return text(200, "Hello from Python, which knows nothing of HTTP/2.\n")
            case Method_Get(), ["lines", count] if count.isdecimal() and len(count) < 10:
                return streamed(lambda writer: write_lines(writer, int(count)))
            case Method_Post(), ["echo"]:
                return echo(request)
            case Method_Get(), ["fetch"]:
                return await fetch(path.partition("?")[2])
        return text(404, "Not found.\n")


async def write_lines(writer: ByteStreamWriter, count: int) -> Fields | None:
    """Writes lines at intervals, and stops when the client has gone."""
    for number in range(1, count + 1):
        await writer.write_all(f"line {number}\n".encode())
        if writer.reader_dropped:
            break
        if number < count:
            await monotonic_clock.wait_for(LINE_EVERY)
    return None


def echo(request: Request) -> Response:
    """Starts the response before the request has ended, and sends content as it arrives."""
    kept = [field for field in request.get_headers().copy_all() if field[0].lower() == "content-type"]
    content, trailers = Request.consume_body(request, new_result(lambda: Ok(None))[1])

    async def write(writer: ByteStreamWriter) -> Fields | None:
        digest = hashlib.sha256()
        with content:
            while not content.writer_dropped and not writer.reader_dropped:
                octets = await content.read(CHUNK)
                digest.update(octets)
                await writer.write_all(octets)
        if writer.reader_dropped:
            return None
        match await trailers.read():
            case Ok(received):
                fields = received.copy_all() if received is not None else []
                return Fields.from_list([*fields, ("content-sha256", digest.hexdigest().encode())])
            case error:
                raise error

    return streamed(write, kept)


async def fetch(url: str) -> Response:
    """Calls another service, and passes its content and trailers to the client without reading them in Python."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return text(400, "Not a URL. Example: /fetch?http://127.0.0.1:8080/path\n")
    request = Request.new(Fields(), None, new_trailers(lambda: Ok(None))[1], None)[0]
    try:
        request.set_scheme(Scheme_Http() if parts.scheme == "http" else Scheme_Https())
        request.set_authority(parts.netloc)
        request.set_path_with_query(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        answer = await client.send(request)
    except Err as error:
        return text(502, f"No response: {error.value}\n")
    status, fields = answer.get_status_code(), answer.get_headers().copy_all()
    content, trailers = Response.consume_body(answer, new_result(lambda: Ok(None))[1])
    kept = [field for field in fields if field[0].lower() == "content-type"]
    response = Response.new(Fields.from_list(kept), content, trailers)[0]
    response.set_status_code(status)
    return response


def text(status: int, content: str) -> Response:
    """Returns a response with a short text."""

    async def write(writer: ByteStreamWriter) -> Fields | None:
        await writer.write_all(content.encode())
        return None

    response = streamed(write, [("content-type", b"text/plain; charset=utf-8")])
    response.set_status_code(status)
    return response


def streamed(write, fields: list[tuple[str, bytes]] = []) -> Response:
    """Returns a response whose content is sent by `write`, which returns the trailers.

    An uncaught exception in a task would end the instance and all its requests, so this ends only the response.
    """
    writer, reader = wit_world.byte_stream()
    end, trailers = new_trailers(lambda: Err(ErrorCode_InternalError(None)))

    async def run() -> None:
        try:
            with writer:
                outcome = Ok(await write(writer))
        except Err as error:
            outcome = error
        except Exception as error:
            outcome = Err(ErrorCode_InternalError(str(error)))
        await end.write(outcome)

    spawn(run())
    return Response.new(Fields.from_list(fields), reader, trailers)[0]
