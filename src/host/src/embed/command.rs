//! Commands from the handles to the task that owns the connection.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http2_engine::Windows;
use tokio::sync::oneshot;

use super::error::Error;
use super::handle::Stream;
use crate::bindings::http2::engine::types::{Fields, RequestExtras, RequestHead, ResponseHead};

/// The channel for the result of a command.
pub(super) type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// A request with its stream, or `None` once the connection has ended gracefully.
pub(super) type Accepted = Option<(Request<()>, Stream)>;

pub(super) enum Command {
    /// Client: opens a stream for a new request.
    Open(Open),
    /// Server: waits for the next request.
    Accept(Answer<Accepted>),
    /// Performs an operation on one stream.
    Stream(u32, Operation),
    Ping(Answer<Duration>),
    WindowUpdate(u32, Answer<()>),
    Windows(Answer<Windows>),
    LocalSettings(Answer<Vec<(u16, u32)>>),
    PeerSettings(Answer<Vec<(u16, u32)>>),
    ChangeSettings(Vec<(u16, u32)>, Answer<()>),
    Stats(Answer<Vec<(String, u64)>>),
    Shutdown,
    Abort(u32, Vec<u8>),
    /// The last handle that can open or accept streams was dropped.
    Leave,
}

pub(super) struct Open {
    pub(super) head: RequestHead,
    pub(super) extras: RequestExtras,
    pub(super) end_of_stream: bool,
    pub(super) opened: Answer<Stream>,
    pub(super) response: Answer<Response<()>>,
}

pub(super) enum Operation {
    Informational(Answer<Option<Response<()>>>),
    Pushed(Answer<Option<Pushed>>),
    /// The head, and the names of its never-indexed fields.
    Inform(ResponseHead, Vec<String>, Answer<()>),
    /// The head, the names of its never-indexed fields, and whether it ends the stream.
    Respond(ResponseHead, Vec<String>, bool, Answer<()>),
    /// The head, and the names of its never-indexed fields.
    Push(RequestHead, Vec<String>, Answer<Stream>),
    Send(Send),
    SendTrailers(Fields, Answer<()>),
    Read(Answer<Option<Bytes>>),
    Trailers(Answer<Option<HeaderMap>>),
    WindowUpdate(u32, Answer<()>),
    Windows(Answer<Windows>),
    Reset(u32),
    /// The last handle on the stream was dropped.
    Release,
}

/// A request that the server has promised to answer, and the receiver of its response.
pub(super) struct Pushed {
    pub(super) request: Request<()>,
    pub(super) stream: Stream,
    pub(super) response: oneshot::Receiver<Result<Response<()>, Error>>,
}

/// Content to pass to the engine.
pub(super) struct Send {
    pub(super) data: Bytes,
    pub(super) end_of_stream: bool,
    pub(super) answer: Answer<()>,
}
