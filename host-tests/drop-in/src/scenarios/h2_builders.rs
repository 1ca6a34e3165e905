//! `h2`: every option of both builders, with its effect; handshakes; the small types.

use std::error::Error as _;
use std::io;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::ext::Protocol;
use h2::{Reason, client, server};
use http2_test_support::{self as frames, Receiver, flag, kind, setting};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::describe::{h2_error, pattern, shows_texts};
use crate::h2_pair::{done, duplex, end, get, ok, outcome, post, send_all, settle, start_with};
use crate::net::soon;
use crate::scenario::{Log, panic_message, say, scenarios};

scenarios! {
    single settings_of_clients,
    single settings_of_servers,
    single legal_ranges,
    single frame_size_is_the_receivers,
    single limit_of_field_lists,
    single large_field_lists,
    single limits_of_reset_streams,
    single budget_of_small_frames,
    single handshakes_that_fail,
    single handshake_functions,
    single reasons,
    single errors,
    single protocols,
}

/// A change of a builder.
type Change<B> = (&'static str, fn(&mut B));

/// The parameters of the first SETTINGS frame, and the increment of the connection's window.
async fn announced(io: &mut DuplexStream, mut receiver: Receiver) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    // The frames are in the pipe already.
    while let Ok(Ok(size)) = tokio::time::timeout(Duration::from_millis(100), io.read(&mut buffer)).await {
        if size == 0 {
            break;
        }
        receiver.push(&buffer[..size]).unwrap();
        while let Some(frame) = receiver.next_frame().unwrap() {
            match frame.kind {
                kind::SETTINGS if frame.flags & flag::ACK == 0 => {
                    let mut settings: Vec<_> = frames::parameters(&frame.payload).collect();
                    settings.sort_unstable();
                    for (id, value) in settings {
                        text += &format!(" {}={value}", setting::name(id));
                    }
                }
                kind::WINDOW_UPDATE => text += &format!(" window+{}", frame.number(0)),
                _ => {}
            }
        }
    }
    text
}

async fn settings_of_clients(log: Log) {
    let changes: [Change<client::Builder>; 15] = [
        ("default", |_| {}),
        ("initial_window_size", |builder| _ = builder.initial_window_size(123_456)),
        ("initial_connection_window_size", |builder| _ = builder.initial_connection_window_size(1_000_000)),
        ("max_frame_size", |builder| _ = builder.max_frame_size(20_000)),
        ("max_header_list_size", |builder| _ = builder.max_header_list_size(9999)),
        ("max_concurrent_streams", |builder| _ = builder.max_concurrent_streams(33)),
        ("enable_push", |builder| _ = builder.enable_push(false)),
        ("enable_push", |builder| _ = builder.enable_push(true)),
        ("header_table_size", |builder| _ = builder.header_table_size(0)),
        ("initial_max_send_streams", |builder| _ = builder.initial_max_send_streams(5)),
        ("reset streams", |builder| {
            _ = builder.max_concurrent_reset_streams(5).max_local_error_reset_streams(None);
        }),
        ("duration", |builder| _ = builder.reset_stream_duration(Duration::from_secs(2))),
        ("pending", |builder| _ = builder.max_pending_accept_reset_streams(3)),
        ("buffer", |builder| _ = builder.max_send_buffer_size(100)),
        ("budget", |builder| _ = builder.data_frame_budget(100)),
    ];
    for (name, change) in changes {
        let (near, mut far) = duplex();
        let mut builder = client::Builder::new();
        change(&mut builder);
        let (_send, connection) = builder.handshake::<_, Bytes>(near).await.unwrap();
        let client = tokio::spawn(connection);
        say!(log, "{name}:{}", announced(&mut far, Receiver::from_client()).await);
        client.abort();
    }
}

async fn settings_of_servers(log: Log) {
    let changes: [Change<server::Builder>; 12] = [
        ("default", |_| {}),
        ("initial_window_size", |builder| _ = builder.initial_window_size(123_456)),
        ("initial_connection_window_size", |builder| _ = builder.initial_connection_window_size(1_000_000)),
        ("max_frame_size", |builder| _ = builder.max_frame_size(20_000)),
        ("max_header_list_size", |builder| _ = builder.max_header_list_size(9999)),
        ("max_concurrent_streams", |builder| _ = builder.max_concurrent_streams(33)),
        ("enable_connect_protocol", |builder| _ = builder.enable_connect_protocol()),
        ("header_table_size", |builder| _ = builder.header_table_size(100)),
        ("reset streams", |builder| {
            _ = builder.max_concurrent_reset_streams(5).max_local_error_reset_streams(Some(1));
        }),
        ("duration", |builder| _ = builder.reset_stream_duration(Duration::ZERO)),
        ("pending", |builder| _ = builder.max_pending_accept_reset_streams(3)),
        ("buffer", |builder| _ = builder.max_send_buffer_size(100).data_frame_budget(100)),
    ];
    for (name, change) in changes {
        let (mut near, far) = duplex();
        let mut builder = server::Builder::new();
        change(&mut builder);
        let handshake = builder.handshake::<_, Bytes>(far);
        let served = tokio::spawn(async move {
            let mut connection = handshake.await?;
            while connection.accept().await.is_some() {}
            Ok::<_, h2::Error>(())
        });
        near.write_all(&[frames::PREFACE, &frames::settings(&[])].concat()).await.unwrap();
        say!(log, "{name}:{}", announced(&mut near, Receiver::from_server()).await);
        served.abort();
    }
}

/// The documentation promises panics outside of the legal ranges.
async fn legal_ranges(log: Log) {
    let panics = |name: &str, run: fn()| {
        let panic = catch_unwind(run).err();
        say!(log, "{name}: {}", if panic.is_some() { "panics" } else { "is legal" });
        _ = panic.map(|panic| panic_message(&*panic));
    };
    panics("client frames of 16,383", || _ = client::Builder::new().max_frame_size(16_383));
    panics("client frames of 16,384", || _ = client::Builder::new().max_frame_size(16_384));
    panics("client frames of 2^24-1", || _ = client::Builder::new().max_frame_size((1 << 24) - 1));
    panics("client frames of 2^24", || _ = client::Builder::new().max_frame_size(1 << 24));
    panics("server frames of 0", || _ = server::Builder::new().max_frame_size(0));
    panics("server frames of 2^24", || _ = server::Builder::new().max_frame_size(1 << 24));
    panics("client window of 2^31-1", || _ = client::Builder::new().initial_window_size((1 << 31) - 1));
    panics("client connection window of 2^31-1", || {
        _ = client::Builder::new().initial_connection_window_size((1 << 31) - 1);
    });
    panics("client buffer of 2^32-1", || _ = client::Builder::new().max_send_buffer_size(u32::MAX as usize));
    panics("client buffer of 2^32", || _ = client::Builder::new().max_send_buffer_size(1 << 32));
    panics("server buffer of 2^32", || _ = server::Builder::new().max_send_buffer_size(1 << 32));
    panics("limits of 0", || {
        _ = server::Builder::new()
            .max_concurrent_streams(0)
            .max_header_list_size(0)
            .max_concurrent_reset_streams(0);
    });
}

/// A sender keeps to the receiver's limit.
async fn frame_size_is_the_receivers(log: Log) {
    for size in [16_384, 30_000, 100_000] {
        let (near, mut far) = duplex();
        let (mut send, connection) = client::Builder::new().handshake::<_, Bytes>(near).await.unwrap();
        let client = tokio::spawn(connection);
        let settings =
            frames::settings(&[(setting::MAX_FRAME_SIZE, size), (setting::INITIAL_WINDOW_SIZE, 1 << 20)]);
        let hello = [settings, frames::settings_ack(), frames::window_update(0, 1 << 20)].concat();
        far.write_all(&hello).await.unwrap();
        settle().await;
        let (_response, mut stream) = send.send_request(post("/"), false).unwrap();
        stream.send_data(pattern(250_000), true).unwrap();
        let (mut largest, mut total, mut buffer) = (0, 0, vec![0; 100_000]);
        let mut split = frames::Frames::from_client();
        while total < 250_000 {
            let read = soon("data", far.read(&mut buffer)).await.unwrap();
            for part in split.take(&buffer[..read]).unwrap() {
                if let frames::Part::Header(header) = part
                    && header.kind == kind::DATA
                {
                    largest = largest.max(header.length);
                    total += header.length;
                }
            }
        }
        say!(log, "{size}: respected {}, total {total}", largest <= size);
        client.abort();
    }
}

/// Sends a field of a size in each direction.
async fn fields_of(log: &Log, client: &client::Builder, server: &server::Builder, sizes: &[usize]) {
    let mut pair = start_with(client, server, |request, mut respond| async move {
        let mut response = ok();
        let size = request.uri().path()[1..].parse().unwrap();
        response
            .headers_mut()
            .insert("x-field", vec!['a'; size].into_iter().collect::<String>().parse().unwrap());
        _ = respond.send_response(response, true);
    })
    .await;
    for size in sizes {
        let (response, _) = match pair.send.send_request(get(&format!("/{size}")), true) {
            Ok(sent) => sent,
            Err(error) => {
                say!(log, "response {size}: not sent: {}", h2_error(&error));
                continue;
            }
        };
        say!(log, "response {size}: {}", outcome(response.await).await);
        let mut request = get("/1");
        request.headers_mut().insert("x-field", "b".repeat(*size).parse().unwrap());
        match pair.send.send_request(request, true) {
            Ok((response, _)) => say!(log, "request {size}: {}", outcome(response.await).await),
            Err(error) => say!(log, "request {size}: not sent: {}", h2_error(&error)),
        }
    }
    drop(pair.send);
    say!(log, "client: {}", end(pair.client).await);
}

async fn limit_of_field_lists(log: Log) {
    let (mut client, mut server) = (client::Builder::new(), server::Builder::new());
    client.max_header_list_size(1000);
    server.max_header_list_size(1000);
    fields_of(&log, &client, &server, &[100, 500, 1500, 100]).await;
    let (mut client, mut server) = (client::Builder::new(), server::Builder::new());
    client.max_header_list_size(1000);
    server.max_header_list_size(1000);
    // Far beyond the limit.
    fields_of(&log, &client, &server, &[10_000]).await;
}

async fn large_field_lists(log: Log) {
    let (client, server) = (client::Builder::new(), server::Builder::new());
    fields_of(&log, &client, &server, &[10_000, 16_384, 50_000, 200_000, 1_000_000]).await;
}

/// With no memory of reset streams, late frames are errors of the connection; with one, they are ignored.
async fn limits_of_reset_streams(log: Log) {
    for (name, most, late) in [("some", 10, 1), ("many", 10, 5)] {
        let (mut near, far) = duplex();
        let mut server = server::Builder::new();
        server.max_concurrent_reset_streams(most).reset_stream_duration(Duration::from_secs(60));
        let served = crate::h2_pair::serve(far, &server, |_, mut respond| async move {
            respond.send_reset(Reason::REFUSED_STREAM);
        });
        near.write_all(&[frames::PREFACE, &frames::settings(&[]), &frames::settings_ack()].concat())
            .await
            .unwrap();
        for number in 0..late {
            near.write_all(&frames::headers(2 * number + 1, 0, frames::POST)).await.unwrap();
        }
        settle().await;
        for number in 0..late {
            near.write_all(&frames::data(2 * number + 1, flag::END_STREAM, b"late")).await.unwrap();
        }
        near.write_all(&frames::ping(*b"12345678")).await.unwrap();
        settle().await;
        say!(log, "{name}: ended {}", served.is_finished());
        near.shutdown().await.unwrap();
        say!(log, "{name}: {}", end(served).await);
    }
}

/// Tiny frames are accepted up to a budget.
async fn budget_of_small_frames(log: Log) {
    for budget in [1000, 10_000_000] {
        let mut server = server::Builder::new();
        server.data_frame_budget(budget);
        let mut pair = start_with(&client::Builder::new(), &server, |request, mut respond| async move {
            // Nobody reads.
            settle().await;
            drop(request);
            _ = respond.send_response(ok(), true);
        })
        .await;
        let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
        for _ in 0..100 {
            if stream.send_data(Bytes::from_static(b"x"), false).is_err() {
                break;
            }
            // So that the pieces are not joined.
            tokio::task::yield_now().await;
        }
        let small = response.await;
        say!(log, "{budget}: answered {}", small.is_ok());
        let reason = small.err().and_then(|error| error.reason());
        say!(log, "{budget}: {reason:?}");
    }
}

async fn handshakes_that_fail(log: Log) {
    let preface = frames::PREFACE;
    let inputs: [(&str, Vec<u8>); 6] = [
        ("nothing", Vec::new()),
        ("HTTP/1.1", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_vec()),
        ("half a preface", preface[..10].to_vec()),
        ("another preface", [&preface[..20], b"XXXX"].concat()),
        ("no settings", [preface, &frames::ping(*b"12345678")].concat()),
        ("bad settings", [preface, &frames::settings(&[(setting::ENABLE_PUSH, 2)])].concat()),
    ];
    for (name, input) in inputs {
        let (mut near, far) = duplex();
        let handshake = server::Builder::new().handshake::<_, Bytes>(far);
        let served = tokio::spawn(async move {
            let mut connection = match handshake.await {
                Ok(connection) => connection,
                Err(error) => return format!("handshake {}", raw_error(&error)),
            };
            match connection.accept().await {
                Some(Ok(_)) => "a request".to_owned(),
                Some(Err(error)) => format!("accept {}", raw_error(&error)),
                None => "no request".to_owned(),
            }
        });
        near.write_all(&input).await.unwrap();
        near.shutdown().await.unwrap();
        say!(log, "server, {name}: {}", soon("the end", served).await.unwrap());
    }
    for (name, input) in [
        ("nothing", Vec::new()),
        ("HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("no settings", frames::ping(*b"12345678")),
        ("bad settings", frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)])),
    ] {
        let (near, mut far) = duplex();
        let (_send, connection) = client::Builder::new().handshake::<_, Bytes>(near).await.unwrap();
        let client = tokio::spawn(connection);
        far.write_all(&input).await.unwrap();
        far.shutdown().await.unwrap();
        let ended = soon("the end", client).await.unwrap();
        say!(
            log,
            "client, {name}: {}",
            ended.map_or_else(|error| raw_error(&error), |()| "ended well".to_owned())
        );
    }
}

/// An error with the exact kind of an I/O error, which is deterministic in memory.
fn raw_error(error: &h2::Error) -> String {
    let kind = error.get_io().map(io::Error::kind);
    format!("{} {kind:?}", h2_error(error))
}

/// The free functions are the builders' with default options.
async fn handshake_functions(log: Log) {
    let (near, far) = duplex();
    let served = tokio::spawn(async move {
        let mut connection = server::handshake(far).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_response(ok(), true).unwrap();
        }
    });
    let (mut send, connection) = client::handshake(near).await.unwrap();
    let client = tokio::spawn(connection);
    let (response, _) = send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    drop(send);
    say!(log, "client: {}", end(client).await);
    served.await.unwrap();
    // Other buffers than Bytes.
    let (near, far) = duplex();
    let served = crate::h2_pair::serve(far, &server::Builder::new(), |request, mut respond| async move {
        let content = crate::h2_pair::read(&mut request.into_body()).await;
        let mut stream = respond.send_response(ok(), false).unwrap();
        send_all(&mut stream, content.into(), None).await.unwrap();
    });
    let (mut send, connection) =
        client::Builder::new().handshake::<_, io::Cursor<Vec<u8>>>(near).await.unwrap();
    let client = tokio::spawn(connection);
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    stream.send_data(io::Cursor::new(vec![b'x'; 100_000]), false).unwrap();
    let mut cursor = io::Cursor::new(b"only the rest".to_vec());
    cursor.set_position(9);
    stream.send_data(cursor, true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    drop((send, stream));
    say!(log, "client: {}, server: {}", end(client).await, end(served).await);
}

async fn reasons(log: Log) {
    for code in 0..20 {
        let reason = Reason::from(code);
        let text = reason.to_string();
        say!(log, "{} named {} text {}", u32::from(reason), code < 14, text == reason.description());
        if shows_texts() {
            say!(log, "{reason:?} {text}");
        } else if code < 14 {
            say!(log, "{reason:?}");
        }
    }
    let all = [
        Reason::NO_ERROR,
        Reason::PROTOCOL_ERROR,
        Reason::INTERNAL_ERROR,
        Reason::FLOW_CONTROL_ERROR,
        Reason::SETTINGS_TIMEOUT,
        Reason::STREAM_CLOSED,
        Reason::FRAME_SIZE_ERROR,
        Reason::REFUSED_STREAM,
        Reason::CANCEL,
        Reason::COMPRESSION_ERROR,
        Reason::CONNECT_ERROR,
        Reason::ENHANCE_YOUR_CALM,
        Reason::INADEQUATE_SECURITY,
        Reason::HTTP_1_1_REQUIRED,
    ];
    for (code, reason) in (0..).zip(all) {
        assert_eq!(reason, Reason::from(code));
    }
}

async fn errors(log: Log) {
    for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::from(1000)] {
        let error = h2::Error::from(reason);
        say!(log, "{} source {}", h2_error(&error), error.source().is_some());
        say!(log, "get_io {} into_io {}", error.get_io().is_some(), error.into_io().is_some());
    }
    // An error of the transport comes back unchanged.
    let (_send, connection) = client::handshake(Broken).await.unwrap();
    let error = connection.await.unwrap_err();
    say!(log, "{} get_io {:?}", h2_error(&error), error.get_io().map(io::Error::kind));
    say!(log, "source {}", error.source().is_some());
    say!(log, "into_io {:?}", error.into_io().map(|error| (error.kind(), error.to_string())));
    say!(log, "{}", done::<()>(Err(Reason::CANCEL.into())));
}

/// A transport that cannot be read.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::new(io::ErrorKind::HostUnreachable, "no such host")))
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn protocols(log: Log) {
    let protocol = Protocol::from_static("websocket");
    say!(log, "{} {:?}", protocol.as_str(), AsRef::<[u8]>::as_ref(&protocol));
    say!(log, "{}", protocol == Protocol::from("websocket"));
    say!(log, "{}", protocol.clone() == Protocol::from_static("other"));
}
