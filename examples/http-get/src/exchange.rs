//! One request and its response.

use wasip3::http::client;
use wasip3::http::types::Response;
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_future;

use crate::failure::Failure;
use crate::output::Output;
use crate::request::Template;

/// Bytes of content per read.
const CHUNK: usize = 64 << 10;

/// Sends a request, and receives its response completely.
pub(crate) async fn run(template: &Template<'_>, output: &mut Output) -> Result<(), Failure> {
    let failure = |error| Failure::http(template.url(), &error);
    let response = client::send(template.request()?).await.map_err(failure)?;
    output.head(&response)?;
    let (received, result) = wit_future::new(|| Ok(()));
    let (mut content, end) = Response::consume_body(response, result);
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        let (result, mut octets) = content.read(buffer).await;
        output.content(&octets)?;
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
        octets.clear();
        buffer = octets;
    }
    let trailers = end.await.map_err(failure)?;
    drop(received);
    output.end(trailers.as_ref())
}
