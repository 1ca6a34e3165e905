//! A server's answer to an HTTP/1 client.

/// The HTTP/1.1 response for a client that speaks HTTP/1, to be sent in place of all frames.
///
/// It is for callers whose connection ended with [`NotHttp2`](crate::ConnectionError::NotHttp2) before anything was
/// sent.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_engine::{ConnectionError, HTTP1_ANSWER, Time};
/// # let (_, mut server) = pair();
/// let mut input = "GET / HTTP/1.1\r\nhost: example.com\r\n\r\n".into();
/// assert!(server.recv(Time::default(), &mut input) > 0);
/// assert_eq!(server.close_reason(), Some(Err(&ConnectionError::NotHttp2)));
/// // So this goes to the transport, in place of the engine's output.
/// assert!(HTTP1_ANSWER.starts_with(b"HTTP/1.1 505 "));
/// # Ok(())
/// # }
/// ```
pub const HTTP1_ANSWER: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\n\
    content-type: text/plain\r\ncontent-length: 52\r\nconnection: close\r\n\r\n\
    This server speaks HTTP/2 with prior knowledge only.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_length_matches_the_content() {
        let answer = str::from_utf8(HTTP1_ANSWER).unwrap();
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", content.len())), "{}", content.len());
    }
}
