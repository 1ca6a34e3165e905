//! HTTP/2 without I/O (RFC 9113), for native and WebAssembly clients and servers.
//!
//! [`Connection`] is the entry point: it takes received bytes and the caller's operations, and returns events and bytes
//! to send. It uses no socket, clock, thread or async runtime: the caller provides the transport and the time.
//!
//! ```
//! use bytes::Bytes;
//! use http2_engine::{Config, Connection, Event, FieldSection, Read, Time};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Connection::client(Config::default())?;
//! let mut server = Connection::server(Config::default())?;
//!
//! let mut head = FieldSection::new();
//! for (name, value) in [(":method", "GET"), (":scheme", "http"), (":authority", "example.com"), (":path", "/")] {
//!     head.push(name.as_bytes(), value.as_bytes());
//! }
//! let request = client.open(&head, true)?;
//!
//! // Stands in for a transport and a clock.
//! let mut carry = |from: &mut Connection, to: &mut Connection| {
//!     let (now, mut output) = (Time::default(), Vec::new());
//!     while from.poll_transmit(now, &mut output, 65_536) > 0 {}
//!     let mut input = Bytes::from(output);
//!     while !input.is_empty() {
//!         // A real caller takes events and output before it offers the rest.
//!         assert_ne!(to.recv(now, &mut input), 0);
//!     }
//! };
//! carry(&mut client, &mut server);
//!
//! while let Some(event) = server.poll_event() {
//!     if let Event::Request { id, head, .. } = event {
//!         assert_eq!(head.path(), Some(&b"/"[..]));
//!         let mut response = FieldSection::new();
//!         response.push(b":status", b"200");
//!         server.send_response(id, &response, false)?;
//!         let mut content = Bytes::from_static(b"hello");
//!         let taken = server.send_data(id, &mut content, true)?;
//!         // The send buffer has room for so little; a larger rest waits for `Event::Writable`.
//!         assert_eq!((taken, content.len()), (5, 0));
//!         server.release(id);
//!     }
//! }
//! carry(&mut server, &mut client);
//!
//! let Read::Data(content) = client.read(request, usize::MAX)? else { panic!("no content") };
//! assert_eq!(content, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! The feature `unstable` makes the modules `frame` and `hpack` public, for tests and tools that read and write the
//! protocol themselves. They may change in any version.
//!
//! | to change | open |
//! |---|---|
//! | a frame's format | `frame/NAME.rs` |
//! | the answer to a violation | `error.rs` (`Violation`), `connection/input.rs` |
//! | which attacks are bounded, and how | `abuse.rs`, [`Limits`] |
//! | the states of a stream | `stream/state.rs`, `connection/lifecycle.rs` |
//! | which streams exist, are counted, and wait | `stream/set.rs`, `connection/open.rs`, `connection/accept.rs` |
//! | resets | `connection/rst_stream.rs` |
//! | receive windows and WINDOW_UPDATE | `flow.rs`, `connection/receive_flow.rs`, `connection/window_update.rs` |
//! | send windows, send buffers, and blocked streams | `connection/send_flow.rs` |
//! | which stream sends next | `scheduler.rs`, `priority.rs`, `connection/transmit.rs` |
//! | rules for requests, responses and trailers | `message/`, `fields/` |
//! | field compression | `hpack/` |
//! | SETTINGS, PING, priorities, push, frames of extensions | `connection/NAME.rs` |
//! | deadlines | `connection/timers.rs` |
//! | shutdown and GOAWAY | `connection/shutdown.rs` |
//! | the public API | `public-api.txt`, with which `tests/public_api.rs` compares it |
//! | the cost and the memory of a stream | `host-tests/guests/costs`, `tests/memory.rs` |

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "neither a peer nor a caller may cause a panic"
    )
)]

mod abuse;
mod config;
mod connection;
mod error;
mod event;
mod fields;
mod flow;
#[cfg(feature = "unstable")]
pub mod frame;
#[cfg(not(feature = "unstable"))]
#[allow(dead_code, unreachable_pub, reason = "public with the feature `unstable`, and tested without")]
mod frame;
#[cfg(feature = "unstable")]
pub mod hpack;
#[cfg(not(feature = "unstable"))]
#[allow(dead_code, unreachable_pub, reason = "public with the feature `unstable`, and tested without")]
mod hpack;
mod http1;
mod message;
mod priority;
mod scheduler;
mod segments;
mod settings;
mod sparse;
mod stats;
mod stream;
mod subscriber;
mod time;
mod windows;

pub use abuse::AbuseCause;
pub use config::{Config, ConfigError, KeepAlive, Limits};
pub use connection::{Connection, Role, TCP_WRITE};
pub use error::{
    ConnectionError, ErrorCode, Initiator, Malformed, OpenError, Scope, SendError, StreamError, Violation,
    WindowError,
};
pub use event::{Event, GoAway, Read};
pub use fields::{Field, FieldSection, Protocol};
pub use frame::{FrameHeader, FrameType, SettingId, StreamId};
pub use http1::HTTP1_ANSWER;
pub use priority::Priority;
pub use segments::Segments;
pub use settings::Settings;
pub use stats::Stats;
pub use stream::State;
pub use subscriber::{Direction, Subscriber};
pub use time::Time;
pub use windows::Windows;
