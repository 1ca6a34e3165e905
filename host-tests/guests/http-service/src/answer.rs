//! Responses of the routes.

use std::sync::atomic::Ordering;

use wasip3::http::types::{ErrorCode, Fields, Request, Response, Trailers};
use wasip3::wit_bindgen::{StreamResult, spawn_local};
use wasip3::{wit_future, wit_stream};

use crate::{CUT, UNWANTED, WRITTEN};

/// Size of the chunks in which content is written, in bytes.
const CHUNK: usize = 64 << 10;

/// A text with its Content-Length.
pub(crate) fn text(status: u16, text: &str) -> Result<Response, ErrorCode> {
    let octets = text.as_bytes().to_vec();
    let length = octets.len().to_string();
    let mut head = vec![("content-length", length.as_str())];
    if status == 401 {
        // A 401 response tells the client how to authenticate (RFC 9110, 15.5.2).
        head.push(("www-authenticate", "Bearer"));
    }
    respond(status, &head, octets, Ok(None))
}

/// Content of this many bytes.
pub(crate) fn bytes(octets: u64) -> Result<Response, ErrorCode> {
    let (mut writer, reader) = wit_stream::new();
    let (end_writer, end_reader) = wit_future::new(|| Ok(None));
    let head = fields(&[("content-length", &octets.to_string())])?;
    let (response, _) = Response::new(head, Some(reader), end_reader);
    spawn_local(async move {
        let mut left = octets;
        while left > 0 {
            let chunk = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            let refused = writer.write_all(vec![b'a'; chunk]).await;
            WRITTEN.fetch_add((chunk - refused.len()) as u64, Ordering::Relaxed);
            if !refused.is_empty() {
                UNWANTED.fetch_add(1, Ordering::Relaxed);
                return;
            }
            left -= chunk as u64;
        }
        drop(writer);
        _ = end_writer.write(Ok(None)).await;
    });
    Ok(response)
}

/// Content that continues until the client stops reading.
pub(crate) fn endless() -> Result<Response, ErrorCode> {
    let (mut writer, reader) = wit_stream::new();
    let (end_writer, end_reader) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(reader), end_reader);
    spawn_local(async move {
        let mut refused = Vec::new();
        while refused.is_empty() {
            refused = writer.write_all(vec![b'a'; CHUNK]).await;
        }
        UNWANTED.fetch_add(1, Ordering::Relaxed);
        drop(end_writer);
    });
    Ok(response)
}

/// 10,000 bytes, with their Content-Length.
pub(crate) fn early() -> Result<Response, ErrorCode> {
    respond(200, &[("content-length", "10000")], vec![b'a'; 10_000], Ok(None))
}

/// A refusal of a method that the resource does not support.
pub(crate) fn not_allowed() -> Result<Response, ErrorCode> {
    respond(405, &[("allow", "GET, HEAD"), ("content-length", "0")], Vec::new(), Ok(None))
}

/// A text with trailers.
pub(crate) fn trailers() -> Result<Response, ErrorCode> {
    let trailers = fields(&[("checksum", "1234"), ("grpc-status", "0")])?;
    respond(200, &[("trailer", "checksum")], b"followed by trailers\n".to_vec(), Ok(Some(trailers)))
}

/// A text with an empty trailer section.
pub(crate) fn empty_trailers() -> Result<Response, ErrorCode> {
    respond(200, &[], b"followed by nothing\n".to_vec(), Ok(Some(Fields::new())))
}

/// A text shorter than its Content-Length.
pub(crate) fn too_short() -> Result<Response, ErrorCode> {
    respond(200, &[("content-length", "100")], b"too short".to_vec(), Ok(None))
}

/// A head that contains the fields of trailers, as gRPC sends for a call that fails at once.
pub(crate) fn trailers_only() -> Result<Response, ErrorCode> {
    let head =
        [("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", "no such method")];
    let (end_writer, end) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields(&head)?, None, end);
    drop(end_writer);
    Ok(response)
}

/// Some content followed by an error.
pub(crate) fn broken() -> Result<Response, ErrorCode> {
    respond(200, &[], b"this is not".to_vec(), Err(ErrorCode::ConnectionReadTimeout))
}

/// Echoes the content and trailers of the request as they arrive.
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

/// Reads a request to its end, and returns the size of its content in bytes.
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
    drop(result_writer);
    if let Err(code) = end.await {
        CUT.fetch_add(1, Ordering::Relaxed);
        return Err(code);
    }
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
