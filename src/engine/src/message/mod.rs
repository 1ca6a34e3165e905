//! What makes a message valid, beyond its frames (RFC 9113, 8; RFC 9110). The same rules hold for what is
//! received and for what is sent, so that whoever
//! passes messages on passes nothing on that is malformed (RFC 9113, 8.1.1, 10.3).

mod content_length;
mod octets;
mod target;
mod validate;

pub(crate) use content_length::ContentLength;
pub(crate) use validate::{MethodKind, RequestFacts, ResponseFacts, promise, request, response, trailers};
