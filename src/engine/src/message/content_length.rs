//! Content against Content-Length (RFC 9113, 8.1.1; RFC 9110, 6.4.1 and 8.6).

use super::{MethodKind, RequestFacts, ResponseFacts};
use crate::error::Malformed;

/// How much content a message may yet have. Octets of padding are no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentLength {
    /// Content-Length is not there, or what follows is a tunnel: as much as there is.
    Unknown,
    /// As many octets as these.
    Remaining(u64),
    /// A response that has no content, whatever its Content-Length says.
    NoContent,
}

impl ContentLength {
    /// The content of a request.
    pub(crate) fn of_request(request: &RequestFacts) -> Self {
        request.content_length.map_or(Self::Unknown, Self::Remaining)
    }

    /// The content of the final response to a request with this method.
    pub(crate) fn of_response(method: MethodKind, response: &ResponseFacts) -> Self {
        match (method, response.status) {
            (MethodKind::Connect | MethodKind::ExtendedConnect, 200..=299) => Self::Unknown,
            (MethodKind::Head, _) | (_, 204 | 304) => Self::NoContent,
            _ => response.content_length.map_or(Self::Unknown, Self::Remaining),
        }
    }

    /// How much content may yet come, if that is known.
    pub(crate) fn rest(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Remaining(octets) => Some(octets),
            Self::NoContent => Some(0),
        }
    }

    /// Counts octets of content. Errors: [`Malformed::ContentLengthMismatch`] when they are more than the
    /// message has left, [`Malformed::UnexpectedContent`] when it has no content at all.
    pub(crate) fn receive(&mut self, octets: u32) -> Result<(), Malformed> {
        match self {
            Self::Unknown => Ok(()),
            Self::NoContent if octets > 0 => Err(Malformed::UnexpectedContent),
            Self::NoContent => Ok(()),
            Self::Remaining(remaining) => {
                *remaining = remaining.checked_sub(octets.into()).ok_or(Malformed::ContentLengthMismatch)?;
                Ok(())
            }
        }
    }

    /// Judges the end of the content. Error: [`Malformed::ContentLengthMismatch`] when some of it is missing.
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

    /// What becomes of content that arrives in these pieces.
    fn outcome(mut content: ContentLength, pieces: &[u32]) -> Result<(), Malformed> {
        pieces.iter().try_for_each(|&octets| content.receive(octets))?;
        content.finish()
    }

    #[test]
    fn requests_have_as_much_content_as_they_say() {
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
