//! What both ends have to agree on.

use crate::message::Message;

/// REFUSED_STREAM: the request was not acted upon (RFC 9113, 8.7).
const REFUSED_STREAM: u32 = 7;

/// An exchange from one end's point of view.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What the endpoint has taken for sending.
    pub sent: Message,
    /// What the endpoint has delivered, up to a reset of its own caller's.
    pub received: Message,
    /// With which code the caller has broken it off.
    pub has_reset: Option<u32>,
    /// With which code the peer has broken it off, as the endpoint says.
    pub was_reset: Option<u32>,
}

/// An exchange when all is over.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The client's side.
    pub client: Side,
    /// The server's side.
    pub server: Side,
    /// The server had a reason to refuse requests: it was shutting down, or had lowered its limit of streams while they
    /// were on their way.
    pub may_be_refused: bool,
}

impl Record {
    /// Whether both ends say the same. `order` tells whether both keep fields of different names in order.
    ///
    /// # Errors
    ///
    /// What they differ in.
    pub fn check(&self, order: bool) -> Result<(), String> {
        let directions = [("request", &self.client, &self.server), ("response", &self.server, &self.client)];
        let refused = self.is_refused();
        let broken = refused || self.client.has_reset.is_some() || self.server.has_reset.is_some();
        for (name, sender, receiver) in directions {
            let (sent, received) = (sender.sent.normalised(order), receiver.received.normalised(order));
            if !received.is_beginning_of(&sent) {
                return Err(format!(
                    "{name} was not delivered as it was sent{}",
                    difference(&sent, &received)
                ));
            }
            let complete = sent.end && received.end;
            if !broken && !complete {
                return Err(format!("the {name} has not ended"));
            }
            if refused {
                continue;
            }
            if let Some(code) = receiver.was_reset
                && sender.has_reset != Some(code)
            {
                return Err(format!(
                    "a reset with {code:#x} was told by the receiver of the {name}, not sent"
                ));
            }
            let knows = receiver.was_reset.is_some() || receiver.has_reset.is_some();
            let complete = receiver.sent.end && receiver.received.end;
            let never_heard = name == "request" && receiver.received == Message::default();
            if sender.has_reset.is_some() && !knows && !complete && !never_heard {
                return Err(format!("the reset by the sender of the {name} was not told to its receiver"));
            }
        }
        Ok(())
    }

    /// Whether the server did not take the request up, and the client was told so.
    fn is_refused(&self) -> bool {
        let never_heard =
            self.server.received == Message::default() && self.server.sent == Message::default();
        match self.client.was_reset {
            Some(_) => never_heard && self.may_be_refused && self.client.received == Message::default(),
            None => false,
        }
    }
}

/// Whether a reset that an endpoint sent by itself is a refusal.
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
    fn what_was_sent_has_to_be_delivered() {
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
    fn a_reset_has_to_be_told_with_its_code() {
        let mut record = complete();
        record.server.sent.end = false;
        record.server.has_reset = Some(8);
        record.client.received.end = false;
        assert!(record.check(true).is_err());
        record.client.was_reset = Some(2);
        assert!(record.check(true).is_err());
        record.client.was_reset = Some(8);
        assert_eq!(record.check(true), Ok(()));
        record.server.has_reset = None;
        assert!(record.check(true).is_err(), "nobody sent it");
    }

    #[test]
    fn a_refusal_needs_a_reason() {
        let mut record = Record::default();
        record.client.sent = message(b"");
        record.client.was_reset = Some(REFUSED_STREAM);
        assert!(record.check(true).is_err());
        record.may_be_refused = true;
        assert_eq!(record.check(true), Ok(()));
    }
}
