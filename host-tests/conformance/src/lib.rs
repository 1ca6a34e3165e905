//! What an HTTP/2 endpoint has to do, and cases that any endpoint can be held against.
//!
//! [`requirements()`](requirements::requirements) are those of RFC 9113, 7541, 8441, 9218, 8336, 7838 and 9110, each with
//! its section, the error code that is due where it is broken, and whether the stream or the connection ends for it. A
//! [`Case`] is octets that are sent and frames that have to come back; [`cases()`](cases::cases) has those of all
//! requirements, and [`play`] holds an endpoint against one of them over whatever carries octets. The exact code and
//! the smallest scope are what is wanted: to end the connection where the stream would do is a failure, and so is to
//! close it without a word. The program of this package prints all of it as a table.

pub mod case;
pub mod cases;
pub mod frame;
pub mod places;
pub mod received;
pub mod requirements;
mod tester;

pub use case::{Case, Expected, Role, Step};
pub use tester::{Transport, play};
