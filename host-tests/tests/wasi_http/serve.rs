//! The server for `wasi:http`, in place of the demonstration.

use std::ops::Deref;

use host_tests::guests;
use host_tests::support::{self, Finished};

/// The guest `http-service` behind the server, until it is dropped.
pub(crate) struct Serve(support::Serve);

impl Serve {
    /// Serves on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Serves on a free port, with further options of `wasi-http2 serve`; those of the server itself follow "--".
    #[track_caller]
    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self(support::Serve::start_handler(guests::HTTP_SERVICE, options))
    }

    /// Waits until the server ends by itself.
    #[track_caller]
    pub(crate) fn finish(self) -> Finished {
        self.0.finish()
    }

    /// Stops the server with Ctrl-C.
    #[track_caller]
    pub(crate) fn stop(self) -> Finished {
        self.0.stop()
    }
}

impl Deref for Serve {
    type Target = support::Serve;

    fn deref(&self) -> &support::Serve {
        &self.0
    }
}
