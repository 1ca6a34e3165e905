//! Typical applications: a server that answers requests, and a client that makes some.

use std::collections::BTreeMap;
use std::iter;

use http2_test_support::code;
use wasmtime::component::ResourceAny;

use super::bindings::http2::engine::types::{Fields, Method, RequestHead, ResponseHead, Scheme};
use super::instance::Instance;

/// The most bytes of content read or sent in one call.
const PIECE: usize = 64 << 10;

/// The user of a connection.
pub(crate) trait Application {
    /// Does all work possible now; returns whether it did any.
    fn work(&mut self, instance: &mut Instance) -> bool;
}

/// The content length of a short response.
pub(crate) const SHORT: usize = 100;

/// The way in which a server handles requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Answers with this many bytes of content, and reads the request to its end.
    Answers(usize),
    /// Answers, and numbers its responses in a field.
    Numbers,
    /// Answers, but leaves the content of the request unread.
    DoesNotRead,
    /// Answers, and releases the request without reading it.
    Refuses,
    /// Resets the stream.
    Fails,
    /// Echoes the content of the request as it arrives.
    Echoes,
    /// Waits until its behaviour changes, but releases cancelled requests.
    Waits,
    /// Waits, and releases nothing, not even cancelled requests.
    Clings,
}

/// Accepts requests and handles them.
pub(crate) struct Server {
    pub(crate) behaviour: Behaviour,
    /// The number of requests accepted.
    pub(crate) seen: u64,
    /// The most requests held at the same time.
    pub(crate) most_held: usize,
    /// The bytes of content read.
    pub(crate) read: u64,
    streams: BTreeMap<u32, Exchange>,
}

/// A request in progress.
struct Exchange {
    stream: ResourceAny,
    responded: bool,
    /// The bytes of content sent.
    sent: usize,
    is_sent: bool,
    is_read: bool,
}

/// The stream has ended prematurely.
struct Aborted;

impl Server {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, seen: 0, most_held: 0, read: 0, streams: BTreeMap::new() }
    }

    fn accept(&mut self, instance: &mut Instance) -> bool {
        let mut any = false;
        loop {
            let (exports, store, connection) = instance.connection();
            let Ok(Some(stream)) = exports.call_accept(store, connection).unwrap() else { return any };
            let (exports, store) = instance.stream();
            let id = exports.call_id(&mut *store, stream).unwrap();
            exports.call_request(store, stream).unwrap().expect("a request");
            self.seen += 1;
            self.streams.insert(id, Exchange::new(stream));
            self.most_held = self.most_held.max(self.streams.len());
            self.advance(id, instance);
            any = true;
        }
    }

    /// Handles all waiting requests.
    pub(crate) fn answer(&mut self, behaviour: Behaviour, instance: &mut Instance) {
        self.behaviour = behaviour;
        for id in Vec::from_iter(self.streams.keys().copied()) {
            self.advance(id, instance);
        }
    }

    /// Continues a request, and releases it when nothing is left to do.
    fn advance(&mut self, id: u32, instance: &mut Instance) {
        let Some(exchange) = self.streams.get_mut(&id) else { return };
        let has_ended = match self.behaviour {
            Behaviour::Answers(octets) => exchange.answer(octets, instance, &mut self.read),
            Behaviour::Numbers => exchange
                .respond(vec![("x-request-id".to_owned(), id.to_string().into_bytes())], instance)
                .and_then(|()| exchange.answer(SHORT, instance, &mut self.read)),
            Behaviour::DoesNotRead => exchange.send(SHORT, instance).map(|()| false),
            Behaviour::Refuses => exchange.send(SHORT, instance).map(|()| true),
            Behaviour::Fails => exchange.fail(instance).map(|()| true),
            Behaviour::Echoes => exchange.echo(instance, &mut self.read),
            Behaviour::Waits => Ok(exchange.is_cancelled(instance)),
            Behaviour::Clings => Ok(false),
        };
        if has_ended.unwrap_or(true) {
            instance.release(exchange.stream);
            self.streams.remove(&id);
        }
    }
}

impl Application for Server {
    fn work(&mut self, instance: &mut Instance) -> bool {
        let (exports, store, connection) = instance.connection();
        let changed = exports.call_changed(store, connection).unwrap();
        for id in &changed {
            self.advance(*id, instance);
        }
        self.accept(instance) || !changed.is_empty()
    }
}

impl Exchange {
    fn new(stream: ResourceAny) -> Self {
        Self { stream, responded: false, sent: 0, is_sent: false, is_read: false }
    }

    /// Answers with this many bytes, and reads the request; returns whether both are complete.
    fn answer(&mut self, octets: usize, instance: &mut Instance, read: &mut u64) -> Result<bool, Aborted> {
        self.send(octets, instance)?;
        while let Some(content) = self.read(instance)? {
            *read += content.len() as u64;
        }
        Ok(self.is_sent && self.is_read)
    }

    /// Echoes received content; returns whether the echo is complete.
    fn echo(&mut self, instance: &mut Instance, read: &mut u64) -> Result<bool, Aborted> {
        self.respond(Vec::new(), instance)?;
        while let Some(content) = self.read(instance)? {
            *read += content.len() as u64;
            assert_eq!(
                self.send_part(&content, false, instance)?,
                content.len(),
                "the stream accepts messages"
            );
        }
        if self.is_read {
            self.send_part(&[], true, instance)?;
        }
        Ok(self.is_read)
    }

    /// Whether the client has cancelled the request.
    fn is_cancelled(&self, instance: &mut Instance) -> bool {
        let (exports, store) = instance.stream();
        exports.call_finished(store, self.stream).unwrap()
    }

    fn fail(&mut self, instance: &mut Instance) -> Result<(), Aborted> {
        let (exports, store) = instance.stream();
        exports.call_reset(store, self.stream, code::INTERNAL_ERROR).unwrap();
        Ok(())
    }

    /// Sends the head of the response, once.
    fn respond(&mut self, headers: Fields, instance: &mut Instance) -> Result<(), Aborted> {
        if std::mem::replace(&mut self.responded, true) {
            return Ok(());
        }
        let (exports, store) = instance.stream();
        let head = ResponseHead { status: 200, headers };
        exports.call_respond(store, self.stream, &head, false).unwrap().map_err(|_| Aborted)
    }

    /// Sends as much of a response with this many bytes of content as fits.
    fn send(&mut self, octets: usize, instance: &mut Instance) -> Result<(), Aborted> {
        self.respond(Vec::new(), instance)?;
        while !self.is_sent {
            let piece = vec![b'x'; (octets - self.sent).min(PIECE)];
            let is_last = self.sent + piece.len() == octets;
            let taken = self.send_part(&piece, is_last, instance)?;
            self.sent += taken;
            self.is_sent = is_last && taken == piece.len();
            if taken < piece.len() {
                break;
            }
        }
        Ok(())
    }

    fn send_part(&mut self, octets: &[u8], end: bool, instance: &mut Instance) -> Result<usize, Aborted> {
        let (exports, store) = instance.stream();
        let taken = exports.call_send_data(store, self.stream, octets, end).unwrap();
        taken.map(|taken| taken as usize).map_err(|_| Aborted)
    }

    /// Reads the next content.
    fn read(&mut self, instance: &mut Instance) -> Result<Option<Vec<u8>>, Aborted> {
        if self.is_read {
            return Ok(None);
        }
        let (exports, store) = instance.stream();
        match exports.call_read_data(store, self.stream, PIECE as u32).unwrap() {
            Ok(Some(content)) => Ok(Some(content).filter(|content| !content.is_empty())),
            Ok(None) => {
                self.is_read = true;
                Ok(None)
            }
            Err(_) => Err(Aborted),
        }
    }
}

/// Makes GET requests, keeping two in flight, and reads the responses.
pub(crate) struct Client {
    /// The number of pushed requests received.
    pub(crate) pushed: u64,
    streams: BTreeMap<u32, ResourceAny>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self { pushed: 0, streams: BTreeMap::new() }
    }

    fn open(&mut self, instance: &mut Instance) {
        while self.streams.len() < 2 {
            let (exports, store, connection) = instance.connection();
            let opened = exports.call_open_stream(store, connection, &get(), true).unwrap();
            let Ok(stream) = opened else { return };
            self.check_defence(stream, instance);
        }
    }

    fn check_defence(&mut self, stream: ResourceAny, instance: &mut Instance) {
        let (exports, store) = instance.stream();
        let id = exports.call_id(store, stream).unwrap();
        self.streams.insert(id, stream);
    }

    fn advance(&mut self, id: u32, instance: &mut Instance) {
        let Some(&stream) = self.streams.get(&id) else { return };
        let (exports, store) = instance.stream();
        let pushed = Vec::from_iter(iter::from_fn(|| exports.call_pushed(&mut *store, stream).unwrap()));
        // The response itself does not matter here.
        _ = exports.call_response(&mut *store, stream).unwrap();
        let has_ended = loop {
            match exports.call_read_data(&mut *store, stream, PIECE as u32).unwrap() {
                Ok(Some(content)) if content.is_empty() => break false,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break true,
            }
        };
        if has_ended {
            self.streams.remove(&id);
            instance.release(stream);
        }
        for pushed in pushed {
            self.pushed += 1;
            self.check_defence(pushed, instance);
        }
    }
}

impl Application for Client {
    fn work(&mut self, instance: &mut Instance) -> bool {
        let (exports, store, connection) = instance.connection();
        let changed = exports.call_changed(store, connection).unwrap();
        for id in &changed {
            self.advance(*id, instance);
        }
        self.open(instance);
        !changed.is_empty()
    }
}

fn get() -> RequestHead {
    RequestHead {
        method: Method::Get,
        scheme: Some(Scheme::Http),
        authority: Some("localhost".to_owned()),
        path_with_query: Some("/".to_owned()),
        headers: vec![("authorization".to_owned(), b"Bearer c2VjcmV0".to_vec())],
    }
}
