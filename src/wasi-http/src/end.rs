//! The ends of messages in wasi:http: futures of trailers, written and read.

use std::cell::Cell;

use wit_bindgen::{FutureReader, FutureWriter};

use crate::bindings::http2::wasi_http::relay;
use crate::bindings::wasi::http::types::{ErrorCode, Trailers};
use crate::bindings::wit_future;
use crate::signal::at_once;
use crate::tasks::Tasks;

/// The trailers of a message, if it has any, or why it is not complete.
pub type End = Result<Option<Trailers>, ErrorCode>;

thread_local! {
    /// Futures of this component that have a reader, as far as is known, and that were not read. One of them may
    /// come back to us.
    static UNREAD: Cell<usize> = const { Cell::new(0) };
}

/// The end of a message, to be told once it is known. Dropped before, it says `connection-terminated`.
pub struct EndWriter {
    writer: FutureWriter<End>,
    unread: Unread,
}

/// Counts one future as long as it may be read.
struct Unread;

impl EndWriter {
    /// An end to be told, and the future that tells it to wasi:http.
    pub fn new() -> (Self, FutureReader<End>) {
        let (writer, reader) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
        (Self { writer, unread: Unread::new() }, reader)
    }

    /// Tells it. If nobody wants to know it right now, a task waits until somebody does, or never will.
    pub async fn tell(self, end: End, tasks: &Tasks) {
        let Self { writer, unread } = self;
        let mut write = Box::pin(writer.write(end));
        if at_once(write.as_mut()).await.is_none() {
            tasks.spawn(async move {
                _ = write.await;
                drop(unread);
            });
        }
    }
}

impl Unread {
    fn new() -> Self {
        UNREAD.set(UNREAD.get().saturating_add(1));
        Self
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        UNREAD.set(UNREAD.get().saturating_sub(1));
    }
}

/// Waits for the end of a message that comes from wasi:http.
///
/// If it may be one of our own, another component reads it: see the interface `relay`.
pub async fn read(end: FutureReader<End>) -> End {
    if UNREAD.get() == 0 { end.await } else { relay::read_trailers(end).await }
}
