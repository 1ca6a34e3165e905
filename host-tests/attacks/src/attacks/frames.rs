//! Frames that are odd, out of place, or not there whole.

use super::{CONNECTION_CALM, CONNECTION_PROTOCOL, Group, PROTOCOL, ceilings};
use crate::attack::Answer::{Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Trial};

pub(super) const GROUP: Group =
    Group { title: "Frames: odd, out of place, or not there whole", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A24",
        name: "Dependency cycle",
        known_as: &["CVE-2015-8659"],
        harms: &[Harm::Crash],
        peer: "makes streams depend on each other in circles, idle ones among them, and on themselves",
        shown: Shown::Here(Trial {
            test: "dependency_cycle",
            sizes: [70, 700],
            of: "pairs of PRIORITY",
            answers: &[Nothing, Streams(PROTOCOL)],
            and: "there is no tree",
            ceilings: ceilings(64, ForEach(0.1, 1.3), 3.5),
        }),
    },
    Attack {
        id: "A27",
        name: "Bad SETTINGS_MAX_FRAME_SIZE",
        known_as: &["CVE-2026-33814"],
        harms: &[Harm::Hang],
        peer: "takes frames of no octet, or of 2^24",
        shown: Shown::Here(Trial {
            test: "max_frame_size",
            sizes: [10, 100],
            of: "SETTINGS",
            answers: &[CONNECTION_PROTOCOL],
            and: "all parameters are judged before any of them holds",
            ceilings: ceilings(64, InAll(1, 50), 3.0),
        }),
    },
    Attack {
        id: "A28",
        name: "Types that are not assigned",
        known_as: &["CVE-2026-27141"],
        harms: &[Harm::Crash],
        peer: "sends frames of all types that there are none of, with all kinds of flags, on streams and besides",
        shown: Shown::Here(Trial {
            test: "unassigned_types",
            sizes: [1, 5],
            of: "times all types",
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
            of: "octets of it",
            answers: &[CONNECTION_PROTOCOL],
            and: "judged by its nine octets, before anything of it is kept",
            ceilings: ceilings(192, InAll(3, 110), 0.1),
        }),
    },
    Attack {
        id: "A30",
        name: "A frame that is cut off",
        known_as: &["CVE-2026-110353"],
        harms: &[Harm::Work, Harm::Hang],
        peer: "sends frames octet by octet, and leaves the rest out for as long as it likes",
        shown: Shown::Here(Trial {
            test: "truncated_frames",
            sizes: [10, 100],
            of: "PING and requests",
            answers: &[Nothing],
            and: "after each octet there is nothing left to do; the work is that of a call for an octet",
            ceilings: ceilings(64, ForEach(3.0, 140.0), 95.0),
        }),
    },
    Attack {
        id: "A31",
        name: "Octets behind the end",
        known_as: &["CVE-2026-27135"],
        harms: &[Harm::Crash],
        peer: "goes on when the connection was ended for an error",
        shown: Shown::Here(Trial {
            test: "after_the_end",
            sizes: [1_000, 10_000],
            of: "times requests, content, PING and SETTINGS",
            answers: &[CONNECTION_PROTOCOL],
            and: "all of it is swallowed",
            ceilings: ceilings(128, InAll(1, 60), 0.1),
        }),
    },
    Attack {
        id: "A32",
        name: "Re-entrancy",
        known_as: &["CVE-2026-56848", "CVE-2021-22930"],
        harms: &[Harm::Crash],
        peer: "makes the application call the engine while that is calling the application",
        shown: Shown::NotOurs(
            "there are no callbacks: the application asks what has happened. Nor can a component be called while it \
             calls its host",
        ),
    },
    Attack {
        id: "A43",
        name: "Slow preface",
        known_as: &["CVE-2026-56853"],
        harms: &[Harm::Memory, Harm::Hang],
        peer: "sends an octet of the preface a second, or begins a field block and leaves it at that",
        shown: Shown::Here(Trial {
            test: "slow_preface",
            sizes: [12, 24],
            of: "octets",
            answers: &[CONNECTION_CALM],
            and: "after 10 s, and 30 s; the work is that of a call for an octet",
            ceilings: ceilings(64, InAll(3, 100), 120.0),
        }),
    },
    Attack {
        id: "A44",
        name: "Decompression of content",
        known_as: &["CVE-2026-48043", "CVE-2026-56819", "CVE-2026-42587"],
        harms: &[Harm::Memory],
        peer: "sends compressed content, whose decoder leaks or swells",
        shown: Shown::NotOurs("content is handed on as it comes: nothing here decodes it"),
    },
];
