//! Dictionaries of structured fields (RFC 9651, 4.2.2), which encode a priority.
//!
//! A dictionary is valid or invalid as a whole, so unknown members are parsed too, but not kept.

use super::Priority;

/// The value of a member or a parameter.
#[derive(Clone, Copy)]
enum Value {
    Integer(i64),
    Boolean(bool),
    /// A type that no priority parameter has.
    Other,
}

/// The rest of the input.
struct Parser<'a>(&'a [u8]);

/// Parses a priority; returns `None` if the value is not a dictionary.
pub(super) fn parse(value: &[u8]) -> Option<Priority> {
    let mut parser = Parser(value);
    let mut priority = Priority::default();
    parser.skip(|byte| byte == b' ');
    while !parser.0.is_empty() {
        let key = parser.key()?;
        let value = parser.member()?;
        // The last of several members with the same key counts, even if its value is unusable.
        match key {
            b"u" => priority.urgency = urgency(value).unwrap_or(Priority::default().urgency),
            b"i" => priority.incremental = matches!(value, Value::Boolean(true)),
            _ => {}
        }
        parser.separator()?;
    }
    Some(priority)
}

fn urgency(value: Value) -> Option<u8> {
    let Value::Integer(integer) = value else { return None };
    u8::try_from(integer).ok().filter(|&urgency| urgency <= Priority::LOWEST_URGENCY)
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// Takes `byte`, if it comes next.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Takes all leading bytes of a kind.
    fn skip(&mut self, of_kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().position(|&byte| !of_kind(byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    /// Takes the end, or a comma that does not precede the end.
    fn separator(&mut self) -> Option<()> {
        let white_space = |byte| matches!(byte, b' ' | b'\t');
        self.skip(white_space);
        if self.0.is_empty() {
            return Some(());
        }
        self.take(b',')?;
        self.skip(white_space);
        if self.0.is_empty() { None } else { Some(()) }
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        if !self.0.first()?.is_ascii_lowercase() && self.0.first() != Some(&b'*') {
            return None;
        }
        Some(self.skip(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')))
    }

    /// Parses the value of a member, which is true if omitted, and its parameters.
    fn member(&mut self) -> Option<Value> {
        let value = match self.take(b'=') {
            None => Value::Boolean(true),
            Some(()) if self.take(b'(').is_some() => self.inner_list()?,
            Some(()) => self.bare_item()?,
        };
        self.parameters()?;
        Some(value)
    }

    fn parameters(&mut self) -> Option<()> {
        while self.take(b';').is_some() {
            self.skip(|byte| byte == b' ');
            self.key()?;
            if self.take(b'=').is_some() {
                self.bare_item()?;
            }
        }
        Some(())
    }

    /// Parses the items of an inner list, after its opening parenthesis.
    fn inner_list(&mut self) -> Option<Value> {
        loop {
            self.skip(|byte| byte == b' ');
            if self.take(b')').is_some() {
                return Some(Value::Other);
            }
            self.bare_item()?;
            self.parameters()?;
            if !matches!(self.0.first(), Some(b' ' | b')')) {
                return None;
            }
        }
    }

    fn bare_item(&mut self) -> Option<Value> {
        match self.0.first()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => {
                self.skip(is_token_byte);
                Some(Value::Other)
            }
            _ => match self.next()? {
                b'"' => self.string(),
                b':' => self.byte_sequence(),
                b'?' => self.boolean(),
                b'@' => self.date(),
                b'%' => self.display_string(),
                _ => None,
            },
        }
    }

    /// Parses an integer of at most 15 digits, or a decimal of at most 12 and 3.
    fn number(&mut self) -> Option<Value> {
        let negative = self.take(b'-').is_some();
        let digits = self.skip(|byte| byte.is_ascii_digit());
        if self.take(b'.').is_some() {
            let fraction = self.skip(|byte| byte.is_ascii_digit());
            let valid = (1..=12).contains(&digits.len()) && (1..=3).contains(&fraction.len());
            return valid.then_some(Value::Other);
        }
        if !(1..=15).contains(&digits.len()) {
            return None;
        }
        let magnitude: i64 = str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Value::Integer(if negative { magnitude.saturating_neg() } else { magnitude }))
    }

    fn string(&mut self) -> Option<Value> {
        loop {
            match self.next()? {
                b'"' => return Some(Value::Other),
                b'\\' if matches!(self.next()?, b'"' | b'\\') => {}
                b'\\' | ..0x20 | 0x7f.. => return None,
                _ => {}
            }
        }
    }

    fn byte_sequence(&mut self) -> Option<Value> {
        self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        self.take(b':')?;
        Some(Value::Other)
    }

    fn boolean(&mut self) -> Option<Value> {
        match self.next()? {
            b'0' => Some(Value::Boolean(false)),
            b'1' => Some(Value::Boolean(true)),
            _ => None,
        }
    }

    fn date(&mut self) -> Option<Value> {
        matches!(self.number()?, Value::Integer(_)).then_some(Value::Other)
    }

    fn display_string(&mut self) -> Option<Value> {
        self.take(b'"')?;
        let hexadecimal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        loop {
            match self.next()? {
                b'"' => return Some(Value::Other),
                b'%' if hexadecimal(self.next()?) && hexadecimal(self.next()?) => {}
                b'%' | ..0x20 | 0x7f.. => return None,
                _ => {}
            }
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
}
