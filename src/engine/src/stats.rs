//! Counters of a connection.

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Counters of a connection, since its start unless stated otherwise.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Stats {
            /// Returns every counter with the name of its field.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }
    };
}

stats! {
    /// Bytes taken from the transport.
    bytes_received,
    /// Bytes handed to the transport.
    bytes_sent,
    /// Frames received.
    frames_received,
    /// Frames sent.
    frames_sent,
    /// Bytes of content received.
    content_received,
    /// Bytes of content sent.
    content_sent,
    /// Streams opened by this endpoint.
    streams_opened,
    /// Streams opened by the peer.
    streams_accepted,
    /// Streams that ended in both directions.
    streams_completed,
    /// RST_STREAM frames received.
    resets_received,
    /// RST_STREAM frames sent.
    resets_sent,
    /// Stream errors by the peer, answered with RST_STREAM.
    stream_errors,
    /// Streams that are not closed now.
    streams_open,
    /// Requests that now wait for the caller to release earlier streams, or for the peer's limit.
    streams_waiting,
    /// The last round-trip time in nanoseconds; 0 if none was measured.
    round_trip_nanos,
    /// The abuse score now.
    abuse_score,
    /// The highest abuse score so far.
    abuse_score_peak,
    /// The current limit to which the connection's receive window is replenished, in bytes.
    connection_window_target,
}
