//! Sandboxes that reach a limit: their connection ends with an error that names the limit, and other connections go on.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use wasi_http2::embed::{Client, ErrorKind, Fault, Options, Sandbox, SandboxLimits, SettingId, Trap};

use crate::support::{PIPE, SANDBOX, content, echo, pair, post, send_and_return, with_timeout};

#[tokio::test]
async fn a_connection_that_exceeds_its_memory_limit_does_not_start() {
    let sandbox = Sandbox::new(SandboxLimits::new().memory(64 << 10)).unwrap();
    let (near, mut far) = tokio::io::duplex(PIPE);
    let error = sandbox.client(near, &Options::new()).err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Trap(Trap::OutOfMemory(64 << 10)));
    assert_eq!(error.fault(), Fault::Limit);
    assert!(error.to_string().contains("65536 bytes"), "{error}");
    with_timeout(far.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_fills_the_memory_ends_only_its_own_connection() {
    // The windows exceed the memory, and the application does not read.
    let limit = 4 << 20;
    let sandbox = Sandbox::new(SandboxLimits::new().memory(limit)).unwrap();
    let windows = Options::new().setting(SettingId::INITIAL_WINDOW_SIZE, 16 << 20);
    let windows = windows.connection_window(16 << 20, 16 << 20).stream_window_maximum(16 << 20);
    let (near, far) = tokio::io::duplex(PIPE);
    let mut server = sandbox.server(far, &windows).unwrap();
    let hostile = SANDBOX.client(near, &Options::new()).unwrap();
    let (bystander, other_server) = pair().await;
    echo(other_server);

    let (response, mut body) = hostile.request(post("/"), false).await.unwrap();
    let (mut request, _responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let sending = tokio::spawn(async move { body.send_data(content(16 << 20), true).await });

    let error = with_timeout(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!(error.kind(), ErrorKind::Trap(Trap::OutOfMemory(limit)));
    assert_eq!(with_timeout(server.control().closed()).await.unwrap_err().kind(), error.kind());
    assert_eq!(with_timeout(request.body_mut().data()).await.unwrap().unwrap_err().kind(), error.kind());
    assert_eq!(server.control().stats().await.unwrap_err().kind(), error.kind());
    // The peer sees its connection closed.
    assert!(with_timeout(sending).await.unwrap().is_err());
    assert_eq!(with_timeout(response).await.err().expect("no response").kind(), ErrorKind::TransportFailed);

    assert_eq!(with_timeout(send_and_return(&bystander, "unharmed".into())).await.unwrap(), b"unharmed");
}

#[tokio::test]
async fn a_connection_that_exceeds_its_time_limit_ends() {
    let sandbox = Sandbox::new(SandboxLimits::new().time(Duration::ZERO)).unwrap();
    let (near, _far) = tokio::io::duplex(PIPE);
    // With a limit of zero, a call is interrupted by the first tick of the clock during the call.
    let compute = async || -> Result<(), wasi_http2::embed::Error> {
        let client: Client = sandbox.client(near, &Options::new())?;
        loop {
            client.control().stats().await?;
        }
    };
    let error = with_timeout(compute()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap(Trap::OutOfTime(Duration::ZERO)));
}
