//! Windows that are small, closed, or on the move.

use super::{CALM, CONNECTION_CALM, FLOW_CONTROL, Group, ceilings};
use crate::attack::Answer::{Connection, Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Trial};

pub(super) const GROUP: Group = Group { title: "Windows: small, closed, or on the move", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A1",
        name: "Data Dribble",
        known_as: &["CVE-2019-9511"],
        harms: &[Harm::Work, Harm::Memory],
        peer: "asks for 100 large responses, and opens their windows octet by octet",
        shown: Shown::Here(Trial {
            test: "data_dribble",
            sizes: [1_000, 10_000],
            of: "WINDOW_UPDATE",
            answers: &[Nothing],
            and: "a frame of one octet for each WINDOW_UPDATE, cut when it is sent and not ahead of time",
            ceilings: ceilings(64, ForEach(1.0, 10.0), 3.2),
        }),
    },
    Attack {
        id: "A1a",
        name: "Data Dribble by SETTINGS",
        known_as: &["CVE-2019-9511"],
        harms: &[Harm::Work],
        peer: "asks for 100 large responses, and opens all their windows by an octet with each SETTINGS",
        shown: Shown::Here(Trial {
            test: "data_dribble_by_settings",
            sizes: [1_000, 10_000],
            of: "SETTINGS",
            answers: &[CONNECTION_CALM],
            and: "500 SETTINGS, so that 50,000 frames of an octet are the most",
            ceilings: ceilings(64, InAll(51_000, 520_000), 235.0),
        }),
    },
    Attack {
        id: "A7",
        name: "Internal Data Buffering",
        known_as: &["CVE-2019-9517"],
        harms: &[Harm::Memory],
        peer: "opens all windows, asks for large responses, and does not read from the transport",
        shown: Shown::Here(Trial {
            test: "internal_data_buffering",
            sizes: [10, 100],
            of: "responses of 16 MiB",
            answers: &[CONNECTION_CALM],
            and: "after 60 s; content waits in 2.5 MiB at the most, and is cut into frames when the transport has room",
            ceilings: ceilings(3_584, InAll(120, 270_000), 18.0),
        }),
    },
    Attack {
        id: "A9",
        name: "Small DATA flood",
        known_as: &["GHSA-q83h-524g-xf6h", "RUSTSEC-2026-0258"],
        harms: &[Harm::Memory, Harm::Crash],
        peer: "sends content octet by octet, which the application reads or does not",
        shown: Shown::Here(Trial {
            test: "small_data_flood",
            sizes: [10_000, 100_000],
            of: "DATA",
            answers: &[Nothing],
            and: "what is kept is the octets: a frame costs nothing besides",
            ceilings: ceilings(256, InAll(2, 40), 1.3),
        }),
    },
    Attack {
        id: "A25",
        name: "Slow read",
        known_as: &["CVE-2016-1546", "CVE-2018-17189"],
        harms: &[Harm::Memory],
        peer: "asks for large responses, and opens no window of the streams, or none of the connection",
        shown: Shown::Here(Trial {
            test: "slow_read",
            sizes: [10, 100],
            of: "responses of 16 MiB",
            answers: &[Streams(CALM)],
            and: "after 60 s until less than 768 KiB wait, and after 5 minutes; 2.5 MiB wait at the most",
            ceilings: ceilings(3_328, InAll(204, 70_000), 7.5),
        }),
    },
    Attack {
        id: "A26",
        name: "SETTINGS_INITIAL_WINDOW_SIZE back and forth",
        known_as: &["h2 0.3.20"],
        harms: &[Harm::Work, Harm::Crash],
        peer: "opens and shuts the windows of 100 streams by SETTINGS, which makes them negative, or too large",
        shown: Shown::Here(Trial {
            test: "window_thrash",
            sizes: [1_000, 10_000],
            of: "SETTINGS",
            answers: &[Nothing, Connection(FLOW_CONTROL)],
            and: "no stream is visited for it",
            ceilings: ceilings(64, ForEach(1.0, 9.0), 2.9),
        }),
    },
    Attack {
        id: "A42",
        name: "Padding that is never returned",
        known_as: &["h2 0.4.13 to 0.4.15", "netty#15793"],
        harms: &[Harm::Hang],
        peer: "sends content in DATA that is mostly padding",
        shown: Shown::Here(Trial {
            test: "padding",
            sizes: [1_000, 10_000],
            of: "DATA with an octet of content and 255 of padding",
            answers: &[Nothing],
            and: "the window counts all of it, and all is given back: the sender never runs out",
            ceilings: ceilings(64, ForEach(0.01, 0.1), 0.4),
        }),
    },
];
