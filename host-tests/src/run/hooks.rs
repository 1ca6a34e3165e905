//! What the host does in `wasi:http`.

use http::Request;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// No HTTP client: the host refuses all requests that a guest wants it to send.
///
/// `wasi:http/client` is there all the same, since some languages make components that import it without a use for
/// it.
pub(super) struct NoClient;

/// What is still to happen to a request or a response.
type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for NoClient {
    fn send_request(
        &mut self,
        _request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _received: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
