//! Converts heads and trailers between HTTP/2 and wasi:http.
//!
//! Two kinds of fields differ. wasi:http and HTTP/2 carry the authority of a request apart from its fields;
//! HTTP/1 carries it in Host. If a request has no authority, it is taken from Host; Host itself never passes in
//! either direction. Fields of an HTTP/1 connection (RFC 9113, 8.2.2) are dropped on the way to
//! HTTP/2; TE passes only with the value "trailers".

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http2_engine::FieldSection;
use wit_bindgen::{FutureReader, StreamReader};

use crate::bindings::wasi::http::types::{ErrorCode, Fields, HeaderError, Method, Request, Response, Scheme};
use crate::error;
use crate::trailers::TrailersResult;

/// The status for a request the application cannot receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16);

/// The head of an incoming request, in the terms of wasi:http.
#[derive(Debug)]
pub struct RequestHead {
    method: Method,
    scheme: Option<Scheme>,
    authority: Option<String>,
    path: Option<String>,
}

impl RequestHead {
    /// Reads the pseudo-header fields of an incoming request.
    ///
    /// # Errors
    ///
    /// Status 400, if a part of the target is not UTF-8.
    pub fn from_section(head: &FieldSection) -> Result<Self, Refusal> {
        let text = |octets: &[u8]| match str::from_utf8(octets) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Refusal(400)),
        };
        let authority = head.authority().or_else(|| head.get(b"host"));
        Ok(Self {
            method: match head.method().unwrap_or_default() {
                b"GET" => Method::Get,
                b"HEAD" => Method::Head,
                b"POST" => Method::Post,
                b"PUT" => Method::Put,
                b"DELETE" => Method::Delete,
                b"CONNECT" => Method::Connect,
                b"OPTIONS" => Method::Options,
                b"TRACE" => Method::Trace,
                b"PATCH" => Method::Patch,
                other => Method::Other(text(other)?),
            },
            scheme: match head.scheme() {
                None => None,
                Some(b"http") => Some(Scheme::Http),
                Some(b"https") => Some(Scheme::Https),
                Some(other) => Some(Scheme::Other(text(other)?)),
            },
            authority: authority.map(text).transpose()?,
            path: head.path().map(text).transpose()?,
        })
    }

    /// Sets the method and target of a new request.
    ///
    /// # Errors
    ///
    /// Status 400, if the host rejects a part of them.
    pub fn apply(&self, request: &Request) -> Result<(), Refusal> {
        let refused = |()| Refusal(400);
        // GET is the default of a new request.
        if !matches!(self.method, Method::Get) {
            request.set_method(&self.method).map_err(refused)?;
        }
        request.set_scheme(self.scheme.as_ref()).map_err(refused)?;
        request.set_authority(self.authority.as_deref()).map_err(refused)?;
        request.set_path_with_query(self.path.as_deref()).map_err(refused)
    }

    /// Whether the method is HEAD: the response has no content (RFC 9110, 9.3.2).
    pub fn is_head(&self) -> bool {
        matches!(self.method, Method::Head)
    }
}

/// The head of an outgoing request, and the values derived from it.
#[derive(Debug)]
pub struct OutgoingRequestHead {
    /// The pseudo-header fields and header fields.
    pub section: FieldSection,
    /// The scheme of the target.
    pub scheme: Scheme,
    /// The authority of the target.
    pub authority: String,
    /// The value of Content-Length.
    pub content_length: Option<u64>,
}

impl OutgoingRequestHead {
    /// Reads the head of a request, with "http" as its default scheme.
    ///
    /// # Errors
    ///
    /// HTTP/2 cannot carry the head: [`error::from_malformed`], or `HTTP-request-URI-invalid` if it has no authority.
    pub fn from_request(request: &Request) -> Result<Self, ErrorCode> {
        let (method, scheme) = (request.get_method(), request.get_scheme().unwrap_or(Scheme::Http));
        let headers = request.get_headers();
        let authority = request.get_authority().or_else(|| {
            let host = headers.get("host").into_iter().next()?;
            String::from_utf8(host).ok()
        });
        let authority = authority.ok_or(ErrorCode::HttpRequestUriInvalid)?;
        let mut section = FieldSection::with_capacity(16, 512);
        section.push(b":method", method_token(&method).as_bytes());
        if !matches!(method, Method::Connect) {
            section.push(b":scheme", scheme_name(&scheme).as_bytes());
        }
        section.push(b":authority", authority.as_bytes());
        if !matches!(method, Method::Connect) {
            let path = request.get_path_with_query();
            section.push(b":path", path_or_default(path.as_deref(), &method).as_bytes());
        }
        push_fields(&mut section, &headers);
        match section.defect() {
            Some(defect) => Err(error::from_malformed(defect)),
            None => Ok(Self { content_length: content_length(&section), section, scheme, authority }),
        }
    }
}

fn method_token(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(token) => token,
    }
}

/// The name of a scheme, as used in `:scheme`.
pub fn scheme_name(scheme: &Scheme) -> &str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
        Scheme::Other(name) => name,
    }
}

/// The value of `:path`, which is never empty (RFC 9113, 8.3.1).
fn path_or_default<'a>(path: Option<&'a str>, method: &Method) -> Cow<'a, str> {
    match path {
        None | Some("") if matches!(method, Method::Options) => Cow::Borrowed("*"),
        None | Some("") => Cow::Borrowed("/"),
        Some(path) if path.starts_with('?') => Cow::Owned(format!("/{path}")),
        Some(path) => Cow::Borrowed(path),
    }
}

/// Builds the wasi:http response for a received head.
///
/// # Errors
///
/// `HTTP-response-header-section-size` or `HTTP-protocol-error`, if the host rejects the head.
pub fn wasi_response(
    section: &FieldSection,
    contents: Option<StreamReader<u8>>,
    end: FutureReader<TrailersResult>,
) -> Result<Response, ErrorCode> {
    let fields = wasi_fields(section).map_err(|error| match error {
        HeaderError::SizeExceeded => ErrorCode::HttpResponseHeaderSectionSize(None),
        _ => ErrorCode::HttpProtocolError,
    })?;
    let status = section.status().ok_or(ErrorCode::HttpProtocolError)?;
    let (response, _transmitted) = Response::new(fields, contents, end);
    response.set_status_code(status).map_err(|()| ErrorCode::HttpProtocolError)?;
    Ok(response)
}

/// Converts the fields of a received head or trailer section, without those forbidden by the host.
///
/// # Errors
///
/// The section is too large for the host, or the host rejects a field as invalid.
pub fn wasi_fields(section: &FieldSection) -> Result<Fields, HeaderError> {
    let mut has_length = false;
    let entries: Vec<(String, Vec<u8>)> = section
        .iter()
        .filter(|field| !field.name.starts_with(b":") && field.name != b"host")
        // Repeated equal lengths count as one, which not every host knows (RFC 9110, 8.6).
        .filter(|field| field.name != b"content-length" || !std::mem::replace(&mut has_length, true))
        .map(|field| {
            let value = if field.name == b"content-length" { once(field.value) } else { field.value };
            (String::from_utf8_lossy(field.name).into_owned(), value.to_vec())
        })
        .collect();
    match Fields::from_list(&entries) {
        Err(HeaderError::Forbidden) => {
            let fields = Fields::new();
            for (name, value) in &entries {
                match fields.append(name, value) {
                    Ok(()) | Err(HeaderError::Forbidden) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(fields)
        }
        other => other,
    }
}

/// The end of a message in wasi:http, with the received trailers; a section without fields counts as none.
pub(crate) fn wasi_trailers(trailers: Option<&FieldSection>) -> TrailersResult {
    trailers
        .filter(|trailers| !trailers.is_empty())
        .map(wasi_fields)
        .transpose()
        .map_err(|_| ErrorCode::HttpProtocolError)
}

/// The head of an application's response, and the values derived from it.
#[derive(Debug)]
pub struct ResponseHead {
    /// `:status` and the header fields.
    pub section: FieldSection,
    /// Whether the status rules out content for every request method (RFC 9110, 15.3.5, 15.4.5).
    pub is_bodiless: bool,
    /// The value of Content-Length.
    pub content_length: Option<u64>,
}

impl ResponseHead {
    /// Reads the head of a response.
    ///
    /// # Errors
    ///
    /// `HTTP-protocol-error`, if HTTP/2 cannot carry the head or the status is informational (1xx), which
    /// wasi:http does not have.
    pub fn from_response(response: &Response) -> Result<Self, ErrorCode> {
        let status = response.get_status_code();
        if !(200..=599).contains(&status) {
            return Err(ErrorCode::HttpProtocolError);
        }
        let mut section = FieldSection::with_capacity(16, 512);
        section.push(b":status", status.to_string().as_bytes());
        push_fields(&mut section, &response.get_headers());
        if section.defect().is_some() {
            return Err(ErrorCode::HttpProtocolError);
        }
        let is_bodiless = matches!(status, 204 | 304);
        Ok(Self { content_length: content_length(&section), section, is_bodiless })
    }
}

/// Whether the client waits for a 100 (Continue) before it sends the content (RFC 9110, 10.1.1).
pub fn expects_continue(request: &FieldSection) -> bool {
    request.get(b"expect").is_some_and(|expectation| expectation.eq_ignore_ascii_case(b"100-continue"))
}

/// A response head with a status and no content.
pub fn empty_response(status: u16) -> FieldSection {
    let mut section = FieldSection::new();
    section.push(b":status", status.to_string().as_bytes());
    section.push(b"content-length", b"0");
    section
}

/// The value of Content-Length, if it is a number.
pub fn content_length(section: &FieldSection) -> Option<u64> {
    str::from_utf8(once(section.get(b"content-length")?)).ok()?.parse().ok()
}

/// The first member of a comma-separated list.
fn once(list: &[u8]) -> &[u8] {
    list.split(|octet| *octet == b',').next().unwrap_or(list).trim_ascii()
}

/// Converts an application's trailers; a section without fields counts as none, because not every peer accepts one.
pub(crate) fn trailer_section(trailers: &Fields) -> Option<FieldSection> {
    let mut section = FieldSection::new();
    push_fields(&mut section, trailers);
    (!section.is_empty()).then_some(section)
}

/// Adds the fields, except those HTTP/2 forbids.
pub fn push_fields(section: &mut FieldSection, fields: &Fields) {
    for (name, value) in fields.copy_all() {
        let name = lower_case(&name);
        let value = value.trim_ascii();
        if !is_dropped(&name, value) {
            section.push(name.as_bytes(), value);
        }
    }
}

/// Converts a name to lower case, as HTTP/2 requires (RFC 9113, 8.2); wasi:http preserves the case.
fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether a field is dropped on the way to HTTP/2.
fn is_dropped(name: &str, value: &[u8]) -> bool {
    match name {
        "connection" | "host" | "http2-settings" | "keep-alive" | "proxy-connection"
        | "transfer-encoding" | "upgrade" => true,
        "te" => !value.eq_ignore_ascii_case(b"trailers"),
        _ => false,
    }
}
