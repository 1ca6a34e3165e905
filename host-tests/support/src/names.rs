//! The numbers of the protocol, and their names.

/// Defines constants and their names.
macro_rules! named {
    ($number:ty { $($(#[$doc:meta])* $name:ident = $value:expr,)* }) => {
        $($(#[$doc])* pub const $name: $number = $value;)*

        /// The name of a number, or the number itself if it has none.
        pub fn name(number: $number) -> String {
            match number {
                $($name => stringify!($name).to_owned(),)*
                other => format!("{other:#x}"),
            }
        }
    };
}

/// Frame types (RFC 9113, 11.2).
pub mod kind {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    named! { u8 {
        DATA = 0x0,
        HEADERS = 0x1,
        PRIORITY = 0x2,
        RST_STREAM = 0x3,
        SETTINGS = 0x4,
        PUSH_PROMISE = 0x5,
        PING = 0x6,
        GOAWAY = 0x7,
        WINDOW_UPDATE = 0x8,
        CONTINUATION = 0x9,
        /// RFC 7838, 4.
        ALTSVC = 0xa,
        /// RFC 8336, 2.
        ORIGIN = 0xc,
        /// RFC 9218, 7.1.
        PRIORITY_UPDATE = 0x10,
    } }
}

/// Frame flags (RFC 9113, 6).
pub mod flag {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    pub const ACK: u8 = 0x1;
    pub const END_STREAM: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

/// SETTINGS parameters (RFC 9113, 6.5.2).
pub mod setting {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    named! { u16 {
        HEADER_TABLE_SIZE = 0x1,
        ENABLE_PUSH = 0x2,
        MAX_CONCURRENT_STREAMS = 0x3,
        INITIAL_WINDOW_SIZE = 0x4,
        MAX_FRAME_SIZE = 0x5,
        MAX_HEADER_LIST_SIZE = 0x6,
        /// RFC 8441, 3.
        ENABLE_CONNECT_PROTOCOL = 0x8,
        /// RFC 9218, 2.1.
        NO_RFC7540_PRIORITIES = 0x9,
    } }
}

/// Error codes (RFC 9113, 7).
pub mod code {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    named! { u32 {
        NO_ERROR = 0x0,
        PROTOCOL_ERROR = 0x1,
        INTERNAL_ERROR = 0x2,
        FLOW_CONTROL_ERROR = 0x3,
        SETTINGS_TIMEOUT = 0x4,
        STREAM_CLOSED = 0x5,
        FRAME_SIZE_ERROR = 0x6,
        REFUSED_STREAM = 0x7,
        CANCEL = 0x8,
        COMPRESSION_ERROR = 0x9,
        CONNECT_ERROR = 0xa,
        ENHANCE_YOUR_CALM = 0xb,
    } }
}
