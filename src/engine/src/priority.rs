//! Priorities of responses (RFC 9218, 4).

use core::fmt;

mod dictionary;
#[cfg(test)]
mod tests;

/// The urgency of a response, and whether the client can use parts of it (RFC 9218, 4).
///
/// `Display` writes the equivalent value of a `priority` field, which is empty for the default priority.
///
/// ```
/// use http2_engine::Priority;
///
/// let priority = Priority::parse(b"u=1, i");
/// assert_eq!((priority.urgency(), priority.is_incremental()), (1, true));
/// assert_eq!(priority, Priority::new(1, true));
/// assert_eq!(Priority::new(Priority::LOWEST_URGENCY, false).to_string(), "u=7");
/// assert_eq!(Priority::parse(b"no priority"), Priority::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Priority {
    urgency: u8,
    incremental: bool,
}

impl Priority {
    /// The lowest urgency, for background work.
    pub const LOWEST_URGENCY: u8 = 7;

    /// Creates a priority with an urgency from 0, the most urgent, to 7; a higher value counts as 7.
    pub const fn new(urgency: u8, incremental: bool) -> Self {
        let urgency = if urgency > Self::LOWEST_URGENCY { Self::LOWEST_URGENCY } else { urgency };
        Self { urgency, incremental }
    }

    /// Parses the value of a `priority` field or of PRIORITY_UPDATE.
    ///
    /// A parameter that is missing, has the wrong type or is out of range gets its default. Unknown parameters are
    /// ignored, and so is a value that is not a dictionary.
    pub fn parse(value: &[u8]) -> Self {
        dictionary::parse(value).unwrap_or_default()
    }

    /// Returns the urgency, from 0, the most urgent, to 7 (RFC 9218, 4.1).
    pub const fn urgency(self) -> u8 {
        self.urgency
    }

    /// Returns whether the client can use the response as it arrives (RFC 9218, 4.2).
    ///
    /// Such responses of the same urgency may share the connection in turns.
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
