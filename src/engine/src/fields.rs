//! Field sections: the header and trailer fields of a message (RFC 9113, 8.2; RFC 9110, 5).

use core::fmt;

use crate::error::Malformed;

mod chars;
mod http;
mod line;
mod name;
mod octets;
#[cfg(test)]
mod tests;

pub use self::http::Protocol;
pub(crate) use self::{
    line::{Line, LineFlags},
    name::Name,
    octets::{PADDING, any_word, append, equal, hash},
};

/// The fields of one header or trailer section in order, including pseudo-header fields.
///
/// One buffer holds the bytes of all fields, so a section takes two allocations however many fields it has.
///
/// ```
/// use http2_engine::{FieldSection, Malformed};
///
/// let mut head = FieldSection::from_iter([(":status", "200"), ("content-type", "text/plain")]);
/// head.push(b"set-cookie", b"a=1");
/// head.push_never_indexed(b"set-cookie", b"secret=2");
///
/// assert_eq!((head.status(), head.len()), (Some(200), 4));
/// assert_eq!(head.get(b"content-type"), Some(&b"text/plain"[..]));
/// assert_eq!(head.get_all(b"set-cookie").count(), 2);
/// // Names, values, and 32 bytes for each field (RFC 9113, 6.5.2).
/// assert_eq!(head.size(), (7 + 3) + (12 + 10) + (10 + 3) + (10 + 8) + 4 * 32);
///
/// head.push(b"Upper-Case", b"");
/// assert_eq!(head.defect(), Some(Malformed::FieldName));
/// ```
#[derive(Clone, Default)]
pub struct FieldSection {
    /// The bytes of all lines.
    octets: Vec<u8>,
    /// The lines in order. Their start positions are offsets in `octets`.
    lines: Vec<Line>,
    /// The sum of the line sizes.
    size: usize,
    /// The number of Cookie lines.
    cookies: usize,
    defect: Option<Malformed>,
}

/// One field of a [`FieldSection`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field<'a> {
    /// The name in lower case. Pseudo-header field names begin with a colon.
    pub name: &'a [u8],
    /// The value, which contains no NUL, CR or LF unless the section has a defect.
    pub value: &'a [u8],
    /// Whether the value is a secret that intermediaries must not put into a compression context (RFC 7541, 6.2.3).
    pub never_indexed: bool,
}

/// A field as seen by the rest of the engine.
#[derive(Clone, Copy)]
pub(crate) struct NumberedField<'a> {
    /// The name by number, if it is a known one.
    pub(crate) known: Name,
    /// The name as bytes, whether known or not.
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) flags: LineFlags,
}

impl FieldSection {
    /// Creates an empty section.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty section with capacity for `lines` fields and `bytes` bytes of names and values.
    pub fn with_capacity(lines: usize, bytes: usize) -> Self {
        Self { octets: Vec::with_capacity(bytes), lines: Vec::with_capacity(lines), ..Self::default() }
    }

    /// Adds a field. The name must be in lower case; pseudo-header field names begin with a colon.
    ///
    /// Invalid names and values (RFC 9113, 8.2.1) are added too, and [`defect`](Self::defect) reports them.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.push_flagged(name, value, LineFlags::NONE);
    }

    /// Adds a field with a secret value that intermediaries must not put into a compression context
    /// (RFC 7541, 6.2.3).
    ///
    /// Otherwise like [`push`](Self::push).
    pub fn push_never_indexed(&mut self, name: &[u8], value: &[u8]) {
        self.push_flagged(name, value, LineFlags::NEVER_INDEXED);
    }

    /// Removes all fields but keeps the buffers.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.lines.clear();
        self.size = 0;
        self.cookies = 0;
        self.defect = None;
    }

    /// Iterates over the fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.numbered().map(|field| Field {
            name: field.name,
            value: field.value,
            never_indexed: field.flags.has(LineFlags::NEVER_INDEXED),
        })
    }

    /// Returns the value of the first field with this lower-case name.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Iterates over the values of all fields with this lower-case name, in order.
    pub fn get_all(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        let known = Name::of(name);
        self.numbered()
            .filter(move |field| field.known == known && (known.is_known() || field.name == name))
            .map(|field| field.value)
    }

    /// Returns the number of field lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns the number of Cookie lines.
    pub(crate) fn cookies(&self) -> usize {
        self.cookies
    }

    /// Returns whether the section has no field lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the size that SETTINGS_MAX_HEADER_LIST_SIZE limits: the length of each name and value, plus 32 bytes
    /// for each field line (RFC 9113, 6.5.2).
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns the defect of the first invalid name or value (RFC 9113, 8.2.1).
    ///
    /// A section can't exceed 4 GiB: it drops further fields and reports [`Malformed::FieldValue`].
    pub fn defect(&self) -> Option<Malformed> {
        self.defect
    }

    /// Iterates over the fields in order, with their names by number.
    #[inline]
    pub(crate) fn numbered(&self) -> impl ExactSizeIterator<Item = NumberedField<'_>> {
        self.lines().map(|(line, octets)| {
            let (name, value) = line.split(octets);
            NumberedField { known: line.name, name, value, flags: line.flags }
        })
    }

    /// Iterates over the places, names and values of the fields that are [checked](LineFlags::CHECKED).
    #[inline]
    pub(crate) fn checked(&self) -> impl Iterator<Item = (usize, Name, &[u8])> {
        let lines = self.lines.iter().enumerate().filter(|(_, line)| line.flags.has(LineFlags::CHECKED));
        lines.map(|(place, line)| (place, line.name, line.value(&self.octets)))
    }

    /// Iterates over the lines in order, each with its bytes.
    #[inline]
    pub(crate) fn lines(&self) -> impl ExactSizeIterator<Item = (&Line, &[u8])> {
        self.lines.iter().map(|line| {
            let behind = self.octets.get(line.start as usize..).unwrap_or_default();
            (line, behind.get(..line.octets()).unwrap_or_default())
        })
    }

    /// Returns the value of the first field with a known name.
    pub(crate) fn known(&self, name: Name) -> Option<&[u8]> {
        let line = self.lines.iter().find(|line| line.name == name)?;
        Some(line.value(&self.octets))
    }

    /// Joins the Cookie crumbs into one line, separated by "; ", at the position of the first (RFC 9113, 8.2.3).
    ///
    /// The line is never indexed if any of the crumbs is.
    pub(crate) fn join_cookies(&mut self) {
        if self.cookies < 2 {
            return;
        }
        let start = self.octets.len();
        let mut flags = LineFlags::NONE;
        let mut size = self.size;
        let mut first = None;
        for (place, line) in self.lines.iter().enumerate().filter(|(_, line)| line.name == Name::COOKIE) {
            first = first.or(Some(place));
            // An empty crumb would leave white space at an end of the value.
            if self.octets.len() > start && line.value_len > 0 {
                self.octets.extend_from_slice(b"; ");
            }
            let from = line.start as usize;
            self.octets.extend_from_within(from..from.saturating_add(line.octets()));
            flags = flags.with(line.flags);
            size = size.saturating_sub(line.size());
        }
        let Some(joined) = self.line_from(start, Name::COOKIE, 0, flags) else { return };
        let mut place = 0_usize;
        self.lines.retain(|line| {
            let keep = line.name != Name::COOKIE || Some(place) == first;
            place = place.saturating_add(1);
            keep
        });
        if let Some(line) = first.and_then(|place| self.lines.get_mut(place)) {
            *line = joined;
        }
        self.size = size.saturating_add(joined.size());
        self.cookies = 1;
    }

    /// Adds a copy of a line of a table, whose bytes `octets` begins with. Returns `false` beyond 4 GiB.
    #[inline]
    pub(crate) fn push_copy(&mut self, line: &Line, octets: &[u8]) -> bool {
        let Ok(start) = u32::try_from(self.octets.len()) else { return false };
        append(&mut self.octets, octets, line.octets());
        self.push_line(Line { start, ..*line });
        true
    }

    /// Removes the last line.
    pub(crate) fn pop_line(&mut self) -> Option<Line> {
        let line = self.lines.pop()?;
        self.octets.truncate(line.start as usize);
        self.size = self.size.saturating_sub(line.size());
        self.cookies = self.cookies.saturating_sub((line.name == Name::COOKIE).into());
        if line.defect().is_some() {
            self.defect = self.lines.iter().find_map(Line::defect);
        }
        Some(line)
    }

    /// Returns the arena, for a decoder to append the bytes of a line.
    ///
    /// The decoder then adds the line with [`push_line`](Self::push_line).
    #[inline]
    pub(crate) fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// Describes the line whose bytes start at `start` and extend to the end of the arena. Returns `None` beyond 4
    /// GiB.
    #[inline]
    pub(crate) fn line_from(
        &self,
        start: usize,
        name: Name,
        name_len: usize,
        flags: LineFlags,
    ) -> Option<Line> {
        let end = u32::try_from(self.octets.len()).ok()?;
        let (start, name_len) = (u32::try_from(start).ok()?, u32::try_from(name_len).ok()?);
        let value_len = end.checked_sub(start)?.checked_sub(name_len)?;
        Some(Line::new(start, name, name_len, value_len, flags))
    }

    /// Adds the line whose bytes start at `start` and extend to the end of the arena.
    #[inline]
    pub(crate) fn finish_line(&mut self, start: usize, name: Name, name_len: usize, flags: LineFlags) {
        match self.line_from(start, name, name_len, flags) {
            Some(line) => self.push_line(line),
            None => {
                self.octets.truncate(start);
                self.defect = self.defect.or(Some(Malformed::FieldValue));
            }
        }
    }

    /// Adds a line whose bytes are already in the arena.
    #[inline]
    pub(crate) fn push_line(&mut self, line: Line) {
        self.size = self.size.saturating_add(line.size());
        if line.name == Name::COOKIE {
            self.cookies = self.cookies.saturating_add(1);
        }
        if let Some(defect) = line.defect() {
            self.defect.get_or_insert(defect);
        }
        self.lines.push(line);
    }

    /// Returns a copy of the section that marks fields with these names as never indexed (RFC 7541, 6.2.3).
    pub(crate) fn with_never_indexed(&self, names: &[bytes::Bytes]) -> Self {
        let mut marked = self.clone();
        marked.clear();
        for field in self.iter() {
            if field.never_indexed || names.iter().any(|name| name == field.name) {
                marked.push_never_indexed(field.name, field.value);
            } else {
                marked.push(field.name, field.value);
            }
        }
        marked
    }

    /// Adds a field with a known name.
    fn push_known(&mut self, name: Name, value: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(value);
        self.finish_line(start, name, 0, check_value(value));
    }

    fn push_flagged(&mut self, name: &[u8], value: &[u8], flags: LineFlags) {
        let known = Name::of(name);
        let flags = flags.with(check_value(value));
        let start = self.octets.len();
        if known.is_known() {
            self.octets.extend_from_slice(value);
            self.finish_line(start, known, 0, flags);
        } else {
            self.octets.reserve(name.len().saturating_add(value.len()));
            self.octets.extend_from_slice(name);
            self.octets.extend_from_slice(value);
            self.finish_line(start, known, name.len(), flags.with(check_name(name)));
        }
    }
}

/// Returns the flags of a line with this spelled-out name.
#[inline]
pub(crate) fn check_name(name: &[u8]) -> LineFlags {
    let unknown_pseudo = name.first() == Some(&b':');
    LineFlags::BAD_NAME.when(!chars::is_name(name)).with(LineFlags::CHECKED.when(unknown_pseudo))
}

/// Returns the flags of a line with this value.
#[inline]
pub(crate) fn check_value(value: &[u8]) -> LineFlags {
    LineFlags::BAD_VALUE.when(!chars::is_value(value))
}

/// Returns the flags of a line with this value, which consists of visible characters and spaces.
#[inline]
pub(crate) fn check_value_ends(value: &[u8]) -> LineFlags {
    LineFlags::BAD_VALUE.when(!chars::is_trimmed(value))
}

impl PartialEq for FieldSection {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for FieldSection {}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for FieldSection {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut section = Self::new();
        section.extend(fields);
        section
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extend<(N, V)> for FieldSection {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        for (name, value) in fields {
            self.push(name.as_ref(), value.as_ref());
        }
    }
}

impl fmt::Debug for FieldSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Field<'_> {
    /// Formats name and value, but hides never-indexed values, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value =
            if self.never_indexed { "(never indexed)".into() } else { self.value.escape_ascii().to_string() };
        write!(f, "{}: {value}", self.name.escape_ascii())
    }
}
