//! The resource `connection`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http2_engine::{Connection as Engine, ErrorCode, SettingId, StreamId};
use wasi::clocks::monotonic_clock::{self, Duration, Instant};
use wasi::io::poll::Pollable;

use crate::bindings::exports::http2::engine::connection::{
    self as exports, AltSvc, Event, GoAway, GuestConnection, Http2Stream, Request, Role, TraceFrame, Turn,
};
use crate::bindings::http2::engine::types::{Error, RequestExtras, RequestHead, Setting};
use crate::endpoint::Endpoint;
use crate::errors;
use crate::heads;
use crate::io;
use crate::options::Options;
use crate::stream::Stream;
use crate::streams::StreamState;
use crate::trace::Trace;
use crate::transport::Transport;

/// The payload of the first PING of `blocking-ping`, chosen to differ from likely payloads of the application.
const FIRST_PING: u64 = 0x6874_7470_325f_0000;

/// A handle to a connection.
///
/// Each call borrows the endpoint once, from beginning to end. Nothing it calls calls back into this module, so the
/// borrow cannot fail.
pub(crate) struct Connection {
    endpoint: Rc<RefCell<Endpoint>>,
    trace: Option<Trace>,
    next_ping: Cell<u64>,
}

impl Connection {
    /// Returns the endpoint.
    pub(crate) fn endpoint(&self) -> &RefCell<Endpoint> {
        &self.endpoint
    }

    fn stream(&self, id: StreamId) -> Http2Stream {
        Http2Stream::new(Stream::new(Rc::clone(&self.endpoint), id))
    }

    fn open(
        &self,
        head: &RequestHead,
        protocol: Option<&str>,
        never_indexed: &[String],
        end_of_stream: bool,
    ) -> Result<Http2Stream, Error> {
        let section = heads::request_section(head, protocol, never_indexed)?;
        let mut endpoint = self.endpoint.borrow_mut();
        let id = endpoint.engine.open(&section, end_of_stream).map_err(|error| {
            errors::from_open_error(error, |malformed| heads::describe_malformed_request(malformed, head))
        })?;
        endpoint.streams.insert(id, StreamState::opened());
        if end_of_stream {
            endpoint.streams.watch(id);
        } else {
            endpoint.message_started();
        }
        Ok(self.stream(id))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.endpoint.borrow_mut().close();
    }
}

impl GuestConnection for Connection {
    fn handshake(
        io: io::Handle,
        role: Role,
        options: Option<exports::Options>,
    ) -> Result<exports::Connection, Error> {
        let configuration =
            options.map(|options| options.into_inner::<Options>().into_configuration()).unwrap_or_default();
        let engine = match role {
            Role::Client => Engine::client(configuration.config),
            Role::Server => Engine::server(configuration.config),
        };
        let mut engine = engine.map_err(errors::invalid_argument)?;
        let trace = configuration.trace.then(|| Trace::attach(&mut engine));
        let endpoint = Rc::new(RefCell::new(Endpoint::new(engine, Transport::new(io::open(io)))));
        Ok(exports::Connection::new(Self { endpoint, trace, next_ping: Cell::new(FIRST_PING) }))
    }

    fn open_stream(&self, head: RequestHead, end_of_stream: bool) -> Result<Http2Stream, Error> {
        self.open(&head, None, &[], end_of_stream)
    }

    fn open_stream_with(
        &self,
        head: RequestHead,
        extras: RequestExtras,
        end_of_stream: bool,
    ) -> Result<Http2Stream, Error> {
        self.open(&head, extras.protocol.as_deref(), &extras.never_indexed, end_of_stream)
    }

    fn open_capacity(&self) -> u32 {
        u32::try_from(self.endpoint.borrow().engine.open_capacity()).unwrap_or(u32::MAX)
    }

    fn accept(&self) -> Result<Option<Http2Stream>, Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        match (endpoint.accept(), endpoint.failure()) {
            (Some(id), _) => Ok(Some(self.stream(id))),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    fn blocking_accept(&self, timeout: Option<Duration>) -> Result<Option<Http2Stream>, Error> {
        let accepted = self.endpoint.borrow_mut().block_until(timeout, |endpoint| {
            let accepted = endpoint.accept();
            match endpoint.engine.close_reason() {
                None if accepted.is_none() && endpoint.is_stuck() => Err(errors::streams_exhausted()),
                None if accepted.is_none() => Ok(None),
                Some(Err(_)) if accepted.is_none() => {
                    Err(endpoint.failure().unwrap_or_else(errors::connection_closed))
                }
                _ => Ok(Some(accepted)),
            }
        })?;
        Ok(accepted.map(|id| self.stream(id)))
    }

    fn drive(&self) -> Result<bool, Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        let moved = endpoint.drive();
        endpoint.failure().map_or(Ok(moved), Err)
    }

    fn turn(&self) -> Result<Turn, Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        let moved = endpoint.drive();
        let mut requests = Vec::new();
        while let Some(id) = endpoint.accept() {
            if let Some(head) = endpoint.streams.get(id).and_then(|stream| stream.request.as_ref()) {
                let head = heads::request_head(head);
                requests.push(Request { stream: self.stream(id), id: id.as_u32(), head });
            }
        }
        let changed: Vec<u32> = endpoint.streams.take_changed().into_iter().map(StreamId::as_u32).collect();
        match endpoint.failure() {
            Some(error) if requests.is_empty() && changed.is_empty() => Err(error),
            _ => Ok(Turn {
                moved,
                requests,
                changed,
                takes_input: endpoint.takes_input(),
                has_output: endpoint.has_output(),
                next_timeout: endpoint.next_timeout(),
                ended: endpoint.is_over(),
            }),
        }
    }

    fn blocking_drive(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        self.endpoint.borrow_mut().blocking_drive(timeout)
    }

    fn blocking_flush(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.endpoint.borrow_mut().block_until(timeout, |endpoint| match endpoint.failure() {
            Some(error) => Err(error),
            None => Ok(endpoint.is_flushed().then_some(())),
        })
    }

    fn subscribe_read(&self) -> Pollable {
        match self.endpoint.borrow().transport() {
            Some(transport) => transport.subscribe_read(),
            None => monotonic_clock::subscribe_duration(0),
        }
    }

    fn takes_input(&self) -> bool {
        self.endpoint.borrow().takes_input()
    }

    fn subscribe_write(&self) -> Pollable {
        match self.endpoint.borrow().transport() {
            Some(transport) => transport.subscribe_write(),
            None => monotonic_clock::subscribe_duration(0),
        }
    }

    fn has_output(&self) -> bool {
        self.endpoint.borrow().has_output()
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.endpoint.borrow().next_timeout()
    }

    fn changed(&self) -> Vec<u32> {
        let changed = self.endpoint.borrow_mut().streams.take_changed();
        changed.into_iter().map(StreamId::as_u32).collect()
    }

    fn next_event(&self) -> Option<Event> {
        self.endpoint.borrow_mut().next_event()
    }

    fn window_update(&self, bytes: u32) -> Result<(), Error> {
        self.endpoint.borrow_mut().engine.connection_window_update(bytes).map_err(errors::from_window_error)
    }

    fn windows(&self) -> (i64, i64) {
        let windows = self.endpoint.borrow().engine.windows();
        (windows.receive, windows.send)
    }

    fn ping(&self, opaque: u64) -> Result<(), Error> {
        ping(&mut self.endpoint.borrow_mut(), opaque)
    }

    fn blocking_ping(&self, timeout: Option<Duration>) -> Result<Duration, Error> {
        let payload = self.next_ping.get();
        self.next_ping.set(payload.wrapping_add(1));
        let mut endpoint = self.endpoint.borrow_mut();
        ping(&mut endpoint, payload)?;
        endpoint.await_pong(payload);
        endpoint.block_until(timeout, |endpoint| match endpoint.take_awaited_pong() {
            Some(round_trip) => Ok(Some(round_trip)),
            None => endpoint.failure().map_or(Ok(None), Err),
        })
    }

    fn shutdown(&self) {
        let mut endpoint = self.endpoint.borrow_mut();
        endpoint.engine.shutdown(http2_engine::Time::from_nanos(monotonic_clock::now()));
        endpoint.process_events();
    }

    fn abort(&self, code: u32, debug_data: Vec<u8>) {
        let mut endpoint = self.endpoint.borrow_mut();
        endpoint.engine.abort(ErrorCode(code), &debug_data);
        endpoint.process_events();
    }

    fn closed(&self) -> Option<Result<(), Error>> {
        let endpoint = self.endpoint.borrow();
        endpoint.is_over().then(|| endpoint.failure().map_or(Ok(()), Err))
    }

    fn received_go_away(&self) -> Option<GoAway> {
        self.endpoint.borrow().received_go_away()
    }

    fn local_settings(&self) -> Vec<Setting> {
        self.endpoint.borrow().engine.local_settings().iter().map(|(id, value)| (id.0, value)).collect()
    }

    fn peer_settings(&self) -> Vec<Setting> {
        self.endpoint.borrow().engine.peer_settings().iter().map(|(id, value)| (id.0, value)).collect()
    }

    fn change_settings(&self, settings: Vec<Setting>) -> Result<(), Error> {
        let settings: Vec<_> = settings.into_iter().map(|(id, value)| (SettingId(id), value)).collect();
        self.endpoint.borrow_mut().engine.change_settings(&settings).map_err(errors::invalid_argument)
    }

    fn send_origin(&self, origins: Vec<String>) -> Result<(), Error> {
        let origins: Vec<&[u8]> = origins.iter().map(String::as_bytes).collect();
        self.endpoint.borrow_mut().engine.send_origin(&origins).map_err(errors::from_send_error)
    }

    fn send_alt_svc(&self, alt_svc: AltSvc) -> Result<(), Error> {
        let AltSvc { stream_id, origin, value } = alt_svc;
        let id = StreamId::new(stream_id)
            .ok_or_else(|| errors::invalid_argument("a stream identifier is at most 2^31-1"))?;
        if id.is_connection() == origin.is_empty() {
            return Err(errors::invalid_argument(
                "an alternative service needs either an origin or a stream",
            ));
        }
        self.endpoint.borrow_mut().engine.send_alt_svc(id, &origin, &value).map_err(errors::from_send_error)
    }

    fn stats(&self) -> Vec<(String, u64)> {
        let stats = self.endpoint.borrow().engine.stats();
        stats.iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn trace(&self) -> Vec<TraceFrame> {
        self.trace.as_ref().map(Trace::take).unwrap_or_default()
    }
}

/// Sends a PING; returns the connection's error if it has ended.
fn ping(endpoint: &mut Endpoint, payload: u64) -> Result<(), Error> {
    match endpoint.engine.close_reason() {
        None => endpoint.engine.ping(payload.to_be_bytes()).map_err(errors::from_send_error),
        Some(_) => Err(endpoint.failure().unwrap_or_else(errors::connection_closed)),
    }
}
