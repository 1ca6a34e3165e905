//! The wire formats of frames (RFC 9113, 4 and 6), independent of any connection state.
//!
//! A receiver parses a [`FrameHeader`], calls [`FrameHeader::check`] to validate its length and stream, and passes
//! the payload to the `parse` function of the frame type. `parse` accepts any input and returns either a frame or
//! the offence.

mod altsvc;
mod continuation;
pub mod data;
mod field_block;
mod goaway;
mod header;
mod headers;
mod origin;
mod padding;
mod ping;
mod priority;
mod priority_update;
mod push_promise;
mod rst_stream;
mod settings;
mod stream_id;
#[cfg(test)]
mod tests;
mod window_update;

pub use altsvc::AltSvc;
pub use continuation::Continuation;
pub use field_block::FieldBlock;
pub use goaway::GoAwayFrame;
pub use header::{FrameHeader, FrameType, HEADER_LEN, flags};
pub use headers::Headers;
pub use origin::Origin;
pub use ping::Ping;
pub use priority::{PriorityFrame, StreamDependency};
pub use priority_update::PriorityUpdate;
pub use push_promise::PushPromise;
pub use rst_stream::RstStream;
pub use settings::{SettingId, SettingsFrame};
pub use stream_id::StreamId;
pub use window_update::WindowUpdate;
