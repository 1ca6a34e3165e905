//! Priorities of responses (RFC 9218, 4).

use core::fmt;

mod dictionary;
#[cfg(test)]
mod tests;

/// How urgent a response is to the client, and whether parts of it are of use (RFC 9218, 4).
///
/// Its `Display` is the value of a `priority` field that says the same: empty for the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Priority {
    urgency: u8,
    incremental: bool,
}

impl Priority {
    /// The least urgent urgency, for work in the background.
    pub const LOWEST_URGENCY: u8 = 7;

    /// A priority of this urgency, 0 to 7, where 0 is the most urgent; what is above 7 counts as 7.
    pub const fn new(urgency: u8, incremental: bool) -> Self {
        let urgency = if urgency > Self::LOWEST_URGENCY { Self::LOWEST_URGENCY } else { urgency };
        Self { urgency, incremental }
    }

    /// Reads the value of a `priority` field or of PRIORITY_UPDATE. A parameter that is missing, of a wrong
    /// type or out of range has its default, and an unknown one is ignored; so is a value that is no
    /// dictionary.
    pub fn parse(value: &[u8]) -> Self {
        dictionary::parse(value).unwrap_or_default()
    }

    /// The urgency, 0 to 7, where 0 is the most urgent (RFC 9218, 4.1).
    pub const fn urgency(self) -> u8 {
        self.urgency
    }

    /// Whether the client can use the response as it arrives, so that it may be sent in turns with others of
    /// the same urgency (RFC 9218, 4.2).
    pub const fn is_incremental(self) -> bool {
        self.incremental
    }
}

impl Default for Priority {
    /// Urgency 3, not incremental.
    fn default() -> Self {
        Self { urgency: 3, incremental: false }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::default().urgency;
        match self.urgency {
            urgency if urgency == default && self.incremental => f.write_str("i"),
            urgency if urgency == default => Ok(()),
            urgency if self.incremental => write!(f, "u={urgency}, i"),
            urgency => write!(f, "u={urgency}"),
        }
    }
}
