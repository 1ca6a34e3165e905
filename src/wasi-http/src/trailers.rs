//! Ends of messages in wasi:http: futures of trailers, written and read.

use std::cell::Cell;

use wit_bindgen::{FutureReader, FutureWriter};

use crate::bindings::http2::wasi_http::relay;
use crate::bindings::wasi::http::types::{ErrorCode, Trailers};
use crate::bindings::wit_future;
use crate::signal::now_or_never;
use crate::tasks::Tasks;

/// The trailers of a message, if it has any, or the reason why it is incomplete.
pub type TrailersResult = Result<Option<Trailers>, ErrorCode>;

thread_local! {
    /// The unread futures of this component that may have a reader.
    ///
    /// The application may pass one of them back to this component.
    static UNREAD: Cell<usize> = const { Cell::new(0) };
}

/// The end of a message, reported once it is known.
///
/// Dropping it first reports `connection-terminated`.
pub struct TrailersWriter {
    writer: FutureWriter<TrailersResult>,
    unread: Unread,
}

/// Counts one future for as long as it may be read.
struct Unread;

impl TrailersWriter {
    /// Creates a writer, and the future through which wasi:http receives the end.
    pub fn new() -> (Self, FutureReader<TrailersResult>) {
        let (writer, reader) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
        (Self { writer, unread: Unread::new() }, reader)
    }

    /// Reports the end.
    ///
    /// Unless a reader is waiting already, a task waits until the future is read or dropped.
    pub async fn write(self, end: TrailersResult, tasks: &Tasks) {
        let Self { writer, unread } = self;
        let mut write = Box::pin(writer.write(end));
        if now_or_never(write.as_mut()).await.is_none() {
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

/// Waits for the end of a message from wasi:http.
///
/// If the future may be one of this component's own, the relay component reads it: see the interface `relay`.
pub async fn read(end: FutureReader<TrailersResult>) -> TrailersResult {
    if UNREAD.get() == 0 { end.await } else { relay::read_trailers(end).await }
}
