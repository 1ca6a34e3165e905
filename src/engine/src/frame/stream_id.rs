//! Stream identifiers.

use core::fmt;

/// A stream identifier: 31 bits, where 0 stands for the connection itself (RFC 9113, 5.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

impl StreamId {
    /// Stream 0, used by frames that apply to the whole connection.
    pub const CONNECTION: Self = Self(0);
    /// The highest identifier, 2^31-1.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// Creates a stream identifier. Returns `None` above 2^31-1.
    pub const fn new(id: u32) -> Option<Self> {
        if id <= Self::MAX.0 { Some(Self(id)) } else { None }
    }

    /// Parses a stream identifier from the four bytes in a frame. The reserved bit is ignored (RFC 9113, 4.1).
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes) & Self::MAX.0)
    }

    /// Returns the wire format of the identifier, with the reserved bit unset.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// Returns the identifier as a number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Returns whether this is stream 0.
    pub const fn is_connection(self) -> bool {
        self.0 == 0
    }

    /// Returns whether a client initiates the stream, which then has an odd number (RFC 9113, 5.1.1).
    pub const fn is_client_initiated(self) -> bool {
        self.0 & 1 == 1
    }

    /// Returns whether a server initiates the stream, which then has an even number other than 0 (RFC 9113, 5.1.1).
    pub const fn is_server_initiated(self) -> bool {
        self.0 & 1 == 0 && self.0 != 0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::StreamId;

    #[test]
    fn identifiers_have_31_bits() {
        assert_eq!(StreamId::new(0x7fff_ffff), Some(StreamId::MAX));
        assert_eq!(StreamId::new(0x8000_0000), None);
        assert_eq!(StreamId::from_bytes([0x80, 0, 0, 3]), StreamId::from_bytes([0, 0, 0, 3]));
        assert_eq!(StreamId::MAX.to_bytes(), [0x7f, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn parity_tells_which_endpoint_initiates_a_stream() {
        for (id, client, server) in [(0, false, false), (1, true, false), (2, false, true), (3, true, false)]
        {
            let id = StreamId::new(id).unwrap();
            assert_eq!((id.is_client_initiated(), id.is_server_initiated()), (client, server), "stream {id}");
        }
    }
}
