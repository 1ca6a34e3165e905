//! What the handles ask of the task that owns the connection.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::sync::oneshot;

use super::error::Error;
use super::handle::Stream;
use crate::bindings::http2::engine::types::{Fields, RequestHead, ResponseHead};

/// Where the answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// A request with its stream; none when the connection has ended in good order.
pub(super) type Accepted = Option<(Request<()>, Stream)>;

pub(super) enum Command {
    /// Client: a new request, and where its response goes.
    Open(Open),
    /// Server: the next request.
    Accept(Answer<Accepted>),
    /// Something about one stream.
    Stream(u32, Operation),
    Ping(Answer<Duration>),
    WindowUpdate(u32, Answer<()>),
    Windows(Answer<(i64, i64)>),
    LocalSettings(Answer<Vec<(u16, u32)>>),
    PeerSettings(Answer<Vec<(u16, u32)>>),
    ChangeSettings(Vec<(u16, u32)>, Answer<()>),
    Stats(Answer<Vec<(String, u64)>>),
    Shutdown,
    Abort(u32, Vec<u8>),
    /// Nobody will open or accept streams any more.
    Leave,
}

pub(super) struct Open {
    pub(super) head: RequestHead,
    pub(super) end_of_stream: bool,
    pub(super) opened: Answer<Stream>,
    pub(super) response: Answer<Response<()>>,
}

pub(super) enum Operation {
    Informational(Answer<Option<Response<()>>>),
    Pushed(Answer<Option<Pushed>>),
    Inform(ResponseHead, Answer<()>),
    Respond(ResponseHead, bool, Answer<()>),
    Push(RequestHead, Answer<Stream>),
    Send(Send),
    SendTrailers(Fields, Answer<()>),
    Read(Answer<Option<Bytes>>),
    Trailers(Answer<Option<HeaderMap>>),
    WindowUpdate(u32, Answer<()>),
    Windows(Answer<(i64, i64)>),
    Reset(u32),
    /// The last handle on the stream is gone.
    Release,
}

/// A request that the server has promised to answer, and where its response will come.
pub(super) struct Pushed {
    pub(super) request: Request<()>,
    pub(super) stream: Stream,
    pub(super) response: oneshot::Receiver<Result<Response<()>, Error>>,
}

/// Content on its way into the engine.
pub(super) struct Send {
    pub(super) data: Bytes,
    pub(super) end_of_stream: bool,
    pub(super) answer: Answer<()>,
}
