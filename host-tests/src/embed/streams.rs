//! The streams of a connection, and who waits for something on them.

use bytes::Bytes;
use http::Response;
use tokio::sync::oneshot;
use wasmtime::component::ResourceAny;

use super::command::{Answer, Operation, Pushed, Send};
use super::driver::{Driver, reply};
use super::error::Error;
use super::head;
use super::instance::Instance;

/// A stream on which there is a handle.
pub(super) struct Entry {
    resource: ResourceAny,
    /// Who waits for the response, until it has come.
    pub(super) response: Option<Answer<Response<()>>>,
    /// Whether the response has come, or never will.
    responded: bool,
    informational: Option<Answer<Option<Response<()>>>>,
    pushed: Option<Answer<Option<Pushed>>>,
    reading: Option<Answer<Option<Bytes>>>,
    sending: Option<Send>,
}

impl Entry {
    pub(super) fn new(resource: ResourceAny) -> Self {
        Self {
            resource,
            response: None,
            responded: false,
            informational: None,
            pushed: None,
            reading: None,
            sending: None,
        }
    }

    /// Tells those who wait for something what has come.
    async fn advance(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        self.advance_response(instance).await?;
        self.advance_informational(instance).await?;
        self.advance_reading(instance).await?;
        self.advance_sending(instance).await
    }

    async fn advance_response(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.response) else { return Ok(()) };
        match instance.response(self.resource).await? {
            Ok(None) => self.response = Some(answer),
            Ok(Some(head)) => {
                self.responded = true;
                reply(answer, head::response(head).map_err(|error| Error::unusable_head(&error)));
            }
            Err(error) => {
                self.responded = true;
                reply(answer, Err(error));
            }
        }
        Ok(())
    }

    async fn advance_informational(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.informational) else { return Ok(()) };
        match instance.informational(self.resource).await? {
            Some(head) => {
                let head = head::response(head).map_err(|error| Error::unusable_head(&error));
                reply(answer, head.map(Some));
            }
            None if self.responded => reply(answer, Ok(None)),
            None => self.informational = Some(answer),
        }
        Ok(())
    }

    async fn advance_reading(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.reading) else { return Ok(()) };
        match instance.read_data(self.resource).await? {
            Ok(Some(octets)) if octets.is_empty() => self.reading = Some(answer),
            read => reply(answer, read.map(|octets| octets.map(Bytes::from))),
        }
        Ok(())
    }

    async fn advance_sending(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let sending = self.sending.take().filter(|send| !send.answer.is_closed());
        let Some(Send { mut data, end_of_stream, answer }) = sending else { return Ok(()) };
        match instance.send_data(self.resource, &mut data, end_of_stream).await? {
            Ok(false) => self.sending = Some(Send { data, end_of_stream, answer }),
            Ok(true) => reply(answer, Ok(())),
            Err(error) => reply(answer, Err(error)),
        }
        Ok(())
    }
}

impl Driver {
    /// Something has happened on a stream: tells those who wait for it.
    pub(super) async fn advance(&mut self, id: u32) -> wasmtime::Result<()> {
        let Some(entry) = self.streams.get_mut(&id) else { return Ok(()) };
        entry.advance(&mut self.instance).await?;
        let resource = entry.resource;
        let Some(answer) = waiting(&mut entry.pushed) else { return Ok(()) };
        match self.pushed(resource).await? {
            Ok(None) if !self.instance.finished(resource).await? => {
                if let Some(entry) = self.streams.get_mut(&id) {
                    entry.pushed = Some(answer);
                }
            }
            pushed => reply(answer, pushed),
        }
        Ok(())
    }

    /// The next stream that the server has promised on this one.
    async fn pushed(&mut self, parent: ResourceAny) -> wasmtime::Result<Result<Option<Pushed>, Error>> {
        let Some(resource) = self.instance.pushed(parent).await? else { return Ok(Ok(None)) };
        let request = self.instance.request(resource).await?;
        let (Some(request), Some(own)) = (request, self.own()) else {
            self.instance.release(resource).await?;
            return Ok(Ok(None));
        };
        let request = match head::request(request) {
            Ok(request) => request,
            Err(error) => {
                self.instance.release(resource).await?;
                return Ok(Err(Error::unusable_head(&error)));
            }
        };
        let stream = self.hold(resource, own).await?;
        let (answer, response) = oneshot::channel();
        if let Some(entry) = self.streams.get_mut(&stream.id()) {
            entry.response = Some(answer);
            entry.advance(&mut self.instance).await?;
        }
        Ok(Ok(Some(Pushed { request, stream, response })))
    }

    /// Carries out what was asked about a stream.
    pub(super) async fn operate(&mut self, id: u32, operation: Operation) -> wasmtime::Result<()> {
        let Some(entry) = self.streams.get_mut(&id) else { return Ok(()) };
        let (resource, instance) = (entry.resource, &mut self.instance);
        match operation {
            Operation::Informational(answer) => entry.informational = Some(answer),
            Operation::Pushed(answer) => entry.pushed = Some(answer),
            Operation::Read(answer) => entry.reading = Some(answer),
            Operation::Send(send) => entry.sending = Some(send),
            Operation::Inform(head, answer) => reply(answer, instance.inform(resource, &head).await?),
            Operation::Respond(head, end_of_stream, answer) => {
                reply(answer, instance.respond(resource, &head, end_of_stream).await?);
            }
            Operation::Push(head, answer) => match (instance.push(resource, &head).await?, self.own()) {
                (Ok(promised), Some(own)) => reply(answer, Ok(self.hold(promised, own).await?)),
                (Ok(promised), None) => self.instance.release(promised).await?,
                (Err(error), _) => reply(answer, Err(error)),
            },
            Operation::SendTrailers(trailers, answer) => {
                reply(answer, instance.send_trailers(resource, &trailers).await?);
            }
            Operation::Trailers(answer) => {
                let trailers = instance.trailers(resource).await?;
                let trailers = trailers.map(|trailers| head::headers(trailers, &[])).transpose();
                reply(answer, trailers.map_err(|error| Error::unusable_head(&error)));
            }
            Operation::WindowUpdate(octets, answer) => {
                reply(answer, instance.window_update(resource, octets).await?);
            }
            Operation::Windows(answer) => reply(answer, Ok(instance.windows(resource).await?)),
            Operation::Reset(code) => instance.reset(resource, code).await?,
            Operation::Release => {
                self.streams.remove(&id);
                self.instance.release(resource).await?;
                return self.leave().await;
            }
        }
        self.advance(id).await
    }
}

/// Whoever waits for something, unless they have stopped waiting.
pub(super) fn waiting<T>(slot: &mut Option<Answer<T>>) -> Option<Answer<T>> {
    slot.take().filter(|answer| !answer.is_closed())
}
