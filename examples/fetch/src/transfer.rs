//! One request and its response.

use wasi::io::poll::Pollable;

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::Error;
use crate::bindings::http2::engine::wide;
use crate::failure::Failure;
use crate::output::Output;
use crate::upload::Upload;

/// Bytes of content per read.
const CHUNK: u32 = 64 << 10;

/// A request to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// The index of its URL.
    pub(crate) target: usize,
    refusals: u32,
}

impl Order {
    /// Creates a request that has not been sent yet.
    pub(crate) fn new(target: usize) -> Self {
        Self { target, refusals: 0 }
    }

    /// Returns the same request, refused once more.
    pub(crate) fn refused(self) -> Self {
        Self { refusals: self.refusals.saturating_add(1), ..self }
    }

    /// Returns how often the server has refused it.
    pub(crate) fn refusals(self) -> u32 {
        self.refusals
    }
}

/// A request that was sent, and the state of its response.
pub(crate) struct Transfer {
    url: String,
    order: Order,
    upload: Option<Upload>,
    response: Response,
    stream: Http2Stream,
}

/// The state of the response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Response {
    Awaited,
    Begun,
    Complete,
}

impl Transfer {
    /// Creates the transfer of a request on its stream.
    pub(crate) fn new(url: String, order: Order, stream: Http2Stream, upload: Option<Upload>) -> Self {
        Self { url, order, upload, response: Response::Awaited, stream }
    }

    /// Returns the identifier of its stream.
    pub(crate) fn id(&self) -> u32 {
        self.stream.id()
    }

    /// Returns the URL requested.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the request.
    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Returns whether the request can be sent again unchanged.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.upload.as_ref().is_none_or(Upload::is_repeatable)
    }

    /// Returns the pollable it waits for besides the connection.
    pub(crate) fn pollable(&self) -> Option<&Pollable> {
        self.upload.as_ref()?.pollable()
    }

    /// Describes the current operation.
    pub(crate) fn operation(&self) -> &'static str {
        match self.response {
            Response::Awaited => "waiting for the response",
            Response::Begun => "receiving the content",
            Response::Complete => "sending the content",
        }
    }

    /// Advances the transfer without waiting; returns true once the response is complete and the upload has ended.
    ///
    /// If a server responds early, the upload continues until the server stops it. Cancelling the stream instead is
    /// permitted, but some servers count that as abuse.
    pub(crate) fn advance(&mut self, output: &mut Output) -> Result<bool, Failure> {
        if let Some(upload) = &mut self.upload {
            upload.advance(&self.url, &self.stream)?;
        }
        if self.response != Response::Complete && !self.receive(output)? {
            return Ok(false);
        }
        self.response = Response::Complete;
        Ok(self.upload.as_ref().is_none_or(Upload::is_complete) || self.stream.finished())
    }

    /// Receives the input that has arrived; returns true once the response is complete.
    fn receive(&mut self, output: &mut Output) -> Result<bool, Failure> {
        while let Some(head) = self.stream.informational() {
            output.head(&head)?;
        }
        if self.response == Response::Awaited {
            let Some(head) = self.stream.response().map_err(|error| self.failure(&error))? else {
                return Ok(false);
            };
            output.head(&head)?;
            self.response = Response::Begun;
        }
        loop {
            match wide::read_data(&self.stream, CHUNK).map_err(|error| self.failure(&error))? {
                Some(content) if content.length == 0 => return Ok(false),
                Some(content) => {
                    let bytes: &[u8] = bytemuck::cast_slice(&content.words);
                    output.content(&bytes[..content.length as usize])?;
                }
                None => break,
            }
        }
        output.end(self.stream.trailers().as_ref())?;
        Ok(true)
    }

    fn failure(&self, error: &Error) -> Failure {
        Failure::http2(&self.url, self.operation(), error)
    }
}
