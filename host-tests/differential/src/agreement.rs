//! The agreement of both ends on an exchange.

use crate::message::Message;

/// REFUSED_STREAM: the server did not process the request (RFC 9113, 8.7).
const REFUSED_STREAM: u32 = 7;

/// One end's view of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The message that the endpoint accepted for sending.
    pub sent: Message,
    /// The message that the endpoint delivered, until its own caller reset the stream.
    pub received: Message,
    /// The code with which this end's caller reset the stream.
    pub has_reset: Option<u32>,
    /// The code with which the peer reset the stream, as reported by the endpoint.
    pub peer_reset: Option<u32>,
}

/// Both views of an exchange, after its end.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The client's side.
    pub client: Side,
    /// The server's side.
    pub server: Side,
    /// Whether the server had a reason to refuse requests: it was shutting down, or had lowered its stream
    /// limit while requests were in flight.
    pub may_be_refused: bool,
}

impl Record {
    /// Checks that both ends agree.
    ///
    /// `order` says whether both keep the order of fields with different names.
    ///
    /// # Errors
    ///
    /// Describes the difference.
    pub fn check(&self, order: bool) -> Result<(), String> {
        let directions = [("request", &self.client, &self.server), ("response", &self.server, &self.client)];
        let refused = self.is_refused();
        let broken = refused || self.client.has_reset.is_some() || self.server.has_reset.is_some();
        for (name, sender, receiver) in directions {
            let (sent, received) = (sender.sent.normalised(order), receiver.received.normalised(order));
            if !received.is_beginning_of(&sent) {
                return Err(format!(
                    "the delivered {name} differs from the sent one{}",
                    difference(&sent, &received)
                ));
            }
            let complete = sent.end && received.end;
            if !broken && !complete {
                return Err(format!("the {name} did not end"));
            }
            if refused {
                continue;
            }
            if let Some(code) = receiver.peer_reset
                && sender.has_reset != Some(code)
            {
                return Err(format!(
                    "the receiver of the {name} reported a reset with {code:#x} that was not sent"
                ));
            }
            let knows = receiver.peer_reset.is_some() || receiver.has_reset.is_some();
            let complete = receiver.sent.end && receiver.received.end;
            let never_heard = name == "request" && receiver.received == Message::default();
            if sender.has_reset.is_some() && !knows && !complete && !never_heard {
                return Err(format!("the receiver of the {name} did not report its sender's reset"));
            }
        }
        Ok(())
    }

    /// Whether the server refused the request, and the client reported that.
    fn is_refused(&self) -> bool {
        let never_heard =
            self.server.received == Message::default() && self.server.sent == Message::default();
        match self.client.peer_reset {
            Some(_) => never_heard && self.may_be_refused && self.client.received == Message::default(),
            None => false,
        }
    }
}

/// Whether a reset that an endpoint sent on its own is a refusal.
pub(crate) fn is_refusal(code: u32) -> bool {
    code == REFUSED_STREAM
}

fn difference(sent: &Message, received: &Message) -> String {
    let place = sent.content.iter().zip(&received.content).position(|(one, other)| one != other);
    let place = place.map(|at| format!(" (content differs at {at})")).unwrap_or_default();
    format!("{place}:\n  sent     {sent:?}\n  received {received:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Delivery, Fields};

    fn message(content: &[u8]) -> Message {
        let mut message = Message::default();
        message.add(Delivery::Head([(":status", "200"), ("x-one", "1")].into_iter().collect())).unwrap();
        message.add(Delivery::Content(content.to_vec())).unwrap();
        message.add(Delivery::End).unwrap();
        message
    }

    fn complete() -> Record {
        let (request, response) = (message(b"question"), message(b"answer"));
        let client = Side { sent: request.clone(), received: response.clone(), ..Side::default() };
        let server = Side { sent: response, received: request, ..Side::default() };
        Record { client, server, may_be_refused: false }
    }

    #[test]
    fn differing_content_is_a_disagreement() {
        assert_eq!(complete().check(true), Ok(()));
        let changes: [fn(&mut Record); 6] = [
            |record| record.server.received.content[3] ^= 1,
            |record| _ = record.client.received.content.pop(),
            |record| record.client.received.end = false,
            |record| record.client.received.head.as_mut().unwrap().push("x-two", "2"),
            |record| record.server.received.trailers = Some(Fields::default()),
            |record| record.client.received.informational.push(Fields::default()),
        ];
        for change in changes {
            let mut record = complete();
            change(&mut record);
            assert!(record.check(true).is_err(), "{record:?}");
        }
    }

    #[test]
    fn resets_must_be_reported_with_their_code() {
        let mut record = complete();
        record.server.sent.end = false;
        record.server.has_reset = Some(8);
        record.client.received.end = false;
        assert!(record.check(true).is_err());
        record.client.peer_reset = Some(2);
        assert!(record.check(true).is_err());
        record.client.peer_reset = Some(8);
        assert_eq!(record.check(true), Ok(()));
        record.server.has_reset = None;
        assert!(record.check(true).is_err(), "nobody sent it");
    }

    #[test]
    fn refusals_need_a_reason() {
        let mut record = Record::default();
        record.client.sent = message(b"");
        record.client.peer_reset = Some(REFUSED_STREAM);
        assert!(record.check(true).is_err());
        record.may_be_refused = true;
        assert_eq!(record.check(true), Ok(()));
    }
}
