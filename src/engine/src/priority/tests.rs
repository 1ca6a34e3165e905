use super::Priority;

fn priority(urgency: u8, incremental: bool) -> Priority {
    Priority::new(urgency, incremental)
}

#[test]
fn values_parse_to_priorities() {
    let cases = [
        ("", priority(3, false)),
        ("u=0", priority(0, false)),
        ("u=7", priority(7, false)),
        ("i", priority(3, true)),
        ("i=?1", priority(3, true)),
        ("i=?0", priority(3, false)),
        ("u=5, i", priority(5, true)),
        ("i,u=5", priority(5, true)),
        ("  u=5 \t,\t i  ", priority(5, true)),
        ("u=1;parameter=2;other, i;a", priority(1, true)),
        // Unknown parameters, of every type.
        ("a=1, b=-2.5, c=\"\\\"\\\\\", d=token/*:x, e=:aGk=:, f=?0, u=2", priority(2, false)),
        ("a=@1659578233, b=%\"f%c3%bc\", c=(1 \"x\";p=1   tok), d=(), *-_.9, u=2", priority(2, false)),
        // Wrong types, or out of range.
        ("u=8, i", priority(3, true)),
        ("u=-1", priority(3, false)),
        ("u=1.0", priority(3, false)),
        ("u=999999999999999", priority(3, false)),
        ("u=\"1\"", priority(3, false)),
        ("u", priority(3, false)),
        ("u=(1)", priority(3, false)),
        ("u=1, i=1", priority(1, false)),
        ("u=1, i=yes", priority(1, false)),
        // The last member counts.
        ("u=1, u=6", priority(6, false)),
        ("u=1, u=9", priority(3, false)),
        ("i, i=?0", priority(3, false)),
    ];
    for (value, expected) in cases {
        assert_eq!(Priority::parse(value.as_bytes()), expected, "{value:?}");
    }
}

#[test]
fn invalid_dictionaries_are_ignored() {
    let values = [
        "u=1,",
        "u=1 i",
        "u=1,,i",
        ",u=1",
        "\tu=1",
        "U=1",
        "u=",
        "u =1",
        "u= 1",
        "u=1; ",
        "u=1;P",
        "u=?2",
        "u=1, a=\"x",
        "u=1, a=\"\\x\"",
        "u=1, a=\"\u{7f}\"",
        "u=1, a=:x",
        "u=1, a=:-:",
        "u=1, a=(1",
        "u=1, a=(1;)",
        "u=1, a=(1,2)",
        "u=1, a=(1\"x\")",
        "u=1, a=1.",
        "u=1, a=1.1234",
        "u=1, a=1234567890123.1",
        "u=1, a=1234567890123456",
        "u=1, a=-",
        "u=1, a=@1.5",
        "u=1, a=%x",
        "u=1, a=%\"%C3\"",
        "u=1, a=%\"%c",
        "u=1, a={",
        "1",
        "é",
    ];
    for value in values {
        assert_eq!(Priority::parse(value.as_bytes()), Priority::default(), "{value:?}");
    }
}

#[test]
fn written_priorities_parse_back() {
    for urgency in 0..=7 {
        for incremental in [false, true] {
            let priority = priority(urgency, incremental);
            assert_eq!(Priority::parse(priority.to_string().as_bytes()), priority, "{priority}");
        }
    }
    assert_eq!(priority(3, false).to_string(), "");
    assert_eq!(priority(3, true).to_string(), "i");
    assert_eq!(priority(0, true).to_string(), "u=0, i");
    assert_eq!(priority(9, false).urgency(), 7);
}

#[test]
fn parser_never_panics() {
    let bytes = b"u=;,\" \t()i?1*:@%-.\\a\0\xff";
    let mut value = [0; 4];
    for n in 0..bytes.len().pow(4) {
        for (place, byte) in value.iter_mut().enumerate() {
            *byte = bytes[n / bytes.len().pow(place as u32) % bytes.len()];
        }
        assert!(Priority::parse(&value).urgency() <= 7);
    }
}
