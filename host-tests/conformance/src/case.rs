//! What a case is: octets that an endpoint is sent, and what it has to answer.

use std::fmt;

use crate::frame::{PREFACE, settings, settings_ack};

/// Which end of a connection is held against a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server that answers every request with status 200, and sends the content of those for `/echo` back.
    Server,
    /// A client that sends GET requests, two at a time, on streams 1, 3, 5, …
    Client,
}

/// One thing that happens in a case.
#[derive(Clone, Debug)]
pub enum Step {
    /// The tester sends these octets.
    Send(Vec<u8>),
    /// The endpoint answers with this, among other frames that are beside the point.
    Expect(Expected),
    /// The endpoint ends the connection with GOAWAY and this code (RFC 9113, 5.4.1).
    ConnectionError(u32),
    /// The endpoint ends the connection, with or without GOAWAY.
    Closed,
    /// The endpoint ends one stream with RST_STREAM and this code (RFC 9113, 5.4.2), and the connection goes on.
    StreamError(u32, u32),
    /// What was sent changes nothing: no stream is reset, and the connection goes on.
    Nothing,
    /// This does not come, although all that was sent has been acted on.
    Never(Expected),
}

/// A frame that has to come.
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
    /// The content of a message, whole, with whatever ends it.
    Content {
        /// Its stream.
        stream: u32,
        /// The octets.
        content: Vec<u8>,
    },
    /// So many octets of content, or more.
    Data {
        /// Its stream.
        stream: u32,
        /// How many.
        octets: usize,
    },
    /// The end of a message.
    End {
        /// Its stream.
        stream: u32,
    },
    /// HEADERS whose field block begins like this (RFC 7541, 6).
    Block {
        /// Its stream.
        stream: u32,
        /// The first octets.
        starts_with: &'static [u8],
    },
    /// Client: HEADERS of a request.
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
        /// The last stream that was or might be processed.
        last: u32,
        /// Its error code.
        code: u32,
    },
    /// WINDOW_UPDATE, by as much as it may be.
    WindowUpdate {
        /// Its stream; 0 is the connection.
        stream: u32,
    },
}

/// A case: what is sent and what has to come back, step by step, after the exchange of SETTINGS.
#[derive(Clone)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: &'static str,
    /// The requirements that it is about, by their ids.
    pub requirements: &'static [&'static str],
    /// Who is held against it.
    pub role: Role,
    /// Whether the tester begins with its preface and SETTINGS, and acknowledges those of the endpoint; else the
    /// steps say all that is sent.
    pub with_preface: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Case {
    /// A case for one role. A client has sent its first two requests, on streams 1 and 3.
    pub fn new(role: Role, requirements: &'static [&'static str], name: &'static str) -> Self {
        Self { name, requirements, role, with_preface: true, steps: Vec::new() }
    }

    /// A case for servers.
    pub fn server(requirements: &'static [&'static str], name: &'static str) -> Self {
        Self::new(Role::Server, requirements, name)
    }

    /// A case for clients, which have sent their first two requests, on streams 1 and 3.
    pub fn client(requirements: &'static [&'static str], name: &'static str) -> Self {
        Self::new(Role::Client, requirements, name)
    }

    /// Leaves what is sent at first to the steps.
    #[must_use]
    pub fn without_preface(self) -> Self {
        Self { with_preface: false, ..self }
    }

    /// Sends octets.
    #[must_use]
    pub fn send(self, octets: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(octets.into()))
    }

    /// Sends the preface and SETTINGS of the tester, in a case [without them](Self::without_preface).
    #[must_use]
    pub fn send_preface(self, parameters: &[(u16, u32)]) -> Self {
        let mut octets = if self.role == Role::Server { PREFACE.to_vec() } else { Vec::new() };
        octets.extend(settings(parameters));
        octets.extend(settings_ack());
        self.send(octets)
    }

    /// Wants a frame.
    #[must_use]
    pub fn expect(self, expected: Expected) -> Self {
        self.then(Step::Expect(expected))
    }

    /// Wants the connection ended.
    #[must_use]
    pub fn connection_error(self, code: u32) -> Self {
        self.then(Step::ConnectionError(code))
    }

    /// Wants the connection ended, in whatever way.
    #[must_use]
    pub fn closed(self) -> Self {
        self.then(Step::Closed)
    }

    /// Wants a stream ended, and the connection alive.
    #[must_use]
    pub fn stream_error(self, stream: u32, code: u32) -> Self {
        self.then(Step::StreamError(stream, code))
    }

    /// Wants nothing ended.
    #[must_use]
    pub fn nothing(self) -> Self {
        self.then(Step::Nothing)
    }

    /// Wants a frame not to come.
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
