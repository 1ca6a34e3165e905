//! Support shared with other tests, with the server for `wasi:http` in place of the demonstration.

#[allow(dead_code, unused_imports, reason = "other tests that share this module use the rest")]
#[path = "../interop/support/mod.rs"]
mod shared;

use std::ops::Deref;

use host_tests::guests;

pub(crate) use shared::*;

/// The guest `http-service` behind the server, until it is dropped.
pub(crate) struct Serve(shared::Serve);

impl Serve {
    /// Serves on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Serves on a free port, with further options of `wasi-http2 serve`; those of the server itself follow "--".
    #[track_caller]
    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self(shared::Serve::start_handler(guests::HTTP_SERVICE, options))
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
    type Target = shared::Serve;

    fn deref(&self) -> &shared::Serve {
        &self.0
    }
}
