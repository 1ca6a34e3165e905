//! Counters.

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Counters of a connection, since its start unless said otherwise.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Stats {
            /// Every counter with the name of its field.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }
    };
}

stats! {
    /// Octets taken from the transport.
    octets_received,
    /// Octets handed out for the transport.
    octets_sent,
    /// Frames received.
    frames_received,
    /// Frames sent.
    frames_sent,
    /// Octets of content received.
    content_received,
    /// Octets of content sent.
    content_sent,
    /// Streams that this endpoint opened.
    streams_opened,
    /// Streams that the peer opened.
    streams_accepted,
    /// Streams that ended in both directions.
    streams_completed,
    /// RST_STREAM frames received.
    resets_received,
    /// RST_STREAM frames sent.
    resets_sent,
    /// Streams that are not closed at present.
    streams_open,
    /// Requests that wait for the caller to release earlier streams, or for the peer's limit, at present.
    streams_waiting,
    /// The last round-trip time, in nanoseconds; 0 if none was measured.
    round_trip_nanos,
    /// The abuse score at present.
    abuse_score,
    /// The highest abuse score so far.
    abuse_score_peak,
    /// The receive window up to which the connection is credited at present.
    connection_window_target,
}
