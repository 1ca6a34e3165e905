//! Output for the transport.
//!
//! Only this module splits content into frames, according to the windows at that moment.

use super::{CONTROL_BUSY, Connection, show_sent};
use crate::event::Event;
use crate::frame::{HEADER_LEN, StreamId, data};
use crate::segments::{Segments, Sink};
use crate::stream::Ending;
use crate::time::Time;

/// The best size of a write to TCP, in bytes: the largest segment over IPv4, with timestamps.
///
/// Systems handle a segment of that size as one packet, as far as the network's hardware. A little more costs a second
/// packet; less waits for acknowledgements where the caller cannot set TCP_NODELAY.
pub const TCP_WRITE: usize = 65_483;

/// Room for which a frame is cut, in bytes. Between two streams, each second frame may be the one that is cut: with less
/// than half a frame, they would get unequal shares.
const LEAST_ROOM: usize = 8 << 10;

/// The sizes of content and padding in a DATA frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Padded {
    content: usize,
    /// `None` for a frame without padding and without the byte for its length.
    padding: Option<u8>,
}

impl Padded {
    /// Creates a frame of at most `allowed` bytes for `content` bytes, padded to a multiple of `pad_to` if that fits.
    fn new(content: usize, allowed: usize, pad_to: u16) -> Self {
        let unit = usize::from(pad_to);
        let plain = Self { content: content.min(allowed), padding: None };
        if content == 0 || unit < 2 {
            return plain;
        }
        // The largest multiple of the unit that fits.
        let most = allowed.saturating_sub(allowed.checked_rem(unit).unwrap_or(0));
        let content = content.min(most.saturating_sub(1));
        let payload = content.saturating_add(1).checked_next_multiple_of(unit).unwrap_or(usize::MAX);
        match u8::try_from(payload.saturating_sub(content).saturating_sub(1)) {
            Ok(padding) if content > 0 => Self { content, padding: Some(padding) },
            _ => plain,
        }
    }

    /// Returns the bytes of payload other than content.
    fn overhead(self) -> i64 {
        self.padding.map_or(0, |padding| i64::from(padding).saturating_add(1))
    }
}

impl Connection {
    /// Appends pending output to `out`, and returns the number of bytes appended; 0 means that nothing can be sent
    /// now.
    ///
    /// All pending frames other than content come first, whatever their total size. Content follows while 8 KiB are left
    /// of `max`; its last frame is cut to fit, so that the caller can fill packets ([`TCP_WRITE`]) or buffers. If content
    /// comes first, its first frame ignores `max`, unless that is 0; the frames that end a message may exceed it.
    ///
    /// The connection does not keep the appended bytes: call this method when the transport has room.
    pub fn poll_transmit(&mut self, now: Time, out: &mut Vec<u8>, max: usize) -> usize {
        self.transmit(now, out, max)
    }

    /// Appends pending output like [`poll_transmit`](Self::poll_transmit), but refers to large content instead of
    /// copying it.
    ///
    /// With a [subscriber](Self::set_subscriber), all content is copied.
    pub fn poll_transmit_segments(&mut self, now: Time, out: &mut Segments, max: usize) -> usize {
        self.transmit(now, out, max)
    }

    fn transmit(&mut self, now: Time, out: &mut impl Sink, max: usize) -> usize {
        self.advance(now);
        let start = out.total();
        let end = start.saturating_add(max);
        self.write_pongs(out.bytes());
        if self.close_reason.is_none() {
            self.write_pings();
            self.send_waiting_requests();
        }
        self.flush_control(out.bytes());
        if self.close_reason.is_none() {
            self.write_content(out, start, end);
            // The frames that end a message after its content.
            self.flush_control(out.bytes());
        }
        let written = out.total().saturating_sub(start);
        self.stats.bytes_sent = self.stats.bytes_sent.saturating_add(written as u64);
        self.local.handed_out(self.now);
        if written > 0 {
            self.timers.taken();
        }
        self.arm_timers();
        self.shrink();
        written
    }

    /// Records that the transport has taken `bytes` of earlier output, of which the caller still has more.
    ///
    /// A caller that hands output to a slow transport piece by piece reports each piece, so that the transport's
    /// deadline ([`stall_timeout`](crate::Config::stall_timeout)) does not pass while output moves.
    pub fn handle_write_progress(&mut self, now: Time, bytes: usize) {
        self.advance(now);
        self.timers.moved(bytes);
        self.arm_timers();
    }

    /// Returns whether all accepted output was handed out, including output that waits for a window or for the
    /// peer's limit of streams.
    pub fn is_flushed(&self) -> bool {
        !self.has_output() && self.streams.pending_open() == 0 && self.sending.is_flushed()
    }

    /// Returns whether [`poll_transmit`](Self::poll_transmit) may append bytes now; if false, it appends none.
    pub fn has_output(&self) -> bool {
        !self.control.is_empty()
            || (self.close_reason.is_none()
                && (!self.pongs.is_empty()
                    || self.pings.has_unsent()
                    || self.may_send_waiting_request()
                    || self.sending.can_send()))
    }

    pub(super) fn flush_control(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.control);
        self.provoked = 0;
        self.shrink_control(CONTROL_BUSY);
    }

    fn write_content(&mut self, out: &mut impl Sink, start: usize, end: usize) {
        loop {
            let room = end.saturating_sub(out.total()).saturating_sub(self.control.len());
            let max_length = match room.saturating_sub(HEADER_LEN) {
                length @ LEAST_ROOM.. => length,
                _ if room > 0 && out.total() == start => usize::MAX,
                _ => return,
            };
            let Some(id) = self.sending.next(&mut self.streams) else { return };
            self.write_data(id, out, max_length);
        }
    }

    /// Writes one DATA frame of a stream, and reschedules the stream if it has more content.
    fn write_data(&mut self, id: StreamId, out: &mut impl Sink, max_length: usize) {
        let max_frame = self.peer.max_frame_size.min(self.config.max_send_frame_size);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let allowed = self.sending.allowance(stream).min(max_frame as usize).min(max_length);
        let padded = Padded::new(stream.send.content.len(), allowed, self.config.pad_to);
        let length = padded.content;
        if length == 0 {
            return self.sending.block(stream, self.now);
        }
        let all = length == stream.send.content.len();
        let end_stream = all && matches!(stream.send.ending, Ending::EndStream);
        let ends = all && !matches!(stream.send.ending, Ending::Open);
        let content = u32::try_from(length).unwrap_or(max_frame);
        let bytes = out.bytes();
        let at = bytes.len();
        match padded.padding {
            None => data::encode_header(bytes, id, content, end_stream),
            Some(padding) => data::encode_padded_header(bytes, id, content, padding, end_stream),
        }
        // The subscriber is shown whole frames.
        out.content(&mut stream.send.content, length, self.subscriber.is_some());
        let bytes = out.bytes();
        bytes.resize(bytes.len().saturating_add(padded.padding.unwrap_or(0).into()), 0);
        let tell = self.sending.sent(stream, length, i64::from(content).saturating_add(padded.overhead()));
        if !all {
            self.sending.schedule(stream);
        }
        self.timers.content_sent(length);
        self.make_room();
        self.count_data(out.bytes().get(at..).unwrap_or_default(), content);
        if end_stream {
            self.sent_end_stream(id);
        } else if ends {
            self.send_ending(id);
        }
        if tell {
            self.events.push_back(Event::Writable { id });
        }
    }

    /// Counts a DATA frame with `content` bytes of content, and shows it to the subscriber.
    fn count_data(&mut self, frame: &[u8], content: u32) {
        self.stats.content_sent = self.stats.content_sent.saturating_add(u64::from(content));
        self.abuse.earn_content(content);
        self.stats.frames_sent = self.stats.frames_sent.saturating_add(1);
        show_sent(&mut self.subscriber, frame);
    }
}
