//! Random calls.

use http2_engine::Role as PeerRole;
use http2_simulation::Random;
use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};

use crate::arguments::{
    alt_svc, extras, fields, number, octets, priority, request, response, settings, timeout,
};
use crate::host::Host;
use crate::host::bindings::Engine;
use crate::host::bindings::exports::http2::engine::connection::Role;
use crate::host::bindings::http2::engine::types::Error;
use crate::peer::Peer;

/// A caller of the component.
pub(crate) struct Caller {
    store: Store<Host>,
    engine: Engine,
    connections: Vec<ResourceAny>,
    streams: Vec<ResourceAny>,
    pub(crate) calls: usize,
    /// How many messages were read to their end.
    pub(crate) messages: usize,
}

impl Caller {
    pub(crate) fn new(store: Store<Host>, engine: Engine) -> Self {
        Self { store, engine, connections: Vec::new(), streams: Vec::new(), calls: 0, messages: 0 }
    }

    /// Makes random calls, and drops everything in the end.
    ///
    /// An error is a trap.
    pub(crate) fn run(&mut self) -> wasmtime::Result<()> {
        self.handshake()?;
        for _ in 0..20 + self.choose(400) {
            self.calls += 1;
            self.store.set_fuel(crate::FUEL)?;
            match self.choose(100) {
                0 => self.handshake()?,
                1 => self.drop_something()?,
                2 => self.wait_any()?,
                3..50 => self.call_connection()?,
                _ => self.call_stream()?,
            }
        }
        while !self.connections.is_empty() || !self.streams.is_empty() {
            self.drop_something()?;
        }
        Ok(())
    }

    /// Returns a random number below `bound`.
    fn choose(&self, bound: usize) -> usize {
        self.store.data().world().random.below(bound)
    }

    fn handshake(&mut self) -> wasmtime::Result<()> {
        let options = if self.choose(3) == 0 { None } else { Some(self.options()?) };
        let (role, peer) = if self.choose(2) == 0 {
            (Role::Server, PeerRole::Client)
        } else {
            (Role::Client, PeerRole::Server)
        };
        let peer = Peer::new(peer, &mut self.store.data().world().random);
        let io = self.store.data_mut().connect(peer)?;
        let exports = self.engine.http2_engine_connection();
        let connection = exports.connection().call_handshake(&mut self.store, io, role, options)?;
        self.connections.extend(connection.inspect_err(check).ok());
        Ok(())
    }

    fn options(&mut self) -> wasmtime::Result<ResourceAny> {
        let (options, store) = (self.engine.http2_engine_connection().options(), &mut self.store);
        let chosen = options.call_constructor(&mut *store)?;
        let changes = store.data().world().random.size(10);
        for _ in 0..changes {
            let mut world = store.data().world();
            let random = &mut world.random;
            let (one, other, time, flag) =
                (number(random), number(random), timeout(random), random.one_in(2));
            let (settings, which) = (settings(random), random.below(17));
            drop(world);
            let refused = match which {
                0 => options.call_settings(&mut *store, chosen, &settings)?.err(),
                1 => options.call_connection_window(&mut *store, chosen, one, other)?.err(),
                2 => options.call_stream_window_maximum(&mut *store, chosen, one)?.err(),
                3 => options.call_manual_window_update(&mut *store, chosen, flag).map(|()| None)?,
                4 => options.call_send_buffer(&mut *store, chosen, one)?.err(),
                5 => options.call_waiting_streams(&mut *store, chosen, one).map(|()| None)?,
                6 => options.call_never_indexed(&mut *store, chosen, &["x-one".into()]).map(|()| None)?,
                7 => options.call_preface_timeout(&mut *store, chosen, time).map(|()| None)?,
                8 => options.call_settings_timeout(&mut *store, chosen, time).map(|()| None)?,
                9 => options.call_headers_timeout(&mut *store, chosen, time).map(|()| None)?,
                10 => options.call_stall_timeout(&mut *store, chosen, time).map(|()| None)?,
                11 => options.call_idle_timeout(&mut *store, chosen, time).map(|()| None)?,
                12 => options.call_drain_timeout(&mut *store, chosen, time).map(|()| None)?,
                13 => {
                    options.call_keep_alive(&mut *store, chosen, one.into(), other.into()).map(|()| None)?
                }
                14 => options.call_fields_maximum(&mut *store, chosen, one).map(|()| None)?,
                15 => options.call_unknown_frames(&mut *store, chosen, flag).map(|()| None)?,
                _ => options.call_trace(&mut *store, chosen, flag).map(|()| None)?,
            };
            refused.iter().for_each(check);
        }
        Ok(chosen)
    }

    /// Waits for all connections, one of them twice, with or without another pollable.
    fn wait_any(&mut self) -> wasmtime::Result<()> {
        let connections: Vec<_> = self.connections.iter().chain(self.connections.first()).copied().collect();
        let other = match (self.choose(2), self.connections.first()) {
            (0, Some(&connection)) => {
                let exports = self.engine.http2_engine_connection().connection();
                Some(exports.call_subscribe_read(&mut self.store, connection)?)
            }
            _ => None,
        };
        let borrowed = other.as_ref().map(|other| Resource::new_borrow(other.rep()));
        let time = timeout(&mut self.store.data().world().random);
        // Without connections, nothing but the time ends the call.
        let time = if connections.is_empty() { Some(0) } else { time };
        let exports = self.engine.http2_engine_connection();
        let ready = exports.call_wait_any(&mut self.store, &connections, borrowed, time)?;
        assert!(
            ready.is_sorted() && ready.iter().all(|&index| index as usize <= connections.len()),
            "{ready:?}"
        );
        if let Some(other) = other {
            self.store.data_mut().table.delete(other)?;
        }
        Ok(())
    }

    /// Drops a random connection or stream; the others stay in use.
    fn drop_something(&mut self) -> wasmtime::Result<()> {
        self.store.set_fuel(crate::FUEL)?;
        let connections = self.streams.is_empty() || self.choose(3) == 0;
        let resources = if connections { &mut self.connections } else { &mut self.streams };
        if !resources.is_empty() {
            let some = self.store.data().world().random.below(resources.len());
            resources.swap_remove(some).resource_drop(&mut self.store)?;
        }
        Ok(())
    }

    fn call_connection(&mut self) -> wasmtime::Result<()> {
        if self.connections.is_empty() {
            return self.handshake();
        }
        let connection = self.connections[self.choose(self.connections.len())];
        let (exports, store) = (self.engine.http2_engine_connection().connection(), &mut self.store);
        let random = &mut Random::from_seed(store.data().world().random.below(usize::MAX) as u64);
        let (number, time, flag) = (number(random), timeout(random), random.one_in(2));
        match random.below(40) {
            0..4 => {
                let head = request(random);
                let opened = if random.one_in(4) {
                    let extras = extras(random);
                    exports.call_open_stream_with(store, connection, &head, &extras, flag)?
                } else {
                    exports.call_open_stream(store, connection, &head, flag)?
                };
                self.streams.extend(opened.inspect_err(check).ok());
            }
            4..8 => {
                let accepted = exports.call_accept(store, connection)?;
                self.streams.extend(accepted.inspect_err(check).ok().flatten());
            }
            8 => {
                let accepted = exports.call_blocking_accept(store, connection, time)?;
                self.streams.extend(accepted.inspect_err(check).ok().flatten());
            }
            9..14 => _ = exports.call_drive(store, connection)?.inspect_err(check),
            14..18 => {
                let turn = exports.call_turn(store, connection)?.inspect_err(check);
                self.streams
                    .extend(turn.into_iter().flat_map(|turn| turn.requests).map(|request| request.stream));
            }
            18 => _ = exports.call_blocking_drive(store, connection, time)?.inspect_err(check),
            19 => _ = exports.call_blocking_flush(store, connection, time)?.inspect_err(check),
            20 => {
                let pollable = exports.call_subscribe_read(&mut *store, connection)?;
                store.data_mut().table.delete(pollable)?;
            }
            21 => {
                let pollable = exports.call_subscribe_write(&mut *store, connection)?;
                store.data_mut().table.delete(pollable)?;
            }
            22 => _ = exports.call_next_timeout(store, connection)?,
            23 => {
                let changed = exports.call_changed(store, connection)?;
                assert!((1..changed.len()).all(|n| !changed[n..].contains(&changed[n - 1])), "{changed:?}");
            }
            24..27 => _ = exports.call_next_event(store, connection)?,
            27 => _ = exports.call_window_update(store, connection, number)?.inspect_err(check),
            28 => {
                let (receive, send) = exports.call_windows(store, connection)?;
                assert!((0..1 << 32).contains(&receive) && send < 1 << 32, "{receive}, {send}");
            }
            29 => _ = exports.call_ping(store, connection, number.into())?.inspect_err(check),
            30 => _ = exports.call_blocking_ping(store, connection, time)?.inspect_err(check),
            31 if number % 8 == 0 => exports.call_shutdown(store, connection)?,
            32 if number % 8 == 0 => {
                let debug_data = octets(random);
                exports.call_abort(store, connection, number, &debug_data)?;
            }
            33 => _ = exports.call_closed(store, connection)?.map(|end| end.inspect_err(check)),
            34 => _ = exports.call_received_go_away(store, connection)?,
            35 => {
                exports.call_local_settings(&mut *store, connection)?;
                exports.call_peer_settings(&mut *store, connection)?;
                exports.call_takes_input(&mut *store, connection)?;
                exports.call_has_output(&mut *store, connection)?;
                exports.call_open_capacity(&mut *store, connection)?;
            }
            36 => {
                let settings = settings(random);
                _ = exports.call_change_settings(store, connection, &settings)?.inspect_err(check);
            }
            37 => {
                let origins = vec!["https://example.com".to_owned(); random.size(100)];
                _ = exports.call_send_origin(store, connection, &origins)?.inspect_err(check);
            }
            38 => {
                let service = alt_svc(random);
                _ = exports.call_send_alt_svc(store, connection, &service)?.inspect_err(check);
            }
            _ => {
                assert!(!exports.call_stats(&mut *store, connection)?.is_empty());
                exports.call_trace(store, connection)?;
            }
        }
        Ok(())
    }

    fn call_stream(&mut self) -> wasmtime::Result<()> {
        if self.streams.is_empty() {
            return self.call_connection();
        }
        let some = self.choose(self.streams.len());
        let stream = self.streams[some];
        let (exports, store) = (self.engine.http2_engine_connection().http2_stream(), &mut self.store);
        let random = &mut Random::from_seed(store.data().world().random.below(usize::MAX) as u64);
        let (number, skip, time, end) = (number(random), number(random), timeout(random), random.one_in(2));
        match random.below(40) {
            0 => _ = exports.call_id(store, stream)?,
            1 => {
                exports.call_request(&mut *store, stream)?;
                exports.call_request_extras(store, stream)?;
            }
            2..5 => _ = exports.call_response(store, stream)?.inspect_err(check),
            5 => _ = exports.call_blocking_response(store, stream, time)?.inspect_err(check),
            6 => {
                exports.call_informational(&mut *store, stream)?;
                exports.call_response_never_indexed(store, stream)?;
            }
            7 => {
                let pushed = exports.call_pushed(store, stream)?;
                self.streams.extend(pushed);
            }
            8 => {
                exports.call_never_index(&mut *store, stream, &["via".to_owned()])?;
                let head = response(random);
                _ = exports.call_inform(store, stream, &head)?.inspect_err(check);
            }
            9 => {
                let (head, content) = (response(random), octets(random));
                let trailers = random.one_in(2).then(|| fields(random));
                let sent = exports.call_answer(store, stream, &head, &content, trailers.as_ref())?;
                assert!(sent.inspect_err(check).map_or(true, |taken| taken as usize <= content.len()));
            }
            10..13 => {
                let head = response(random);
                _ = exports.call_respond(store, stream, &head, end)?.inspect_err(check);
            }
            13 | 14 => {
                let head = request(random);
                let pushed = exports.call_push(store, stream, &head)?;
                self.streams.extend(pushed.inspect_err(check).ok());
            }
            15..18 => {
                let data = octets(random);
                let sent = exports.call_send_data(store, stream, &data, end)?.inspect_err(check);
                assert!(sent.map_or(true, |taken| taken as usize <= data.len()));
            }
            18 => self.send_words(stream, skip, number, end)?,
            19 => {
                let data = octets(random);
                let sent = exports.call_blocking_send_data(store, stream, &data, end, time)?;
                assert!(sent.inspect_err(check).map_or(true, |taken| taken as usize <= data.len()));
            }
            20 => _ = exports.call_send_capacity(store, stream)?,
            21 => {
                let trailers = fields(random);
                _ = exports.call_send_trailers(store, stream, &trailers)?.inspect_err(check);
            }
            22..29 => self.messages += usize::from(self.read(stream, number)?),
            29 => self.read_words(stream, number)?,
            30 => {
                let read = exports.call_blocking_read_data(store, stream, number, time)?.inspect_err(check);
                assert!(read.ok().flatten().is_none_or(|octets| octets.len() <= number as usize));
            }
            31 => _ = exports.call_trailers(store, stream)?,
            32 => _ = exports.call_window_update(store, stream, number)?.inspect_err(check),
            33 => _ = exports.call_windows(store, stream)?,
            34 if number % 4 == 0 => exports.call_reset(store, stream, number)?,
            35 => _ = exports.call_finished(store, stream)?,
            36 => _ = exports.call_priority(store, stream)?,
            37 => {
                let priority = priority(random);
                _ = exports.call_set_priority(store, stream, priority)?.inspect_err(check);
            }
            _ => {
                self.streams.swap_remove(some);
                stream.resource_drop(store)?;
            }
        }
        Ok(())
    }

    /// Sends content in words, of which there may be too few.
    fn send_words(&mut self, stream: ResourceAny, skip: u32, length: u32, end: bool) -> wasmtime::Result<()> {
        let words = vec![u64::from(skip); length as usize % (1 << 14)];
        let wide = self.engine.http2_engine_wide();
        let sent = wide.call_send_data(&mut self.store, stream, &words, skip, length, end)?;
        assert!(sent.inspect_err(check).map_or(true, |taken| taken <= length));
        Ok(())
    }

    /// Reads content in words.
    fn read_words(&mut self, stream: ResourceAny, max: u32) -> wasmtime::Result<()> {
        let wide = self.engine.http2_engine_wide();
        let read = wide.call_read_data(&mut self.store, stream, max)?.inspect_err(check);
        if let Ok(Some(content)) = read {
            assert!(content.length <= max, "read more than `max` bytes");
            assert_eq!(content.words.len(), content.length.div_ceil(8) as usize);
        }
        Ok(())
    }

    /// Reads content, and returns true at the end of the message.
    fn read(&mut self, stream: ResourceAny, max: u32) -> wasmtime::Result<bool> {
        let exports = self.engine.http2_engine_connection().http2_stream();
        let read = exports.call_read_data(&mut self.store, stream, max)?.inspect_err(check);
        let length = |octets: &Vec<u8>| octets.len() <= max as usize;
        Ok(match read {
            Ok(octets) => {
                assert!(octets.as_ref().is_none_or(length), "read more than `max` bytes");
                octets.is_none()
            }
            Err(_) => false,
        })
    }
}

/// Checks that an error has a message.
fn check(error: &Error) {
    assert!(!error.message.is_empty(), "{error:?}");
}
