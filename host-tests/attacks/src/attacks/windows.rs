//! Windows that are small, closed or changing.

use super::{CALM, CONNECTION_CALM, FLOW_CONTROL, Group, ceilings};
use crate::attack::Answer::{Connection, Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Trial};

pub(super) const GROUP: Group = Group { title: "Windows: small, closed or changing", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A1",
        name: "Data Dribble",
        known_as: &["CVE-2019-9511"],
        harms: &[Harm::Work, Harm::Memory],
        peer: "requests 100 large responses, and opens their windows byte by byte",
        shown: Shown::Here(Trial {
            test: "data_dribble",
            sizes: [1_000, 10_000],
            unit: "WINDOW_UPDATE frames",
            answers: &[Nothing],
            and: "one DATA frame of 1 byte per WINDOW_UPDATE, built only when it is sent",
            ceilings: ceilings(64, ForEach(1.0, 10.0), 3.2),
        }),
    },
    Attack {
        id: "A1a",
        name: "Data Dribble by SETTINGS",
        known_as: &["CVE-2019-9511"],
        harms: &[Harm::Work],
        peer: "requests 100 large responses, and opens all their windows by 1 byte with each SETTINGS",
        shown: Shown::Here(Trial {
            test: "data_dribble_by_settings",
            sizes: [1_000, 10_000],
            unit: "SETTINGS frames",
            answers: &[CONNECTION_CALM],
            and: "after 500 SETTINGS, so that the server sends at most 50,000 frames of 1 byte",
            ceilings: ceilings(64, InAll(51_000, 520_000), 235.0),
        }),
    },
    Attack {
        id: "A7",
        name: "Internal Data Buffering",
        known_as: &["CVE-2019-9517"],
        harms: &[Harm::Memory],
        peer: "opens all windows, requests large responses, and does not read from the transport",
        shown: Shown::Here(Trial {
            test: "internal_data_buffering",
            sizes: [10, 100],
            unit: "responses of 16 MiB",
            answers: &[CONNECTION_CALM],
            and: "after 2 minutes; at most 2.5 MiB of content is buffered, and framed when the transport has room",
            ceilings: ceilings(3_584, InAll(120, 270_000), 18.0),
        }),
    },
    Attack {
        id: "A9",
        name: "Small DATA flood",
        known_as: &["GHSA-q83h-524g-xf6h", "RUSTSEC-2026-0258"],
        harms: &[Harm::Memory, Harm::Crash],
        peer: "sends content byte by byte, which the application does or does not read",
        shown: Shown::Here(Trial {
            test: "small_data_flood",
            sizes: [10_000, 100_000],
            unit: "DATA frames",
            answers: &[Nothing],
            and: "only the content takes memory; a frame has no overhead",
            ceilings: ceilings(256, InAll(2, 40), 1.3),
        }),
    },
    Attack {
        id: "A25",
        name: "Slow read",
        known_as: &["CVE-2016-1546", "CVE-2018-17189"],
        harms: &[Harm::Memory],
        peer: "requests large responses, and opens no stream windows, or not the connection window",
        shown: Shown::Here(Trial {
            test: "slow_read",
            sizes: [10, 100],
            unit: "responses of 16 MiB",
            answers: &[Streams(CALM)],
            and: "after 2 minutes until less than 768 KiB are buffered, and after 5 minutes; at most 2.5 MiB are \
                  buffered",
            ceilings: ceilings(3_328, InAll(204, 70_000), 7.5),
        }),
    },
    Attack {
        id: "A26",
        name: "SETTINGS_INITIAL_WINDOW_SIZE back and forth",
        known_as: &["h2 0.3.20"],
        harms: &[Harm::Work, Harm::Crash],
        peer: "opens and closes the windows of 100 streams by SETTINGS, making them negative or too large",
        shown: Shown::Here(Trial {
            test: "window_thrash",
            sizes: [1_000, 10_000],
            unit: "SETTINGS frames",
            answers: &[Nothing, Connection(FLOW_CONTROL)],
            and: "SETTINGS cause no work per stream",
            ceilings: ceilings(64, ForEach(1.0, 9.0), 2.9),
        }),
    },
    Attack {
        id: "A42",
        name: "Credit for padding that is never returned",
        known_as: &["h2 0.4.13 to 0.4.15", "netty#15793"],
        harms: &[Harm::Hang],
        peer: "sends content in DATA frames that are mostly padding",
        shown: Shown::Here(Trial {
            test: "padding",
            sizes: [1_000, 10_000],
            unit: "DATA frames with 1 byte of content and 255 of padding",
            answers: &[Nothing],
            and: "padding counts against the window, and all of it is credited: the sender's window never \
                  runs out",
            ceilings: ceilings(64, ForEach(0.01, 0.1), 0.4),
        }),
    },
];
