//! Requests and their content.

use std::fs::{File, Metadata};
use std::io::Read;

use http::Uri;
use http::uri::Authority;
use wasip3::cli::stdin;
use wasip3::http::types::{Fields, Method, Request, Scheme};
use wasip3::wit_bindgen::{StreamReader, StreamWriter, spawn_local};
use wasip3::{wit_future, wit_stream};

use crate::failure::Failure;
use crate::options::{Data, Options};

/// Bytes of a file per read.
const CHUNK: usize = 64 << 10;

/// A request that can be sent any number of times.
pub(crate) struct Template<'a> {
    url: &'a str,
    uri: Uri,
    method: Method,
    headers: &'a [(String, Vec<u8>)],
    data: Option<&'a Data>,
}

impl<'a> Template<'a> {
    /// Parses a URL.
    pub(crate) fn new(url: &'a str, options: &'a Options) -> Result<Self, Failure> {
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| Failure::new(url, error))?;
        if uri.scheme().is_none() {
            return Err(Failure::new(url, "a URL must start with http://"));
        }
        let data = options.data.as_ref();
        let method = match (&options.method, data) {
            (Some(token), _) => method(token),
            (None, Some(_)) => Method::Post,
            (None, None) => Method::Get,
        };
        Ok(Self { url, uri, method, headers: &options.headers, data })
    }

    /// Returns the URL requested.
    pub(crate) fn url(&self) -> &str {
        self.url
    }

    /// Creates a request, whose content is streamed as the server accepts it.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let content = self.data.map(Content::open).transpose()?;
        let headers = self.fields(content.as_ref().and_then(|content| content.length))?;
        let (trailers, no_trailers) = wit_future::new(|| Ok(None));
        drop(trailers);
        let (request, _sent) =
            Request::new(headers, content.map(|content| content.octets), no_trailers, None);
        let refused = |what: &'static str| move |()| Failure::new(self.url, format!("{what} is not valid"));
        let scheme = match self.uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") | None => Scheme::Http,
            Some(other) => Scheme::Other(other.to_owned()),
        };
        request.set_method(&self.method).map_err(refused("the method"))?;
        request.set_scheme(Some(&scheme)).map_err(refused("the scheme"))?;
        let authority = self.uri.authority().map(Authority::as_str);
        request.set_authority(authority).map_err(refused("the host"))?;
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        request.set_path_with_query(Some(&path)).map_err(refused("the path"))?;
        Ok(request)
    }

    fn fields(&self, content_length: Option<u64>) -> Result<Fields, Failure> {
        let mut fields = self.headers.to_vec();
        let given = |name: &str, fields: &[(String, _)]| {
            fields.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        if let Some(length) = content_length.filter(|_| !given("content-length", &fields)) {
            fields.push(("content-length".to_owned(), length.to_string().into_bytes()));
        }
        if !given("user-agent", &fields) {
            let agent = concat!("http-get/", env!("CARGO_PKG_VERSION"));
            fields.push(("user-agent".to_owned(), agent.into()));
        }
        Fields::from_list(&fields).map_err(|error| Failure::new("making the fields of the request", error))
    }
}

/// The content of one request.
struct Content {
    octets: StreamReader<u8>,
    length: Option<u64>,
}

impl Content {
    fn open(data: &Data) -> Result<Self, Failure> {
        if matches!(data, Data::Stdin) {
            // Pass the stream to `wasi:http/client` directly, without copying its bytes here.
            let (octets, _end) = stdin::read_via_stream();
            return Ok(Self { octets, length: None });
        }
        let (mut writer, octets) = wit_stream::new();
        let length = match data {
            Data::File(path) => {
                let failure = |error| Failure::new(format!("opening {}", path.display()), error);
                let file = File::open(path).map_err(failure)?;
                let length = file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
                spawn_local(send_file(file, writer));
                length
            }
            Data::Given(content) => {
                let content = content.clone();
                let length = content.len();
                spawn_local(async move {
                    writer.write_all(content).await;
                });
                Some(length as u64)
            }
            Data::Stdin => None,
        };
        Ok(Self { octets, length })
    }
}

/// Sends a file as the server accepts it.
///
/// If reading fails, the content ends short of Content-Length, which `wasi:http/client` reports as an error.
async fn send_file(mut file: File, mut writer: StreamWriter<u8>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let Ok(octets @ 1..) = file.read(&mut chunk) else { return };
        chunk.truncate(octets);
        let refused = writer.write_all(chunk).await;
        if !refused.is_empty() {
            return;
        }
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
