//! Responses, and what they are made of.

use wasip3::http::types::{ErrorCode, Fields, Request, Response, Trailers};
use wasip3::wit_bindgen::{StreamResult, spawn_local};
use wasip3::{wit_future, wit_stream};

/// A text, known as a whole.
pub(crate) fn text(status: u16, text: &str) -> Result<Response, ErrorCode> {
    let octets = text.as_bytes().to_vec();
    respond(status, &[("content-length", &octets.len().to_string())], octets, Ok(None))
}

/// So many octets.
pub(crate) fn bytes(octets: usize) -> Result<Response, ErrorCode> {
    let mut content = b"abcdefghijklmnopqrstuvwxyz".repeat(octets.div_ceil(26));
    content.truncate(octets);
    respond(200, &[("content-length", &octets.to_string())], content, Ok(None))
}

/// A text and trailers.
pub(crate) fn trailers() -> Result<Response, ErrorCode> {
    let trailers = fields(&[("checksum", "1234"), ("grpc-status", "0")])?;
    respond(200, &[("trailer", "checksum")], b"followed by trailers\n".to_vec(), Ok(Some(trailers)))
}

/// A head with what otherwise stands in trailers, as gRPC has it for calls that fail at once.
pub(crate) fn trailers_only() -> Result<Response, ErrorCode> {
    let head =
        [("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", "no such method")];
    let (end_writer, end) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields(&head)?, None, end);
    drop(end_writer);
    Ok(response)
}

/// Some content, then an error.
pub(crate) fn broken() -> Result<Response, ErrorCode> {
    respond(200, &[], b"this is not".to_vec(), Err(ErrorCode::ConnectionReadTimeout))
}

/// The content and the trailers of the request, as they come.
pub(crate) fn echo(request: Request) -> Result<Response, ErrorCode> {
    let content_type = request.get_headers().get("content-type");
    let head = Fields::new();
    head.set("content-type", &content_type)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (result_writer, result) = wit_future::new(|| Ok(()));
    let (content, end) = Request::consume_body(request, result);
    let (response, transmitted) = Response::new(head, Some(content), end);
    spawn_local(async move { result_writer.write(transmitted.await).await });
    Ok(response)
}

/// Reads a request to its end, and says how many octets its content had.
pub(crate) async fn count(request: Request) -> Result<usize, ErrorCode> {
    let (result_writer, result) = wit_future::new(|| Ok(()));
    let (mut content, end) = Request::consume_body(request, result);
    let mut octets = 0;
    let mut buffer = Vec::with_capacity(64 << 10);
    loop {
        let (result, mut chunk) = content.read(buffer).await;
        let StreamResult::Complete(taken) = result else { break };
        octets += taken;
        chunk.clear();
        buffer = chunk;
    }
    end.await?;
    drop(result_writer);
    Ok(octets)
}

fn respond(
    status: u16,
    head: &[(&str, &str)],
    content: Vec<u8>,
    end: Result<Option<Trailers>, ErrorCode>,
) -> Result<Response, ErrorCode> {
    let (mut content_writer, content_reader) = wit_stream::new();
    let (end_writer, end_reader) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields(head)?, Some(content_reader), end_reader);
    response.set_status_code(status).map_err(|()| ErrorCode::HttpProtocolError)?;
    spawn_local(async move {
        content_writer.write_all(content).await;
        drop(content_writer);
        _ = end_writer.write(end).await;
    });
    Ok(response)
}

fn fields(entries: &[(&str, &str)]) -> Result<Fields, ErrorCode> {
    let entries: Vec<_> =
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Fields::from_list(&entries).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}
