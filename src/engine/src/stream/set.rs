//! The set of streams of a connection: their identifiers, states, numbers and queues.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::store::Store;
use super::{ClosedBy, Expect, State, Stream, Transition, WaitingHead};
use crate::error::Malformed;
use crate::frame::StreamId;
use crate::message::ContentLength;

/// All streams of a connection that are not both closed and released.
///
/// Only this type changes the state of a stream, whether the caller holds it, and whether it waits. Therefore the
/// counts and the queues always agree with the streams.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Whether this endpoint is the client.
    client: bool,
    store: Store,
    counts: Counts,
    /// The identifier of the next stream that this endpoint opens; above 2^31-1, none are left.
    next_id: u32,
    /// The highest stream that the peer has opened.
    highest_peer_id: StreamId,
    /// Requests of the peer that wait for the caller to release earlier ones, in the order of their arrival, which
    /// is that of their identifiers (RFC 9113, 5.1.1).
    pending_accept: BTreeSet<StreamId>,
    /// Requests of this endpoint that wait for the peer's limit, in the order in which the caller opened them.
    pending_open: BTreeSet<StreamId>,
    awaited: Awaited,
}

/// Numbers of streams that are not closed (RFC 9113, 5.1.2), and of streams that the caller holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Opened by this endpoint.
    pub(crate) local: usize,
    /// Opened by the peer.
    pub(crate) peer: usize,
    /// Promised by the server, but not yet open.
    pub(crate) promised: usize,
    /// Opened by the peer, given to the caller, and not yet released.
    pub(crate) app_owned: usize,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transitioned {
    pub(crate) from: State,
    pub(crate) to: State,
    /// Whether the stream closed while its request was waiting.
    pub(crate) withdrawn: bool,
}

impl Streams {
    /// Creates the empty set of a client or of a server.
    pub(crate) fn new(client: bool) -> Self {
        Self {
            client,
            store: Store::default(),
            counts: Counts::default(),
            next_id: if client { 1 } else { 2 },
            highest_peer_id: StreamId::CONNECTION,
            pending_accept: BTreeSet::new(),
            pending_open: BTreeSet::new(),
            awaited: Awaited::default(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.store.get(id)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.store.get_mut(id)
    }

    /// Returns a stream that is not closed.
    pub(crate) fn live(&self, id: StreamId) -> Option<&Stream> {
        self.get(id).filter(|stream| !stream.is_closed())
    }

    /// Returns a stream that is not closed.
    pub(crate) fn live_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.get_mut(id).filter(|stream| !stream.is_closed())
    }

    /// Returns a stream that the caller has not released.
    pub(crate) fn unreleased_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.get_mut(id).filter(|stream| !stream.released)
    }

    /// Returns the state of a stream, or `None` once it was closed and released.
    pub(crate) fn state(&self, id: StreamId) -> Option<State> {
        self.get(id).map(Stream::state)
    }

    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.store.iter()
    }

    /// Returns the identifiers of all streams, for loops that change the streams.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        self.iter().map(Stream::id).collect()
    }

    /// Returns the streams of this endpoint above `last` that are not closed, in order.
    pub(crate) fn local_above(&self, last: StreamId) -> Vec<StreamId> {
        let above = self.store.above(self.client, last).filter(|stream| !stream.is_closed());
        let mut ids: Vec<_> = above.map(Stream::id).collect();
        ids.reverse();
        ids
    }

    /// Returns the bytes of content still to come on all streams, if [known](Stream::awaited) of each.
    pub(crate) fn awaited(&self) -> Option<u64> {
        self.awaited.total()
    }

    /// Sets which part of the peer's message comes next, and how much content that has.
    pub(crate) fn expect(&mut self, id: StreamId, expect: Expect, length: ContentLength) {
        let Some(stream) = self.store.get_mut(id) else { return };
        let awaited = stream.awaited();
        (stream.recv.expect, stream.recv.length) = (expect, length);
        self.awaited.replace(awaited, stream.awaited());
    }

    /// Counts received content against the length of the message.
    pub(crate) fn count_content(&mut self, id: StreamId, bytes: u32) -> Result<(), Malformed> {
        let Some(stream) = self.store.get_mut(id) else { return Ok(()) };
        let awaited = stream.awaited();
        let counted = stream.recv.length.receive(bytes);
        self.awaited.replace(awaited, stream.awaited());
        counted
    }

    /// Gives back memory that a set without streams does not need.
    pub(crate) fn shrink(&mut self) {
        self.store.shrink();
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns whether any stream has not ended, or a request or promise is still to become a stream.
    pub(crate) fn is_busy(&self) -> bool {
        let Counts { local, peer, promised, .. } = self.counts;
        local > 0 || peer > 0 || promised > 0 || !self.pending_open.is_empty()
    }

    /// Returns whether this endpoint opens streams with identifiers like `id`.
    pub(crate) fn is_local(&self, id: StreamId) -> bool {
        id.is_client_initiated() == self.client
    }

    /// Returns whether nothing was ever sent or received on a stream (RFC 9113, 5.1).
    pub(crate) fn is_idle(&self, id: StreamId) -> bool {
        if self.is_local(id) {
            id.as_u32() >= self.next_id || self.state(id) == Some(State::Idle)
        } else {
            id > self.highest_peer_id
        }
    }

    /// Returns whether this endpoint can open another stream (RFC 9113, 5.1.1).
    pub(crate) fn has_ids(&self) -> bool {
        self.next_id <= StreamId::MAX.as_u32()
    }

    /// Sets the identifier of the next stream that this endpoint opens.
    pub(crate) fn set_next_id(&mut self, id: u32) {
        self.next_id = id;
    }

    /// Takes the next identifier, or `None` if they are used up (RFC 9113, 5.1.1).
    pub(crate) fn take_next_id(&mut self) -> Option<StreamId> {
        let id = StreamId::new(self.next_id)?;
        self.next_id = self.next_id.saturating_add(2);
        Some(id)
    }

    pub(crate) fn highest_peer_id(&self) -> StreamId {
        self.highest_peer_id
    }

    /// Records that the peer used an identifier, which closes the idle streams below it (RFC 9113, 5.1.1).
    pub(crate) fn reach(&mut self, id: StreamId) {
        self.store.skip(self.highest_peer_id, id);
        self.highest_peer_id = id;
    }

    /// Adds an idle stream; the identifiers of one endpoint only grow.
    pub(crate) fn insert(&mut self, stream: Box<Stream>) {
        self.awaited.add(stream.awaited());
        self.store.insert(stream);
    }

    /// Removes a stream that is closed and not held, but remembers how it was closed.
    pub(crate) fn remove(&mut self, id: StreamId) {
        self.store.remove(id);
    }

    /// Remembers that this endpoint has reset a stream that is not in the set.
    pub(crate) fn remember_reset(&mut self, id: StreamId) {
        self.store.remember(id, ClosedBy::LocalReset);
    }

    /// Returns how a stream was closed, if that is remembered; the stream must not be idle.
    pub(crate) fn closed_by(&self, id: StreamId) -> Option<ClosedBy> {
        self.store.closed_by(id)
    }

    /// Returns whether a stream has ended and the peer may not know it yet; the stream must not be idle.
    ///
    /// That is so if this endpoint has reset the stream, or has forgotten how it ended.
    pub(crate) fn is_end_unseen(&self, id: StreamId) -> bool {
        self.live(id).is_none() && matches!(self.closed_by(id), None | Some(ClosedBy::LocalReset))
    }

    /// Moves a stream to its next state (RFC 9113, 5.1), and returns the change, if there is one.
    ///
    /// A request that waits leaves its queue when its stream closes.
    pub(crate) fn transition(&mut self, id: StreamId, transition: Transition) -> Option<Transitioned> {
        let local = self.is_local(id);
        let stream = self.store.get_mut(id)?;
        let awaited = stream.awaited();
        let Some(from) = stream.state.apply(transition) else {
            debug_assert!(false, "{transition:?} on a stream that is {}", stream.state());
            return None;
        };
        let to = stream.state();
        if from == to {
            return None;
        }
        let mut withdrawn = false;
        if to == State::Closed {
            self.awaited.replace(awaited, stream.awaited());
            stream.closed_by = match transition {
                Transition::SendReset | Transition::Withdraw | Transition::EndConnection => {
                    ClosedBy::LocalReset
                }
                Transition::RecvReset => ClosedBy::PeerReset,
                _ => ClosedBy::EndStream,
            };
            withdrawn = stream.take_waiting().is_some();
        }
        if withdrawn {
            self.queue_mut(local).remove(&id);
        }
        let open = if local { &mut self.counts.local } else { &mut self.counts.peer };
        recount(open, from.counts(), to.counts());
        recount(&mut self.counts.promised, from.is_reserved(), to.is_reserved());
        Some(Transitioned { from, to, withdrawn })
    }

    /// Gives a stream to the caller.
    pub(crate) fn give(&mut self, id: StreamId) {
        self.set_app_owned(id, true);
    }

    /// Takes a stream back from the caller; returns false if the caller has released it before.
    pub(crate) fn release(&mut self, id: StreamId) -> bool {
        let Some(stream) = self.unreleased_mut(id) else { return false };
        stream.released = true;
        self.set_app_owned(id, false);
        true
    }

    fn set_app_owned(&mut self, id: StreamId, app_owned: bool) {
        let local = self.is_local(id);
        let Some(stream) = self.store.get_mut(id) else { return };
        let before = core::mem::replace(&mut stream.app_owned, app_owned);
        if !local {
            recount(&mut self.counts.app_owned, before, app_owned);
        }
    }

    /// Lets a request wait: one of the peer for the caller, one of this endpoint for the peer's limit.
    pub(crate) fn wait(&mut self, id: StreamId, head: WaitingHead) {
        let local = self.is_local(id);
        let Some(stream) = self.store.get_mut(id) else { return };
        stream.rare_mut().waiting = Some(Box::new(head));
        self.queue_mut(local).insert(id);
    }

    /// Returns the queue of this endpoint's requests, or of the peer's.
    fn queue_mut(&mut self, local: bool) -> &mut BTreeSet<StreamId> {
        if local { &mut self.pending_open } else { &mut self.pending_accept }
    }

    /// Returns how many requests wait for the caller.
    pub(crate) fn pending_accept(&self) -> usize {
        self.pending_accept.len()
    }

    /// Returns how many requests wait for the peer's limit.
    pub(crate) fn pending_open(&self) -> usize {
        self.pending_open.len()
    }

    /// Returns the first request that waits for the peer's limit.
    pub(crate) fn first_pending_open(&self) -> Option<StreamId> {
        self.pending_open.first().copied()
    }

    /// Ends the wait of the first request that waits for the caller.
    pub(crate) fn next_to_accept(&mut self) -> Option<(StreamId, WaitingHead)> {
        let id = self.pending_accept.pop_first()?;
        Some((id, *self.store.get_mut(id)?.take_waiting()?))
    }

    /// Ends the wait of the first request that waits for the peer's limit.
    pub(crate) fn next_to_open(&mut self) -> Option<(StreamId, WaitingHead)> {
        let id = self.pending_open.pop_first()?;
        Some((id, *self.store.get_mut(id)?.take_waiting()?))
    }

    /// Asserts that the counts and the queues agree with the streams.
    #[cfg(test)]
    #[track_caller]
    pub(crate) fn check(&self) {
        let count = |holds: &dyn Fn(&Stream) -> bool| self.iter().filter(|stream| holds(stream)).count();
        let open = |local| count(&|stream| stream.state().counts() && self.is_local(stream.id) == local);
        let counts = Counts {
            local: open(true),
            peer: open(false),
            promised: count(&|stream| stream.state().is_reserved()),
            app_owned: count(&|stream| stream.app_owned && !self.is_local(stream.id)),
        };
        assert_eq!(self.counts, counts);
        assert_eq!(
            count(&|stream| !stream.released && !stream.app_owned && !stream.waits()),
            0,
            "every stream must be held, waiting or released"
        );
        let waiting = |local| {
            let waits = |stream: &&Stream| stream.waits() && self.is_local(stream.id) == local;
            self.iter().filter(waits).map(|stream| stream.id).collect::<BTreeSet<_>>()
        };
        let mut awaited = Awaited::default();
        self.iter().for_each(|stream| awaited.add(stream.awaited()));
        assert_eq!((self.awaited.bytes, self.awaited.unknown), (awaited.bytes, awaited.unknown), "awaited");
        assert_eq!(self.pending_accept, waiting(false), "pending accept");
        assert_eq!(self.pending_open, waiting(true), "pending open");
    }

    #[cfg(test)]
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
    }
}

/// The content still to come on all streams.
#[derive(Debug, Default)]
struct Awaited {
    /// Sum over the streams for which it is known.
    bytes: u64,
    /// Number of streams for which it is not.
    unknown: usize,
}

impl Awaited {
    /// Adds the content still to come on one stream, if known.
    fn add(&mut self, awaited: Option<u32>) {
        match awaited {
            Some(bytes) => self.bytes = self.bytes.saturating_add(bytes.into()),
            None => self.unknown = self.unknown.saturating_add(1),
        }
    }

    /// Records a change of one stream.
    fn replace(&mut self, before: Option<u32>, after: Option<u32>) {
        match before {
            Some(bytes) => self.bytes = self.bytes.saturating_sub(bytes.into()),
            None => self.unknown = self.unknown.saturating_sub(1),
        }
        self.add(after);
    }

    fn total(&self) -> Option<u64> {
        (self.unknown == 0).then_some(self.bytes)
    }
}

/// Adjusts a count of streams with a property that one stream had before and has after.
fn recount(count: &mut usize, before: bool, after: bool) {
    match (before, after) {
        (false, true) => *count = count.saturating_add(1),
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}
