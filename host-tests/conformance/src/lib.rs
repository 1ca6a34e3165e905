//! The requirements on an HTTP/2 endpoint, and cases that check any endpoint against them.
//!
//! [`requirements()`](requirements::requirements) lists those of RFC 9113, 7541, 8441, 9218, 8336, 7838 and
//! 9110, each with its section, the error code due when a peer breaks it, and whether that ends the stream or
//! the connection. A [`Case`] is a list of bytes to send and frames to expect; [`cases()`](cases::cases)
//! covers all requirements, and [`play`] runs one case against an endpoint over any byte stream. A case
//! demands the exact code and the smallest scope: an endpoint fails if it ends the connection where a stream
//! error suffices, or closes the connection without GOAWAY. The program of this package prints the
//! requirements and their cases as a table.

pub mod case;
pub mod cases;
pub mod places;
pub mod requirements;
mod tester;

pub use case::{Case, Expected, Role, Step};
pub use tester::{Transport, play};
