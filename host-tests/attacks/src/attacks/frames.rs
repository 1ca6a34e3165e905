//! Odd, misplaced and incomplete frames.

use super::{CONNECTION_CALM, CONNECTION_PROTOCOL, Group, PROTOCOL, ceilings};
use crate::attack::Answer::{Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Trial};

pub(super) const GROUP: Group = Group { title: "Frames: odd, misplaced or incomplete", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A24",
        name: "Dependency cycle",
        known_as: &["CVE-2015-8659"],
        harms: &[Harm::Crash],
        peer: "makes streams, some of them idle, depend on each other in cycles and on themselves",
        shown: Shown::Here(Trial {
            test: "dependency_cycle",
            sizes: [70, 700],
            unit: "pairs of PRIORITY frames",
            answers: &[Nothing, Streams(PROTOCOL)],
            and: "the engine keeps no tree",
            ceilings: ceilings(64, ForEach(0.1, 1.3), 3.5),
        }),
    },
    Attack {
        id: "A27",
        name: "Bad SETTINGS_MAX_FRAME_SIZE",
        known_as: &["CVE-2026-33814"],
        harms: &[Harm::Hang],
        peer: "announces a maximum frame size of 0 or 2^24",
        shown: Shown::Here(Trial {
            test: "max_frame_size",
            sizes: [10, 100],
            unit: "SETTINGS frames",
            answers: &[CONNECTION_PROTOCOL],
            and: "all parameters are checked before any is applied",
            ceilings: ceilings(64, InAll(1, 50), 3.0),
        }),
    },
    Attack {
        id: "A28",
        name: "Unassigned frame types",
        known_as: &["CVE-2026-27141"],
        harms: &[Harm::Crash],
        peer: "sends frames of all unassigned types, with various flags, on streams and on the connection",
        shown: Shown::Here(Trial {
            test: "unassigned_types",
            sizes: [1, 5],
            unit: "rounds of all types",
            answers: &[Nothing],
            and: "",
            ceilings: ceilings(64, InAll(0, 0), 0.45),
        }),
    },
    Attack {
        id: "A29",
        name: "A wrong first frame",
        known_as: &["CVE-2026-116830"],
        harms: &[Harm::Memory],
        peer: "begins with HEADERS of 16 MiB instead of SETTINGS",
        shown: Shown::Here(Trial {
            test: "wrong_first_frame",
            sizes: [100_000, 1_000_000],
            unit: "bytes of the frame",
            answers: &[CONNECTION_PROTOCOL],
            and: "the 9-byte frame header decides; none of the payload is buffered",
            ceilings: ceilings(192, InAll(3, 110), 0.1),
        }),
    },
    Attack {
        id: "A30",
        name: "A truncated frame",
        known_as: &["CVE-2026-110353"],
        harms: &[Harm::Work, Harm::Hang],
        peer: "sends frames byte by byte, and withholds the rest for any time",
        shown: Shown::Here(Trial {
            test: "truncated_frames",
            sizes: [10, 100],
            unit: "PINGs and requests",
            answers: &[Nothing],
            and: "after each byte, the engine has nothing left to do; the work is that of one call per byte",
            ceilings: ceilings(64, ForEach(3.0, 140.0), 95.0),
        }),
    },
    Attack {
        id: "A31",
        name: "Bytes after the end",
        known_as: &["CVE-2026-27135"],
        harms: &[Harm::Crash],
        peer: "keeps sending after a connection error",
        shown: Shown::Here(Trial {
            test: "after_the_end",
            sizes: [1_000, 10_000],
            unit: "rounds of requests, content, PING and SETTINGS",
            answers: &[CONNECTION_PROTOCOL],
            and: "the endpoint discards all of it",
            ceilings: ceilings(128, InAll(1, 60), 0.1),
        }),
    },
    Attack {
        id: "A32",
        name: "Re-entrancy",
        known_as: &["CVE-2026-56848", "CVE-2021-22930"],
        harms: &[Harm::Crash],
        peer: "makes the application call the engine during one of the engine's callbacks",
        shown: Shown::NotOurs(
            "it has no callbacks; the application polls for events, and nothing can call a component while \
             it calls its host",
        ),
    },
    Attack {
        id: "A43",
        name: "Slow preface",
        known_as: &["CVE-2026-56853"],
        harms: &[Harm::Memory, Harm::Hang],
        peer: "sends one byte of the preface per second, or begins a field block and does not continue it",
        shown: Shown::Here(Trial {
            test: "slow_preface",
            sizes: [12, 24],
            unit: "bytes",
            answers: &[CONNECTION_CALM],
            and: "after 10 s and 30 s respectively; the work is that of one call per byte",
            ceilings: ceilings(64, InAll(3, 100), 120.0),
        }),
    },
    Attack {
        id: "A44",
        name: "Decompression of content",
        known_as: &["CVE-2026-48043", "CVE-2026-56819", "CVE-2026-42587"],
        harms: &[Harm::Memory],
        peer: "sends compressed content that makes the decoder leak or inflate",
        shown: Shown::NotOurs("it passes content on unchanged, and decodes nothing"),
    },
];
