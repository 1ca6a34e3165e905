//! The streams of a connection, and the callers that wait on them.

use bytes::Bytes;
use http::Response;
use tokio::sync::oneshot;
use wasmtime::component::ResourceAny;

use super::command::{Answer, Operation, Pushed, Send};
use super::driver::{Driver, reply};
use super::error::Error;
use super::head;
use super::instance::Instance;

/// A stream on which a handle exists.
pub(super) struct Entry {
    resource: ResourceAny,
    /// The caller that waits for the response, until it has arrived.
    pub(super) response: Option<Answer<Response<()>>>,
    /// Whether the response has arrived, or cannot arrive any more.
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

    /// Answers the callers whose item has arrived.
    fn advance(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        self.advance_response(instance)?;
        self.advance_informational(instance)?;
        self.advance_reading(instance)?;
        self.advance_sending(instance)
    }

    fn advance_response(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.response) else { return Ok(()) };
        match instance.response(self.resource)? {
            Ok(None) => self.response = Some(answer),
            Ok(Some((head, never_indexed))) => {
                self.responded = true;
                reply(
                    answer,
                    head::response(head, &never_indexed).map_err(|error| Error::unusable_head(&error)),
                );
            }
            Err(error) => {
                self.responded = true;
                reply(answer, Err(error));
            }
        }
        Ok(())
    }

    fn advance_informational(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.informational) else { return Ok(()) };
        match instance.informational(self.resource)? {
            Some(head) => {
                let head = head::response(head, &[]).map_err(|error| Error::unusable_head(&error));
                reply(answer, head.map(Some));
            }
            None if self.responded => reply(answer, Ok(None)),
            None => self.informational = Some(answer),
        }
        Ok(())
    }

    fn advance_reading(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let Some(answer) = waiting(&mut self.reading) else { return Ok(()) };
        match instance.read_data(self.resource)? {
            Ok(Some(octets)) if octets.is_empty() => self.reading = Some(answer),
            read => reply(answer, read.map(|octets| octets.map(Bytes::from))),
        }
        Ok(())
    }

    fn advance_sending(&mut self, instance: &mut Instance) -> wasmtime::Result<()> {
        let sending = self.sending.take().filter(|send| !send.answer.is_closed());
        let Some(Send { mut data, end_of_stream, answer }) = sending else { return Ok(()) };
        match instance.send_data(self.resource, &mut data, end_of_stream)? {
            Ok(false) => self.sending = Some(Send { data, end_of_stream, answer }),
            Ok(true) => reply(answer, Ok(())),
            Err(error) => reply(answer, Err(error)),
        }
        Ok(())
    }
}

impl Driver {
    /// Handles a change on a stream: answers the callers that waited for it.
    pub(super) fn advance(&mut self, id: u32) -> wasmtime::Result<()> {
        let Some(entry) = self.streams.get_mut(&id) else { return Ok(()) };
        entry.advance(&mut self.instance)?;
        let resource = entry.resource;
        let Some(answer) = waiting(&mut entry.pushed) else { return Ok(()) };
        match self.pushed(resource)? {
            Ok(None) if !self.instance.finished(resource)? => {
                if let Some(entry) = self.streams.get_mut(&id) {
                    entry.pushed = Some(answer);
                }
            }
            pushed => reply(answer, pushed),
        }
        Ok(())
    }

    /// Returns the next stream that the server has promised on `parent`.
    fn pushed(&mut self, parent: ResourceAny) -> wasmtime::Result<Result<Option<Pushed>, Error>> {
        let Some(resource) = self.instance.pushed(parent)? else { return Ok(Ok(None)) };
        let request = self.instance.request(resource)?;
        let (Some((head, extras)), Some(own)) = (request, self.own()) else {
            self.instance.release(resource)?;
            return Ok(Ok(None));
        };
        let request = match head::request(head, extras) {
            Ok(request) => request,
            Err(error) => {
                self.instance.release(resource)?;
                return Ok(Err(Error::unusable_head(&error)));
            }
        };
        let stream = self.hold(resource, own)?;
        let (answer, response) = oneshot::channel();
        if let Some(entry) = self.streams.get_mut(&stream.id()) {
            entry.response = Some(answer);
            entry.advance(&mut self.instance)?;
        }
        Ok(Ok(Some(Pushed { request, stream, response })))
    }

    /// Performs an operation on a stream.
    pub(super) fn operate(&mut self, id: u32, operation: Operation) -> wasmtime::Result<()> {
        let Some(entry) = self.streams.get_mut(&id) else { return Ok(()) };
        let (resource, instance) = (entry.resource, &mut self.instance);
        match operation {
            Operation::Informational(answer) => entry.informational = Some(answer),
            Operation::Pushed(answer) => entry.pushed = Some(answer),
            Operation::Read(answer) => entry.reading = Some(answer),
            Operation::Send(send) => entry.sending = Some(send),
            Operation::Inform(head, never_indexed, answer) => {
                reply(answer, instance.inform(resource, &head, &never_indexed)?);
            }
            Operation::Respond(head, never_indexed, end_of_stream, answer) => {
                reply(answer, instance.respond(resource, &head, &never_indexed, end_of_stream)?);
            }
            Operation::Push(head, never_indexed, answer) => {
                match (instance.push(resource, &head, &never_indexed)?, self.own()) {
                    (Ok(promised), Some(own)) => reply(answer, Ok(self.hold(promised, own)?)),
                    (Ok(promised), None) => self.instance.release(promised)?,
                    (Err(error), _) => reply(answer, Err(error)),
                }
            }
            Operation::SendTrailers(trailers, answer) => {
                reply(answer, instance.send_trailers(resource, &trailers)?);
            }
            Operation::Trailers(answer) => {
                let trailers = instance.trailers(resource)?;
                let trailers = trailers.map(|trailers| head::headers(trailers, &[])).transpose();
                reply(answer, trailers.map_err(|error| Error::unusable_head(&error)));
            }
            Operation::WindowUpdate(bytes, answer) => {
                reply(answer, instance.window_update(resource, bytes)?);
            }
            Operation::Windows(answer) => reply(answer, Ok(instance.windows(resource)?)),
            Operation::Reset(code) => instance.reset(resource, code)?,
            Operation::Release => {
                self.streams.remove(&id);
                self.instance.release(resource)?;
                return self.leave();
            }
        }
        self.advance(id)
    }
}

/// Takes the waiting caller from its slot, unless that caller has stopped waiting.
pub(super) fn waiting<T>(slot: &mut Option<Answer<T>>) -> Option<Answer<T>> {
    slot.take().filter(|answer| !answer.is_closed())
}
