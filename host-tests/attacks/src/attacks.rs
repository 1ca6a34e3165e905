//! The table of attacks.

mod fields;
mod floods;
mod frames;
mod smuggling;
mod streams;
mod windows;

use http2_engine::ErrorCode;

use crate::attack::{Answer, Attack, Ceilings, Replies, Shown, Trial};

const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;
const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const FLOW_CONTROL: ErrorCode = ErrorCode::FLOW_CONTROL_ERROR;
const COMPRESSION: ErrorCode = ErrorCode::COMPRESSION_ERROR;
const REFUSED: ErrorCode = ErrorCode::REFUSED_STREAM;

/// A connection error for too much useless work.
const CONNECTION_CALM: Answer = Answer::Connection(CALM);
/// A connection error for a protocol violation.
const CONNECTION_PROTOCOL: Answer = Answer::Connection(PROTOCOL);

/// Attacks of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The heading of the group.
    pub title: &'static str,
    /// The attacks.
    pub attacks: &'static [Attack],
}

/// All attacks, by kind.
pub const GROUPS: &[Group] =
    &[floods::GROUP, streams::GROUP, fields::GROUP, windows::GROUP, frames::GROUP, smuggling::GROUP];

/// All attacks.
pub fn attacks() -> impl Iterator<Item = &'static Attack> {
    GROUPS.iter().flat_map(|group| group.attacks)
}

/// All trials against the component.
pub fn trials() -> impl Iterator<Item = &'static Trial> {
    attacks().filter_map(|attack| match &attack.shown {
        Shown::Here(trial) => Some(trial),
        _ => None,
    })
}

const fn ceilings(memory: u32, replies: Replies, work: f64) -> Ceilings {
    Ceilings { memory, replies, work }
}
