//! The kinds of requests.

/// One kind of request, and how it ends.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The pieces of the content; a request without any is a head alone.
    pub(crate) content: &'static [&'static [u8]],
    pub(crate) how: How,
}

/// How a request continues after its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// To its end, with a complete response.
    Whole,
    /// As [`Whole`](Self::Whole), with trailers.
    WithTrailers,
    /// Each piece of the content waits for a piece of the response.
    InTurns,
    /// Cancelled by the client once the response has begun.
    Cancelled,
    /// Cancelled by the client before the response begins.
    CancelledEarly,
    /// On its own connection.
    OwnConnection,
}

const fn get(name: &'static str, path: &'static str, how: How) -> Kind {
    Kind { name, method: "GET", path, content: &[], how }
}

const fn post(name: &'static str, path: &'static str, content: &'static [&'static [u8]], how: How) -> Kind {
    Kind { name, method: "POST", path, content, how }
}

const FIVE: &[&[u8]] = &[b"12345"];
const LARGE: &[&[u8]] = &[&[b'a'; 30_000]];

/// Requests to `http-service`.
pub(crate) const HTTP: &[Kind] = &[
    get("GET", "/", How::Whole),
    get("20,000 bytes", "/bytes/20000", How::Whole),
    get("trailers", "/trailers", How::Whole),
    post("POST", "/upload", FIVE, How::Whole),
    post("echo", "/echo", FIVE, How::Whole),
    post("large echo", "/echo", LARGE, How::Whole),
    post("echo with trailers", "/echo", FIVE, How::WithTrailers),
    post("echo in turns", "/echo", &[b"one", b"two", b"three"], How::InTurns),
    post("refused", "/refuse", LARGE, How::Whole),
    post("answered early", "/early", LARGE, How::Whole),
    get("cancelled download", "/endless", How::Cancelled),
    post("cancelled upload", "/upload", LARGE, How::CancelledEarly),
    get("connection", "/", How::OwnConnection),
];

// Messages in gRPC framing; the third requests a response with a payload of ten bytes.
const EMPTY: &[u8] = &[0, 0, 0, 0, 0];
const PAYLOAD: &[u8] = &[0, 0, 0, 0, 5, 0x0a, 3, 0x12, 1, b'x'];
const TEN: &[u8] = &[0, 0, 0, 0, 4, 0x12, 2, 0x08, 10];

/// Requests to `grpc-service`: the four kinds of calls, one that fails, and cancelled ones.
pub(crate) const GRPC: &[Kind] = &[
    post("unary", "/grpc.testing.TestService/EmptyCall", &[EMPTY], How::Whole),
    post("client streaming", "/grpc.testing.TestService/StreamingInputCall", &[PAYLOAD, PAYLOAD], How::Whole),
    post("server streaming", "/grpc.testing.TestService/StreamingOutputCall", &[TEN], How::Whole),
    post("both streaming", "/grpc.testing.TestService/FullDuplexCall", &[TEN, TEN, TEN], How::InTurns),
    post("refused call", "/http2.testing.Echo/Refuse", &[EMPTY], How::Whole),
    post("cancelled call", "/grpc.testing.TestService/FullDuplexCall", &[TEN], How::Cancelled),
    post(
        "call cancelled early",
        "/grpc.testing.TestService/StreamingInputCall",
        &[PAYLOAD],
        How::CancelledEarly,
    ),
];
