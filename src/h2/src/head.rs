//! The heads of requests, as the fields that are sent.

use http::request::Parts;
use http::{Method, Request, Version, header, uri::PathAndQuery};
use http2_tokio::FieldSection;

use crate::error::User;
use crate::{Error, ext};

/// Returns the fields of a request.
///
/// A request for a path alone, as in HTTP/1.1, is sent with the scheme "http". Its authority is that of the Host field,
/// if there is one.
///
/// # Errors
///
/// Returns an error if the request is one of HTTP/2, which needs a scheme and an authority.
pub(crate) fn of_request(request: Request<()>) -> Result<FieldSection, Error> {
    let (mut parts, ()) = request.into_parts();
    parts.extensions = ext::to_engine(&parts.extensions);
    let uri = &parts.uri;
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Ok(FieldSection::from_request_parts(&parts));
    }
    if parts.version == Version::HTTP_2 {
        return Err(User::MissingUriSchemeAndAuthority.into());
    }
    Ok(of_path(&parts))
}

fn of_path(parts: &Parts) -> FieldSection {
    let mut head = FieldSection::new();
    head.push(b":method", parts.method.as_str().as_bytes());
    head.push(b":scheme", b"http");
    if let Some(host) = parts.headers.get(header::HOST) {
        head.push(b":authority", host.as_bytes());
    }
    head.push(b":path", parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).as_bytes());
    if let Some(protocol) = parts.extensions.get::<http2_tokio::Protocol>()
        && parts.method == Method::CONNECT
    {
        head.push(b":protocol", protocol.as_bytes());
    }
    head.append_headers(&parts.headers);
    head
}
