//! What the implementations have in common.

use http2_engine::Role;

use crate::message::{Delivery, Fields};

/// How an endpoint begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Which side of the connection it is.
    pub role: Role,
    /// For what the endpoint chooses by itself, as padding.
    pub seed: u64,
    /// SETTINGS_INITIAL_WINDOW_SIZE, in octets.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE, in octets.
    pub max_frame_size: u32,
    /// SETTINGS_HEADER_TABLE_SIZE, in octets.
    pub header_table_size: u32,
    /// SETTINGS_MAX_CONCURRENT_STREAMS; only a server says it.
    pub max_concurrent_streams: u32,
    /// The receive window of the connection, in octets, at least 65,535.
    pub connection_window: u32,
}

/// A setting that changes in mid-flight, and its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// SETTINGS_HEADER_TABLE_SIZE, in octets.
    HeaderTableSize(u32),
    /// SETTINGS_MAX_CONCURRENT_STREAMS.
    MaxConcurrentStreams(u32),
    /// SETTINGS_INITIAL_WINDOW_SIZE, in octets.
    InitialWindowSize(u32),
    /// SETTINGS_MAX_FRAME_SIZE, in octets.
    MaxFrameSize(u32),
}

/// Why an operation was not taken. Nothing of it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no room for it now, or the implementation cannot do it at all.
    NotNow,
    /// The stream has ended, or the connection takes no more streams.
    Gone,
}

/// One end of a connection, in memory: octets and operations go in, octets and deliveries come out.
pub trait Endpoint {
    /// Takes octets that have arrived.
    fn receive(&mut self, octets: &[u8]);

    /// Appends what is to be sent: about `max` octets at most.
    fn transmit(&mut self, max: usize, out: &mut Vec<u8>);

    /// Client: sends the head of a request, and says on which stream.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused>;

    /// Server: sends an informational response.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused>;

    /// Server: sends the head of the response.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused>;

    /// Sends content, and says how much of it was taken. `end_stream` holds once that is all of it.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused>;

    /// Ends a message with a trailer section.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused>;

    /// Breaks a stream off. Nothing more is delivered of it.
    fn reset(&mut self, stream: u32, code: u32);

    /// Takes about `max` octets of the content that has arrived, or what comes behind it; they are given back to the
    /// peer's windows. They show among the [deliveries](Self::deliveries).
    fn read(&mut self, stream: u32, max: usize);

    /// Changes a setting.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn change(&mut self, change: Change) -> Result<(), Refused>;

    /// Raises the receive window of a stream, or of the connection (0), by so many octets.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused>;

    /// Sends a PING.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn ping(&mut self) -> Result<(), Refused>;

    /// How many PINGs were answered.
    fn pongs(&self) -> usize;

    /// Ends the connection in good order: what is under way goes on.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    fn shut_down(&mut self) -> Result<(), Refused>;

    /// What was delivered since the last call, with the streams.
    fn deliveries(&mut self) -> Vec<(u32, Delivery)>;

    /// What is wrong with the connection, or with the peer, from this end's point of view.
    fn failure(&self) -> Option<String>;

    /// Whether fields of different names come out in the order in which they went in.
    fn keeps_field_order(&self) -> bool {
        true
    }

    /// Whether WINDOW_UPDATE on a stream that was opened too late for the last GOAWAY is passed over, as it should be.
    fn ignores_windows_of_late_streams(&self) -> bool {
        true
    }

    /// Whether streams that are open go on when one of the two has said GOAWAY without an error, as they should.
    fn goes_on_after_goaway(&self) -> bool {
        true
    }

    /// Whether what still comes on a stream after it was reset is answered with another reset, as no endpoint has to.
    fn repeats_resets(&self) -> bool {
        false
    }

    /// Whether of several changes of the peer's table size between two field blocks, the smallest and the last are
    /// announced, as they should be (RFC 7541, 4.2).
    fn sums_up_table_sizes(&self) -> bool {
        true
    }

    /// Whether an empty DATA frame may come on a stream whose window was lowered to less than nothing, as it may
    /// (RFC 9113, 6.9.1).
    fn takes_empty_data_below_zero(&self) -> bool {
        true
    }

    /// Whether a stream is given what it is owed when that becomes due by a lower SETTINGS_INITIAL_WINDOW_SIZE of the
    /// endpoint's own, so that the stream does not stop for ever.
    fn makes_up_for_lower_windows(&self) -> bool {
        true
    }

    /// Client: whether informational responses that were on their way when a stream was reset are passed over, as they
    /// should be (RFC 9113, 5.1).
    fn takes_informational_after_reset(&self) -> bool {
        true
    }
}
