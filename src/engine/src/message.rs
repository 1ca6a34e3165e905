//! The rules for valid messages, beyond their frames (RFC 9113, 8; RFC 9110).
//!
//! The same rules apply to received and sent messages, so that an intermediary never forwards a malformed one
//! (RFC 9113, 8.1.1, 10.3).

mod content_length;
mod octets;
mod target;
mod validate;

pub(crate) use content_length::ContentLength;
pub(crate) use validate::{
    ConnectPort, MethodKind, RequestFacts, ResponseFacts, promise, request, request_of_any_target,
    request_to_port, response, trailers,
};
