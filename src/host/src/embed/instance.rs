//! An engine instance with one connection, and the host's calls into it.
//!
//! The outer error of a call is a trap, after which no further call is allowed.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http2_engine::Windows;
use wasmtime::Store;
use wasmtime::component::ResourceAny;
use wasmtime_wasi::{HostMonotonicClock, WasiCtx, WasiView};

use super::bindings::exports::http2::engine::connection::{
    Event, Guest as Exports, GuestConnection, GuestHttp2Stream, GuestOptions, Role,
};
use super::bindings::{self, EnginePre};
use super::error::Error;
use super::options::{Choice, Options, Timeout};
use super::sandbox::SandboxLimits;
use crate::ByteStream;
use crate::bindings::http2::engine::types::{Fields, RequestExtras, RequestHead, ResponseHead};
use crate::run::{Guest, TICK};

/// The result of a call.
pub(super) type Called<T> = wasmtime::Result<Result<T, Error>>;

/// The maximum size of content per call, in bytes.
const PIECE: usize = 64 * 1024;

pub(super) struct Instance {
    store: Store<Guest>,
    engine: bindings::Engine,
    connection: ResourceAny,
    clock: Clock,
    /// How many ticks a call may take.
    ticks: u64,
}

impl Instance {
    /// Instantiates the engine, and starts HTTP/2 in it.
    pub(super) fn start(
        pre: &EnginePre<Guest>,
        limits: &SandboxLimits,
        io: ByteStream,
        role: Role,
        options: &Options,
    ) -> Called<Self> {
        let clock = Clock(Instant::now());
        let wasi = WasiCtx::builder().monotonic_clock(clock).build();
        let mut store = Store::new(pre.engine(), Guest::new(wasi, limits.memory));
        store.limiter(|guest| guest);
        // One more, because the current tick has already begun.
        let ticks = u64::try_from(limits.time.div_duration_f64(TICK).ceil() as u128)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        store.set_epoch_deadline(ticks);
        let engine = pre.instantiate(&mut store)?;
        let exports = engine.http2_engine_connection();
        let options = match choose(exports, &mut store, options)? {
            Ok(options) => options,
            Err(error) => return Ok(Err(error)),
        };
        let io = store.data_mut().ctx().table.push(io)?;
        let handshake = exports.connection().call_handshake(&mut store, io, role, Some(options))?;
        let started = handshake.map(|connection| Self { store, engine, connection, clock, ticks });
        Ok(started.map_err(Error::from))
    }

    /// Drops the connection, which must have ended; bytes already sent are still handed over.
    ///
    /// No call may follow.
    pub(super) fn close(&mut self) -> wasmtime::Result<()> {
        self.store.set_epoch_deadline(self.ticks);
        self.connection.resource_drop(&mut self.store)
    }

    /// Reads, acts and writes while this is possible without blocking, and returns whether any bytes moved.
    pub(super) fn drive(&mut self) -> Called<bool> {
        let (exports, store, connection) = self.connection();
        Ok(exports.call_drive(store, connection)?.map_err(Error::from))
    }

    /// Returns how the connection ended, or `None` while it is open.
    pub(super) fn closed(&mut self) -> wasmtime::Result<Option<Result<(), Error>>> {
        let (exports, store, connection) = self.connection();
        let closed = exports.call_closed(store, connection)?;
        Ok(closed.map(|end| end.map_err(Error::from)))
    }

    /// Returns whether the connection should be driven when bytes arrive.
    pub(super) fn takes_input(&mut self) -> wasmtime::Result<bool> {
        let (exports, store, connection) = self.connection();
        exports.call_takes_input(store, connection)
    }

    /// Returns the latest time to drive the connection next.
    pub(super) fn next_timeout(&mut self) -> wasmtime::Result<Option<Instant>> {
        let clock = self.clock;
        let (exports, store, connection) = self.connection();
        let due = exports.call_next_timeout(store, connection)?;
        Ok(due.map(|due| clock.at(due)))
    }

    pub(super) fn changed(&mut self) -> wasmtime::Result<Vec<u32>> {
        let (exports, store, connection) = self.connection();
        exports.call_changed(store, connection)
    }

    pub(super) fn next_event(&mut self) -> wasmtime::Result<Option<Event>> {
        let (exports, store, connection) = self.connection();
        exports.call_next_event(store, connection)
    }

    pub(super) fn open_stream(
        &mut self,
        head: &RequestHead,
        extras: &RequestExtras,
        end_of_stream: bool,
    ) -> Called<ResourceAny> {
        let (exports, store, connection) = self.connection();
        let opened = exports.call_open_stream_with(store, connection, head, extras, end_of_stream)?;
        Ok(opened.map_err(Error::from))
    }

    pub(super) fn accept(&mut self) -> Called<Option<ResourceAny>> {
        let (exports, store, connection) = self.connection();
        Ok(exports.call_accept(store, connection)?.map_err(Error::from))
    }

    pub(super) fn ping(&mut self, opaque: u64) -> Called<()> {
        let (exports, store, connection) = self.connection();
        Ok(exports.call_ping(store, connection, opaque)?.map_err(Error::from))
    }

    pub(super) fn connection_window_update(&mut self, bytes: u32) -> Called<()> {
        let (exports, store, connection) = self.connection();
        Ok(exports.call_window_update(store, connection, bytes)?.map_err(Error::from))
    }

    pub(super) fn connection_windows(&mut self) -> wasmtime::Result<Windows> {
        let (exports, store, connection) = self.connection();
        exports.call_windows(store, connection).map(windows)
    }

    pub(super) fn local_settings(&mut self) -> wasmtime::Result<Vec<(u16, u32)>> {
        let (exports, store, connection) = self.connection();
        exports.call_local_settings(store, connection)
    }

    pub(super) fn peer_settings(&mut self) -> wasmtime::Result<Vec<(u16, u32)>> {
        let (exports, store, connection) = self.connection();
        exports.call_peer_settings(store, connection)
    }

    pub(super) fn change_settings(&mut self, settings: &[(u16, u32)]) -> Called<()> {
        let (exports, store, connection) = self.connection();
        Ok(exports.call_change_settings(store, connection, settings)?.map_err(Error::from))
    }

    pub(super) fn stats(&mut self) -> wasmtime::Result<Vec<(String, u64)>> {
        let (exports, store, connection) = self.connection();
        exports.call_stats(store, connection)
    }

    pub(super) fn shutdown(&mut self) -> wasmtime::Result<()> {
        let (exports, store, connection) = self.connection();
        exports.call_shutdown(store, connection)
    }

    pub(super) fn abort(&mut self, code: u32, debug_data: &[u8]) -> wasmtime::Result<()> {
        let (exports, store, connection) = self.connection();
        exports.call_abort(store, connection, code, debug_data)
    }

    pub(super) fn id(&mut self, stream: ResourceAny) -> wasmtime::Result<u32> {
        let (exports, store) = self.stream();
        exports.call_id(store, stream)
    }

    pub(super) fn request(
        &mut self,
        stream: ResourceAny,
    ) -> wasmtime::Result<Option<(RequestHead, RequestExtras)>> {
        let (exports, store) = self.stream();
        let head = exports.call_request(&mut *store, stream)?;
        Ok(head.zip(exports.call_request_extras(store, stream)?))
    }

    /// Returns the head of the response, and the names of its never-indexed fields.
    pub(super) fn response(&mut self, stream: ResourceAny) -> Called<Option<(ResponseHead, Vec<String>)>> {
        let (exports, store) = self.stream();
        match exports.call_response(&mut *store, stream)? {
            Ok(Some(head)) => Ok(Ok(Some((head, exports.call_response_never_indexed(store, stream)?)))),
            Ok(None) => Ok(Ok(None)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Names the fields of the next head that are sent as never-indexed literals.
    fn never_index(&mut self, stream: ResourceAny, names: &[String]) -> wasmtime::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let (exports, store) = self.stream();
        exports.call_never_index(store, stream, names)
    }

    pub(super) fn informational(&mut self, stream: ResourceAny) -> wasmtime::Result<Option<ResponseHead>> {
        let (exports, store) = self.stream();
        exports.call_informational(store, stream)
    }

    pub(super) fn pushed(&mut self, stream: ResourceAny) -> wasmtime::Result<Option<ResourceAny>> {
        let (exports, store) = self.stream();
        exports.call_pushed(store, stream)
    }

    pub(super) fn inform(
        &mut self,
        stream: ResourceAny,
        head: &ResponseHead,
        never_indexed: &[String],
    ) -> Called<()> {
        self.never_index(stream, never_indexed)?;
        let (exports, store) = self.stream();
        Ok(exports.call_inform(store, stream, head)?.map_err(Error::from))
    }

    pub(super) fn respond(
        &mut self,
        stream: ResourceAny,
        head: &ResponseHead,
        never_indexed: &[String],
        end_of_stream: bool,
    ) -> Called<()> {
        self.never_index(stream, never_indexed)?;
        let (exports, store) = self.stream();
        Ok(exports.call_respond(store, stream, head, end_of_stream)?.map_err(Error::from))
    }

    pub(super) fn push(
        &mut self,
        stream: ResourceAny,
        head: &RequestHead,
        never_indexed: &[String],
    ) -> Called<ResourceAny> {
        self.never_index(stream, never_indexed)?;
        let (exports, store) = self.stream();
        Ok(exports.call_push(store, stream, head)?.map_err(Error::from))
    }

    /// Takes content from the front of `data`.
    ///
    /// Returns true once all of it was taken, and the end with it.
    pub(super) fn send_data(
        &mut self,
        stream: ResourceAny,
        data: &mut Bytes,
        end_of_stream: bool,
    ) -> Called<bool> {
        let (exports, store) = self.stream();
        loop {
            // Limit the size: without room, a larger copy into the instance would be wasted.
            let piece = data.slice(..data.len().min(PIECE));
            let last = piece.len() == data.len();
            let sent = exports.call_send_data(&mut *store, stream, &piece, end_of_stream && last)?;
            let taken = match sent {
                Ok(taken) => usize::try_from(taken).unwrap_or(usize::MAX).min(piece.len()),
                Err(error) => return Ok(Err(error.into())),
            };
            data.advance(taken);
            if taken < piece.len() || last {
                return Ok(Ok(data.is_empty()));
            }
        }
    }

    pub(super) fn send_trailers(&mut self, stream: ResourceAny, trailers: &Fields) -> Called<()> {
        let (exports, store) = self.stream();
        Ok(exports.call_send_trailers(store, stream, trailers)?.map_err(Error::from))
    }

    /// Reads content; empty if none has arrived, `None` at the end.
    pub(super) fn read_data(&mut self, stream: ResourceAny) -> Called<Option<Vec<u8>>> {
        let (exports, store) = self.stream();
        Ok(exports.call_read_data(store, stream, PIECE as u32)?.map_err(Error::from))
    }

    pub(super) fn trailers(&mut self, stream: ResourceAny) -> wasmtime::Result<Option<Fields>> {
        let (exports, store) = self.stream();
        exports.call_trailers(store, stream)
    }

    pub(super) fn window_update(&mut self, stream: ResourceAny, bytes: u32) -> Called<()> {
        let (exports, store) = self.stream();
        Ok(exports.call_window_update(store, stream, bytes)?.map_err(Error::from))
    }

    pub(super) fn windows(&mut self, stream: ResourceAny) -> wasmtime::Result<Windows> {
        let (exports, store) = self.stream();
        exports.call_windows(store, stream).map(windows)
    }

    pub(super) fn reset(&mut self, stream: ResourceAny, code: u32) -> wasmtime::Result<()> {
        let (exports, store) = self.stream();
        exports.call_reset(store, stream, code)
    }

    /// Returns whether both directions of the stream have ended.
    pub(super) fn finished(&mut self, stream: ResourceAny) -> wasmtime::Result<bool> {
        let (exports, store) = self.stream();
        exports.call_finished(store, stream)
    }

    pub(super) fn release(&mut self, stream: ResourceAny) -> wasmtime::Result<()> {
        self.store.set_epoch_deadline(self.ticks);
        stream.resource_drop(&mut self.store)
    }

    /// Prepares a call about the connection, and starts its time limit.
    fn connection(&mut self) -> (GuestConnection<'_>, &mut Store<Guest>, ResourceAny) {
        self.store.set_epoch_deadline(self.ticks);
        (self.engine.http2_engine_connection().connection(), &mut self.store, self.connection)
    }

    /// Prepares a call about a stream, and starts its time limit.
    fn stream(&mut self) -> (GuestHttp2Stream<'_>, &mut Store<Guest>) {
        self.store.set_epoch_deadline(self.ticks);
        (self.engine.http2_engine_connection().http2_stream(), &mut self.store)
    }
}

/// Creates the resource `options` from the caller's choices.
fn choose(exports: &Exports, store: &mut Store<Guest>, chosen: &Options) -> Called<ResourceAny> {
    let exports = exports.options();
    let options = exports.call_constructor(&mut *store)?;
    if let Err(error) = exports.call_settings(&mut *store, options, &chosen.settings)? {
        return Ok(Err(error.into()));
    }
    for choice in &chosen.choices {
        if let Err(error) = apply(&exports, store, options, choice)? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(options))
}

fn apply(
    exports: &GuestOptions<'_>,
    store: &mut Store<Guest>,
    options: ResourceAny,
    choice: &Choice,
) -> Called<()> {
    let applied = match choice {
        Choice::ConnectionWindow { initial, maximum } => {
            exports.call_connection_window(store, options, *initial, *maximum)?
        }
        Choice::StreamWindowMaximum(maximum) => {
            exports.call_stream_window_maximum(store, options, *maximum)?
        }
        Choice::SendBuffer(bytes) => exports.call_send_buffer(store, options, *bytes)?,
        Choice::ManualWindowUpdate(manual) => {
            exports.call_manual_window_update(store, options, *manual)?;
            Ok(())
        }
        Choice::WaitingStreams(streams) => {
            exports.call_waiting_streams(store, options, *streams)?;
            Ok(())
        }
        Choice::NeverIndexed(names) => {
            exports.call_never_indexed(store, options, names)?;
            Ok(())
        }
        Choice::Timeout(timeout, duration) => {
            let duration = duration.map(nanoseconds);
            match timeout {
                Timeout::Preface => exports.call_preface_timeout(store, options, duration)?,
                Timeout::Settings => exports.call_settings_timeout(store, options, duration)?,
                Timeout::Headers => exports.call_headers_timeout(store, options, duration)?,
                Timeout::Stall => exports.call_stall_timeout(store, options, duration)?,
                Timeout::Idle => exports.call_idle_timeout(store, options, duration)?,
                Timeout::Drain => exports.call_drain_timeout(store, options, duration)?,
            }
            Ok(())
        }
        Choice::KeepAlive { interval, timeout } => {
            exports.call_keep_alive(store, options, nanoseconds(*interval), nanoseconds(*timeout))?;
            Ok(())
        }
    };
    Ok(applied.map_err(Error::from))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The clock of an instance.
///
/// The host knows its start, and so can wait for the times that the instance names.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    /// Converts a time of this clock.
    ///
    /// A time that `Instant` cannot represent becomes one that is far in the future.
    fn at(self, nanoseconds: u64) -> Instant {
        const FAR: Duration = Duration::from_secs(86_400);
        let now = Instant::now();
        self.0.checked_add(Duration::from_nanos(nanoseconds)).unwrap_or(now + FAR)
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        nanoseconds(self.0.elapsed())
    }
}

/// Names the parts of the tuple that the WIT interface returns.
fn windows((receive, send): (i64, i64)) -> Windows {
    Windows { receive, send }
}
