//! The cases, by what they are about.

mod frames;

use crate::case::Case;

/// All cases.
pub fn cases() -> Vec<Case> {
    [frames::cases()].concat()
}
