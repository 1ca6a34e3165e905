//! A client and a server connected in memory.

use core::time::Duration;

use bytes::Bytes;

use crate::{Config, Connection, Event, FieldSection, Time};

/// The two endpoints and the current time.
pub(super) struct Pair {
    pub(super) client: Connection,
    pub(super) server: Connection,
    pub(super) now: Time,
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    pub(super) fn with(client: Config, server: Config) -> Self {
        let client = Connection::client(client).unwrap();
        let server = Connection::server(server).unwrap();
        Self { client, server, now: Time::from_nanos(1) }
    }

    /// Transfers output in both directions until neither endpoint has any.
    pub(super) fn run(&mut self) {
        while carry(&mut self.client, &mut self.server, self.now)
            + carry(&mut self.server, &mut self.client, self.now)
            > 0
        {}
    }

    /// Advances the time and lets both endpoints act on it.
    pub(super) fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.run();
    }

    /// Returns the client's next event, skipping those about SETTINGS.
    pub(super) fn client_event(&mut self) -> Option<Event> {
        next_event(&mut self.client)
    }

    /// Returns the server's next event, skipping those about SETTINGS.
    pub(super) fn server_event(&mut self) -> Option<Event> {
        next_event(&mut self.server)
    }
}

pub(super) fn carry(from: &mut Connection, to: &mut Connection, now: Time) -> usize {
    let mut octets = Vec::new();
    let sent = from.poll_transmit(now, &mut octets, 1 << 16);
    assert_eq!(to.recv(now, &mut Bytes::from(octets)), sent, "everything is taken");
    sent
}

fn next_event(connection: &mut Connection) -> Option<Event> {
    loop {
        match connection.poll_event()? {
            Event::PeerSettings | Event::SettingsAcknowledged => {}
            event => return Some(event),
        }
    }
}

/// Builds the head of a request.
pub(super) fn request(method: &str, path: &str) -> FieldSection {
    let mut head = FieldSection::new();
    for (name, value) in
        [(":method", method), (":scheme", "http"), (":authority", "example.com"), (":path", path)]
    {
        head.push(name.as_bytes(), value.as_bytes());
    }
    head
}

/// Builds the head of a response.
pub(super) fn response(status: u16) -> FieldSection {
    let mut head = FieldSection::new();
    head.push(b":status", status.to_string().as_bytes());
    head
}
