//! The options of a request.

use wasip3::http::types::{ErrorCode, Fields, Method, Request, RequestOptions, Scheme, Trailers};
use wasip3::wit_bindgen::{FutureReader, StreamReader};

/// A request, described by its options.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// `method=GET`.
    method: Option<String>,
    /// `scheme=http`.
    scheme: Option<String>,
    /// `authority=localhost:80`.
    authority: Option<String>,
    /// `path=/`.
    path: Option<String>,
    /// `field=NAME: VALUE`, may be repeated.
    fields: Vec<(String, Vec<u8>)>,
    /// `trailer=NAME: VALUE`, may be repeated.
    trailers: Vec<(String, Vec<u8>)>,
    /// `trailers`: send a trailer section even if it is empty.
    has_trailers: bool,
    /// `content=N`: content of N bytes.
    pub(crate) content: Option<usize>,
    /// `open`: leave the content open for further orders.
    pub(crate) open: bool,
    /// `broken`: an error in place of the end of the content.
    broken: bool,
    /// `unread`: do not read the response's content until ordered.
    pub(crate) unread: bool,
    /// `connect-timeout=MILLISECONDS`.
    connect_timeout: Option<u64>,
    /// `first-byte-timeout=MILLISECONDS`.
    first_byte_timeout: Option<u64>,
    /// `between-bytes-timeout=MILLISECONDS`.
    between_bytes_timeout: Option<u64>,
}

impl Order {
    /// Parses the options.
    pub(crate) fn parse<'a>(options: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut order = Self::default();
        for option in options {
            order.add(option).ok_or_else(|| format!("invalid option {option:?}"))?;
        }
        Ok(order)
    }

    fn add(&mut self, option: &str) -> Option<()> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let text = || Some(value.to_owned());
        match name {
            "method" => self.method = text(),
            "scheme" => self.scheme = text(),
            "authority" => self.authority = text(),
            "path" => self.path = text(),
            "field" => self.fields.push(field(value)?),
            "trailer" => self.trailers.push(field(value)?),
            "trailers" => self.has_trailers = true,
            "content" => self.content = Some(value.parse().ok()?),
            "open" => self.open = true,
            "broken" => self.broken = true,
            "unread" => self.unread = true,
            "connect-timeout" => self.connect_timeout = Some(nanoseconds(value)?),
            "first-byte-timeout" => self.first_byte_timeout = Some(nanoseconds(value)?),
            "between-bytes-timeout" => self.between_bytes_timeout = Some(nanoseconds(value)?),
            _ => return None,
        }
        Some(())
    }

    /// Builds the request, and returns it with the future of its transmission result.
    pub(crate) fn request(
        &self,
        content: Option<StreamReader<u8>>,
        end: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    ) -> Result<(Request, FutureReader<Result<(), ErrorCode>>), String> {
        let fields = Fields::from_list(&self.fields).map_err(|error| format!("{error:?}"))?;
        let (request, sent) = Request::new(fields, content, end, Some(self.timeouts()?));
        let refused = |part: &'static str| move |()| part.to_owned();
        if let Some(token) = &self.method {
            request.set_method(&method(token)).map_err(refused("the method"))?;
        }
        let scheme = self.scheme.as_deref().map(scheme);
        request.set_scheme(scheme.as_ref()).map_err(refused("the scheme"))?;
        request.set_authority(self.authority.as_deref()).map_err(refused("the authority"))?;
        request.set_path_with_query(self.path.as_deref()).map_err(refused("the path"))?;
        Ok((request, sent))
    }

    fn timeouts(&self) -> Result<RequestOptions, String> {
        let options = RequestOptions::new();
        let refused = |error| format!("{error:?}");
        options.set_connect_timeout(self.connect_timeout).map_err(refused)?;
        options.set_first_byte_timeout(self.first_byte_timeout).map_err(refused)?;
        options.set_between_bytes_timeout(self.between_bytes_timeout).map_err(refused)?;
        Ok(options)
    }

    /// Whether the end carries trailers or an error.
    pub(crate) fn has_end(&self) -> bool {
        self.broken || self.has_trailers || !self.trailers.is_empty()
    }

    /// The end of the request.
    pub(crate) fn end(&self) -> Result<Option<Trailers>, ErrorCode> {
        if self.broken {
            return Err(ErrorCode::LoopDetected);
        }
        if !self.has_end() {
            return Ok(None);
        }
        let trailers = Fields::from_list(&self.trailers);
        trailers.map(Some).map_err(|error| ErrorCode::InternalError(Some(format!("{error:?}"))))
    }
}

fn field(line: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = line.split_once(": ")?;
    Some((name.to_owned(), value.as_bytes().to_vec()))
}

fn nanoseconds(milliseconds: &str) -> Option<u64> {
    milliseconds.parse::<u64>().ok()?.checked_mul(1_000_000)
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

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
