//! The component in Wasmtime, with an in-memory transport.

use std::os::unix::net::UnixStream;

use bytes::Bytes;
use http::{Request, Response};
use http2_conformance::Role;
use tokio::runtime::Runtime;
use wasi_http2::embed::{Client, Error, Options, RecvBody, Responder, Sandbox, SandboxLimits, Server};

use crate::run_cases;
use crate::transport::Socket;

#[test]
fn the_component_passes_all_server_cases() {
    let (tokio, sandbox) = (Runtime::new().unwrap(), Sandbox::new(SandboxLimits::new()).unwrap());
    run_cases(Role::Server, || {
        let (near, far) = pair(&tokio);
        let server = tokio.block_on(async { sandbox.server(far, &Options::new()).unwrap() });
        tokio.spawn(serve(server));
        Socket::unix(near, ())
    });
}

#[test]
fn the_component_passes_all_client_cases() {
    let (tokio, sandbox) = (Runtime::new().unwrap(), Sandbox::new(SandboxLimits::new()).unwrap());
    run_cases(Role::Client, || {
        let (near, far) = pair(&tokio);
        let client = tokio.block_on(async { sandbox.client(far, &Options::new()).unwrap() });
        tokio.spawn(request_in_loop(client.clone()));
        tokio.spawn(request_in_loop(client));
        Socket::unix(near, ())
    });
}

/// Returns both ends of a connection, the far one for Tokio.
fn pair(tokio: &Runtime) -> (UnixStream, tokio::net::UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    let _context = tokio.enter();
    (near, tokio::net::UnixStream::from_std(far).unwrap())
}

/// Answers all requests, and echoes the content of requests for `/echo`.
async fn serve(mut server: Server) {
    while let Some(Ok((request, responder))) = server.accept().await {
        // Errors of a stream show on the wire.
        tokio::spawn(async move { _ = answer(request, responder).await });
    }
}

async fn answer(mut request: Request<RecvBody>, mut responder: Responder) -> Result<(), Error> {
    if request.uri().path() != "/echo" {
        responder.send_response(Response::new(()), true).await?;
        return Ok(());
    }
    let mut echo = responder.send_response(Response::new(()), false).await?;
    while let Some(data) = request.body_mut().data().await {
        echo.send_data(data?, false).await?;
    }
    echo.send_data(Bytes::new(), true).await
}

/// Sends one request after the other, ignoring the results, until the connection accepts no more.
async fn request_in_loop(client: Client) {
    loop {
        let request = Request::get("http://localhost/").body(()).unwrap();
        let Ok((response, _body)) = client.request(request, true).await else { return };
        let Ok(mut response) = response.await else { continue };
        while let Some(Ok(_)) = response.body_mut().data().await {}
    }
}
