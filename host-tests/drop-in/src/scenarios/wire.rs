//! The frames that `h2` sends, as a peer sees them that compares them one by one; and the texts that users see.

use std::future::poll_fn;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::client::{self, SendRequest};
use h2::ext::Protocol;
use h2::{Ping, Reason, server};
use http::{HeaderMap, Method, Request, Version};
use http2_test_support::{self as frames, Frame, GET, POST, code, flag, kind, setting};

use crate::describe::h2_error;
use crate::h2_pair::{Ended, connect, done, duplex, end, get, ok, outcome, post, serve, settle};
use crate::net::trailers;
use crate::raw::Raw;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single first_frames,
    single heads_of_requests,
    single exchange_of_a_client,
    single exchange_of_a_server,
    single content_that_ends_with_an_empty_frame,
    single pings,
    single graceful_shutdown,
    single pieces_of_content,
    single capacities,
    single half_closed_client,
    single texts_of_reasons,
    single texts_of_errors,
    single texts_of_misuse,
}

/// A frame with everything that it contains.
fn shown(frame: &Frame) -> String {
    match frame.kind {
        kind::SETTINGS => {
            let settings = frames::parameters(&frame.payload);
            let settings: Vec<_> =
                settings.map(|(id, value)| format!("{}={value}", setting::name(id))).collect();
            format!("SETTINGS {:#x} {settings:?}", frame.flags)
        }
        kind::DATA => format!("DATA {} {:#x} {} bytes", frame.stream, frame.flags, frame.payload.len()),
        _ => frame.to_string(),
    }
}

/// Notes the frames that arrive until the peer has answered everything written so far.
async fn note(log: &Log, name: &str, peer: &mut Raw) {
    settle().await;
    let mark = *b"the mark";
    peer.write(&frames::ping(mark)).await;
    while let Some(frame) = peer.next().await {
        if frame.kind == kind::PING && frame.payload == mark {
            return;
        }
        // When SETTINGS are acknowledged is a matter of time.
        if frame.kind != kind::SETTINGS || frame.flags & flag::ACK == 0 {
            say!(log, "{name}: {}", shown(&frame));
        }
    }
    say!(log, "{name}: the end");
}

/// A client, and a server that has exchanged SETTINGS with it.
async fn client() -> (SendRequest<Bytes>, Ended, Raw) {
    let (near, far) = duplex();
    let (send, client) = connect(near, &client::Builder::new()).await;
    let server = Raw::greeted_server(far, &[(setting::ENABLE_CONNECT_PROTOCOL, 1)]).await;
    settle().await;
    (send, client, server)
}

/// Settings that are the protocol's defaults are sent if the caller has set them.
async fn first_frames(log: Log) {
    let mut defaults = client::Builder::new();
    defaults.initial_window_size(65_535).initial_connection_window_size(65_535).max_frame_size(16_384);
    defaults.max_header_list_size(u32::MAX).max_concurrent_streams(u32::MAX);
    defaults.enable_push(true).header_table_size(4_096);
    let mut usual = client::Builder::new();
    usual.initial_max_send_streams(100).initial_window_size(2 << 20).initial_connection_window_size(5 << 20);
    usual
        .max_frame_size(16_384)
        .max_header_list_size(16_384)
        .max_send_buffer_size(1 << 20)
        .enable_push(false);
    usual.max_concurrent_streams(7);
    for (name, builder) in [("nothing", client::Builder::new()), ("defaults", defaults), ("usual", usual)] {
        let (near, far) = duplex();
        let (_send, client) = connect(near, &builder).await;
        let mut server = Raw::server(far);
        server.write(&[frames::settings(&[]), frames::settings_ack()].concat()).await;
        note(&log, &format!("client, {name}"), &mut server).await;
        client.abort();
    }
    let mut defaults = server::Builder::new();
    defaults.initial_window_size(65_535).initial_connection_window_size(65_535).max_frame_size(16_384);
    defaults.max_header_list_size(u32::MAX).max_concurrent_streams(u32::MAX).header_table_size(4_096);
    let mut usual = server::Builder::new();
    usual.initial_window_size(1 << 20).initial_connection_window_size(1 << 20).max_frame_size(16_384);
    usual.max_header_list_size(16_384).max_concurrent_streams(200).enable_connect_protocol();
    for (name, builder) in [("nothing", server::Builder::new()), ("defaults", defaults), ("usual", usual)] {
        let (near, far) = duplex();
        let served = serve(far, &builder, |_, _| async {});
        let mut client = Raw::client(near);
        client.write(&[frames::PREFACE, &frames::settings(&[]), &frames::settings_ack()].concat()).await;
        note(&log, &format!("server, {name}"), &mut client).await;
        served.abort();
    }
}

/// The fields of requests of all kinds.
async fn heads_of_requests(log: Log) {
    let (mut send, _client, mut server) = client().await;
    let mut requests = Vec::new();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for (method, uri) in [
            ("GET", "/path"),
            ("GET", "http://test.example"),
            ("GET", "https://test.example:8443?query"),
            ("GET", "test.example"),
            ("GET", "ftp://test.example/"),
            ("OPTIONS", "*"),
            ("OPTIONS", "http://test.example"),
            ("CONNECT", "test.example:80"),
            ("CONNECT", "test.example"),
            ("CONNECT", "http://test.example/path"),
        ] {
            let request = Request::builder().method(method).uri(uri).version(version).body(()).unwrap();
            requests.push((format!("{method} {uri} {version:?}"), request));
        }
    }
    for uri in ["http://test.example/chat", "/chat"] {
        let protocol = Protocol::from_static("websocket");
        let request = Request::connect(uri).extension(protocol).body(()).unwrap();
        requests.push((format!("extended CONNECT {uri}"), request));
    }
    for (uri, host) in [
        ("http://test.example/", "test.example"),
        ("http://test.example/", "TEST.example"),
        ("http://test.example/", "other.example"),
        ("/", "test.example"),
    ] {
        let request = Request::get(uri).header("host", host).body(()).unwrap();
        requests.push((format!("{uri} of {host}"), request));
    }
    for (name, request) in requests {
        match send.send_request(request, true) {
            Ok(sent) => {
                let frame = server.until(|frame| frame.kind == kind::HEADERS).await;
                say!(log, "{name}: {:?}", frame.lines());
                server.write(&frames::headers(frame.stream, flag::END_STREAM, frames::OK)).await;
                say!(log, "  {}", outcome(sent.0.await).await);
            }
            Err(error) => say!(log, "{name}: {}", h2_error(&error)),
        }
    }
}

async fn exchange_of_a_client(log: Log) {
    let (mut send, ended, mut server) = client().await;
    for (name, content, ends) in [
        ("nothing", None, None),
        ("content", Some("content"), None),
        ("content and trailers", Some("content"), Some(trailers(&[("x-end", "yes")]))),
        ("empty content", Some(""), None),
        ("empty content and trailers", Some(""), Some(trailers(&[("x-end", "yes")]))),
        ("empty trailers", Some("content"), Some(HeaderMap::new())),
    ] {
        let (response, mut stream) = send.send_request(post("/"), content.is_none()).unwrap();
        if let Some(content) = content {
            stream.send_data(Bytes::from_static(content.as_bytes()), ends.is_none()).unwrap();
        }
        if let Some(ends) = ends {
            stream.send_trailers(ends).unwrap();
        }
        note(&log, name, &mut server).await;
        server.write(&frames::headers(stream.stream_id().as_u32(), flag::END_STREAM, frames::OK)).await;
        say!(log, "{name}: {}", outcome(response.await).await);
    }
    drop(send);
    note(&log, "end", &mut server).await;
    say!(log, "{}", end(ended).await);
}

async fn exchange_of_a_server(log: Log) {
    let (near, far) = duplex();
    let _served = serve(far, &server::Builder::new(), |request, mut respond| async move {
        match request.uri().path() {
            "/reset" => return respond.send_reset(Reason::INADEQUATE_SECURITY),
            "/dropped" => return,
            _ => {}
        }
        let (content, ends) = match request.uri().path() {
            "/content" => ("content", None),
            "/trailers" => ("content", Some(trailers(&[("x-end", "yes")]))),
            "/empty" => ("", None),
            _ => {
                _ = respond.send_response(ok(), true);
                return;
            }
        };
        let mut stream = respond.send_response(ok(), false).unwrap();
        _ = stream.send_data(Bytes::from_static(content.as_bytes()), ends.is_none());
        if let Some(ends) = ends {
            _ = stream.send_trailers(ends);
        }
    });
    let mut client = Raw::greeted_client(near).await;
    for (number, path) in
        ["/", "/content", "/trailers", "/empty", "/reset", "/dropped"].into_iter().enumerate()
    {
        for (name, method, flags) in [("GET", GET, flag::END_STREAM), ("POST", POST, 0)] {
            let mut fields = method.to_vec();
            fields.retain(|field| field.0 != ":path");
            fields.insert(1, (":path", path));
            let stream = u32::try_from(4 * number).unwrap() + if flags == 0 { 3 } else { 1 };
            client.write(&frames::headers(stream, flags, &fields)).await;
            note(&log, &format!("{name} {path}"), &mut client).await;
        }
    }
}

/// The last frame has no content.
async fn content_that_ends_with_an_empty_frame(log: Log) {
    let (mut send, _ended, mut server) = client().await;
    for (name, pieces) in
        [("something before", &["some"][..]), ("nothing before", &[]), ("twice", &["", "some", ""])]
    {
        let (response, _stream) = send.send_request(get("/"), true).unwrap();
        let id = server.until(|frame| frame.kind == kind::HEADERS).await.stream;
        server.write(&frames::headers(id, 0, frames::OK)).await;
        let mut body = response.await.unwrap().into_body();
        for piece in pieces {
            server.write(&frames::data(id, 0, piece.as_bytes())).await;
        }
        server.write(&frames::data(id, flag::END_STREAM, b"")).await;
        settle().await;
        loop {
            let data = body.data().await.map(|data| data.map_err(|error| h2_error(&error)));
            say!(log, "{name}: {data:?}, end {}", body.is_end_stream());
            if data.is_none() {
                break;
            }
        }
        say!(log, "{name}: {:?}", body.trailers().await.unwrap());
    }
}

/// A peer may answer before it has seen the question.
async fn pings(log: Log) {
    let (near, far) = duplex();
    let (_send, mut connection) = client::handshake(near).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    let mut server = Raw::greeted_server(far, &[]).await;
    for _ in 0..2 {
        let mut answered = Box::pin(pings.ping(Ping::opaque()));
        _ = (&mut answered).now_or_never();
        let ping = server.until(|frame| frame.kind == kind::PING).await;
        say!(log, "{}", shown(&ping));
        server.write(&frames::frame(kind::PING, flag::ACK, 0, b"not that")).await;
        settle().await;
        say!(log, "answered by another: {}", (&mut answered).now_or_never().is_some());
        server.write(&frames::frame(kind::PING, flag::ACK, 0, &ping.payload)).await;
        say!(log, "answered: {}", done(answered.await));
    }
}

async fn graceful_shutdown(log: Log) {
    let (near, far) = duplex();
    let (told, tell) = tokio::sync::oneshot::channel::<()>();
    let mut handshake = Box::pin(server::handshake(far));
    let served = tokio::spawn(async move {
        let mut connection = (&mut handshake).await?;
        let (_request, mut respond) = connection.accept().await.unwrap()?;
        let mut told = Box::pin(tell);
        poll_fn(|context| {
            _ = connection.poll_closed(context);
            told.poll_unpin(context)
        })
        .await
        .unwrap();
        connection.graceful_shutdown();
        poll_fn(|context| {
            _ = connection.poll_closed(context);
            std::task::Poll::Ready(())
        })
        .await;
        _ = respond.send_response(ok(), true);
        poll_fn(|context| connection.poll_closed(context)).await
    });
    let mut client = Raw::greeted_client(near).await;
    client.write(&frames::headers(1, flag::END_STREAM, GET)).await;
    note(&log, "before", &mut client).await;
    told.send(()).unwrap();
    let ping = loop {
        let frame = client.next().await.unwrap();
        say!(log, "shutdown: {}", shown(&frame));
        if frame.kind == kind::PING {
            break frame;
        }
    };
    note(&log, "unanswered", &mut client).await;
    client.write(&frames::frame(kind::PING, flag::ACK, 0, &ping.payload)).await;
    note(&log, "answered", &mut client).await;
    say!(log, "{}", end(served).await);
}

/// Each piece of content is that of one frame, however the frames arrive.
async fn pieces_of_content(log: Log) {
    let (mut send, _ended, mut server) = client().await;
    let (response, _stream) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&frames::headers(1, 0, frames::OK)).await;
    let mut body = response.await.unwrap().into_body();
    let content: Vec<_> =
        [5, 0, 1, 16_384, 3, 2_000].into_iter().flat_map(|size| frames::data(1, 0, &vec![0; size])).collect();
    for half in [&content[..10_000], &content[10_000..]] {
        server.write(half).await;
        settle().await;
        while let Some(data) = body.data().now_or_never() {
            say!(log, "{:?}", data.map(|data| data.map(|data| data.len()).map_err(|error| h2_error(&error))));
        }
        say!(log, "no more yet");
    }
    server.write(&frames::data(1, 0, b"in full")[..12]).await;
    server.shutdown().await;
    say!(log, "{:?}", body.data().await.map(|data| data.map_err(|error| h2_error(&error))));
}

/// Released bytes count, whether or not the peer knows of them.
async fn capacities(log: Log) {
    let (mut send, _ended, mut server) = client().await;
    let (response, _stream) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&frames::headers(1, 0, frames::OK)).await;
    let mut body = response.await.unwrap().into_body();
    for size in [1_000, 16_384, 16_384, 16_384, 10_000] {
        server.write(&frames::data(1, 0, &vec![0; size])).await;
        let bytes = body.data().await.unwrap().unwrap().len();
        let flow = body.flow_control();
        for released in [0, bytes / 2, bytes - bytes / 2] {
            flow.release_capacity(released).unwrap();
            let (available, used) = (flow.available_capacity(), flow.used_capacity());
            say!(log, "{size}, released {released}: {available} available, {used} used");
            settle().await;
        }
    }
}

/// A client that has nothing more to say, and waits for its answers.
async fn half_closed_client(log: Log) {
    for path in ["/", "/later", "/content"] {
        let (near, far) = duplex();
        let served = serve(far, &server::Builder::new(), |request, mut respond| async move {
            if request.uri().path() != "/" {
                settle().await;
            }
            _ = respond.send_response(ok(), request.uri().path() != "/content");
        });
        let mut client = Raw::greeted_client(near).await;
        let mut fields = GET.to_vec();
        fields.retain(|field| field.0 != ":path");
        fields.insert(1, (":path", path));
        client.write(&frames::headers(1, flag::END_STREAM, &fields)).await;
        client.shutdown().await;
        say!(log, "{path}: {:?}", client.rest().await);
        say!(log, "{path}: {}", end(served).await);
    }
}

async fn texts_of_reasons(log: Log) {
    for number in (0..15).chain([0xdead_beef]) {
        let reason = Reason::from(number);
        let error = h2::Error::from(reason);
        say!(log, "{reason:?} | {reason} | {} | {error} | {error:?}", reason.description());
    }
}

async fn texts_of_errors(log: Log) {
    for (name, octets) in [
        ("reset", frames::rst_stream(1, code::CANCEL)),
        ("unknown reset", frames::rst_stream(1, 99)),
        ("refused", frames::rst_stream(1, code::REFUSED_STREAM)),
        ("malformed", frames::headers(1, 0, &[("x", "y")])),
        ("GOAWAY", frames::go_away(0, code::ENHANCE_YOUR_CALM)),
        ("GOAWAY in words", frames::frame(kind::GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\x0binsist \"on\" it\n")),
        ("graceful GOAWAY", frames::go_away(0, code::NO_ERROR)),
        ("wrong frame", frames::data(0, 0, b"")),
        ("wrong size", frames::frame(kind::HEADERS, flag::END_HEADERS, 1, &[0x88; 16_385])),
        ("end", Vec::new()),
        ("end in a frame", b"\0\0\x08\x06".to_vec()),
    ] {
        let (mut send, ended, mut server) = client().await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(&octets).await;
        settle().await;
        server.shutdown().await;
        let error = response.await.err().unwrap();
        say!(log, "{name}: {error} | {error:?}");
        settle().await;
        if let Err(error) = poll_fn(|context| send.poll_ready(context)).await {
            say!(log, "{name}: ready: {error} | {error:?}");
        }
        if let Err(error) = stream.send_data(Bytes::new(), true) {
            say!(log, "{name}: send: {error} | {error:?}");
        }
        drop((send, stream));
        if let Err(error) = ended.await.unwrap() {
            say!(log, "{name}: client: {error} | {error:?}");
        }
    }
}

/// Errors of the caller.
async fn texts_of_misuse(log: Log) {
    let (near, far) = duplex();
    let (mut send, mut connection) = client::Builder::new().handshake::<_, Bytes>(near).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    let twice = (connection.set_initial_window_size(1), connection.set_initial_window_size(2));
    tokio::spawn(connection);
    let mut server = Raw::greeted_server(far, &[(setting::MAX_CONCURRENT_STREAMS, 1)]).await;
    settle().await;
    let note = |name: &str, result: Result<(), h2::Error>| match result {
        Ok(()) => say!(log, "{name}: done"),
        Err(error) => say!(log, "{name}: {error} | {error:?}"),
    };
    note("settings", twice.0);
    note("settings again", twice.1);
    pings.send_ping(Ping::opaque()).unwrap();
    note("ping again", pings.send_ping(Ping::opaque()));
    let connection_specific = Request::get("http://a/").header("connection", "close").body(()).unwrap();
    note("connection", send.send_request(connection_specific, true).map(drop));
    let incomplete =
        Request::builder().method(Method::GET).uri("/").version(Version::HTTP_2).body(()).unwrap();
    note("no authority", send.send_request(incomplete, true).map(drop));
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    let waits = send.send_request(get("/"), true).unwrap();
    note("while another waits", send.send_request(get("/"), true).map(drop));
    stream.send_data(Bytes::new(), true).unwrap();
    note("data after the end", stream.send_data(Bytes::new(), true));
    note("trailers after the end", stream.send_trailers(HeaderMap::new()));
    server.write(&frames::headers(stream.stream_id().as_u32(), 0, frames::OK)).await;
    let mut body = response.await.unwrap().into_body();
    note("release", body.flow_control().release_capacity(1));
    drop((waits, body));
}
