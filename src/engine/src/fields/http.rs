//! Conversions to and from the types of the `http` crate.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request,
    response,
    uri::{self, Authority, PathAndQuery, Scheme},
};

use super::{FieldSection, Line, LineFlags, Name, name::HEADER_NAMES};
use crate::error::{Malformed, Violation};

/// The protocol of an extended CONNECT request (RFC 8441, 4), such as `websocket`.
///
/// Stored as an extension of [`http::Request`], and converted to and from `:protocol`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::{Method, Request};
/// use http2_engine::{FieldSection, Protocol};
///
/// let mut request = Request::new(());
/// *request.method_mut() = Method::CONNECT;
/// *request.uri_mut() = "https://example.com/chat".parse()?;
/// request.extensions_mut().insert(Protocol::from_static("websocket"));
///
/// let head = FieldSection::from_request_parts(&request.into_parts().0);
/// assert_eq!(head.protocol(), Some(&b"websocket"[..]));
/// let request = head.into_request()?;
/// assert_eq!(request.uri().path(), "/chat");
/// assert_eq!(request.extensions().get::<Protocol>(), Some(&Protocol::from("websocket")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protocol(Bytes);

impl Protocol {
    /// Creates a protocol from its name in the registry of HTTP upgrade tokens.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Bytes::from_static(name.as_bytes()))
    }

    /// Returns the name as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Protocol {
    fn from(name: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(name))
    }
}

impl From<&str> for Protocol {
    fn from(name: &str) -> Self {
        name.as_bytes().into()
    }
}

impl FieldSection {
    /// Creates the header section of a request: pseudo-header fields for method and URI, then the other fields.
    ///
    /// `:authority` is the authority of the URI without user information, or the Host field if the URI has none.
    /// A Host field that differs from the URI's authority is left out (RFC 9113, 8.3.1). If the URI has no scheme,
    /// the section has no `:scheme`.
    /// A CONNECT request has only `:authority`, unless the extension [`Protocol`] makes it an extended CONNECT
    /// (RFC 8441, 4).
    pub fn from_request_parts(parts: &request::Parts) -> Self {
        let mut section = Self::with_capacity(parts.headers.len().saturating_add(5), 256);
        let protocol = parts.extensions.get::<Protocol>();
        let connect = parts.method == Method::CONNECT;
        let has_target = !connect || protocol.is_some();
        section.push_known(Name::METHOD, parts.method.as_str().as_bytes());
        if let Some(scheme) = parts.uri.scheme_str().filter(|_| has_target) {
            section.push_known(Name::SCHEME, scheme.as_bytes());
        }
        let authority = parts.uri.authority().map(|uri| without_user_information(uri.as_str()).as_bytes());
        let host = parts.headers.get(header::HOST).map(HeaderValue::as_bytes);
        if let Some(authority) = authority.or(host) {
            section.push_known(Name::AUTHORITY, authority);
        }
        if has_target {
            section.push_path(&parts.uri);
        }
        if let Some(protocol) = protocol.filter(|_| connect) {
            section.push_known(Name::PROTOCOL, protocol.as_bytes());
        }
        // Host would be a copy of the `:authority` that was made of it.
        let keeps_host = authority.zip(host).is_some_and(|(uri, host)| uri.eq_ignore_ascii_case(host));
        let fields = parts.headers.iter().filter(|(name, _)| keeps_host || *name != header::HOST);
        fields.for_each(|(name, value)| section.push_header(name, value));
        section
    }

    /// Creates the header section of a response: `:status`, then the other fields.
    pub fn from_response_parts(parts: &response::Parts) -> Self {
        let mut section = Self::with_capacity(parts.headers.len().saturating_add(1), 256);
        section.set_response_parts(parts);
        section
    }

    /// Replaces the section by the header section of a response, and keeps the buffers; otherwise like
    /// [`from_response_parts`](Self::from_response_parts).
    pub fn set_response_parts(&mut self, parts: &response::Parts) {
        self.clear();
        self.push_known(Name::STATUS, parts.status.as_str().as_bytes());
        self.append_headers(&parts.headers);
    }

    /// Adds the fields of a map. Values marked as sensitive are never indexed.
    pub fn append_headers(&mut self, headers: &HeaderMap) {
        headers.iter().for_each(|(name, value)| self.push_header(name, value));
    }

    /// Converts the fields other than pseudo-header fields to a map. Values that are never indexed are marked as
    /// sensitive.
    ///
    /// All values share one buffer. Fails if `http` rejects a name or a value, which happens for those that
    /// [`defect`](Self::defect) reports and for values with control characters, or if the map can't hold all
    /// fields.
    pub fn into_header_map(self) -> Result<HeaderMap, Violation> {
        SharedSection::from(self).header_map()
    }

    /// Converts the section to a request without content. The section should be valid: if a pseudo-header field
    /// occurs twice, the first counts.
    ///
    /// The URI has a scheme and an authority if the section has both, and is otherwise only a path. If `:authority`
    /// is missing, Host takes its place. `:protocol` becomes the extension [`Protocol`]. Fails like
    /// [`into_header_map`](Self::into_header_map), and if `http` rejects a pseudo-header field.
    pub fn into_request(self) -> Result<Request<()>, Violation> {
        let mut request = Request::new(());
        let method = self.method().ok_or(Malformed::MissingPseudo)?;
        *request.method_mut() = Method::from_bytes(method).map_err(|_| Malformed::Method)?;
        *request.version_mut() = Version::HTTP_2;
        let section = SharedSection::from(self);
        *request.uri_mut() = section.uri()?;
        if let Some(protocol) = section.known(Name::PROTOCOL) {
            request.extensions_mut().insert(Protocol(protocol));
        }
        *request.headers_mut() = section.header_map()?;
        Ok(request)
    }

    /// Converts the section to a response without content.
    ///
    /// Fails like [`into_header_map`](Self::into_header_map), and if `:status` is missing or not three digits.
    pub fn into_response(self) -> Result<Response<()>, Violation> {
        let mut response = Response::new(());
        let status = self.known(Name::STATUS).ok_or(Malformed::MissingPseudo)?;
        *response.status_mut() = StatusCode::from_bytes(status).map_err(|_| Malformed::Status)?;
        *response.version_mut() = Version::HTTP_2;
        *response.headers_mut() = self.into_header_map()?;
        Ok(response)
    }

    /// Returns `:method` (RFC 9113, 8.3.1).
    pub fn method(&self) -> Option<&[u8]> {
        self.known(Name::METHOD)
    }

    /// Returns `:scheme` (RFC 9113, 8.3.1).
    pub fn scheme(&self) -> Option<&[u8]> {
        self.known(Name::SCHEME)
    }

    /// Returns `:authority` (RFC 9113, 8.3.1).
    pub fn authority(&self) -> Option<&[u8]> {
        self.known(Name::AUTHORITY)
    }

    /// Returns `:path` (RFC 9113, 8.3.1).
    pub fn path(&self) -> Option<&[u8]> {
        self.known(Name::PATH)
    }

    /// Returns `:protocol` (RFC 8441, 4).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.known(Name::PROTOCOL)
    }

    /// Returns `:status` if it is three digits (RFC 9113, 8.3.2; RFC 9110, 15).
    pub fn status(&self) -> Option<u16> {
        let status: [u8; 3] = self.known(Name::STATUS)?.try_into().ok()?;
        status.iter().try_fold(0_u16, |number, digit| {
            digit.is_ascii_digit().then_some(number.wrapping_mul(10).wrapping_add((digit & 0x0f).into()))
        })
    }

    fn push_header(&mut self, name: &HeaderName, value: &HeaderValue) {
        let flags = LineFlags::NEVER_INDEXED.when(value.is_sensitive());
        self.push_flagged(name.as_str().as_bytes(), value.as_bytes(), flags);
    }

    /// Adds `:path`, which consists of a non-empty path and the query (RFC 9113, 8.3.1).
    fn push_path(&mut self, uri: &Uri) {
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if path.starts_with('?') {
            self.push_known(Name::PATH, format!("/{path}").as_bytes());
        } else {
            self.push_known(Name::PATH, path.as_bytes());
        }
    }
}

/// A section whose bytes the values of `http` types refer to.
struct SharedSection {
    lines: Vec<Line>,
    octets: Bytes,
}

impl SharedSection {
    fn header_map(&self) -> Result<HeaderMap, Violation> {
        let regular = self.lines.iter().filter(|line| !line.flags.has(LineFlags::PSEUDO)).count();
        let mut headers =
            HeaderMap::try_with_capacity(regular).map_err(|_| Violation::FieldSectionTooLarge)?;
        for line in &self.lines {
            let (name, value) = self.split(line);
            if name.first() == Some(&b':') {
                continue;
            }
            let name = match HEADER_NAMES.get(line.name.number()) {
                Some(Some(known)) => known.clone(),
                _ => HeaderName::from_lowercase(name).map_err(|_| Malformed::FieldName)?,
            };
            let mut value = HeaderValue::from_maybe_shared(self.octets.slice_ref(value))
                .map_err(|_| Malformed::FieldValue)?;
            value.set_sensitive(line.flags.has(LineFlags::NEVER_INDEXED));
            headers.try_append(name, value).map_err(|_| Violation::FieldSectionTooLarge)?;
        }
        Ok(headers)
    }

    fn uri(&self) -> Result<Uri, Malformed> {
        let mut parts = uri::Parts::default();
        if let Some(authority) = self.known(Name::AUTHORITY).or_else(|| self.known(Name::HOST)) {
            let authority = Authority::from_maybe_shared(authority).map_err(|_| Malformed::Authority)?;
            parts.authority = Some(authority);
        }
        if let Some(path) = self.known(Name::PATH) {
            parts.path_and_query = Some(PathAndQuery::from_maybe_shared(path).map_err(|_| Malformed::Path)?);
            match self.known(Name::SCHEME) {
                Some(scheme) if parts.authority.is_some() => {
                    parts.scheme = Some(Scheme::try_from(&scheme[..]).map_err(|_| Malformed::Scheme)?);
                }
                // Given a path, `http` accepts neither a scheme without an authority nor the reverse.
                _ => parts.authority = None,
            }
        }
        Uri::from_parts(parts).map_err(|_| Malformed::Authority)
    }

    /// Returns the value of the first field with a known name.
    fn known(&self, name: Name) -> Option<Bytes> {
        let line = self.lines.iter().find(|line| line.name == name)?;
        Some(self.octets.slice_ref(line.value(&self.octets)))
    }

    fn split(&self, line: &Line) -> (&[u8], &[u8]) {
        line.split(self.octets.get(line.start as usize..).unwrap_or_default())
    }
}

impl From<FieldSection> for SharedSection {
    fn from(section: FieldSection) -> Self {
        Self { lines: section.lines, octets: section.octets.into() }
    }
}

impl From<&HeaderMap> for FieldSection {
    fn from(headers: &HeaderMap) -> Self {
        let mut section = Self::with_capacity(headers.len(), 256);
        section.append_headers(headers);
        section
    }
}

/// Strips the user information from an authority (RFC 3986, 3.2.1).
fn without_user_information(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
