//! Frames of HTTP/2 for tests, written and read without the engine.
//!
//! The tests take this crate as the oracle, so it depends on neither the engine nor any of its types. It writes frames
//! that no endpoint may send as readily as valid ones.
//!
//! | to … | use |
//! | --- | --- |
//! | write a frame, valid or not | [`frame`], or the function named after its type |
//! | write a field block | [`block`], [`literal`], [`integer`], with the fields of [`GET`], [`POST`], … |
//! | read the output of one endpoint, with its field blocks decoded | [`Receiver`] |
//! | read frames as their bytes arrive, content included | [`Frames`] |
//! | show a frame to a person | [`Header::describe`] |

mod fields;
mod names;
mod read;
mod receive;
mod write;

pub use fields::{GET, HEAD, OK, POST, block, integer, literal};
pub use names::{code, flag, kind, setting};
pub use read::{Frames, HEADER_LEN, Header, Part, number, parameters};
pub use receive::{Frame, Receiver};
pub use write::{
    PREFACE, data, frame, go_away, headers, headers_block, ping, priority, push_promise, rst_stream,
    settings, settings_ack, window_update,
};
