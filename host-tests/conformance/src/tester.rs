//! Runs a case against an endpoint.

use crate::case::{Case, Expected, Role, Step};
use http2_test_support::{Frame, PREFACE, Receiver, flag, kind, ping, settings, settings_ack};

/// The transport between the tester and an endpoint.
pub trait Transport {
    /// Sends bytes; an endpoint that has ended the connection may ignore them.
    fn send(&mut self, octets: &[u8]);

    /// Waits for more bytes from the endpoint; an empty result is the end of the connection.
    ///
    /// # Errors
    ///
    /// Fails if no more bytes arrive although the connection is open.
    fn receive(&mut self) -> Result<Vec<u8>, String>;
}

/// Runs a case against an endpoint.
///
/// # Errors
///
/// Describes the first step that failed, and lists the frames received.
pub fn play(case: &Case, transport: &mut dyn Transport) -> Result<(), String> {
    let mut tester = Tester::new(case.role, transport);
    let played = tester.play(case);
    played.map_err(|wrong| format!("{case}\n{wrong}\nframes received:\n{}", tester.describe_received()))
}

struct Tester<'a> {
    role: Role,
    transport: &'a mut dyn Transport,
    receiver: Receiver,
    /// All frames received.
    frames: Vec<Frame>,
    /// The number of frames that earlier steps have consumed.
    seen: usize,
    acknowledges: bool,
    pings: u8,
}

impl<'a> Tester<'a> {
    fn new(role: Role, transport: &'a mut dyn Transport) -> Self {
        Self {
            role,
            transport,
            receiver: match role {
                Role::Client => Receiver::from_client(),
                Role::Server => Receiver::from_server(),
            },
            frames: Vec::new(),
            seen: 0,
            acknowledges: true,
            pings: 0,
        }
    }

    fn play(&mut self, case: &Case) -> Result<(), String> {
        self.acknowledges = case.with_preface;
        if case.with_preface {
            self.exchange_settings()?;
        }
        for (number, step) in (1..).zip(&case.steps) {
            self.step(step).map_err(|wrong| format!("step {number}: {wrong}"))?;
        }
        Ok(())
    }

    /// Exchanges SETTINGS and acknowledgements, and waits for a client's first requests.
    fn exchange_settings(&mut self) -> Result<(), String> {
        if self.role == Role::Server {
            self.transport.send(PREFACE);
        }
        self.transport.send(&settings(&[]));
        self.expect(&Expected::SettingsAck)?;
        if self.role == Role::Client {
            self.expect(&Expected::Request { stream: 1 })?;
            self.expect(&Expected::Request { stream: 3 })?;
        }
        self.seen = self.frames.len();
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Send(octets) => {
                self.transport.send(octets);
                Ok(())
            }
            Step::Expect(expected) => self.expect(expected),
            Step::ConnectionError(code) => self.expect_connection_error(*code),
            Step::Closed => self.read_to_end(),
            Step::StreamError(stream, code) => self.expect_ended(Some((*stream, *code))),
            Step::Nothing => self.expect_ended(None),
            Step::Never(expected) => self.expect_not(expected),
        }
    }

    /// Waits for a frame, among those received since the last step, in any order.
    fn expect(&mut self, expected: &Expected) -> Result<(), String> {
        loop {
            if self.fulfils(expected) {
                return Ok(());
            }
            if !self.read_frame()? {
                return Err(format!("{expected:?} did not arrive before the end of the connection"));
            }
        }
    }

    fn fulfils(&mut self, expected: &Expected) -> bool {
        let new = &self.frames[self.seen..];
        let content = |stream: u32| {
            let data = new.iter().filter(move |frame| frame.stream == stream && frame.kind == kind::DATA);
            data.flat_map(|frame| frame.payload.iter().copied())
        };
        match expected {
            Expected::Content { stream, content: whole } => {
                new.iter().any(|frame| matches(frame, &Expected::End { stream: *stream }))
                    && content(*stream).eq(whole.iter().copied())
            }
            Expected::Data { stream, octets } => content(*stream).count() >= *octets,
            _ => new.iter().any(|frame| matches(frame, expected)),
        }
    }

    fn expect_connection_error(&mut self, code: u32) -> Result<(), String> {
        self.read_to_end()?;
        let go_away = self.frames.iter().rev().find(|frame| frame.kind == kind::GOAWAY);
        match go_away.map(|frame| frame.number(4)) {
            Some(sent) if sent == code => Ok(()),
            Some(sent) => Err(format!("GOAWAY has code {sent:#x} instead of {code:#x}")),
            None => Err(format!("the connection ended without GOAWAY, which was due with code {code:#x}")),
        }
    }

    /// Waits until the endpoint has processed all input.
    fn settle(&mut self) -> Result<(), String> {
        // A PING acknowledgement may overtake output queued before it; the second does not overtake the
        // first.
        for _ in 0..2 {
            self.pings += 1;
            let payload = [b'c', b'o', b'n', b'f', b'o', b'r', b'm', self.pings];
            self.transport.send(&ping(payload));
            self.expect(&Expected::Pong(payload))?;
        }
        Ok(())
    }

    fn expect_not(&mut self, expected: &Expected) -> Result<(), String> {
        self.settle()?;
        if self.fulfils(expected) { Err(format!("{expected:?} arrived")) } else { Ok(()) }
    }

    /// Checks, once the endpoint has processed all input, that it ended only the given stream, or nothing.
    fn expect_ended(&mut self, stream_error: Option<(u32, u32)>) -> Result<(), String> {
        self.settle()?;
        let new = &self.frames[self.seen..];
        if let Some(frame) = new.iter().find(|frame| frame.kind == kind::GOAWAY) {
            return Err(format!("the endpoint sent GOAWAY with code {:#x}", frame.number(4)));
        }
        let resets: Vec<_> = new.iter().filter(|frame| frame.kind == kind::RST_STREAM).collect();
        let ended: Vec<_> = resets.iter().map(|frame| (frame.stream, frame.number(0))).collect();
        if ended != Vec::from_iter(stream_error) {
            return Err(format!("streams and codes of RST_STREAM: {ended:x?} instead of {stream_error:x?}"));
        }
        self.seen = self.frames.len();
        Ok(())
    }

    fn read_to_end(&mut self) -> Result<(), String> {
        while self.read_frame()? {}
        Ok(())
    }

    /// Waits for the next frame; returns false at the end of the connection.
    fn read_frame(&mut self) -> Result<bool, String> {
        loop {
            if let Some(frame) = self.receiver.next_frame()? {
                self.answer(&frame);
                self.frames.push(frame);
                return Ok(true);
            }
            let octets = self.transport.receive()?;
            if octets.is_empty() {
                return Ok(false);
            }
            self.receiver.push(&octets)?;
        }
    }

    fn answer(&mut self, frame: &Frame) {
        let answers = match frame.kind {
            kind::SETTINGS if self.acknowledges && frame.flags & flag::ACK == 0 => settings_ack(),
            kind::PING if frame.flags & flag::ACK == 0 => {
                http2_test_support::frame(kind::PING, flag::ACK, 0, &frame.payload)
            }
            _ => return,
        };
        self.transport.send(&answers);
    }

    fn describe_received(&self) -> String {
        self.frames.iter().map(|frame| format!("  {frame}\n")).collect()
    }
}

/// Whether a frame alone is what a case expects.
fn matches(frame: &Frame, expected: &Expected) -> bool {
    let field = |name: &str, value: &str| frame.fields.iter().any(|(n, v)| n == name && v == value);
    let is_ack = frame.flags & flag::ACK != 0;
    match expected {
        Expected::Response { stream, status } => frame.stream == *stream && field(":status", status),
        Expected::Field { stream, name, value } => frame.stream == *stream && field(name, value),
        // One frame alone cannot decide these.
        Expected::Content { .. } | Expected::Data { .. } => false,
        Expected::End { stream } => frame.stream == *stream && frame.ends_stream(),
        Expected::Block { stream, starts_with } => {
            frame.kind == kind::HEADERS && frame.stream == *stream && frame.block.starts_with(starts_with)
        }
        Expected::Request { stream } => frame.kind == kind::HEADERS && frame.stream == *stream,
        Expected::Reset { stream, code } => {
            frame.kind == kind::RST_STREAM && frame.stream == *stream && frame.number(0) == *code
        }
        Expected::Pong(payload) => frame.kind == kind::PING && is_ack && frame.payload == payload,
        Expected::SettingsAck => frame.kind == kind::SETTINGS && is_ack,
        Expected::Setting(id, value) => {
            let parameter = [&id.to_be_bytes()[..], &value.to_be_bytes()[..]].concat();
            frame.kind == kind::SETTINGS && frame.payload.chunks(6).any(|chunk| chunk == parameter)
        }
        Expected::GoAway { last, code } => {
            frame.kind == kind::GOAWAY && frame.number(0) == *last && frame.number(4) == *code
        }
        Expected::WindowUpdate { stream } => frame.kind == kind::WINDOW_UPDATE && frame.stream == *stream,
    }
}
