//! What a server tells a client that speaks HTTP/1.

/// The response of a server to a client that speaks HTTP/1, in its own protocol, in place of all frames: for callers whose
/// connection has ended with [`NotHttp2`](crate::ConnectionError::NotHttp2) before anything was sent.
pub const HTTP1_ANSWER: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\n\
    content-type: text/plain\r\ncontent-length: 52\r\nconnection: close\r\n\r\n\
    This server speaks HTTP/2 with prior knowledge only.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_its_length() {
        let answer = str::from_utf8(HTTP1_ANSWER).unwrap();
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", content.len())), "{}", content.len());
    }
}
