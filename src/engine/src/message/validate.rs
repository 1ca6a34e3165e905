//! Validation of a section in a single pass (RFC 9113, 8.1 to 8.5).

use super::{octets, target};
use crate::error::{Malformed, Violation};
use crate::fields::{FieldSection, LineFlags, Name};
use crate::priority::Priority;

#[cfg(test)]
mod tests;

/// The meaning of a method for its request and response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodKind {
    /// GET.
    Get,
    /// HEAD: the response has no content (RFC 9110, 9.3.2).
    Head,
    /// OPTIONS: the path may be `*` (RFC 9110, 9.3.7).
    Options,
    /// CONNECT: a tunnel follows (RFC 9113, 8.5).
    Connect,
    /// CONNECT with `:protocol`: a tunnel for that protocol follows (RFC 8441, 4).
    ExtendedConnect,
    /// Any other.
    Other,
}

impl MethodKind {
    /// Returns whether a tunnel follows a successful response.
    pub(crate) fn is_connect(self) -> bool {
        matches!(self, Self::Connect | Self::ExtendedConnect)
    }
}

/// The part of a valid request that the engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) method: MethodKind,
    /// Content-Length in bytes, if present; never for a tunnel.
    pub(crate) content_length: Option<u64>,
    /// The value of the `priority` field, if present (RFC 9218, 5).
    pub(crate) priority: Option<Priority>,
}

/// The part of a valid response that the engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseFacts {
    /// 100 to 999, except 101.
    pub(crate) status: u16,
    /// Content-Length in bytes, if present.
    ///
    /// Not every response has content: see [`ContentLength`](super::ContentLength).
    pub(crate) content_length: Option<u64>,
}

impl ResponseFacts {
    /// Returns whether the final response is still to come (RFC 9110, 15.2).
    pub(crate) fn is_informational(&self) -> bool {
        self.status < 200
    }
}

/// Whether the authority of CONNECT needs a port (RFC 9113, 8.5; RFC 9110, 9.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectPort {
    Required,
    /// The caller checks it.
    Optional,
}

/// Validates the header section of a request (RFC 9113, 8.3.1).
///
/// `connect_protocol` tells whether the server has enabled extended CONNECT (RFC 8441, 3).
pub(crate) fn request(section: &FieldSection, connect_protocol: bool) -> Result<RequestFacts, Malformed> {
    request_to_port(section, connect_protocol, ConnectPort::Required)
}

/// Validates the header section of a request like [`request`], except for the port of CONNECT.
pub(crate) fn request_to_port(
    section: &FieldSection,
    connect_protocol: bool,
    connect_port: ConnectPort,
) -> Result<RequestFacts, Malformed> {
    let mut lines = Lines::default();
    let facts = lines.request(section)?;
    match facts.method {
        MethodKind::Connect => lines.check_connect(connect_port)?,
        MethodKind::ExtendedConnect if !connect_protocol => return Err(Malformed::Protocol),
        MethodKind::ExtendedConnect if lines.authority.is_none() => return Err(Malformed::MissingPseudo),
        method => lines.check_target(method == MethodKind::Options)?,
    }
    Ok(facts)
}

/// Validates the header section of a request, except for its target.
pub(crate) fn request_of_any_target(
    section: &FieldSection,
    connect_protocol: bool,
) -> Result<RequestFacts, Malformed> {
    let facts = Lines::default().request(section)?;
    let allowed = connect_protocol || facts.method != MethodKind::ExtendedConnect;
    if allowed { Ok(facts) } else { Err(Malformed::Protocol) }
}

/// Validates a promised request (RFC 9113, 8.4.1): it must be safe and cacheable, name its authority, and have no
/// content.
///
/// The caller checks whether the server may speak for that authority.
pub(crate) fn promise(section: &FieldSection) -> Result<RequestFacts, Violation> {
    let facts = request(section, false)?;
    let safe_and_cacheable = matches!(facts.method, MethodKind::Get | MethodKind::Head);
    let without_content = matches!(facts.content_length, None | Some(0));
    if safe_and_cacheable && without_content && section.known(Name::AUTHORITY).is_some() {
        Ok(facts)
    } else {
        Err(Violation::BadPromise)
    }
}

/// Validates the header section of a response, final or informational (RFC 9113, 8.3.2).
pub(crate) fn response(section: &FieldSection) -> Result<ResponseFacts, Malformed> {
    let mut lines = Lines::default();
    lines.collect(section)?;
    if lines.is_of_request() {
        return Err(Malformed::UnknownPseudo);
    }
    let status = match lines.status.ok_or(Malformed::MissingPseudo)? {
        // HTTP/2 does not support the upgrade of 101 (RFC 9113, 8.6).
        b"101" => None,
        digits @ [b'1'..=b'9', _, _] => octets::decimal(digits).and_then(|status| u16::try_from(status).ok()),
        _ => None,
    };
    let status = status.ok_or(Malformed::Status)?;
    Ok(ResponseFacts { status, content_length: lines.content_length })
}

/// Validates a trailer section.
///
/// It must not have pseudo-header fields (RFC 9113, 8.1), or fields that frame or route a message
/// (RFC 9110, 6.5.1): a later recipient might take them for those of the header section.
pub(crate) fn trailers(section: &FieldSection) -> Result<(), Malformed> {
    section.defect().map_or(Ok(()), Err)?;
    section.numbered().try_for_each(|field| match field.known {
        _ if field.name.first() == Some(&b':') => Err(Malformed::PseudoInTrailers),
        _ if field.flags.has(LineFlags::CONNECTION_SPECIFIC) => Err(Malformed::ConnectionField),
        Name::CONTENT_LENGTH | Name::HOST | Name::TE | Name::TRAILER => Err(Malformed::TrailerField),
        _ => Ok(()),
    })
}

fn method_kind(method: &[u8], protocol: Option<&[u8]>) -> Result<MethodKind, Malformed> {
    let kind = match method {
        b"GET" => MethodKind::Get,
        b"HEAD" => MethodKind::Head,
        b"OPTIONS" => MethodKind::Options,
        b"CONNECT" => MethodKind::Connect,
        _ if octets::is_token(method) => MethodKind::Other,
        _ => return Err(Malformed::Method),
    };
    match protocol {
        None => Ok(kind),
        Some(name) if kind == MethodKind::Connect && octets::is_protocol(name) => {
            Ok(MethodKind::ExtendedConnect)
        }
        Some(_) => Err(Malformed::Protocol),
    }
}

/// The fields of a header section that have a meaning here.
#[derive(Default)]
struct Lines<'a> {
    method: Option<&'a [u8]>,
    scheme: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    te: Option<&'a [u8]>,
    priority: Option<&'a [u8]>,
    content_length: Option<u64>,
    /// The number of pseudo-header fields so far.
    pseudo: usize,
}

impl<'a> Lines<'a> {
    /// Visits the fields that have rules, and applies those that requests and responses have in common.
    fn collect(&mut self, section: &'a FieldSection) -> Result<(), Malformed> {
        section.defect().map_or(Ok(()), Err)?;
        section.checked().try_for_each(|(place, name, value)| self.add(place, name, value))
    }

    /// Visits the fields of a request, and returns the facts that do not depend on its target.
    fn request(&mut self, section: &'a FieldSection) -> Result<RequestFacts, Malformed> {
        self.collect(section)?;
        if self.status.is_some() {
            return Err(Malformed::UnknownPseudo);
        }
        let method = method_kind(self.method.ok_or(Malformed::MissingPseudo)?, self.protocol)?;
        let content_length = self.content_length.filter(|_| !method.is_connect());
        let priority = self.priority.map(Priority::parse);
        Ok(RequestFacts { method, content_length, priority })
    }

    /// Adds a pseudo-header field, which must be known, occur once, and precede all others (RFC 9113, 8.3).
    fn add(&mut self, place: usize, name: Name, value: &'a [u8]) -> Result<(), Malformed> {
        let pseudo = match name {
            Name::METHOD => &mut self.method,
            Name::SCHEME => &mut self.scheme,
            Name::AUTHORITY => &mut self.authority,
            Name::PATH => &mut self.path,
            Name::PROTOCOL => &mut self.protocol,
            Name::STATUS => &mut self.status,
            _ => return self.add_regular(name, value),
        };
        match pseudo.replace(value) {
            Some(_) => Err(Malformed::DuplicatePseudo),
            None if place > self.pseudo => Err(Malformed::LatePseudo),
            None => {
                self.pseudo = self.pseudo.saturating_add(1);
                Ok(())
            }
        }
    }

    /// Adds a regular field, which must not belong to an HTTP/1.1 connection (RFC 9113, 8.2.2); Host may occur once
    /// (RFC 9110, 7.2).
    fn add_regular(&mut self, name: Name, value: &'a [u8]) -> Result<(), Malformed> {
        match name {
            Name::SPELLED_OUT => return Err(Malformed::UnknownPseudo),
            Name::HOST if self.host.replace(value).is_some() => return Err(Malformed::Host),
            Name::TE if self.te.replace(value).is_some() || !value.eq_ignore_ascii_case(b"trailers") => {
                return Err(Malformed::ConnectionField);
            }
            Name::CONTENT_LENGTH => self.content_length = Some(content_length(value, self.content_length)?),
            Name::PRIORITY => self.priority = Some(value),
            _ if name.flags().has(LineFlags::CONNECTION_SPECIFIC) => return Err(Malformed::ConnectionField),
            _ => {}
        }
        Ok(())
    }

    /// Returns whether a pseudo-header field of requests is present.
    fn is_of_request(&self) -> bool {
        [self.method, self.scheme, self.authority, self.path, self.protocol].iter().any(Option::is_some)
    }

    /// Checks the target of a request other than CONNECT (RFC 9113, 8.3.1).
    ///
    /// A request without an authority is left to the application, like one without Host in HTTP/1.0.
    fn check_target(&self, options: bool) -> Result<(), Malformed> {
        let scheme = self.scheme.ok_or(Malformed::MissingPseudo)?;
        let path = self.path.ok_or(Malformed::MissingPseudo)?;
        let http = target::check_scheme(scheme)?;
        target::check_path(path, http, options)?;
        self.authority.or(self.host).map_or(Ok(()), target::check_authority)?;
        self.check_host()
    }

    /// Checks the target of CONNECT (RFC 9113, 8.5).
    fn check_connect(&self, port: ConnectPort) -> Result<(), Malformed> {
        if self.scheme.is_some() || self.path.is_some() {
            return Err(Malformed::Connect);
        }
        let authority = self.authority.ok_or(Malformed::Connect)?;
        match port {
            ConnectPort::Required => target::check_connect_authority(authority)?,
            ConnectPort::Optional => target::check_authority(authority)?,
        }
        self.check_host()
    }

    /// Checks that Host equals `:authority`: otherwise two recipients could assign the request to two hosts
    /// (RFC 9113, 8.3.1).
    fn check_host(&self) -> Result<(), Malformed> {
        match (self.authority, self.host) {
            (Some(authority), Some(host)) if !host.eq_ignore_ascii_case(authority) => Err(Malformed::Host),
            _ => Ok(()),
        }
    }
}

/// Parses Content-Length; equal copies, in one line or in several, count as one (RFC 9110, 8.6).
fn content_length(value: &[u8], before: Option<u64>) -> Result<u64, Malformed> {
    let mut copies = value.split(|&octet| octet == b',').map(|copy| octets::decimal(copy.trim_ascii()));
    let first = copies.next().flatten().ok_or(Malformed::ContentLength)?;
    let equal = before.is_none_or(|before| before == first) && copies.all(|copy| copy == Some(first));
    if equal { Ok(first) } else { Err(Malformed::ContentLength) }
}
