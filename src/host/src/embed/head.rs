//! Conversions between message heads of the crate `http` and those of the WIT interface.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Request, Response, Uri, uri};
use http2_engine::Protocol;

use crate::bindings::http2::engine::types::{self, Fields, RequestExtras, RequestHead, ResponseHead};

/// Converts the head of a request to send.
pub(super) fn request_head(request: &Request<()>) -> (RequestHead, RequestExtras) {
    let uri = request.uri();
    // A name that is not UTF-8 is no token, and remains none: the engine rejects the request.
    let protocol = request.extensions().get::<Protocol>();
    let protocol = protocol.map(|protocol| String::from_utf8_lossy(protocol.as_bytes()).into_owned());
    let path = uri.path_and_query().map(|path| path.as_str().to_owned());
    let head = RequestHead {
        method: to_method(request.method()),
        scheme: uri.scheme_str().map(to_scheme),
        authority: uri.authority().map(|authority| authority.as_str().to_owned()),
        // CONNECT names a host to connect to, without a path (RFC 9113, 8.5).
        path_with_query: path.filter(|_| *request.method() != Method::CONNECT || protocol.is_some()),
        headers: to_fields(request.headers()),
    };
    (head, RequestExtras { protocol, never_indexed: sensitive_names(request.headers()) })
}

/// Converts the head of a response to send, and returns with it the names of its never-indexed fields.
pub(super) fn response_head(response: &Response<()>) -> (ResponseHead, Vec<String>) {
    let head = ResponseHead { status: response.status().as_u16(), headers: to_fields(response.headers()) };
    (head, sensitive_names(response.headers()))
}

pub(super) fn to_fields(headers: &HeaderMap) -> Fields {
    let field =
        |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    headers.iter().map(field).collect()
}

/// Converts a received request, or returns the reason why `http` cannot represent it.
pub(super) fn request(head: RequestHead, extras: RequestExtras) -> Result<Request<()>, http::Error> {
    let mut target = uri::Parts::default();
    target.scheme = head.scheme.as_ref().map(|scheme| scheme_token(scheme).parse()).transpose()?;
    target.authority = head.authority.as_deref().map(str::parse::<Authority>).transpose()?;
    target.path_and_query = head.path_with_query.as_deref().map(str::parse::<PathAndQuery>).transpose()?;
    if target.authority.is_none() {
        // `http` cannot represent a scheme without an authority.
        target.scheme = None;
    }
    let mut request = Request::new(());
    *request.method_mut() = method(&head.method)?;
    *request.uri_mut() = Uri::from_parts(target)?;
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = headers(head.headers, &extras.never_indexed)?;
    if let Some(protocol) = extras.protocol {
        request.extensions_mut().insert(Protocol::from(protocol.as_str()));
    }
    Ok(request)
}

/// Converts a received response, or returns the reason why `http` cannot represent it.
pub(super) fn response(head: ResponseHead, never_indexed: &[String]) -> Result<Response<()>, http::Error> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(head.status)?;
    *response.version_mut() = http::Version::HTTP_2;
    *response.headers_mut() = headers(head.headers, never_indexed)?;
    Ok(response)
}

/// Converts received fields, or returns the reason why `http` cannot represent them.
pub(super) fn headers(fields: Fields, never_indexed: &[String]) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::try_with_capacity(fields.len())?;
    for (name, value) in fields {
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(never_indexed.contains(&name));
        headers.try_append(HeaderName::try_from(name)?, value)?;
    }
    Ok(headers)
}

/// Returns the names of the fields that must not enter the compression table of any hop (RFC 7541, 7.1.3).
fn sensitive_names(headers: &HeaderMap) -> Vec<String> {
    let sensitive = headers.iter().filter(|(_, value)| value.is_sensitive());
    sensitive.map(|(name, _)| name.as_str().to_owned()).collect()
}

fn to_method(method: &Method) -> types::Method {
    match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        Method::CONNECT => types::Method::Connect,
        Method::OPTIONS => types::Method::Options,
        Method::TRACE => types::Method::Trace,
        Method::PATCH => types::Method::Patch,
        ref other => types::Method::Other(other.as_str().to_owned()),
    }
}

fn method(method: &types::Method) -> Result<Method, http::Error> {
    Ok(match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(token) => token.parse()?,
    })
}

fn to_scheme(scheme: &str) -> types::Scheme {
    match scheme {
        "http" => types::Scheme::Http,
        "https" => types::Scheme::Https,
        other => types::Scheme::Other(other.to_owned()),
    }
}

fn scheme_token(scheme: &types::Scheme) -> &str {
    match scheme {
        types::Scheme::Http => "http",
        types::Scheme::Https => "https",
        types::Scheme::Other(token) => token,
    }
}
