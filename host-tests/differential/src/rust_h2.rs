//! The crate `h2` as an endpoint, polled by hand over bytes in memory.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::server::{self, SendResponse};
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http2_engine::Role;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::endpoint::{Change, Endpoint, Refused, Start};
use crate::message::{Delivery, Fields};

/// More streams than any conversation has.
///
/// After a refusal, `h2` takes trailers of the refused request that were in flight for the start of another
/// request, and ends the connection; this limit ensures that it never refuses a request.
const MOST_STREAMS: u32 = 100;

/// A connection of the crate `h2`.
///
/// The crate sends no padding, raises a stream's window only for content that was read, shuts down gracefully
/// only as a server, and changes no setting but the initial window, one change at a time. Its `HeaderMap`
/// keeps the order of fields with the same name, but not of those with different names.
pub struct RustH2 {
    pipe: Arc<Mutex<Octets>>,
    connection: Connection,
    ping_pong: Option<PingPong>,
    ping_under_way: bool,
    pongs: usize,
    streams: BTreeMap<u32, Stream>,
    deliveries: Vec<(u32, Delivery)>,
    failure: Option<String>,
}

enum Connection {
    Client(SendRequest<Bytes>, client::Connection<Pipe, Bytes>),
    /// The client's preface has not arrived completely.
    Arriving(Pin<Box<server::Handshake<Pipe, Bytes>>>),
    Server(server::Connection<Pipe, Bytes>),
    Ended,
}

/// The handles of a stream, kept until the end, since dropping one can reset the stream.
#[derive(Default)]
struct Stream {
    response: Option<ResponseFuture>,
    respond: Option<SendResponse<Bytes>>,
    sending: Option<SendStream<Bytes>>,
    receiving: Option<RecvStream>,
    /// All content has been delivered; trailers may follow.
    content_ended: bool,
    read: bool,
    reset: Option<u32>,
    /// The reset was reported, or was this end's own.
    done: bool,
}

impl RustH2 {
    /// Creates a connection.
    ///
    /// # Panics
    ///
    /// Panics if `h2` rejects its configuration.
    pub fn new(start: &Start) -> Self {
        let pipe = Arc::new(Mutex::new(Octets { room: 1 << 16, ..Octets::default() }));
        // A peer that acts at random exceeds normal limits, and no timeout may apply.
        let (many, long) = (1 << 20, Duration::from_secs(1 << 20));
        let io = Pipe(pipe.clone());
        let connection = match start.role {
            Role::Client => {
                let mut builder = client::Builder::new();
                builder
                    .enable_push(false)
                    .initial_window_size(start.initial_window_size)
                    .initial_connection_window_size(start.connection_window)
                    .max_frame_size(start.max_frame_size)
                    .header_table_size(start.header_table_size)
                    .max_concurrent_reset_streams(many)
                    .reset_stream_duration(long)
                    .max_send_buffer_size(many);
                let mut handshake = pin!(builder.handshake(io));
                match handshake.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Ok((requests, connection))) => Connection::Client(requests, connection),
                    _ => panic!("a client's handshake never blocks"),
                }
            }
            Role::Server => {
                let mut builder = server::Builder::new();
                builder
                    .initial_window_size(start.initial_window_size)
                    .initial_connection_window_size(start.connection_window)
                    .max_frame_size(start.max_frame_size)
                    .header_table_size(start.header_table_size)
                    .max_concurrent_streams(start.max_concurrent_streams.max(MOST_STREAMS))
                    .max_concurrent_reset_streams(many)
                    .max_pending_accept_reset_streams(many)
                    .reset_stream_duration(long)
                    .max_send_buffer_size(many);
                Connection::Arriving(Box::pin(builder.handshake(io)))
            }
        };
        Self {
            pipe,
            connection,
            ping_pong: None,
            ping_under_way: false,
            pongs: 0,
            streams: BTreeMap::new(),
            deliveries: Vec::new(),
            failure: None,
        }
    }

    /// Polls everything that may have progressed.
    fn run(&mut self) {
        let cx = &mut Context::from_waker(Waker::noop());
        // One poll may enable another.
        for _ in 0..2 {
            self.poll_connection(cx);
            self.poll_pong(cx);
            for (&id, stream) in &mut self.streams {
                stream.poll(id, &mut self.deliveries, cx);
            }
        }
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) {
        if let Connection::Arriving(handshake) = &mut self.connection {
            match handshake.as_mut().poll(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(connection)) => self.connection = Connection::Server(connection),
                Poll::Ready(Err(error)) => self.end(Err(error)),
            }
        }
        match &mut self.connection {
            Connection::Client(_, connection) => {
                self.ping_pong = self.ping_pong.take().or_else(|| connection.ping_pong());
                if let Poll::Ready(result) = Pin::new(connection).poll(cx) {
                    self.end(result);
                }
            }
            Connection::Server(connection) => {
                self.ping_pong = self.ping_pong.take().or_else(|| connection.ping_pong());
                loop {
                    match connection.poll_accept(cx) {
                        Poll::Pending => break,
                        Poll::Ready(None) => break self.end(Ok(())),
                        Poll::Ready(Some(Err(error))) => break self.end(Err(error)),
                        Poll::Ready(Some(Ok((request, respond)))) => {
                            let id = respond.stream_id().as_u32();
                            let (parts, receiving) = request.into_parts();
                            let stream = Stream {
                                respond: Some(respond),
                                receiving: Some(receiving),
                                ..Stream::default()
                            };
                            self.streams.insert(id, stream);
                            self.deliveries.push((id, Delivery::Head(from_request(&parts))));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, result: Result<(), h2::Error>) {
        if let Err(error) = result {
            self.failure = Some(error.to_string());
        }
        self.connection = Connection::Ended;
    }

    fn poll_pong(&mut self, cx: &mut Context<'_>) {
        if let Some(ping_pong) = &mut self.ping_pong
            && self.ping_under_way
            && let Poll::Ready(Ok(_)) = ping_pong.poll_pong(cx)
        {
            self.pongs += 1;
            self.ping_under_way = false;
        }
    }

    fn stream(&mut self, id: u32) -> Result<&mut Stream, Refused> {
        self.streams.get_mut(&id).filter(|stream| stream.reset.is_none() && !stream.done).ok_or(Refused::Gone)
    }

    fn sent<T>(&mut self, result: Result<T, h2::Error>) -> Result<T, Refused> {
        self.run();
        result.map_err(|_| Refused::Gone)
    }
}

impl Stream {
    /// Takes heads and resets, which arrive without a read.
    fn poll(&mut self, id: u32, deliveries: &mut Vec<(u32, Delivery)>, cx: &mut Context<'_>) {
        if self.done {
            return;
        }
        if let Some(response) = &mut self.response {
            while let Poll::Ready(Some(Ok(head))) = response.poll_informational(cx) {
                deliveries.push((id, Delivery::Informational(from_response(&head))));
            }
            match Pin::new(response).poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(head)) => {
                    let (parts, receiving) = head.into_parts();
                    let head = from_response(&Response::from_parts(parts, ()));
                    deliveries.push((id, Delivery::Head(head)));
                    self.receiving = Some(receiving);
                    self.response = None;
                }
                Poll::Ready(Err(error)) => {
                    self.response = None;
                    self.ended(id, &error, deliveries);
                }
            }
        }
        let reset = match (&mut self.sending, &mut self.respond) {
            (Some(sending), _) => sending.poll_reset(cx),
            (None, Some(respond)) => respond.poll_reset(cx),
            (None, None) => Poll::Pending,
        };
        if let Poll::Ready(Ok(code)) = reset {
            self.reset = Some(code.into());
        }
        self.deliver_reset(id, deliveries);
    }

    /// Reports the peer's reset after everything that can still be read.
    fn deliver_reset(&mut self, id: u32, deliveries: &mut Vec<(u32, Delivery)>) {
        if let Some(code) = self.reset
            && self.read
            && !self.done
        {
            self.done = true;
            deliveries.push((id, Delivery::Reset(code)));
        }
    }

    fn ended(&mut self, id: u32, error: &h2::Error, deliveries: &mut Vec<(u32, Delivery)>) {
        self.read = true;
        self.reset = self.reset.or(error.reason().map(u32::from));
        self.deliver_reset(id, deliveries);
    }

    fn read(&mut self, id: u32, deliveries: &mut Vec<(u32, Delivery)>, cx: &mut Context<'_>) {
        let Some(receiving) = self.receiving.as_mut().filter(|_| !self.read && !self.done) else { return };
        if !self.content_ended {
            match receiving.poll_data(cx) {
                Poll::Pending => return,
                Poll::Ready(None) => self.content_ended = true,
                Poll::Ready(Some(Ok(content))) => {
                    let released = receiving.flow_control().release_capacity(content.len());
                    released.expect("no more credit is returned than was received");
                    return deliveries.push((id, Delivery::Content(content.to_vec())));
                }
                Poll::Ready(Some(Err(error))) => return self.ended(id, &error, deliveries),
            }
        }
        match receiving.poll_trailers(cx) {
            Poll::Pending => {}
            Poll::Ready(Err(error)) => self.ended(id, &error, deliveries),
            Poll::Ready(Ok(trailers)) => {
                if let Some(trailers) = trailers {
                    deliveries.push((id, Delivery::Trailers(from_headers(&trailers))));
                }
                self.read = true;
                deliveries.push((id, Delivery::End));
                self.deliver_reset(id, deliveries);
            }
        }
    }
}

impl Endpoint for RustH2 {
    fn receive(&mut self, octets: &[u8]) {
        self.pipe.lock().unwrap().input.extend(octets);
        self.run();
    }

    fn transmit(&mut self, max: usize, out: &mut Vec<u8>) {
        self.pipe.lock().unwrap().room = max;
        self.run();
        let mut pipe = self.pipe.lock().unwrap();
        out.append(&mut pipe.output);
        pipe.room = 0;
    }

    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused> {
        let Connection::Client(requests, _) = &mut self.connection else { return Err(Refused::Gone) };
        match requests.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => return Err(Refused::NotNow),
            Poll::Ready(Err(_)) => return Err(Refused::Gone),
            Poll::Ready(Ok(())) => {}
        }
        let (response, sending) =
            requests.send_request(to_request(head), end_stream).map_err(|_| Refused::Gone)?;
        let id = response.stream_id().as_u32();
        let stream = Stream { response: Some(response), sending: Some(sending), ..Stream::default() };
        self.streams.insert(id, stream);
        self.run();
        Ok(id)
    }

    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused> {
        let respond = self.stream(stream)?.respond.as_mut().ok_or(Refused::Gone)?;
        let result = respond.send_informational(to_response(head));
        self.sent(result)
    }

    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused> {
        let respond = self.stream(stream)?.respond.as_mut().ok_or(Refused::Gone)?;
        let result = respond.send_response(to_response(head), end_stream);
        let sending = self.sent(result)?;
        self.stream(stream)?.sending = Some(sending);
        self.run();
        Ok(())
    }

    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused> {
        let sending = self.stream(stream)?.sending.as_mut().ok_or(Refused::Gone)?;
        let result = sending.send_data(Bytes::copy_from_slice(content), end_stream);
        self.sent(result)?;
        Ok(content.len())
    }

    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused> {
        let sending = self.stream(stream)?.sending.as_mut().ok_or(Refused::Gone)?;
        let result = sending.send_trailers(to_headers(trailers));
        self.sent(result)
    }

    fn reset(&mut self, stream: u32, code: u32) {
        let Some(stream) = self.streams.get_mut(&stream) else { return };
        stream.done = true;
        match (&mut stream.sending, &mut stream.respond) {
            (Some(sending), _) => sending.send_reset(Reason::from(code)),
            (None, Some(respond)) => respond.send_reset(Reason::from(code)),
            (None, None) => {}
        }
        self.run();
    }

    fn read(&mut self, id: u32, _max: usize) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.read(id, &mut self.deliveries, &mut Context::from_waker(Waker::noop()));
        }
        self.run();
    }

    fn change(&mut self, change: Change) -> Result<(), Refused> {
        let Change::InitialWindowSize(octets) = change else { return Err(Refused::NotNow) };
        let result = match &mut self.connection {
            Connection::Client(_, connection) => connection.set_initial_window_size(octets),
            Connection::Server(connection) => connection.set_initial_window_size(octets),
            _ => return Err(Refused::NotNow),
        };
        self.run();
        // The previous change is still unacknowledged.
        result.map_err(|_| Refused::NotNow)
    }

    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused> {
        let octets = 65_535 + octets;
        match &mut self.connection {
            Connection::Client(_, connection) if stream == 0 => connection.set_target_window_size(octets),
            Connection::Server(connection) if stream == 0 => connection.set_target_window_size(octets),
            _ => return Err(Refused::NotNow),
        }
        self.run();
        Ok(())
    }

    fn ping(&mut self) -> Result<(), Refused> {
        let ping_pong = self.ping_pong.as_mut().ok_or(Refused::NotNow)?;
        ping_pong.send_ping(Ping::opaque()).map_err(|_| Refused::NotNow)?;
        self.ping_under_way = true;
        self.run();
        Ok(())
    }

    fn pongs(&self) -> usize {
        self.pongs
    }

    fn shut_down(&mut self) -> Result<(), Refused> {
        let Connection::Server(connection) = &mut self.connection else { return Err(Refused::NotNow) };
        connection.graceful_shutdown();
        self.run();
        Ok(())
    }

    fn deliveries(&mut self) -> Vec<(u32, Delivery)> {
        std::mem::take(&mut self.deliveries)
    }

    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }

    fn keeps_field_order(&self) -> bool {
        false
    }

    /// `h2` checks the credit it owes when content is read, and not when the setting is acknowledged (0.4.20,
    /// `Recv::apply_local_settings`).
    fn compensates_lower_windows(&self) -> bool {
        false
    }

    /// `h2` takes the stream for an idle one, and ends the connection.
    fn ignores_windows_of_late_streams(&self) -> bool {
        false
    }
}

/// Bytes in flight, in and out.
#[derive(Default)]
struct Octets {
    input: VecDeque<u8>,
    output: Vec<u8>,
    /// The number of bytes that may still be written.
    room: usize,
}

/// The transport of a connection.
///
/// It wakes no task; instead, everything is polled again after every change.
struct Pipe(Arc<Mutex<Octets>>);

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.0.lock().unwrap();
        if pipe.input.is_empty() {
            return Poll::Pending;
        }
        let octets = pipe.input.len().min(buffer.remaining());
        let octets: Vec<u8> = pipe.input.drain(..octets).collect();
        buffer.put_slice(&octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.0.lock().unwrap();
        let taken = octets.len().min(pipe.room);
        if taken == 0 && !octets.is_empty() {
            return Poll::Pending;
        }
        pipe.room -= taken;
        pipe.output.extend_from_slice(&octets[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn text(fields: &Fields, name: &str) -> String {
    String::from_utf8(fields.get(name).expect("the mandatory pseudo-header field").to_vec()).unwrap()
}

fn to_headers(fields: &Fields) -> HeaderMap {
    let fields = fields.iter().filter(|(name, _)| !name.starts_with(b":"));
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_bytes(name).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn to_request(fields: &Fields) -> Request<()> {
    let uri = [":scheme", ":authority", ":path"].map(|name| text(fields, name));
    let uri = format!("{}://{}{}", uri[0], uri[1], uri[2]);
    let mut request = Request::builder().method(text(fields, ":method").as_str()).uri(uri).body(()).unwrap();
    *request.headers_mut() = to_headers(fields);
    request
}

fn to_response(fields: &Fields) -> Response<()> {
    let mut response = Response::builder().status(text(fields, ":status").as_str()).body(()).unwrap();
    *response.headers_mut() = to_headers(fields);
    response
}

fn from_headers(headers: &HeaderMap) -> Fields {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn from_request(parts: &http::request::Parts) -> Fields {
    let mut fields = Fields::default();
    fields.push(":method", parts.method.as_str());
    fields.push(":scheme", parts.uri.scheme_str().unwrap_or_default());
    fields.push(":authority", parts.uri.authority().map(http::uri::Authority::as_str).unwrap_or_default());
    fields.push(":path", parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str).unwrap_or_default());
    fields.0.extend(from_headers(&parts.headers).0);
    fields
}

fn from_response(response: &Response<()>) -> Fields {
    let mut fields = Fields::default();
    fields.push(":status", response.status().as_str());
    fields.0.extend(from_headers(response.headers()).0);
    fields
}
