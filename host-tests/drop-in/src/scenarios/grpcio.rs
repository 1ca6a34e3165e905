//! tonic and grpcio, which is gRPC's C core with Python's API, in both roles.
//!
//! The variable `GRPCIO_PYTHON` names the Python that has grpcio; `run` installs it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::stream;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::{Code, Request};

use crate::describe::pattern;
use crate::echo::Message;
use crate::echo::echo_server::EchoServer;
use crate::net::soon;
use crate::scenario::{Log, say, scenarios};
use crate::tonic_echo::{Echoes, connect, content, outcome, serve, status, stream_outcome};

scenarios! {
    parallel client_of_grpcio,
    parallel server_of_grpcio,
}

/// The Python with grpcio, or `None` with a line in the transcript.
fn python(log: &Log) -> Option<PathBuf> {
    let python = env::var_os("GRPCIO_PYTHON").map(PathBuf::from);
    if python.is_none() {
        say!(log, "skipped: GRPCIO_PYTHON is not set");
    }
    python
}

/// Starts a script of this folder.
fn script(python: &Path, code: &str, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(python)
        .args(["-c", code])
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Python");
    let output = BufReader::new(child.stdout.take().expect("an output"));
    (child, output)
}

/// grpcio calls tonic's server; the script prints the transcript.
async fn client_of_grpcio(log: Log) {
    let Some(python) = python(&log) else { return };
    let echoes = Echoes::default();
    let service = EchoServer::new(echoes.clone())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20);
    let address = serve(Server::builder(), service).await;
    let (mut child, mut output) = script(
        &python,
        concat!(include_str!("grpcio/message.py"), include_str!("grpcio/client.py")),
        &[&address["http://".len()..]],
    );
    let mut transcript = String::new();
    output.read_to_string(&mut transcript).await.unwrap();
    for line in transcript.lines() {
        log.line(line);
    }
    say!(log, "ended well: {}", child.wait().await.unwrap().success());
    soon("the handlers' ends", echoes.dropped.reaches(echoes.begun.count())).await;
}

/// Starts grpcio's server, and returns its URL.
pub(super) async fn start(log: &Log) -> Option<(Child, String)> {
    let python = python(log)?;
    let (child, mut output) =
        script(&python, concat!(include_str!("grpcio/message.py"), include_str!("grpcio/server.py")), &[]);
    let mut address = String::new();
    soon("grpcio's address", output.read_line(&mut address)).await.unwrap();
    Some((child, address.trim_end().to_owned()))
}

/// tonic's client calls grpcio.
async fn server_of_grpcio(log: Log) {
    let Some((_child, address)) = start(&log).await else { return };
    let client = connect(address).await;
    let mut client = client.max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20);

    for size in [0, 1, 16_384, 70_000, 5_000_000] {
        let message = content(pattern(size));
        say!(log, "unary: {}", outcome(client.unary(message.clone()).await));
        say!(log, "upload: {}", outcome(client.upload(stream::iter(vec![message.clone(); 4])).await));
        let wanted = Message { number: 5, ..message.clone() };
        say!(log, "download: {}", stream_outcome(client.download(wanted).await).await);
        say!(log, "both: {}", stream_outcome(client.both(stream::iter(vec![message; 4])).await).await);
    }
    for code in 1..=16 {
        let message = Message { status: code, text: format!("status {code} ☺"), ..Message::default() };
        say!(log, "{}", outcome(client.unary(message.clone()).await));
        say!(log, "{}", stream_outcome(client.both(stream::iter([content("a"), message])).await).await);
    }
    let mut request = Request::new(stream::iter([content("a")]));
    request.metadata_mut().insert("x-echo-ascii", "value".parse().unwrap());
    request.metadata_mut().insert_bin("x-echo-bin", tonic::metadata::MetadataValue::from_bytes(&[0, 255]));
    say!(log, "metadata: {}", stream_outcome(client.both(request).await).await);
    let mut gzip = client.clone().send_compressed(CompressionEncoding::Gzip);
    say!(log, "gzip: {}", outcome(gzip.unary(content(vec![b'z'; 100_000])).await));

    let calls = (0..200).map(|number| {
        let mut client = client.clone();
        async move { outcome(client.unary(content(pattern(number))).await) }
    });
    for call in futures_util::future::join_all(calls).await {
        say!(log, "{call}");
    }
    endings(&log, &mut client).await;
}

/// Deadlines and cancellation, which grpcio counts.
async fn endings(log: &Log, client: &mut crate::echo::echo_client::EchoClient<tonic::transport::Channel>) {
    let mut request = Request::new(content("a"));
    request.metadata_mut().insert("x-wait", "yes".parse().unwrap());
    request.set_timeout(Duration::from_millis(300));
    let error = client.unary(request).await.unwrap_err();
    say!(log, "deadline: {}", matches!(error.code(), Code::Cancelled | Code::DeadlineExceeded));
    let (sender, receiver) = mpsc::channel(1);
    // grpcio does not answer before the first message.
    sender.send(content("ping")).await.unwrap();
    let mut messages = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    for number in 0..1000 {
        assert_eq!(messages.message().await.unwrap().unwrap().number, number);
        sender.send(Message { number: number + 1, ..content("ping") }).await.unwrap();
    }
    drop((messages, sender));
    let unknown = client.unary(Message { status: 99, ..Message::default() }).await;
    say!(log, "an exception in the service: {}", status(&unknown.unwrap_err()));
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}
