"""The package h2 on asyncio's streams, with its own event loop."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import StreamClosedError
from h2.settings import SettingCodes, Settings

import cases

ROLE = "client"
NAME = "python-h2"
CASES = list(cases.CASES)
CONFIGS = {
    # Returns credit for each DATA frame immediately, on the stream and on the connection.
    "default": {},
    # Small windows, credited byte by byte at first; padding; no dynamic table; many PINGs.
    "awkward": {
        "settings": {SettingCodes.INITIAL_WINDOW_SIZE: 1_000, SettingCodes.HEADER_TABLE_SIZE: 0},
        "padding": 255,
        "scale": 1_000_000,
        "message": 50_000,
        "ping_pause": 0,
    },
    # The maximum of everything.
    "huge": {
        "settings": {
            SettingCodes.INITIAL_WINDOW_SIZE: (1 << 31) - 1,
            SettingCodes.MAX_FRAME_SIZE: (1 << 24) - 1,
            SettingCodes.HEADER_TABLE_SIZE: 1 << 20,
        },
        "window": (1 << 31) - 1,
    },
}


class Failed(Exception):
    """A stream or a connection has ended unexpectedly."""


class Stream:
    def __init__(self):
        self.head = asyncio.get_running_loop().create_future()
        self.pieces = asyncio.Queue()
        self.sending = None
        self.is_complete = False
        self.is_reset = False

    def fail(self, error):
        if not self.head.done():
            self.head.set_exception(error)
            # Nobody awaits a cancelled request.
            self.head.exception()
        self.pieces.put_nowait(error)


class Connection:
    def __init__(self, reader, writer, authority, config):
        self.reader, self.writer, self.authority, self.config = reader, writer, authority, config
        self.streams, self.pings, self.error, self.is_over = {}, [], None, False
        # Until then, the library knows no limit of streams.
        self.has_settings = False
        self.changed = asyncio.Condition()
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.local_settings = Settings(client=True, initial_values=config.get("settings", {}))
        self.h2.initiate_connection()
        if window := config.get("window"):
            self.h2.increment_flow_control_window(window - 65_535)
        self.flush()

    def flush(self):
        self.writer.write(self.h2.data_to_send())

    async def receive(self):
        try:
            kept = b""
            while data := await self.reader.read(1 << 16):
                kept += data
                # One frame at a time: the library does not bear frames after GOAWAY.
                start = 0
                while start + 9 <= len(kept):
                    end = start + 9 + int.from_bytes(kept[start : start + 3], "big")
                    if end > len(kept):
                        break
                    for event in [] if self.is_over else self.h2.receive_data(kept[start:end]):
                        self.take(event)
                    start = end
                kept = kept[start:]
                self.flush()
                async with self.changed:
                    self.changed.notify_all()
            self.fail(Failed("the server has closed the connection"))
        except Exception as error:
            self.fail(error)
        async with self.changed:
            self.changed.notify_all()

    def fail(self, error):
        self.error = self.error or error
        for stream in self.streams.values():
            stream.fail(self.error)

    def take(self, event):
        if isinstance(event, ConnectionTerminated):
            self.is_over = True
            # A stream whose response is complete may still have a slow reader.
            if event.error_code != ErrorCodes.NO_ERROR or not all(s.is_complete for s in self.streams.values()):
                self.fail(Failed(f"GOAWAY {event.error_code}, {event.additional_data}"))
        elif isinstance(event, RemoteSettingsChanged):
            self.has_settings = True
        elif isinstance(event, PingAckReceived):
            self.pings.pop(0).set_result(None)
        elif isinstance(event, DataReceived):
            self.acknowledge(event)
        if stream := self.streams.get(getattr(event, "stream_id", None)):
            if isinstance(event, ResponseReceived):
                stream.head.set_result(int(dict(event.headers)[":status"]))
            elif isinstance(event, DataReceived):
                stream.pieces.put_nowait(event.data)
            elif isinstance(event, StreamEnded):
                stream.is_complete = True
                stream.pieces.put_nowait(None)
            elif isinstance(event, StreamReset):
                stream.is_reset = True
                if event.error_code != ErrorCodes.NO_ERROR:
                    stream.fail(Failed(f"RST_STREAM {event.error_code}"))

    def acknowledge(self, event):
        """Sends two WINDOW_UPDATE frames for each DATA frame, however small."""
        if event.flow_controlled_length:
            self.h2.increment_flow_control_window(event.flow_controlled_length)
            try:
                self.h2.increment_flow_control_window(event.flow_controlled_length, event.stream_id)
            except StreamClosedError:
                # Input received together with this has ended the stream.
                pass

    async def request(self, method, path, content):
        async with self.changed:
            await self.changed.wait_for(lambda: self.error or self.has_room())
        if self.error:
            raise self.error
        number = self.h2.get_next_available_stream_id()
        head = {":method": method, ":scheme": "http", ":authority": self.authority, ":path": path}
        self.h2.send_headers(number, head.items(), end_stream=content is None)
        self.flush()
        stream = self.streams[number] = Stream()
        if content is not None:
            stream.sending = asyncio.create_task(self.send(number, stream, content))
        try:
            status = await stream.head
        except asyncio.CancelledError:
            await self.cancel(number, stream)
            raise
        return status, self.pieces(number, stream), lambda: self.cancel(number, stream)

    def has_room(self):
        limit = self.h2.remote_settings.max_concurrent_streams
        return self.has_settings and self.h2.open_outbound_streams < limit

    async def send(self, number, stream, content):
        try:
            if isinstance(content, bytes):
                await self.send_piece(number, content)
            else:
                async for piece in content:
                    await self.send_piece(number, piece)
            self.h2.end_stream(number)
            self.flush()
        except StreamClosedError:
            # The server wants no more; its response decides whether that is correct.
            pass
        except Failed as error:
            stream.fail(error)

    async def send_piece(self, number, piece):
        padding = self.config.get("padding")
        overhead = 0 if padding is None else padding + 1
        piece = memoryview(piece)
        stream = self.streams[number]
        while piece:
            async with self.changed:
                # The library keeps the window of a stream that was reset until it opens another one.
                await self.changed.wait_for(
                    lambda: self.error or stream.is_reset or self.window(number) > overhead
                )
            if self.error:
                raise Failed(str(self.error))
            if stream.is_reset:
                raise StreamClosedError(number)
            length = min(self.window(number), self.h2.max_outbound_frame_size) - overhead
            self.h2.send_data(number, bytes(piece[:length]), pad_length=padding)
            piece = piece[length:]
            self.flush()
            await self.writer.drain()

    def window(self, number):
        return self.h2.local_flow_control_window(number)

    async def pieces(self, number, stream):
        while (piece := await stream.pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece
        if stream.sending:
            await self.wake()
            await stream.sending
        del self.streams[number]

    async def cancel(self, number, stream):
        if self.streams.pop(number, None) is None:
            return
        if stream.sending:
            stream.sending.cancel()
        try:
            self.h2.reset_stream(number, ErrorCodes.CANCEL)
        except StreamClosedError:
            # It has ended at the same time.
            pass
        self.flush()
        await self.wake()

    async def wake(self):
        async with self.changed:
            self.changed.notify_all()

    async def ping(self):
        answer = asyncio.get_running_loop().create_future()
        self.pings.append(answer)
        self.h2.ping(b"12345678")
        self.flush()
        await answer


@asynccontextmanager
async def connect(url, config):
    authority = urlsplit(url)
    reader, writer = await asyncio.open_connection(authority.hostname, authority.port)
    connection = Connection(reader, writer, authority.netloc, config)
    receiving = asyncio.create_task(connection.receive())
    yield connection
    if connection.error:
        raise connection.error
    connection.h2.close_connection()
    connection.flush()
    receiving.cancel()
    writer.close()
