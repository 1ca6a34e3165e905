//! The handles' channels to the task that owns the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Answer, Command, Operation};
use super::error::Error;

/// How a connection ended; `None` while it is open.
pub(super) type End = Option<Result<(), Error>>;

/// A channel to the task that owns a connection.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) end: watch::Receiver<End>,
}

impl Handle {
    /// Sends a command, and waits for its answer.
    pub(super) async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, Error> {
        let answer = self.begin(command).await;
        self.settle(answer)
    }

    /// Sends a command, and returns the receiver of its answer.
    pub(super) fn begin<T>(
        &self,
        command: impl FnOnce(Answer<T>) -> Command,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (answer, receiver) = oneshot::channel();
        self.tell(command(answer));
        receiver
    }

    /// Sends a command that has no answer.
    pub(super) fn tell(&self, command: Command) {
        // If the task is gone, the connection has ended and the answer channel is closed as well: see `settle`.
        _ = self.commands.send(command);
    }

    /// Unwraps an answer, or returns the reason why the connection ended without one.
    pub(super) fn settle<T>(&self, answer: Result<Result<T, Error>, RecvError>) -> Result<T, Error> {
        answer.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Returns whether the connection ended gracefully.
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

/// A shared handle on a stream.
///
/// Dropping the last one releases the stream, which frees its slot and resets it if it is not complete.
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

    /// Performs an operation on the stream, and waits for its answer.
    pub(super) async fn ask<T>(&self, operation: impl FnOnce(Answer<T>) -> Operation) -> Result<T, Error> {
        self.connection().ask(|answer| Command::Stream(self.id(), operation(answer))).await
    }

    /// Resets the stream with `code`, which ends both directions.
    pub(super) fn reset(&self, code: u32) {
        self.connection().tell(Command::Stream(self.id(), Operation::Reset(code)));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connection.tell(Command::Stream(self.id, Operation::Release));
    }
}

/// A request for the next item of a sequence.
///
/// A caller that stops polling and asks again later gets the same item, so none is lost.
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

/// Shuts the connection down gracefully when it is dropped, because no handle can open or accept streams any more.
pub(super) struct Leave(pub(super) Handle);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.tell(Command::Leave);
    }
}
