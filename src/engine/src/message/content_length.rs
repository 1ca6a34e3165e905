//! Comparison of content with Content-Length (RFC 9113, 8.1.1; RFC 9110, 6.4.1 and 8.6).

use super::{MethodKind, RequestFacts, ResponseFacts};
use crate::error::Malformed;

/// The content that a message may still have, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentLength {
    /// Any number of bytes: Content-Length is missing, or a tunnel follows.
    Unknown,
    /// Exactly this number of bytes.
    Remaining(u64),
    /// None: the response cannot have content, whatever its Content-Length.
    NoContent,
}

impl ContentLength {
    /// Returns the content that a request must have.
    pub(crate) fn of_request(request: &RequestFacts) -> Self {
        request.content_length.map_or(Self::Unknown, Self::Remaining)
    }

    /// Returns the content that the final response to a request with this method must have.
    pub(crate) fn of_response(method: MethodKind, response: &ResponseFacts) -> Self {
        match (method, response.status) {
            (MethodKind::Connect | MethodKind::ExtendedConnect, 200..=299) => Self::Unknown,
            (MethodKind::Head, _) | (_, 204 | 304) => Self::NoContent,
            _ => response.content_length.map_or(Self::Unknown, Self::Remaining),
        }
    }

    /// Returns this length if the content is to be checked against it.
    pub(crate) fn if_checked(self, checked: bool) -> Self {
        if checked { self } else { Self::Unknown }
    }

    /// Returns the bytes of content still to come, if known.
    pub(crate) fn rest(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Remaining(bytes) => Some(bytes),
            Self::NoContent => Some(0),
        }
    }

    /// Counts `bytes` of content.
    ///
    /// Fails with [`Malformed::ContentLengthMismatch`] if they exceed the rest, and with
    /// [`Malformed::UnexpectedContent`] if the message cannot have content.
    pub(crate) fn receive(&mut self, bytes: u32) -> Result<(), Malformed> {
        match self {
            Self::Unknown => Ok(()),
            Self::NoContent if bytes > 0 => Err(Malformed::UnexpectedContent),
            Self::NoContent => Ok(()),
            Self::Remaining(remaining) => {
                *remaining = remaining.checked_sub(bytes.into()).ok_or(Malformed::ContentLengthMismatch)?;
                Ok(())
            }
        }
    }

    /// Checks the end of the content.
    ///
    /// Fails with [`Malformed::ContentLengthMismatch`] if content is missing.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        match self {
            Self::Unknown | Self::NoContent | Self::Remaining(0) => Ok(()),
            Self::Remaining(_) => Err(Malformed::ContentLengthMismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Malformed::{ContentLengthMismatch, UnexpectedContent};

    /// Receives content in these pieces, and its end.
    fn outcome(mut content: ContentLength, pieces: &[u32]) -> Result<(), Malformed> {
        pieces.iter().try_for_each(|&bytes| content.receive(bytes))?;
        content.finish()
    }

    #[test]
    fn request_content_must_match_content_length() {
        let request = |content_length| {
            ContentLength::of_request(&RequestFacts {
                method: MethodKind::Other,
                content_length,
                priority: None,
            })
        };
        assert_eq!(outcome(request(None), &[]), Ok(()));
        assert_eq!(outcome(request(None), &[1, u32::MAX]), Ok(()));
        assert_eq!(outcome(request(Some(0)), &[0]), Ok(()));
        assert_eq!(outcome(request(Some(5)), &[2, 0, 3]), Ok(()));
        assert_eq!(outcome(request(Some(5)), &[]), Err(ContentLengthMismatch));
        assert_eq!(outcome(request(Some(5)), &[4]), Err(ContentLengthMismatch));
        assert_eq!(outcome(request(Some(5)), &[4, 2]), Err(ContentLengthMismatch));
        assert_eq!(outcome(request(Some(u64::MAX)), &[1]), Err(ContentLengthMismatch));
    }

    #[test]
    fn responses_have_no_content_where_method_or_status_says_so() {
        use MethodKind::{Connect, ExtendedConnect, Get, Head};
        let cases = [
            (Get, 200, Some(5), &[5][..], Ok(())),
            (Get, 200, Some(5), &[], Err(ContentLengthMismatch)),
            (Get, 200, None, &[5], Ok(())),
            (Head, 200, Some(5), &[], Ok(())),
            (Head, 200, Some(5), &[0], Ok(())),
            (Head, 200, Some(5), &[5], Err(UnexpectedContent)),
            (Get, 204, None, &[1], Err(UnexpectedContent)),
            (Get, 304, Some(5), &[], Ok(())),
            (Get, 304, Some(5), &[5], Err(UnexpectedContent)),
            (Connect, 200, Some(5), &[7], Ok(())),
            (Connect, 204, None, &[7], Ok(())),
            (ExtendedConnect, 200, Some(0), &[7], Ok(())),
            (Connect, 403, Some(5), &[7], Err(ContentLengthMismatch)),
        ];
        for (method, status, content_length, pieces, expected) in cases {
            let content = ContentLength::of_response(method, &ResponseFacts { status, content_length });
            assert_eq!(
                outcome(content, pieces),
                expected,
                "{method:?} {status} {content_length:?} {pieces:?}"
            );
        }
    }
}
