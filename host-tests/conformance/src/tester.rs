//! Plays a case against an endpoint.

use std::fmt;

use fluke_hpack::Decoder;

use crate::case::{Case, Expected, Role, Step};
use crate::frame::{PREFACE, flag, kind, ping, settings, settings_ack};

/// The transport to an endpoint, as the tester has it.
pub trait Transport {
    /// Sends octets. An endpoint that has ended the connection need not take them.
    fn send(&mut self, octets: &[u8]);

    /// Waits for more octets from the endpoint; nothing at the end of the connection.
    ///
    /// # Errors
    ///
    /// That nothing comes, and nothing will.
    fn receive(&mut self) -> Result<Vec<u8>, String>;
}

/// Holds an endpoint against a case.
///
/// # Errors
///
/// What it did instead of what it had to.
pub fn play(case: &Case, transport: &mut dyn Transport) -> Result<(), String> {
    let mut tester = Tester::new(case.role, transport);
    let played = tester.play(case);
    played.map_err(|wrong| format!("{case}\n{wrong}\nwhat came:\n{}", tester.heard()))
}

/// A frame that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
    /// Of HEADERS, PUSH_PROMISE and CONTINUATION that end a block: the block, and its fields.
    block: Vec<u8>,
    fields: Vec<(String, String)>,
}

struct Tester<'a> {
    role: Role,
    transport: &'a mut dyn Transport,
    octets: Vec<u8>,
    preface_is_due: bool,
    /// All that has come.
    frames: Vec<Frame>,
    /// How many of them the steps have looked at.
    seen: usize,
    block: Vec<u8>,
    decoder: Decoder<'static>,
    acknowledges: bool,
    pings: u8,
}

impl<'a> Tester<'a> {
    fn new(role: Role, transport: &'a mut dyn Transport) -> Self {
        Self {
            role,
            transport,
            octets: Vec::new(),
            preface_is_due: role == Role::Client,
            frames: Vec::new(),
            seen: 0,
            block: Vec::new(),
            decoder: Decoder::new(),
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

    /// Both SETTINGS and both acknowledgements; a client's first requests, too.
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

    /// Waits for a frame. Those that came since the last step count, in whatever order.
    fn expect(&mut self, expected: &Expected) -> Result<(), String> {
        loop {
            if self.fulfils(expected) {
                return Ok(());
            }
            if !self.read_frame()? {
                return Err(format!("{expected:?} did not come before the end of the connection"));
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
                new.iter().any(|frame| frame.is(&Expected::End { stream: *stream }))
                    && content(*stream).eq(whole.iter().copied())
            }
            Expected::Data { stream, octets } => content(*stream).count() >= *octets,
            _ => new.iter().any(|frame| frame.is(expected)),
        }
    }

    fn expect_connection_error(&mut self, code: u32) -> Result<(), String> {
        self.read_to_end()?;
        let go_away = self.frames.iter().rev().find(|frame| frame.kind == kind::GOAWAY);
        match go_away.map(|frame| frame.number(4)) {
            Some(sent) if sent == code => Ok(()),
            Some(sent) => Err(format!("GOAWAY has code {sent:#x}, and not {code:#x}")),
            None => Err(format!("the connection was ended without GOAWAY, which was due with {code:#x}")),
        }
    }

    /// Waits until all that was sent has been acted on.
    fn settle(&mut self) -> Result<(), String> {
        // An answer to PING may overtake what was said before it; that to the second does not overtake the first.
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
        if self.fulfils(expected) { Err(format!("{expected:?} came")) } else { Ok(()) }
    }

    /// Once all that was sent has been acted on, nothing but one stream, or nothing at all, has ended.
    fn expect_ended(&mut self, stream_error: Option<(u32, u32)>) -> Result<(), String> {
        self.settle()?;
        let new = &self.frames[self.seen..];
        if let Some(frame) = new.iter().find(|frame| frame.kind == kind::GOAWAY) {
            return Err(format!("the connection is being ended, with code {:#x}", frame.number(4)));
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

    /// Waits for the next frame; false at the end of the connection.
    fn read_frame(&mut self) -> Result<bool, String> {
        loop {
            if let Some(frame) = self.take_frame()? {
                self.answer(&frame);
                self.frames.push(frame);
                return Ok(true);
            }
            let octets = self.transport.receive()?;
            if octets.is_empty() {
                return Ok(false);
            }
            self.octets.extend(octets);
        }
    }

    /// Takes a frame off what was received.
    fn take_frame(&mut self) -> Result<Option<Frame>, String> {
        if self.preface_is_due {
            if self.octets.len() < PREFACE.len() {
                return Ok(None);
            }
            if self.octets.drain(..PREFACE.len()).as_slice() != PREFACE {
                return Err("the client does not begin with the preface".to_owned());
            }
            self.preface_is_due = false;
        }
        let Some(&[a, b, c, kind, flags, d, e, f, g]) = self.octets.first_chunk::<9>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if self.octets.len() < 9 + length {
            return Ok(None);
        }
        let payload = self.octets.drain(..9 + length).skip(9).collect();
        let stream = u32::from_be_bytes([d, e, f, g]);
        let mut frame = Frame { kind, flags, stream, payload, block: Vec::new(), fields: Vec::new() };
        self.check(&mut frame)?;
        Ok(Some(frame))
    }

    /// What holds for every frame that is sent, and the fields of those that have some.
    fn check(&mut self, frame: &mut Frame) -> Result<(), String> {
        if frame.stream >> 31 != 0 {
            return Err(format!("the reserved bit is set in {frame:?}"));
        }
        if frame.payload.len() > 16_384 {
            return Err(format!("a frame of {} octets, which nobody has allowed", frame.payload.len()));
        }
        let fragment = match frame.kind {
            kind::HEADERS | kind::CONTINUATION => &frame.payload[..],
            kind::PUSH_PROMISE => frame.payload.get(4..).unwrap_or_default(),
            _ => return Ok(()),
        };
        self.block.extend(fragment);
        if frame.flags & flag::END_HEADERS != 0 {
            frame.block = std::mem::take(&mut self.block);
            let decoded = self.decoder.decode(&frame.block);
            let fields = decoded.map_err(|error| format!("a field block that does not decode: {error:?}"))?;
            let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
            frame.fields = fields.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        }
        Ok(())
    }

    fn answer(&mut self, frame: &Frame) {
        let answers = match frame.kind {
            kind::SETTINGS if self.acknowledges && frame.flags & flag::ACK == 0 => settings_ack(),
            kind::PING if frame.flags & flag::ACK == 0 => {
                crate::frame::frame(kind::PING, flag::ACK, 0, &frame.payload)
            }
            _ => return,
        };
        self.transport.send(&answers);
    }

    fn heard(&self) -> String {
        self.frames.iter().map(|frame| format!("  {frame}\n")).collect()
    }
}

impl Frame {
    fn is(&self, expected: &Expected) -> bool {
        let field = |name: &str, value: &str| self.fields.iter().any(|(n, v)| n == name && v == value);
        let is_ack = self.flags & flag::ACK != 0;
        match expected {
            Expected::Response { stream, status } => self.stream == *stream && field(":status", status),
            Expected::Field { stream, name, value } => self.stream == *stream && field(name, value),
            // Of these, one frame alone does not tell.
            Expected::Content { .. } | Expected::Data { .. } => false,
            Expected::End { stream } => self.stream == *stream && self.ends_stream(),
            Expected::Block { stream, starts_with } => {
                self.kind == kind::HEADERS && self.stream == *stream && self.block.starts_with(starts_with)
            }
            Expected::Request { stream } => self.kind == kind::HEADERS && self.stream == *stream,
            Expected::Reset { stream, code } => {
                self.kind == kind::RST_STREAM && self.stream == *stream && self.number(0) == *code
            }
            Expected::Pong(payload) => self.kind == kind::PING && is_ack && self.payload == payload,
            Expected::SettingsAck => self.kind == kind::SETTINGS && is_ack,
            Expected::Setting(id, value) => {
                let parameter = [&id.to_be_bytes()[..], &value.to_be_bytes()[..]].concat();
                self.kind == kind::SETTINGS && self.payload.chunks(6).any(|chunk| chunk == parameter)
            }
            Expected::GoAway { last, code } => {
                self.kind == kind::GOAWAY && self.number(0) == *last && self.number(4) == *code
            }
            Expected::WindowUpdate { stream } => self.kind == kind::WINDOW_UPDATE && self.stream == *stream,
        }
    }

    fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }

    /// Four octets of the payload as a number; 0 where they are missing.
    fn number(&self, at: usize) -> u32 {
        self.payload
            .get(at..at + 4)
            .map_or(0, |octets| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, flags, stream, payload, fields, .. } = self;
        write!(f, "type {kind:#x}, flags {flags:#x}, stream {stream}, {} octets", payload.len())?;
        if fields.is_empty() {
            write!(f, ": {:x?}", payload.get(..payload.len().min(24)).unwrap_or_default())
        } else {
            write!(f, ": {fields:?}")
        }
    }
}
