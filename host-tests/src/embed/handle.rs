//! How the handles reach the task that owns the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Answer, Command, Operation};
use super::error::Error;

/// How a connection has ended, once it has.
pub(super) type End = Option<Result<(), Error>>;

/// A way to the task that owns a connection.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) end: watch::Receiver<End>,
}

impl Handle {
    /// Asks for something, and waits for the answer.
    pub(super) async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, Error> {
        let answer = self.begin(command).await;
        self.settle(answer)
    }

    /// Asks for something, and gives where the answer will come.
    pub(super) fn begin<T>(
        &self,
        command: impl FnOnce(Answer<T>) -> Command,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (answer, receiver) = oneshot::channel();
        self.tell(command(answer));
        receiver
    }

    /// Asks for something that has no answer.
    pub(super) fn tell(&self, command: Command) {
        // Where nobody takes it, the connection is over, and the answer is lost likewise: see `settle`.
        _ = self.commands.send(command);
    }

    /// The answer. Where none has come, it is why the connection has ended.
    pub(super) fn settle<T>(&self, answer: Result<Result<T, Error>, RecvError>) -> Result<T, Error> {
        answer.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Whether the connection has ended in good order.
    pub(super) fn has_ended_well(&self) -> bool {
        matches!(*self.end.borrow(), Some(Ok(())))
    }

    fn ended(&self) -> Error {
        match &*self.end.borrow() {
            Some(Ok(())) => Error::connection_over(),
            Some(Err(error)) => error.clone(),
            None => Error::abandoned(),
        }
    }
}

/// A share in a stream. With the last one, the stream is released: its slot is free again, and if it is not complete,
/// it is reset.
#[derive(Clone)]
pub(super) struct Stream(Arc<Held>);

struct Held {
    id: u32,
    connection: Handle,
}

impl Stream {
    pub(super) fn new(id: u32, connection: Handle) -> Self {
        Self(Arc::new(Held { id, connection }))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id
    }

    pub(super) fn connection(&self) -> &Handle {
        &self.0.connection
    }

    /// Asks for something about the stream, and waits for the answer.
    pub(super) async fn ask<T>(&self, operation: impl FnOnce(Answer<T>) -> Operation) -> Result<T, Error> {
        self.connection().ask(|answer| Command::Stream(self.id(), operation(answer))).await
    }

    /// Ends the stream at once, in both directions.
    pub(super) fn reset(&self, code: u32) {
        self.connection().tell(Command::Stream(self.id(), Operation::Reset(code)));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connection.tell(Command::Stream(self.id, Operation::Release));
    }
}

/// Something that arrives in its own time. Who stops waiting for it and asks again later waits for the same one, so
/// that none is lost.
pub(super) struct Next<T>(Option<oneshot::Receiver<Result<T, Error>>>);

impl<T> Next<T> {
    pub(super) fn new() -> Self {
        Self(None)
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Handle,
        command: impl FnOnce(Answer<T>) -> Command,
    ) -> Poll<Result<T, Error>> {
        let receiver = self.0.get_or_insert_with(|| connection.begin(command));
        let answer = ready!(Pin::new(receiver).poll(cx));
        self.0 = None;
        Poll::Ready(connection.settle(answer))
    }
}

/// With it goes the last one who opens or accepts streams: the connection is shut down in good order.
pub(super) struct Leave(pub(super) Handle);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.tell(Command::Leave);
    }
}
