//! Converts heads and trailers of the interface to field sections of the engine, and back.

use std::borrow::Cow;

use http2_engine::{FieldSection, Malformed};

use crate::bindings::http2::engine::types::{
    Error, Fields, Method, RequestExtras, RequestHead, ResponseHead, Scheme,
};
use crate::errors::invalid_argument;

#[cfg(test)]
mod tests;

/// Connection-specific fields (RFC 9113, 8.2.2).
const CONNECTION_FIELDS: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// Returns the field section of a request; a Host field replaces a missing authority.
pub(crate) fn request_section(
    head: &RequestHead,
    protocol: Option<&str>,
    never_indexed: &[String],
) -> Result<FieldSection, Error> {
    let host = match &head.authority {
        Some(_) => None,
        None => head.headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("host")),
    };
    let authority = match host.and_then(|index| head.headers.get(index)) {
        Some((_, host)) => Some(host.as_slice()),
        None => head.authority.as_ref().map(String::as_bytes),
    };
    let pseudo = [
        (":method", Some(method_token(&head.method).as_bytes())),
        (":scheme", head.scheme.as_ref().map(|scheme| scheme_token(scheme).as_bytes())),
        (":authority", authority),
        (":path", head.path_with_query.as_ref().map(String::as_bytes)),
        (":protocol", protocol.map(str::as_bytes)),
    ];
    let mut section = section_for(&head.headers, pseudo.len());
    for (name, value) in pseudo {
        if let Some(value) = value {
            push(&mut section, name, value, never_indexed);
        }
    }
    for (index, (name, value)) in head.headers.iter().enumerate() {
        if Some(index) != host {
            push_field(&mut section, name, value, never_indexed)?;
        }
    }
    Ok(section)
}

/// Returns the field section of a response, informational or final.
pub(crate) fn response_section(head: &ResponseHead, never_indexed: &[String]) -> Result<FieldSection, Error> {
    let mut section = section_for(&head.headers, 1);
    push(&mut section, ":status", head.status.to_string().as_bytes(), &[]);
    for (name, value) in &head.headers {
        push_field(&mut section, name, value, never_indexed)?;
    }
    Ok(section)
}

/// Returns the field section of trailers.
pub(crate) fn trailer_section(trailers: &Fields, never_indexed: &[String]) -> Result<FieldSection, Error> {
    let mut section = section_for(trailers, 0);
    for (name, value) in trailers {
        push_field(&mut section, name, value, never_indexed)?;
    }
    Ok(section)
}

/// Returns the head of a received request.
pub(crate) fn request_head(section: &FieldSection) -> RequestHead {
    RequestHead {
        method: method(&text(section.method().unwrap_or_default())),
        scheme: section.scheme().map(|scheme| self::scheme(&text(scheme))),
        authority: section.authority().map(text),
        path_with_query: section.path().map(text),
        headers: fields(section),
    }
}

/// Returns the rare properties of a received request.
pub(crate) fn request_extras(section: &FieldSection) -> RequestExtras {
    RequestExtras { protocol: section.protocol().map(text), never_indexed: never_indexed(section) }
}

/// Returns the head of a received response.
pub(crate) fn response_head(section: &FieldSection) -> ResponseHead {
    ResponseHead { status: section.status().unwrap_or_default(), headers: fields(section) }
}

/// Returns the fields of a section, without the pseudo-header fields.
pub(crate) fn fields(section: &FieldSection) -> Fields {
    let regular = section.iter().filter(|field| !field.name.starts_with(b":"));
    regular.map(|field| (text(field.name), field.value.to_vec())).collect()
}

/// Describes why the engine rejected the head of a request, and names the missing pseudo-header field, if that is why.
pub(crate) fn describe_malformed_request(malformed: Malformed, head: &RequestHead) -> String {
    let missing = match malformed {
        Malformed::MissingPseudo if head.scheme.is_none() => ":scheme",
        Malformed::MissingPseudo if head.path_with_query.is_none() => ":path",
        Malformed::Connect if head.authority.is_none() => ":authority",
        _ => return describe_malformed(malformed, &head.headers),
    };
    format!("the message is malformed: {malformed}: {missing:?}")
}

/// Describes why the engine rejected fields: the reason, and the name of the field if it is known.
pub(crate) fn describe_malformed(malformed: Malformed, fields: &Fields) -> String {
    let refused = |(name, value): &&(String, Vec<u8>)| {
        let name = to_lowercase(name);
        match malformed {
            Malformed::ConnectionField => CONNECTION_FIELDS.contains(&&*name),
            _ => {
                let mut alone = FieldSection::new();
                alone.push(name.as_bytes(), value);
                alone.defect() == Some(malformed)
            }
        }
    };
    match fields.iter().find(refused) {
        Some((name, _)) => format!("the message is malformed: {malformed}: {name:?}"),
        None => format!("the message is malformed: {malformed}"),
    }
}

fn section_for(fields: &Fields, pseudo: usize) -> FieldSection {
    let octets: usize = fields.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    FieldSection::with_capacity(fields.len().saturating_add(pseudo), octets.saturating_add(128))
}

fn push_field(
    section: &mut FieldSection,
    name: &str,
    value: &[u8],
    never_indexed: &[String],
) -> Result<(), Error> {
    if name.starts_with(':') {
        return Err(invalid_argument(format!("a pseudo-header field is not permitted here: {name:?}")));
    }
    push(section, &to_lowercase(name), value, never_indexed);
    Ok(())
}

fn push(section: &mut FieldSection, name: &str, value: &[u8], never_indexed: &[String]) {
    if never_indexed.iter().any(|marked| marked.eq_ignore_ascii_case(name)) {
        section.push_never_indexed(name.as_bytes(), value);
    } else {
        section.push(name.as_bytes(), value);
    }
}

/// Converts a field name to lower case, as on the wire (RFC 9113, 8.2.1).
fn to_lowercase(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns the names of the fields that the peer marked as never-indexed (RFC 7541, 7.1.3).
pub(crate) fn never_indexed(section: &FieldSection) -> Vec<String> {
    let mut names: Vec<String> =
        section.iter().filter(|field| field.never_indexed).map(|field| text(field.name)).collect();
    names.dedup();
    names
}

/// Converts the bytes of a field name or of a pseudo-header field's value, where the engine accepts only ASCII.
fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
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

/// Parses a method, which is case-sensitive (RFC 9110, 9.1).
fn method(token: &str) -> Method {
    match token {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme_token(scheme: &Scheme) -> &str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
        Scheme::Other(scheme) => scheme,
    }
}

/// Parses a scheme, which is not case-sensitive (RFC 9110, 4.2.3).
fn scheme(token: &str) -> Scheme {
    match token {
        _ if token.eq_ignore_ascii_case("http") => Scheme::Http,
        _ if token.eq_ignore_ascii_case("https") => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}
