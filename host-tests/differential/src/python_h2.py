"""Python's h2 as an endpoint: reads one command per line from standard input, and writes answers to standard output.

An answer consists of any number of lines "delivered STREAM KIND [VALUE]", followed by "taken [NUMBER]", "later", "gone" or
"failed WHY". Bytes are in hexadecimal; a field section is "NAME:VALUE,NAME:VALUE". "-" is an empty list.
"""

import random
import sys

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.settings import SettingCodes

SETTINGS = {
    "table": SettingCodes.HEADER_TABLE_SIZE,
    "streams": SettingCodes.MAX_CONCURRENT_STREAMS,
    "window": SettingCodes.INITIAL_WINDOW_SIZE,
    "frame": SettingCodes.MAX_FRAME_SIZE,
}


class Later(Exception):
    """The endpoint has no room now."""


class Gone(Exception):
    """The stream has ended, or the connection accepts no more streams."""


def parse_section(text):
    if text == "-":
        return []
    return [tuple(bytes.fromhex(part) for part in field.split(":")) for field in text.split(",")]


def show_section(fields):
    return ",".join(f"{bytes(name).hex()}:{bytes(value).hex()}" for name, value in fields) or "-"


class Stream:
    def __init__(self):
        # Items received and not read: content with its flow-controlled length, and the end of the message.
        self.arrived = []
        self.gone = False


class Connection(h2.connection.H2Connection):
    """Applies a new frame size as soon as the peer acknowledges it; h2 4.4.1 keeps the old one for the rest of the input that
    contains the acknowledgement."""

    def _receive_frame(self, frame):
        events = super()._receive_frame(frame)
        self.incoming_buffer.max_frame_size = self.max_inbound_frame_size
        return events


class Endpoint:
    def __init__(self, role, seed, window, frame, table, connection_window):
        config = h2.config.H2Configuration(
            client_side=role == "client", header_encoding=None, normalize_inbound_headers=False
        )
        self.random = random.Random(int(seed))
        self.connection = Connection(config=config)
        self.connection.initiate_connection()
        more = int(connection_window) - 65535
        if more > 0:
            self.connection.increment_flow_control_window(more)
        # h2 would apply a second change on the acknowledgement of the first, so allow only one at a time.
        self.unacknowledged = True
        self.first = {
            SettingCodes.INITIAL_WINDOW_SIZE: int(window),
            SettingCodes.MAX_FRAME_SIZE: int(frame),
            SettingCodes.HEADER_TABLE_SIZE: int(table),
        }
        self.streams = {}
        self.delivered = []
        self.pongs = 0
        self.output = b""

    def stream(self, number):
        stream = self.streams.get(int(number))
        if stream is None or stream.gone:
            raise Gone
        return int(number), stream

    def receive(self, *pieces):
        for piece in pieces:
            for event in self.connection.receive_data(bytes.fromhex(piece)):
                self.event(event)

    def event(self, event):
        number = getattr(event, "stream_id", None)
        if isinstance(event, (h2.events.RequestReceived, h2.events.ResponseReceived)):
            self.streams.setdefault(number, Stream())
            self.delivered.append(f"{number} head {show_section(event.headers)}")
        elif isinstance(event, h2.events.InformationalResponseReceived):
            self.delivered.append(f"{number} informational {show_section(event.headers)}")
        elif isinstance(event, h2.events.DataReceived):
            stream = self.streams[number]
            if stream.gone:
                self.connection.acknowledge_received_data(event.flow_controlled_length, number)
            else:
                stream.arrived.append(["content", event.data, event.flow_controlled_length])
        elif isinstance(event, h2.events.TrailersReceived):
            self.streams[number].arrived.append(["trailers", show_section(event.headers)])
        elif isinstance(event, h2.events.StreamEnded):
            self.streams[number].arrived.append(["end"])
        elif isinstance(event, h2.events.StreamReset):
            if not event.remote_reset:
                raise h2.exceptions.ProtocolError(f"stream {number} was reset: {event!r}")
            stream = self.streams[number]
            if not stream.gone:
                stream.gone = True
                stream.arrived.append(["reset", int(event.error_code)])
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs += 1
        elif isinstance(event, h2.events.SettingsAcknowledged):
            self.unacknowledged = self.first is not None
            if self.first is not None:
                self.connection.update_settings(self.first)
                self.first = None
        elif isinstance(event, h2.events.ConnectionTerminated):
            raise h2.exceptions.ProtocolError(f"{event!r}")

    def transmit(self, most):
        self.output += self.connection.data_to_send()
        taken, self.output = self.output[: int(most)], self.output[int(most) :]
        return taken.hex()

    def open(self, head, end):
        if self.connection.open_outbound_streams >= self.connection.remote_settings.max_concurrent_streams:
            raise Later
        number = self.connection.get_next_available_stream_id()
        self.connection.send_headers(number, parse_section(head), end_stream=end == "end")
        self.streams[number] = Stream()
        return number

    def headers(self, number, section, end):
        number, _ = self.stream(number)
        self.connection.send_headers(number, parse_section(section), end_stream=end == "end")

    def data(self, number, end, content=""):
        number, _ = self.stream(number)
        content = bytes.fromhex(content)
        window = max(0, self.connection.local_flow_control_window(number))
        room = min(window, self.connection.max_outbound_frame_size)
        taken = min(room, len(content))
        if taken == 0 and content:
            raise Later
        padding = self.random.choice([None, 0, self.random.randrange(256)])
        if padding is not None and taken + padding + 1 > room:
            padding = None
        last = end == "end" and taken == len(content)
        self.connection.send_data(number, content[:taken], end_stream=last, pad_length=padding)
        return taken

    def reset(self, number, code):
        number, stream = self.stream(number)
        for item in stream.arrived:
            if item[0] == "content" and item[2]:
                self.connection.acknowledge_received_data(item[2], number)
        stream.gone = True
        stream.arrived = []
        self.connection.reset_stream(number, int(code))

    def read(self, number, most):
        number, most = int(number), int(most)
        arrived = self.streams[number].arrived if number in self.streams else []
        if not arrived:
            return
        if arrived[0][0] == "content":
            _, content, octets = arrived[0]
            rest = content[most:]
            content = content[:most]
            taken = len(content) if rest else octets
            if rest:
                arrived[0] = ["content", rest, octets - taken]
            else:
                arrived.pop(0)
            self.delivered.append(f"{number} content {content.hex()}")
            if taken:
                self.connection.acknowledge_received_data(taken, number)
        else:
            self.delivered.append(f"{number} " + " ".join(map(str, arrived.pop(0))))

    def change(self, setting, value):
        if self.unacknowledged:
            raise Later
        self.connection.update_settings({SETTINGS[setting]: int(value)})
        self.unacknowledged = True

    def window(self, number, octets):
        # h2 forgets closed streams.
        if number != "0" and self.stream(number)[0] not in self.connection.streams:
            raise Gone
        self.connection.increment_flow_control_window(int(octets), int(number) or None)

    def ping(self):
        self.connection.ping(b"question")


def answer(endpoint, command, arguments):
    try:
        result = getattr(endpoint, command)(*arguments)
        verdict = "taken" if result is None else f"taken {result}"
    except Later:
        verdict = "later"
    except (Gone, h2.exceptions.StreamClosedError):
        verdict = "gone"
    except h2.exceptions.H2Error as error:
        verdict = f"failed {command}: {error!r}".replace("\n", " ")
    for line in endpoint.delivered:
        print("delivered", line)
    endpoint.delivered = []
    print("pongs", endpoint.pongs)
    print(verdict, flush=True)


def main():
    endpoint = None
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "start":
            endpoint = Endpoint(*arguments)
            print("taken", flush=True)
        else:
            answer(endpoint, command, arguments)


main()
