//! What there is to ask for.

/// One kind of request, and how it ends.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The content, in pieces; without any, the head is all there is.
    pub(crate) content: &'static [&'static [u8]],
    pub(crate) how: How,
}

/// How a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// To its end, with the response.
    Whole,
    /// As [`Whole`](Self::Whole), with trailers of its own.
    WithTrailers,
    /// Each piece of the content waits for one of the response.
    InTurns,
    /// The client gives it up once the response has begun.
    GivenUp,
    /// The client gives it up before there is a response.
    GivenUpEarly,
    /// On a connection of its own.
    Alone,
}

const fn get(name: &'static str, path: &'static str, how: How) -> Kind {
    Kind { name, method: "GET", path, content: &[], how }
}

const fn post(name: &'static str, path: &'static str, content: &'static [&'static [u8]], how: How) -> Kind {
    Kind { name, method: "POST", path, content, how }
}

const FIVE: &[&[u8]] = &[b"12345"];
const LARGE: &[&[u8]] = &[&[b'a'; 30_000]];

/// What `http-service` is asked for.
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
    get("download given up", "/endless", How::GivenUp),
    post("upload given up", "/upload", LARGE, How::GivenUpEarly),
    get("connection", "/", How::Alone),
];

// A message in a frame of gRPC; the third asks for a response with a payload of ten bytes.
const EMPTY: &[u8] = &[0, 0, 0, 0, 0];
const PAYLOAD: &[u8] = &[0, 0, 0, 0, 5, 0x0a, 3, 0x12, 1, b'x'];
const TEN: &[u8] = &[0, 0, 0, 0, 4, 0x12, 2, 0x08, 10];

/// What `grpc-service` is asked for: the four kinds of call, those that fail, and those that are given up.
pub(crate) const GRPC: &[Kind] = &[
    post("unary", "/grpc.testing.TestService/EmptyCall", &[EMPTY], How::Whole),
    post("client streaming", "/grpc.testing.TestService/StreamingInputCall", &[PAYLOAD, PAYLOAD], How::Whole),
    post("server streaming", "/grpc.testing.TestService/StreamingOutputCall", &[TEN], How::Whole),
    post("both streaming", "/grpc.testing.TestService/FullDuplexCall", &[TEN, TEN, TEN], How::InTurns),
    post("refused call", "/http2.testing.Echo/Refuse", &[EMPTY], How::Whole),
    post("call given up", "/grpc.testing.TestService/FullDuplexCall", &[TEN], How::GivenUp),
    post(
        "call given up early",
        "/grpc.testing.TestService/StreamingInputCall",
        &[PAYLOAD],
        How::GivenUpEarly,
    ),
];
