//! An engine whose peer is simulated with raw frames, so that a test can send anything and inspect all output.

use core::time::Duration;

use bytes::Bytes;

use super::pair::{request, response};
use crate::connection::input::PREFACE;
use crate::error::{ConnectionError, Violation};
use crate::frame::{
    self, FrameHeader, FrameType, HEADER_LEN, Headers, Ping, PushPromise, RstStream, SettingId, WindowUpdate,
    flags,
};
use crate::hpack::{Decoded, Decoder, Encoder, SectionLimits};
use crate::{Config, Connection, ErrorCode, Event, FieldSection, StreamId, Time};

/// Counts the requests among the events.
pub(super) fn requests(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Request { .. })).count()
}

pub(super) fn id(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

/// A frame sent by the engine, with its field block decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Data { id: u32, octets: usize, end_stream: bool },
    Headers { id: u32, end_stream: bool, fields: Vec<(String, String)> },
    Promise { parent: u32, id: u32 },
    Reset { id: u32, code: ErrorCode },
    Settings(Vec<(SettingId, u32)>),
    SettingsAck,
    Ping([u8; 8]),
    Pong([u8; 8]),
    GoAway { last: u32, code: ErrorCode, debug_data: String },
    WindowUpdate { id: u32, increment: u32 },
    PriorityUpdate { id: u32, value: String },
    Other(FrameType),
}

/// The engine and the state of its simulated peer.
pub(super) struct Raw {
    pub(super) engine: Connection,
    pub(super) now: Time,
    encoder: Encoder,
    decoder: Decoder,
}

impl Raw {
    /// Creates a server whose peer has sent nothing yet.
    pub(super) fn silent_server(config: Config) -> Self {
        Self::new(Connection::server(config).unwrap())
    }

    /// Creates a client whose peer has sent nothing yet.
    pub(super) fn silent_client(config: Config) -> Self {
        Self::new(Connection::client(config).unwrap())
    }

    /// Creates a server and exchanges SETTINGS.
    pub(super) fn server(config: Config) -> Self {
        let mut raw = Self::silent_server(config);
        raw.recv(PREFACE);
        raw.settle(&[]);
        raw
    }

    /// Creates a client and exchanges SETTINGS, of which the peer sends the given ones.
    pub(super) fn client(config: Config, settings: &[(SettingId, u32)]) -> Self {
        let mut raw = Self::silent_client(config);
        raw.settle(settings);
        raw
    }

    fn new(engine: Connection) -> Self {
        let (encoder, decoder) = (Encoder::new(0), Decoder::new(4_096));
        Self { engine, now: Time::from_nanos(1), encoder, decoder }
    }

    /// Exchanges SETTINGS and discards the resulting output and events.
    fn settle(&mut self, settings: &[(SettingId, u32)]) {
        self.settings(settings);
        self.settings_ack();
        self.sent();
        self.events();
    }

    /// Receives these bytes from the peer, asserting that the engine takes them all.
    pub(super) fn recv(&mut self, octets: &[u8]) {
        let mut input = Bytes::copy_from_slice(octets);
        assert_eq!(self.engine.recv(self.now, &mut input), octets.len(), "{} bytes were left", input.len());
    }

    /// Receives the bytes written by `encode` from the peer.
    pub(super) fn send(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = Vec::new();
        encode(&mut octets);
        self.recv(&octets);
    }

    /// Receives an arbitrary frame from the peer.
    pub(super) fn frame(&mut self, kind: FrameType, flags: u8, stream: u32, payload: &[u8]) {
        self.send(|out| raw_frame(out, kind, flags, stream, payload));
    }

    pub(super) fn settings(&mut self, parameters: &[(SettingId, u32)]) {
        self.send(|out| frame::SettingsFrame::encode(parameters, out));
    }

    pub(super) fn settings_ack(&mut self) {
        self.send(frame::SettingsFrame::encode_ack);
    }

    /// Receives a whole field section in one HEADERS frame.
    pub(super) fn headers(&mut self, stream: u32, end_stream: bool, section: &FieldSection) {
        let fragment = self.block(section);
        self.send(|out| {
            let (stream_id, fragment) = (id(stream), &fragment[..]);
            Headers { stream_id, end_stream, end_headers: true, dependency: None, fragment }.encode(out);
        });
    }

    /// Encodes a field block, for a test to divide into frames.
    pub(super) fn block(&mut self, section: &FieldSection) -> Vec<u8> {
        let mut fragment = Vec::new();
        self.encoder.encode(section, &mut fragment);
        fragment
    }

    /// Receives a request without content.
    pub(super) fn get(&mut self, stream: u32) {
        self.headers(stream, true, &request("GET", "/"));
    }

    /// Receives the head of a request that has content.
    pub(super) fn post(&mut self, stream: u32) {
        self.headers(stream, false, &request("POST", "/"));
    }

    /// Receives a response or, without `end_stream`, the head of one.
    pub(super) fn respond(&mut self, stream: u32, end_stream: bool) {
        self.headers(stream, end_stream, &response(200));
    }

    pub(super) fn data(&mut self, stream: u32, octets: usize, end_stream: bool) {
        let flags = if end_stream { flags::END_STREAM } else { 0 };
        self.frame(FrameType::DATA, flags, stream, &vec![7; octets]);
    }

    pub(super) fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.send(|out| RstStream { stream_id: id(stream), code }.encode(out));
    }

    pub(super) fn window_update(&mut self, stream: u32, increment: u32) {
        self.send(|out| WindowUpdate { stream_id: id(stream), increment }.encode(out));
    }

    pub(super) fn ping(&mut self, opaque_data: [u8; 8]) {
        self.send(|out| Ping { ack: false, opaque_data }.encode(out));
    }

    pub(super) fn pong(&mut self, opaque_data: [u8; 8]) {
        self.send(|out| Ping { ack: true, opaque_data }.encode(out));
    }

    pub(super) fn goaway(&mut self, last: u32, code: ErrorCode) {
        let last_stream_id = id(last);
        self.send(|out| frame::GoAwayFrame { last_stream_id, code, debug_data: b"because" }.encode(out));
    }

    pub(super) fn promise(&mut self, parent: u32, promised: u32, section: &FieldSection) {
        let fragment = self.block(section);
        let (stream_id, promised_id) = (id(parent), id(promised));
        self.send(|out| {
            PushPromise { stream_id, promised_id, end_headers: true, fragment: &fragment }.encode(out);
        });
    }

    /// Advances the time and lets the engine act on it.
    pub(super) fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.engine.handle_timeout(self.now);
    }

    /// Takes the engine's output and parses it into frames.
    pub(super) fn sent(&mut self) -> Vec<Frame> {
        let mut octets = Vec::new();
        while self.engine.poll_transmit(self.now, &mut octets, 1 << 16) > 0 {}
        let mut frames = Vec::new();
        let mut rest = octets.strip_prefix(PREFACE).unwrap_or(&octets);
        while let Some((header, behind)) = rest.split_first_chunk::<HEADER_LEN>() {
            let header = FrameHeader::parse(header);
            let (payload, behind) = behind.split_at(header.length as usize);
            frames.push(self.parse(header, payload));
            rest = behind;
        }
        assert!(rest.is_empty(), "half a frame");
        frames
    }

    fn parse(&mut self, header: FrameHeader, payload: &[u8]) -> Frame {
        let id = header.stream_id.as_u32();
        match header.kind {
            FrameType::DATA => {
                Frame::Data { id, octets: payload.len(), end_stream: header.has(flags::END_STREAM) }
            }
            FrameType::HEADERS => {
                let headers = Headers::parse(header, payload).unwrap();
                assert!(headers.end_headers, "the tests send only short sections");
                Frame::Headers { id, end_stream: headers.end_stream, fields: self.decode(headers.fragment) }
            }
            FrameType::PUSH_PROMISE => {
                let promise = PushPromise::parse(header, payload).unwrap();
                self.decode(promise.fragment);
                Frame::Promise { parent: id, id: promise.promised_id.as_u32() }
            }
            FrameType::RST_STREAM => {
                Frame::Reset { id, code: RstStream::parse(header, payload).unwrap().code }
            }
            FrameType::SETTINGS if header.has(flags::ACK) => Frame::SettingsAck,
            FrameType::SETTINGS => {
                Frame::Settings(frame::SettingsFrame::parse(header, payload).unwrap().iter().collect())
            }
            FrameType::PING => {
                let ping = Ping::parse(header, payload).unwrap();
                if ping.ack { Frame::Pong(ping.opaque_data) } else { Frame::Ping(ping.opaque_data) }
            }
            FrameType::GOAWAY => {
                let goaway = frame::GoAwayFrame::parse(payload).unwrap();
                let debug_data = String::from_utf8(goaway.debug_data.to_vec()).unwrap();
                Frame::GoAway { last: goaway.last_stream_id.as_u32(), code: goaway.code, debug_data }
            }
            FrameType::WINDOW_UPDATE => {
                Frame::WindowUpdate { id, increment: WindowUpdate::parse(header, payload).unwrap().increment }
            }
            FrameType::PRIORITY_UPDATE => {
                let update = frame::PriorityUpdate::parse(payload).unwrap();
                let value = String::from_utf8(update.field_value.to_vec()).unwrap();
                Frame::PriorityUpdate { id: update.prioritized_id.as_u32(), value }
            }
            kind => Frame::Other(kind),
        }
    }

    fn decode(&mut self, block: &[u8]) -> Vec<(String, String)> {
        let limits = SectionLimits {
            list_size: 1 << 16,
            list_size_hard: 1 << 16,
            fields: 1_000,
            fields_hard: 1_000,
            cookie_crumbs: 0,
        };
        let mut section = FieldSection::new();
        assert_eq!(self.decoder.decode(block, &limits, &mut section), Ok(Decoded::Whole));
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        section.iter().map(|field| (text(field.name), text(field.value))).collect()
    }

    /// Takes the engine's output and returns the streams it resets, with their error codes.
    pub(super) fn resets(&mut self) -> Vec<(u32, ErrorCode)> {
        let reset = |frame| match frame {
            Frame::Reset { id, code } => Some((id, code)),
            _ => None,
        };
        self.sent().into_iter().filter_map(reset).collect()
    }

    /// Takes all events, skipping those about SETTINGS.
    pub(super) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            if !matches!(event, Event::PeerSettings | Event::SettingsAcknowledged) {
                events.push(event);
            }
        }
        events
    }

    /// Asserts that the connection failed with this violation, that GOAWAY was its last output, and that it ignores
    /// further input.
    #[track_caller]
    pub(super) fn assert_failed(&mut self, violation: Violation) {
        let reason = self.engine.close_reason().and_then(Result::err);
        assert_eq!(reason, Some(&ConnectionError::Violation(violation)));
        match self.sent().last() {
            Some(Frame::GoAway { code, .. }) => assert_eq!(*code, violation.code()),
            other => panic!("{violation:?}: {other:?} was sent instead of GOAWAY"),
        }
        assert!(matches!(self.events().last(), Some(Event::Closed)));
        self.recv(b"any further input is ignored");
        assert_eq!((self.sent(), self.events().len()), (Vec::new(), 0));
        assert!(self.engine.is_closed() && !self.engine.is_open());
        assert_eq!(self.engine.poll_timeout(), None);
    }

    /// Asserts that the connection accepts and answers another request.
    #[track_caller]
    pub(super) fn assert_serves(&mut self, stream: u32) {
        self.get(stream);
        let events = self.events();
        assert!(matches!(events[..], [Event::Request { .. }]), "{events:?}");
        self.engine.send_response(id(stream), &response(204), true).unwrap();
        self.engine.release(id(stream));
        let status = (":status".to_owned(), "204".to_owned());
        assert_eq!(self.sent(), [Frame::Headers { id: stream, end_stream: true, fields: vec![status] }]);
    }
}

/// Appends a frame with an arbitrary header.
pub(super) fn raw_frame(out: &mut Vec<u8>, kind: FrameType, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap();
    FrameHeader { length, kind, flags, stream_id: id(stream) }.encode(out);
    out.extend_from_slice(payload);
}
