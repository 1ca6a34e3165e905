//! Messages, as sent and as delivered.

use std::fmt;

/// The fields of a section in order, with pseudo-header fields first.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    /// Appends a field.
    pub fn push(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the first field with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// Iterates over the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Joins all Cookie fields into one at the place of the first, as any endpoint may (RFC 9113, 8.2.3).
    ///
    /// Without `order`, also sorts the fields by name; fields of the same name keep their order, the only one
    /// that is significant (RFC 9110, 5.3).
    pub fn normalised(&self, order: bool) -> Self {
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (name, value) in &self.0 {
            match fields.iter_mut().find(|(other, _)| name == b"cookie" && other == name) {
                Some((_, joined)) => {
                    joined.extend_from_slice(b"; ");
                    joined.extend_from_slice(value);
                }
                None => fields.push((name.clone(), value.clone())),
            }
        }
        if !order {
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Self(fields)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, (name, value)) in self.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            let shown = &value[..value.len().min(60)];
            write!(f, "{separator}{}: {}", name.escape_ascii(), shown.escape_ascii())?;
            if value.len() > shown.len() {
                write!(f, "… ({} bytes)", value.len())?;
            }
        }
        f.write_str("]")
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(name, value)| (name.as_ref().to_vec(), value.as_ref().to_vec()))
                .collect(),
        )
    }
}

/// An item that an endpoint delivered to its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An informational response.
    Informational(Fields),
    /// The head of a request or of a response.
    Head(Fields),
    /// Bytes of content.
    Content(Vec<u8>),
    /// The trailer section.
    Trailers(Fields),
    /// The message is complete.
    End,
    /// The peer reset the stream with this code.
    Reset(u32),
}

/// One message of an exchange, as its sender sent it or its receiver received it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The informational responses before the head.
    pub informational: Vec<Fields>,
    /// Its head.
    pub head: Option<Fields>,
    /// Its content.
    pub content: Vec<u8>,
    /// Its trailer section.
    pub trailers: Option<Fields>,
    /// Whether the message is complete.
    pub end: bool,
}

impl Message {
    /// Appends the next item.
    ///
    /// # Errors
    ///
    /// Fails if the item may not follow the earlier ones.
    pub fn add(&mut self, delivery: Delivery) -> Result<(), String> {
        let fits = match &delivery {
            Delivery::Informational(_) => self.head.is_none() && !self.end,
            Delivery::Head(_) => self.head.is_none() && !self.end,
            Delivery::Content(_) => self.head.is_some() && self.trailers.is_none() && !self.end,
            Delivery::Trailers(_) => self.head.is_some() && self.trailers.is_none() && !self.end,
            Delivery::End => self.head.is_some() && !self.end,
            Delivery::Reset(_) => true,
        };
        if !fits {
            return Err(format!("{delivery:?} after {self:?}"));
        }
        match delivery {
            Delivery::Informational(head) => self.informational.push(head),
            Delivery::Head(head) => self.head = Some(head),
            Delivery::Content(content) => self.content.extend_from_slice(&content),
            Delivery::Trailers(trailers) => self.trailers = Some(trailers),
            Delivery::End => self.end = true,
            Delivery::Reset(_) => {}
        }
        Ok(())
    }

    /// Returns the message with all sections [normalised](Fields::normalised).
    #[must_use]
    pub fn normalised(&self, order: bool) -> Self {
        let section = |fields: &Fields| fields.normalised(order);
        Self {
            informational: self.informational.iter().map(section).collect(),
            head: self.head.as_ref().map(section),
            content: self.content.clone(),
            trailers: self.trailers.as_ref().map(section),
            end: self.end,
        }
    }

    /// Whether this is a possible state of `whole` during its arrival.
    pub fn is_beginning_of(&self, whole: &Self) -> bool {
        let sections = [(&self.head, &whole.head), (&self.trailers, &whole.trailers)];
        whole.informational.starts_with(&self.informational)
            && (self.head.is_none() || self.informational == whole.informational)
            && sections.iter().all(|(part, whole)| part.is_none() || part == whole)
            && whole.content.starts_with(&self.content)
            && (self.trailers.is_none() || self.content == whole.content)
            && (!self.end || self == whole)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for head in &self.informational {
            write!(f, "informational {head:?}, ")?;
        }
        match &self.head {
            Some(head) => write!(f, "head {head:?}, ")?,
            None => f.write_str("no head, ")?,
        }
        write!(f, "{} bytes", self.content.len())?;
        if let Some(trailers) = &self.trailers {
            write!(f, ", trailers {trailers:?}")?;
        }
        f.write_str(if self.end { ", end" } else { ", no end" })
    }
}
