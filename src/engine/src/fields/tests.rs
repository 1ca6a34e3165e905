//! Tests of field sections and their conversion to the types of the `http` crate.

mod conversions;

use super::*;

fn section(fields: &[(&str, &str)]) -> FieldSection {
    fields.iter().copied().collect()
}

/// Formats the fields of a section, each as "name: value".
fn texts(section: &FieldSection) -> Vec<String> {
    section
        .iter()
        .map(|field| format!("{}: {}", field.name.escape_ascii(), field.value.escape_ascii()))
        .collect()
}

#[test]
fn fields_keep_their_order() {
    let fields = section(&[(":status", "200"), ("x-b", "1"), ("accept", ""), ("x-b", "2"), ("", "")]);
    assert_eq!(texts(&fields), [":status: 200", "x-b: 1", "accept: ", "x-b: 2", ": "]);
    assert_eq!((fields.len(), fields.is_empty()), (5, false));
}

#[test]
fn fields_are_found_by_name() {
    let fields = section(&[("x-b", "1"), ("te", "trailers"), ("x-b", "2")]);
    assert_eq!(fields.get(b"x-b"), Some(&b"1"[..]));
    assert_eq!(fields.get_all(b"x-b").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(fields.get(b"te"), Some(&b"trailers"[..]));
    assert_eq!(fields.known(Name::TE), Some(&b"trailers"[..]));
    assert_eq!(fields.get(b"x-c"), None);
    assert_eq!(fields.get(b"accept"), None);
}

#[test]
fn size_counts_names_values_and_32_per_field() {
    let mut fields = section(&[(":method", "GET"), ("x-b", "12")]);
    assert_eq!(fields.size(), (7 + 3 + 32) + (3 + 2 + 32));
    fields.clear();
    assert_eq!((fields.size(), fields.len(), fields.defect()), (0, 0, None));
}

#[test]
fn first_defect_is_reported() {
    assert_eq!(section(&[("a", "b"), ("A", "b"), ("a", "\n")]).defect(), Some(Malformed::FieldName));
    assert_eq!(section(&[("te", " trailers"), ("A", "b")]).defect(), Some(Malformed::FieldValue));
    assert_eq!(section(&[(":unknown", "\u{e9}"), ("a", "\x01 \x7f")]).defect(), None);
}

#[test]
fn crumbs_are_joined_at_the_position_of_the_first() {
    let mut fields =
        section(&[("a", "1"), ("cookie", "x=1"), ("b", "2"), ("cookie", "y=2"), ("cookie", "z=3")]);
    fields.join_cookies();
    assert_eq!(texts(&fields), ["a: 1", "cookie: x=1; y=2; z=3", "b: 2"]);
    assert_eq!(fields.size(), section(&[("a", "1"), ("cookie", "x=1; y=2; z=3"), ("b", "2")]).size());
    assert!(fields.iter().all(|field| !field.never_indexed));
    fields.join_cookies();
    assert_eq!(fields.len(), 3);
}

#[test]
fn empty_crumbs_are_left_out() {
    let mut fields =
        section(&[("cookie", ""), ("cookie", "x=1"), ("cookie", ""), ("cookie", "y=2"), ("cookie", "")]);
    fields.join_cookies();
    assert_eq!(texts(&fields), ["cookie: x=1; y=2"]);
}

#[test]
fn joined_cookie_is_never_indexed_if_any_crumb_is() {
    let mut fields = FieldSection::new();
    fields.push(b"cookie", b"x=1");
    fields.push_never_indexed(b"cookie", b"y=2");
    fields.join_cookies();
    let cookie = Field { name: b"cookie", value: b"x=1; y=2", never_indexed: true };
    assert_eq!(fields.iter().collect::<Vec<_>>(), [cookie]);
}

#[test]
fn single_cookie_is_unchanged() {
    let mut fields = section(&[("cookie", "x=1"), ("a", "1")]);
    fields.join_cookies();
    assert_eq!(texts(&fields), ["cookie: x=1", "a: 1"]);
}

#[test]
fn clone_has_no_spare_capacity() {
    let mut fields = FieldSection::with_capacity(100, 10_000);
    fields.push(b"x-a", b"b");
    let copy = fields.clone();
    assert_eq!((copy.octets.capacity(), copy.lines.capacity()), (4, 1));
    assert_eq!(copy, fields);
}

#[test]
fn secrets_are_hidden_in_debug_output() {
    let mut fields = section(&[("a", "b\0")]);
    fields.push_never_indexed(b"authorization", b"secret");
    assert_eq!(format!("{fields:?}"), r"[a: b\x00, authorization: (never indexed)]");
}
