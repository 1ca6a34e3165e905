//! One look over the lines of a section, and a verdict (RFC 9113, 8.1 to 8.5).

use super::{octets, target};
use crate::error::{Malformed, Violation};
use crate::fields::{FieldSection, Name, NumberedField};
use crate::priority::Priority;

#[cfg(test)]
mod tests;

/// What a method means for the messages that it stands in.
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
    /// Whether a tunnel follows a successful response.
    pub(crate) fn is_connect(self) -> bool {
        matches!(self, Self::Connect | Self::ExtendedConnect)
    }
}

/// What the engine keeps of a valid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) method: MethodKind,
    /// Octets of content, if told; never for a tunnel.
    pub(crate) content_length: Option<u64>,
    /// The value of the `priority` field, where there is one (RFC 9218, 5).
    pub(crate) priority: Option<Priority>,
}

/// What the engine keeps of a valid response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseFacts {
    /// 100 to 999, without 101.
    pub(crate) status: u16,
    /// Octets of content, if told. Not every response has content, though: see
    /// [`ContentLength`](super::ContentLength).
    pub(crate) content_length: Option<u64>,
}

impl ResponseFacts {
    /// Whether the final response is yet to come (RFC 9110, 15.2).
    pub(crate) fn is_informational(&self) -> bool {
        self.status < 200
    }
}

/// Judges the header section of a request (RFC 9113, 8.3.1). `connect_protocol` tells whether the server has
/// enabled extended CONNECT (RFC 8441, 3).
pub(crate) fn request(section: &FieldSection, connect_protocol: bool) -> Result<RequestFacts, Malformed> {
    let mut lines = Lines::default();
    lines.collect(section)?;
    if lines.status.is_some() {
        return Err(Malformed::UnknownPseudo);
    }
    let method = method_kind(lines.method.ok_or(Malformed::MissingPseudo)?, lines.protocol)?;
    match method {
        MethodKind::Connect => lines.check_connect()?,
        MethodKind::ExtendedConnect if !connect_protocol => return Err(Malformed::Protocol),
        MethodKind::ExtendedConnect if lines.authority.is_none() => return Err(Malformed::MissingPseudo),
        _ => lines.check_target(method == MethodKind::Options)?,
    }
    let content_length = lines.content_length.filter(|_| !method.is_connect());
    Ok(RequestFacts { method, content_length, priority: lines.priority.map(Priority::parse) })
}

/// Judges a promised request (RFC 9113, 8.4.1): it is safe and cacheable, tells its authority, and has no
/// content. Whether the server may speak for that authority is another question.
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

/// Judges the header section of a response (RFC 9113, 8.3.2), informational ones among them.
pub(crate) fn response(section: &FieldSection) -> Result<ResponseFacts, Malformed> {
    let mut lines = Lines::default();
    lines.collect(section)?;
    if lines.is_of_request() {
        return Err(Malformed::UnknownPseudo);
    }
    let status = match lines.status.ok_or(Malformed::MissingPseudo)? {
        // HTTP/2 has no use for the upgrade that 101 speaks of (RFC 9113, 8.6).
        b"101" => None,
        digits @ [b'1'..=b'9', _, _] => octets::decimal(digits).and_then(|status| u16::try_from(status).ok()),
        _ => None,
    };
    let status = status.ok_or(Malformed::Status)?;
    Ok(ResponseFacts { status, content_length: lines.content_length })
}

/// Judges a trailer section: it has no pseudo-header fields (RFC 9113, 8.1), and none that frame or route a
/// message (RFC 9110, 6.5.1), which somebody behind us might take for those of the header section.
pub(crate) fn trailers(section: &FieldSection) -> Result<(), Malformed> {
    section.defect().map_or(Ok(()), Err)?;
    section.numbered().try_for_each(|field| match field.known {
        _ if field.name.first() == Some(&b':') => Err(Malformed::PseudoInTrailers),
        name if name.is_connection_specific() => Err(Malformed::ConnectionField),
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

/// The lines of a header section that have a meaning here.
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
    /// Whether a field that is no pseudo-header field has come.
    regular: bool,
}

impl<'a> Lines<'a> {
    /// Looks at each line once, and applies the rules that requests and responses have in common.
    fn collect(&mut self, section: &'a FieldSection) -> Result<(), Malformed> {
        section.defect().map_or(Ok(()), Err)?;
        section.numbered().try_for_each(|field| self.add(field))
    }

    /// Takes a pseudo-header field: a known one, once, before all others (RFC 9113, 8.3).
    fn add(&mut self, field: NumberedField<'a>) -> Result<(), Malformed> {
        let pseudo = match field.known {
            Name::METHOD => &mut self.method,
            Name::SCHEME => &mut self.scheme,
            Name::AUTHORITY => &mut self.authority,
            Name::PATH => &mut self.path,
            Name::PROTOCOL => &mut self.protocol,
            Name::STATUS => &mut self.status,
            _ => return self.add_regular(field),
        };
        match pseudo.replace(field.value) {
            Some(_) => Err(Malformed::DuplicatePseudo),
            None if self.regular => Err(Malformed::LatePseudo),
            None => Ok(()),
        }
    }

    /// Takes another field: none of an HTTP/1.1 connection (RFC 9113, 8.2.2), and Host once (RFC 9110, 7.2).
    fn add_regular(&mut self, field: NumberedField<'a>) -> Result<(), Malformed> {
        self.regular = true;
        let value = field.value;
        match field.known {
            Name::SPELLED_OUT if field.name.first() == Some(&b':') => return Err(Malformed::UnknownPseudo),
            Name::HOST if self.host.replace(value).is_some() => return Err(Malformed::Host),
            Name::TE if self.te.replace(value).is_some() || !value.eq_ignore_ascii_case(b"trailers") => {
                return Err(Malformed::ConnectionField);
            }
            Name::CONTENT_LENGTH => self.content_length = Some(content_length(value, self.content_length)?),
            Name::PRIORITY => self.priority = Some(value),
            name if name.is_connection_specific() => return Err(Malformed::ConnectionField),
            _ => {}
        }
        Ok(())
    }

    /// Whether there are pseudo-header fields that only requests have.
    fn is_of_request(&self) -> bool {
        [self.method, self.scheme, self.authority, self.path, self.protocol].iter().any(Option::is_some)
    }

    /// The target of a request other than CONNECT (RFC 9113, 8.3.1). A request without any authority is left
    /// to the application, as a request without Host in HTTP/1.0 would be.
    fn check_target(&self, options: bool) -> Result<(), Malformed> {
        let scheme = self.scheme.ok_or(Malformed::MissingPseudo)?;
        let path = self.path.ok_or(Malformed::MissingPseudo)?;
        let http = target::check_scheme(scheme)?;
        target::check_path(path, http, options)?;
        self.authority.or(self.host).map_or(Ok(()), target::check_authority)?;
        self.check_host()
    }

    /// The target of CONNECT (RFC 9113, 8.5).
    fn check_connect(&self) -> Result<(), Malformed> {
        if self.scheme.is_some() || self.path.is_some() {
            return Err(Malformed::Connect);
        }
        target::check_connect_authority(self.authority.ok_or(Malformed::Connect)?)?;
        self.check_host()
    }

    /// Host names the same as `:authority`: otherwise two parties could take the request for two hosts
    /// (RFC 9113, 8.3.1).
    fn check_host(&self) -> Result<(), Malformed> {
        match (self.authority, self.host) {
            (Some(authority), Some(host)) if !host.eq_ignore_ascii_case(authority) => Err(Malformed::Host),
            _ => Ok(()),
        }
    }
}

/// Reads Content-Length. Copies of one value, in one line or in several, count as one (RFC 9110, 8.6).
fn content_length(value: &[u8], before: Option<u64>) -> Result<u64, Malformed> {
    let mut copies = value.split(|&octet| octet == b',').map(|copy| octets::decimal(copy.trim_ascii()));
    let first = copies.next().flatten().ok_or(Malformed::ContentLength)?;
    let equal = before.is_none_or(|before| before == first) && copies.all(|copy| copy == Some(first));
    if equal { Ok(first) } else { Err(Malformed::ContentLength) }
}
