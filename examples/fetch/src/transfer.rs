//! One request and its response.

use wasi::io::poll::Pollable;

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::Error;
use crate::failure::Failure;
use crate::output::Output;
use crate::upload::Upload;

/// Octets of content that are taken at a time.
const CHUNK: u32 = 64 << 10;

/// A request that was sent, and what has come of its response.
pub(crate) struct Transfer {
    url: String,
    upload: Option<Upload>,
    response_began: bool,
    stream: Http2Stream,
}

impl Transfer {
    /// Goes on with a stream that was opened.
    pub(crate) fn new(url: String, stream: Http2Stream, upload: Option<Upload>) -> Self {
        Self { url, upload, response_began: false, stream }
    }

    /// What it asks for.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it waits for, besides the connection.
    pub(crate) fn pollable(&self) -> Option<&Pollable> {
        self.upload.as_ref()?.pollable()
    }

    /// What it is waiting for, in words.
    pub(crate) fn doing(&self) -> &'static str {
        if self.response_began { "receiving the content" } else { "waiting for the response" }
    }

    /// Does what can be done without waiting; true when the response is complete.
    pub(crate) fn advance(&mut self, output: &mut Output) -> Result<bool, Failure> {
        if let Some(upload) = &mut self.upload {
            upload.advance(&self.url, &self.stream)?;
        }
        while let Some(head) = self.stream.informational() {
            output.head(&head)?;
        }
        if !self.response_began {
            let Some(head) = self.stream.response().map_err(|error| self.failure(&error))? else {
                return Ok(false);
            };
            output.head(&head)?;
            self.response_began = true;
        }
        loop {
            match self.stream.read_data(CHUNK).map_err(|error| self.failure(&error))? {
                Some(octets) if octets.is_empty() => return Ok(false),
                Some(octets) => output.content(&octets)?,
                None => break,
            }
        }
        output.end(self.stream.trailers().as_ref())?;
        Ok(true)
    }

    fn failure(&self, error: &Error) -> Failure {
        Failure::http2(&self.url, self.doing(), error)
    }
}
