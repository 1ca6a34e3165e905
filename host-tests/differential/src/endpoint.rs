//! The interface that all implementations share.

use http2_engine::Role;

use crate::message::{Delivery, Fields};

/// The initial parameters of an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The side of the connection.
    pub role: Role,
    /// The seed for the endpoint's own choices, such as padding.
    pub seed: u64,
    /// SETTINGS_INITIAL_WINDOW_SIZE, in bytes.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE, in bytes.
    pub max_frame_size: u32,
    /// SETTINGS_HEADER_TABLE_SIZE, in bytes.
    pub header_table_size: u32,
    /// SETTINGS_MAX_CONCURRENT_STREAMS; only a server sends it.
    pub max_concurrent_streams: u32,
    /// The receive window of the connection, in bytes; at least 65,535.
    pub connection_window: u32,
}

/// A setting changed during the conversation, and its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// SETTINGS_HEADER_TABLE_SIZE, in bytes.
    HeaderTableSize(u32),
    /// SETTINGS_MAX_CONCURRENT_STREAMS.
    MaxConcurrentStreams(u32),
    /// SETTINGS_INITIAL_WINDOW_SIZE, in bytes.
    InitialWindowSize(u32),
    /// SETTINGS_MAX_FRAME_SIZE, in bytes.
    MaxFrameSize(u32),
}

/// The reason why an endpoint rejected an operation, without any effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has no room now, or the implementation does not support the operation.
    NotNow,
    /// The stream has ended, or the connection accepts no more streams.
    Gone,
}

/// One end of a connection in memory, with bytes and operations as input, and bytes and deliveries as output.
pub trait Endpoint {
    /// Processes received bytes.
    fn receive(&mut self, octets: &[u8]);

    /// Appends output, about `max` bytes at most.
    fn transmit(&mut self, max: usize, out: &mut Vec<u8>);

    /// Client: sends the head of a request, and returns its stream.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused>;

    /// Server: sends an informational response.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused>;

    /// Server: sends the head of the response.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused>;

    /// Sends content, and returns how many bytes the endpoint accepted; `end_stream` applies if it accepted
    /// all.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused>;

    /// Ends a message with a trailer section.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused>;

    /// Resets a stream; nothing more is delivered on it.
    fn reset(&mut self, stream: u32, code: u32);

    /// Reads about `max` bytes of received content, or the item after it, and returns the credit to the
    /// peer's windows.
    ///
    /// The result appears among the [deliveries](Self::deliveries).
    fn read(&mut self, stream: u32, max: usize);

    /// Changes a setting.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn change(&mut self, change: Change) -> Result<(), Refused>;

    /// Raises the receive window of a stream, or of the connection (0), by this many bytes.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused>;

    /// Sends a PING.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn ping(&mut self) -> Result<(), Refused>;

    /// The number of PING acknowledgements received.
    fn pongs(&self) -> usize;

    /// Shuts the connection down gracefully: exchanges in progress continue.
    ///
    /// # Errors
    ///
    /// Fails with [`Refused`].
    fn shut_down(&mut self) -> Result<(), Refused>;

    /// Returns the deliveries since the last call, with their streams.
    fn deliveries(&mut self) -> Vec<(u32, Delivery)>;

    /// The error of the connection or of the peer, as this end sees it.
    fn failure(&self) -> Option<String>;

    /// Whether the endpoint keeps the order of fields with different names.
    fn keeps_field_order(&self) -> bool {
        true
    }

    /// Whether it ignores WINDOW_UPDATE on a stream above the last one of its GOAWAY, as it should.
    fn ignores_windows_of_late_streams(&self) -> bool {
        true
    }

    /// Whether open streams continue after a GOAWAY without error from either side, as they should.
    fn continues_after_goaway(&self) -> bool {
        true
    }

    /// Whether it answers late frames on a stream that it has reset with another reset, which the RFC does
    /// not require.
    fn repeats_resets(&self) -> bool {
        false
    }

    /// Whether, after several changes of the peer's table size between two field blocks, it announces only
    /// the smallest and the last, as it should (RFC 7541, 4.2).
    fn sums_up_table_sizes(&self) -> bool {
        true
    }

    /// Whether it accepts an empty DATA frame on a stream whose window was lowered below 0, as it should (RFC
    /// 9113, 6.9.1).
    fn takes_empty_data_below_zero(&self) -> bool {
        true
    }

    /// Whether it sends the credit that becomes due when it lowers its own SETTINGS_INITIAL_WINDOW_SIZE, so
    /// that the stream does not stall for good.
    fn compensates_lower_windows(&self) -> bool {
        true
    }

    /// Client: whether it ignores informational responses that were in flight when it reset their stream, as
    /// it should (RFC 9113, 5.1).
    fn takes_informational_after_reset(&self) -> bool {
        true
    }
}
