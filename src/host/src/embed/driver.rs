//! The task that owns a connection: executes the handles' commands and drives the engine.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::{Duration, Instant};

use http2_engine::ErrorCode;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::sync::watch;
use tokio::task::coop;
use tokio::time::{Sleep, sleep_until};
use wasmtime::component::ResourceAny;

use super::bindings::exports::http2::engine::connection::{Event, Role};
use super::command::{Accepted, Answer, Command, Open};
use super::error::{Error, ErrorKind};
use super::handle::{End, Handle, Stream};
use super::head;
use super::instance::Instance;
use super::streams::{Entry, waiting};
use crate::byte_stream::Readiness;

pub(super) struct Driver {
    pub(super) instance: Instance,
    readiness: Readiness,
    time_limit: Duration,
    commands: mpsc::UnboundedReceiver<Command>,
    /// For creating new handles; does not keep the channel open.
    own: mpsc::WeakUnboundedSender<Command>,
    end: watch::Sender<End>,
    /// Streams on which a handle exists.
    pub(super) streams: HashMap<u32, Entry>,
    /// Requests that wait for room in the engine, in order.
    opening: VecDeque<Open>,
    /// The caller that waits for a request.
    accepting: Option<Answer<Accepted>>,
    /// The callers that wait for a PING acknowledgement, by payload.
    pings: HashMap<u64, Answer<Duration>>,
    next_ping: u64,
    server: bool,
    /// Whether the last handle that could open or accept streams was dropped.
    left: bool,
    /// Whether the last handle of any kind was dropped.
    orphaned: bool,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Driver {
    /// Spawns the task, and returns a handle to it.
    pub(super) fn spawn(
        instance: Instance,
        readiness: Readiness,
        role: Role,
        time_limit: Duration,
    ) -> Handle {
        let (sender, commands) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let driver = Self {
            instance,
            readiness,
            time_limit,
            commands,
            own: sender.downgrade(),
            end,
            streams: HashMap::new(),
            opening: VecDeque::new(),
            accepting: None,
            pings: HashMap::new(),
            next_ping: 0,
            server: role == Role::Server,
            left: false,
            orphaned: false,
            timer: None,
        };
        tokio::spawn(driver.run());
        Handle { commands: sender, end: ended }
    }

    async fn run(mut self) {
        if let Err(trap) = self.serve().await {
            let error = Error::trap(&trap, self.time_limit);
            self.conclude(Err(error));
        }
        // The remaining answer channels close only now, so that their callers find the reason in `end`.
    }

    /// Serves the handles until the connection has ended and no stream is held any more.
    async fn serve(&mut self) -> wasmtime::Result<()> {
        let mut asked = false;
        loop {
            self.turn(asked).await?;
            if let Some(end) = self.instance.closed()? {
                if self.conclude(end) {
                    self.notice()?;
                }
                if self.streams.is_empty() {
                    return self.instance.close();
                }
            }
            asked = self.wait().await?;
        }
    }

    /// Executes commands and drives the engine until neither makes progress.
    ///
    /// `asked` tells whether a command was executed before the call.
    async fn turn(&mut self, mut asked: bool) -> wasmtime::Result<()> {
        loop {
            coop::consume_budget().await;
            asked |= self.take_commands()?;
            let moved = match self.instance.drive()? {
                Ok(moved) => moved,
                Err(error) => self.conclude(Err(error)),
            };
            if !asked && !moved {
                return Ok(());
            }
            asked = false;
            self.notice()?;
        }
    }

    /// Executes all pending commands, and returns whether there were any.
    fn take_commands(&mut self) -> wasmtime::Result<bool> {
        let mut asked = false;
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey(command)?,
                Err(TryRecvError::Empty) => return Ok(asked),
                Err(TryRecvError::Disconnected) => {
                    self.orphaned = true;
                    return Ok(asked);
                }
            }
            asked = true;
        }
    }

    fn obey(&mut self, command: Command) -> wasmtime::Result<()> {
        match command {
            Command::Open(open) => self.opening.push_back(open),
            Command::Accept(answer) => self.accepting = Some(answer),
            Command::Stream(id, operation) => self.operate(id, operation)?,
            Command::Ping(answer) => self.ping(answer)?,
            Command::WindowUpdate(bytes, answer) => {
                reply(answer, self.instance.connection_window_update(bytes)?);
            }
            Command::Windows(answer) => reply(answer, Ok(self.instance.connection_windows()?)),
            Command::LocalSettings(answer) => reply(answer, Ok(self.instance.local_settings()?)),
            Command::PeerSettings(answer) => reply(answer, Ok(self.instance.peer_settings()?)),
            Command::ChangeSettings(settings, answer) => {
                reply(answer, self.instance.change_settings(&settings)?);
            }
            Command::Stats(answer) => reply(answer, Ok(self.instance.stats()?)),
            Command::Shutdown => self.instance.shutdown()?,
            Command::Abort(code, debug_data) => self.instance.abort(code, &debug_data)?,
            Command::Leave => {
                self.left = true;
                if self.server {
                    self.instance.shutdown()?;
                }
                self.leave()?;
            }
        }
        Ok(())
    }

    /// Shuts the connection down gracefully once no handle can use it.
    ///
    /// A client lets its streams end first, because the shutdown would fail those that still wait for the peer's
    /// stream limit.
    pub(super) fn leave(&mut self) -> wasmtime::Result<()> {
        if self.left && self.streams.is_empty() {
            self.instance.shutdown()?;
        }
        Ok(())
    }

    /// Delivers everything that has arrived to the callers that wait for it.
    fn notice(&mut self) -> wasmtime::Result<()> {
        for id in self.instance.changed()? {
            self.advance(id)?;
        }
        while let Some(event) = self.instance.next_event()? {
            if let Event::Pong((payload, round_trip)) = event
                && let Some(answer) = self.pings.remove(&payload)
            {
                reply(answer, Ok(Duration::from_nanos(round_trip)));
            }
        }
        self.accept()?;
        self.open()
    }

    /// Server: hands requests to the caller that waits.
    ///
    /// Refuses them once no caller can accept any more.
    fn accept(&mut self) -> wasmtime::Result<()> {
        while self.accepting.is_some() || (self.left && self.server) {
            let Ok(Some(resource)) = self.instance.accept()? else {
                let end = self.end.borrow().clone();
                if let Some((answer, end)) = self.accepting.take_if(|_| end.is_some()).zip(end) {
                    reply(answer, end.map(|()| None));
                }
                return Ok(());
            };
            let accepting = waiting(&mut self.accepting);
            let Some((answer, own)) = accepting.zip(self.own.upgrade()) else {
                self.refuse(resource, ErrorCode::REFUSED_STREAM)?;
                continue;
            };
            let request = self.instance.request(resource)?;
            match request.map(|(head, extras)| head::request(head, extras)).transpose() {
                Ok(request) => {
                    let stream = self.hold(resource, own)?;
                    reply(answer, Ok(request.map(|request| (request, stream))));
                }
                Err(_) => {
                    self.accepting = Some(answer);
                    self.refuse(resource, ErrorCode::PROTOCOL_ERROR)?;
                }
            }
        }
        Ok(())
    }

    /// Client: opens streams while the engine has room.
    fn open(&mut self) -> wasmtime::Result<()> {
        while let Some(Open { head, extras, end_of_stream, opened, response }) = self.opening.pop_front() {
            if opened.is_closed() {
                continue;
            }
            match self.instance.open_stream(&head, &extras, end_of_stream)? {
                Ok(resource) => {
                    let Some(own) = self.own.upgrade() else { return self.instance.release(resource) };
                    let stream = self.hold(resource, own)?;
                    if let Some(entry) = self.streams.get_mut(&stream.id()) {
                        entry.response = Some(response);
                    }
                    reply(opened, Ok(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.opening.push_front(Open { head, extras, end_of_stream, opened, response });
                    return Ok(());
                }
                Err(error) => reply(opened, Err(error)),
            }
        }
        Ok(())
    }

    fn ping(&mut self, answer: Answer<Duration>) -> wasmtime::Result<()> {
        let payload = self.next_ping;
        self.next_ping = self.next_ping.wrapping_add(1);
        match self.instance.ping(payload)? {
            Ok(()) => _ = self.pings.insert(payload, answer),
            Err(error) => reply(answer, Err(error)),
        }
        Ok(())
    }

    /// Keeps a stream while handles on it exist.
    pub(super) fn hold(
        &mut self,
        resource: ResourceAny,
        own: mpsc::UnboundedSender<Command>,
    ) -> wasmtime::Result<Stream> {
        let id = self.instance.id(resource)?;
        self.streams.insert(id, Entry::new(resource));
        Ok(Stream::new(id, Handle { commands: own, end: self.end.subscribe() }))
    }

    /// Returns a command sender for a new handle, unless all handles are gone.
    pub(super) fn own(&self) -> Option<mpsc::UnboundedSender<Command>> {
        self.own.upgrade()
    }

    /// Resets a stream that no caller accepts.
    fn refuse(&mut self, resource: ResourceAny, code: ErrorCode) -> wasmtime::Result<()> {
        self.instance.reset(resource, code.0)?;
        self.instance.release(resource)
    }

    /// Records the end of the connection, and returns true the first time; callers must then be notified.
    fn conclude(&mut self, end: Result<(), Error>) -> bool {
        if self.end.borrow().is_some() {
            return false;
        }
        self.end.send_replace(Some(end));
        // Dropping the answer channels makes their callers read `end`.
        self.opening.clear();
        self.pings.clear();
        true
    }

    /// Waits until the task can make progress, and returns true if it executed a command.
    async fn wait(&mut self) -> wasmtime::Result<bool> {
        let reading = self.instance.takes_input()?;
        let due = self.instance.next_timeout()?;
        let timer = match (due, &mut self.timer) {
            (None, _) => None,
            (Some(due), Some((armed, timer))) => {
                if *armed != due {
                    *armed = due;
                    timer.as_mut().reset(due.into());
                }
                Some(timer)
            }
            (Some(due), none) => Some(&mut none.insert((due, Box::pin(sleep_until(due.into())))).1),
        };
        let expired = async {
            match timer {
                Some(timer) => timer.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = self.commands.recv(), if !self.orphaned => match command {
                Some(command) => {
                    self.obey(command)?;
                    return Ok(true);
                }
                None => self.orphaned = true,
            },
            () = self.readiness.readable(), if reading => {}
            () = self.readiness.writable() => {}
            () = expired => {}
        }
        Ok(false)
    }
}

/// Sends an answer, which is lost if the caller has stopped waiting.
pub(super) fn reply<T>(answer: Answer<T>, value: Result<T, Error>) {
    _ = answer.send(value);
}
