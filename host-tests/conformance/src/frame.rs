//! Encoders for frames, valid and invalid (RFC 9113, 4.1 and 6).

/// The client connection preface (RFC 9113, 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (RFC 9113, 11.2).
pub mod kind {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    pub const DATA: u8 = 0x0;
    pub const HEADERS: u8 = 0x1;
    pub const PRIORITY: u8 = 0x2;
    pub const RST_STREAM: u8 = 0x3;
    pub const SETTINGS: u8 = 0x4;
    pub const PUSH_PROMISE: u8 = 0x5;
    pub const PING: u8 = 0x6;
    pub const GOAWAY: u8 = 0x7;
    pub const WINDOW_UPDATE: u8 = 0x8;
    pub const CONTINUATION: u8 = 0x9;
    /// RFC 7838, 4.
    pub const ALTSVC: u8 = 0xa;
    /// RFC 8336, 2.
    pub const ORIGIN: u8 = 0xc;
    /// RFC 9218, 7.1.
    pub const PRIORITY_UPDATE: u8 = 0x10;
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
    pub const HEADER_TABLE_SIZE: u16 = 0x1;
    pub const ENABLE_PUSH: u16 = 0x2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    pub const INITIAL_WINDOW_SIZE: u16 = 0x4;
    pub const MAX_FRAME_SIZE: u16 = 0x5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    /// RFC 8441, 3.
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;
    /// RFC 9218, 2.1.
    pub const NO_RFC7540_PRIORITIES: u16 = 0x9;
}

/// Error codes (RFC 9113, 7).
pub mod code {
    #![allow(missing_docs, reason = "they are named as in the RFC")]
    pub const NO_ERROR: u32 = 0x0;
    pub const PROTOCOL_ERROR: u32 = 0x1;
    pub const INTERNAL_ERROR: u32 = 0x2;
    pub const FLOW_CONTROL_ERROR: u32 = 0x3;
    pub const SETTINGS_TIMEOUT: u32 = 0x4;
    pub const STREAM_CLOSED: u32 = 0x5;
    pub const FRAME_SIZE_ERROR: u32 = 0x6;
    pub const REFUSED_STREAM: u32 = 0x7;
    pub const CANCEL: u32 = 0x8;
    pub const COMPRESSION_ERROR: u32 = 0x9;
    pub const CONNECT_ERROR: u32 = 0xa;
    pub const ENHANCE_YOUR_CALM: u32 = 0xb;
}

/// A frame of any type.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a payload of less than 16 MiB").to_be_bytes();
    let mut octets = vec![length[1], length[2], length[3], kind, flags];
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

/// DATA without padding.
pub fn data(stream: u32, flags: u8, content: &[u8]) -> Vec<u8> {
    frame(kind::DATA, flags, stream, content)
}

/// HEADERS with a complete field block.
pub fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(kind::HEADERS, flags | flag::END_HEADERS, stream, &block(fields))
}

/// HEADERS with a complete field block of arbitrary bytes.
pub fn headers_block(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flags | flag::END_HEADERS, stream, block)
}

/// PRIORITY with the default weight (RFC 9113, 6.3).
pub fn priority(stream: u32, depends_on: u32) -> Vec<u8> {
    frame(kind::PRIORITY, 0, stream, &[&depends_on.to_be_bytes()[..], &[15]].concat())
}

/// RST_STREAM.
pub fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// SETTINGS.
pub fn settings(parameters: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in parameters {
        payload.extend(id.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(kind::SETTINGS, 0, 0, &payload)
}

/// The acknowledgement of SETTINGS.
pub fn settings_ack() -> Vec<u8> {
    frame(kind::SETTINGS, flag::ACK, 0, &[])
}

/// PUSH_PROMISE with a complete field block.
pub fn push_promise(stream: u32, promised: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let payload = [&promised.to_be_bytes()[..], &block(fields)].concat();
    frame(kind::PUSH_PROMISE, flag::END_HEADERS, stream, &payload)
}

/// PING.
pub fn ping(payload: [u8; 8]) -> Vec<u8> {
    frame(kind::PING, 0, 0, &payload)
}

/// GOAWAY without debug data.
pub fn go_away(last: u32, code: u32) -> Vec<u8> {
    frame(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// WINDOW_UPDATE.
pub fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// A field block of literals without indexing and without Huffman coding (RFC 7541, 6.2.2).
///
/// It depends on no earlier block, and can express fields that no encoder would produce.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in fields {
        octets.extend(literal(name.as_bytes(), value.as_bytes()));
    }
    octets
}

/// One field of a block from [`block`], with arbitrary bytes.
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0];
    for string in [name, value] {
        integer(&mut octets, 7, 0, string.len());
        octets.extend(string);
    }
    octets
}

/// Appends an integer with a prefix of `prefix` bits; `high` holds the bits above the prefix (RFC 7541, 5.1).
pub fn integer(octets: &mut Vec<u8>, prefix: u32, high: u8, value: usize) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        octets.push(high | u8::try_from(value).expect("less than a prefix"));
        return;
    }
    octets.push(high | u8::try_from(most).expect("a prefix"));
    let mut rest = value - most;
    while rest >= 0x80 {
        octets.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    octets.push(u8::try_from(rest).expect("seven bits"));
}

/// A request without content.
pub const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")];

/// A request that is answered with a head alone.
pub const HEAD: &[(&str, &str)] =
    &[(":method", "HEAD"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")];

/// A request whose content the server echoes.
pub const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":scheme", "http"), (":path", "/echo"), (":authority", "localhost")];

/// A response.
pub const OK: &[(&str, &str)] = &[(":status", "200")];
