//! Frames of extensions, which change no state.

use bytes::Bytes;

use super::Connection;
use crate::error::SendError;
use crate::event::Event;
use crate::frame::{AltSvc, FrameHeader, FrameType, Origin, StreamId};

/// Number of origins kept from one ORIGIN frame.
const ORIGINS: usize = 128;

impl Connection {
    /// Server: names the origins for which it wants requests (RFC 8336).
    ///
    /// # Errors
    ///
    /// [`SendError::Role`] for a client; [`SendError::TooLarge`] if the origins do not fit in a frame.
    pub fn send_origin(&mut self, origins: &[&[u8]]) -> Result<(), SendError> {
        let bytes: usize = origins.iter().map(|origin| origin.len().saturating_add(2)).sum();
        self.check_extension(bytes)?;
        if origins.iter().any(|origin| origin.len() > usize::from(u16::MAX)) {
            return Err(SendError::TooLarge);
        }
        self.write_control(|out| Origin::encode(origins, out));
        Ok(())
    }

    /// Server: names an alternative service (RFC 7838, 4), for an origin on stream 0, or for the origin of a
    /// stream.
    ///
    /// # Errors
    ///
    /// [`SendError::Role`] for a client; [`SendError::AltSvcTarget`] if both or neither of stream and origin are named;
    /// [`SendError::TooLarge`] if the service does not fit in a frame; [`SendError::UnknownStream`].
    pub fn send_alt_svc(
        &mut self,
        stream_id: StreamId,
        origin: &[u8],
        value: &[u8],
    ) -> Result<(), SendError> {
        self.check_extension(origin.len().saturating_add(value.len()).saturating_add(2))?;
        if stream_id.is_connection() == origin.is_empty() {
            return Err(SendError::AltSvcTarget);
        }
        if !stream_id.is_connection() && self.streams.get(stream_id).is_none() {
            return Err(SendError::UnknownStream);
        }
        self.write_control(|out| AltSvc { stream_id, origin, field_value: value }.encode(out));
        Ok(())
    }

    /// Sends a frame of an extension (RFC 9113, 5.5), on a stream or, with stream 0, for the connection.
    ///
    /// A peer that does not know the type ignores the frame.
    ///
    /// # Errors
    ///
    /// [`SendError::KnownFrameType`] if the engine sends frames of this type itself; [`SendError::TooLarge`] if the
    /// payload does not fit in a frame; [`SendError::Closed`] if the connection has ended.
    pub fn send_unknown_frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream_id: StreamId,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let kind = FrameType(kind);
        if kind.name().is_some() {
            return Err(SendError::KnownFrameType);
        }
        if payload.len() > self.peer.max_frame_size as usize {
            return Err(SendError::TooLarge);
        }
        if self.close_reason.is_some() {
            return Err(SendError::Closed);
        }
        self.write_control(|out| {
            FrameHeader::new(kind, flags, stream_id, payload.len()).encode(out);
            out.extend_from_slice(payload);
        });
        Ok(())
    }

    fn check_extension(&self, bytes: usize) -> Result<(), SendError> {
        if self.is_client() {
            return Err(SendError::Role);
        }
        if bytes > self.peer.max_frame_size as usize {
            return Err(SendError::TooLarge);
        }
        Ok(())
    }

    /// Handles a frame of an extension, which changes no state.
    pub(super) fn recv_extension(&mut self, kind: FrameType, header: FrameHeader, payload: &[u8]) {
        match kind {
            FrameType::ORIGIN => self.recv_origin(header, payload),
            FrameType::ALTSVC => self.recv_altsvc(header, payload),
            _ => self.recv_unknown(header, payload),
        }
    }

    /// Handles ORIGIN; a server ignores it, and a client ignores an invalid one (RFC 8336, 2).
    pub(super) fn recv_origin(&mut self, header: FrameHeader, payload: &[u8]) {
        if let Some(frame) = Origin::parse(header, payload).filter(|_| self.is_client()) {
            let origins = frame.iter().take(ORIGINS).map(Bytes::copy_from_slice).collect();
            self.events.push_back(Event::Origin { origins });
        }
    }

    /// Handles ALTSVC; a server ignores it, and a client ignores an invalid one (RFC 7838, 4).
    pub(super) fn recv_altsvc(&mut self, header: FrameHeader, payload: &[u8]) {
        if let Some(frame) = AltSvc::parse(header, payload).filter(|_| self.is_client()) {
            self.events.push_back(Event::AltSvc {
                id: frame.stream_id,
                origin: Bytes::copy_from_slice(frame.origin),
                value: Bytes::copy_from_slice(frame.field_value),
            });
        }
    }

    /// Ignores a frame of an unknown type (RFC 9113, 4.1 and 5.5), or reports it if the caller has asked for that.
    fn recv_unknown(&mut self, header: FrameHeader, payload: &[u8]) {
        if self.config.unknown_frames {
            self.events.push_back(Event::UnknownFrame {
                kind: header.kind.0,
                flags: header.flags,
                id: header.stream_id,
                payload: Bytes::copy_from_slice(payload),
            });
        }
    }
}
