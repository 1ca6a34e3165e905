//! Cases: the bytes that the tester sends to an endpoint, and the frames that the endpoint must answer with.

use std::fmt;

use http2_test_support::{PREFACE, settings, settings_ack};

/// The side of the connection under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server that answers every request with status 200, and echoes the content of requests for `/echo`.
    Server,
    /// A client that sends GET requests on streams 1, 3, 5, …, keeping two in flight.
    Client,
}

/// One step of a case.
#[derive(Clone, Debug)]
pub enum Step {
    /// The tester sends these bytes.
    Send(Vec<u8>),
    /// The endpoint answers with this frame, possibly among others that the case ignores.
    Expect(Expected),
    /// The endpoint ends the connection with GOAWAY and this code (RFC 9113, 5.4.1).
    ConnectionError(u32),
    /// The endpoint ends the connection, with or without GOAWAY.
    Closed,
    /// The endpoint ends this stream with RST_STREAM and this code (RFC 9113, 5.4.2); the connection
    /// survives.
    StreamError(u32, u32),
    /// The endpoint ignores the input: it resets no stream, and the connection survives.
    Nothing,
    /// The endpoint does not send this frame, although it has processed all input.
    Never(Expected),
}

/// A frame that the endpoint must send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// HEADERS with this `:status`.
    Response {
        /// Its stream.
        stream: u32,
        /// The value of `:status`.
        status: &'static str,
    },
    /// HEADERS with this field.
    Field {
        /// Its stream.
        stream: u32,
        /// The name.
        name: &'static str,
        /// The value.
        value: &'static str,
    },
    /// The whole content of a message, however the message ends.
    Content {
        /// Its stream.
        stream: u32,
        /// The bytes of the content.
        content: Vec<u8>,
    },
    /// At least this much content.
    Data {
        /// Its stream.
        stream: u32,
        /// The number of bytes.
        octets: usize,
    },
    /// The end of a message (END_STREAM).
    End {
        /// Its stream.
        stream: u32,
    },
    /// HEADERS whose field block begins with these bytes (RFC 7541, 6).
    Block {
        /// Its stream.
        stream: u32,
        /// The first bytes of the block.
        starts_with: &'static [u8],
    },
    /// HEADERS of a request, from a client.
    Request {
        /// Its stream.
        stream: u32,
    },
    /// RST_STREAM.
    Reset {
        /// Its stream.
        stream: u32,
        /// Its error code.
        code: u32,
    },
    /// The acknowledgement of a PING.
    Pong([u8; 8]),
    /// The acknowledgement of SETTINGS.
    SettingsAck,
    /// A SETTINGS frame with this parameter.
    Setting(u16, u32),
    /// GOAWAY.
    GoAway {
        /// The last stream that the endpoint processed or may have processed.
        last: u32,
        /// Its error code.
        code: u32,
    },
    /// WINDOW_UPDATE with any increment.
    WindowUpdate {
        /// Its stream; 0 for the connection.
        stream: u32,
    },
}

/// A case: the input and the required answers, step by step, after the exchange of SETTINGS.
#[derive(Clone)]
pub struct Case {
    /// The claim of the case, as a phrase.
    pub name: &'static str,
    /// The ids of the requirements that the case covers.
    pub requirements: &'static [&'static str],
    /// The role of the endpoint under test.
    pub role: Role,
    /// Whether the tester first sends its preface and SETTINGS and acknowledges the endpoint's SETTINGS; if
    /// not, the steps contain all input.
    pub with_preface: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Case {
    /// Creates a case for one role; a client has already sent its first two requests, on streams 1 and 3.
    pub fn new(role: Role, requirements: &'static [&'static str], name: &'static str) -> Self {
        Self { name, requirements, role, with_preface: true, steps: Vec::new() }
    }

    /// Creates a case for servers.
    pub fn server(requirements: &'static [&'static str], name: &'static str) -> Self {
        Self::new(Role::Server, requirements, name)
    }

    /// Creates a case for clients, which have already sent their first two requests, on streams 1 and 3.
    pub fn client(requirements: &'static [&'static str], name: &'static str) -> Self {
        Self::new(Role::Client, requirements, name)
    }

    /// Leaves the preface and SETTINGS to the steps.
    #[must_use]
    pub fn without_preface(self) -> Self {
        Self { with_preface: false, ..self }
    }

    /// Sends bytes.
    #[must_use]
    pub fn send(self, octets: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(octets.into()))
    }

    /// Sends the tester's preface and SETTINGS, in a case [without them](Self::without_preface).
    #[must_use]
    pub fn send_preface(self, parameters: &[(u16, u32)]) -> Self {
        let mut octets = if self.role == Role::Server { PREFACE.to_vec() } else { Vec::new() };
        octets.extend(settings(parameters));
        octets.extend(settings_ack());
        self.send(octets)
    }

    /// Expects a frame.
    #[must_use]
    pub fn expect(self, expected: Expected) -> Self {
        self.then(Step::Expect(expected))
    }

    /// Expects the connection to end with GOAWAY and this code.
    #[must_use]
    pub fn connection_error(self, code: u32) -> Self {
        self.then(Step::ConnectionError(code))
    }

    /// Expects the connection to end, with or without GOAWAY.
    #[must_use]
    pub fn closed(self) -> Self {
        self.then(Step::Closed)
    }

    /// Expects a stream error, and the connection to survive.
    #[must_use]
    pub fn stream_error(self, stream: u32, code: u32) -> Self {
        self.then(Step::StreamError(stream, code))
    }

    /// Expects no stream and no connection to end.
    #[must_use]
    pub fn nothing(self) -> Self {
        self.then(Step::Nothing)
    }

    /// Expects the endpoint not to send a frame.
    #[must_use]
    pub fn never(self, expected: Expected) -> Self {
        self.then(Step::Never(expected))
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}: {}", self.role, self.requirements.join(", "), self.name)
    }
}
