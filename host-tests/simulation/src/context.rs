//! The state shared by a whole simulation: clock, decisions, and record of events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use http2_engine::Time;

use crate::random::Random;

/// The clock, the source of decisions, and the record of events.
pub(crate) struct Context {
    pub(crate) now: Time,
    pub(crate) random: Random,
    pub(crate) trace: Trace,
}

/// The destination of trace lines, which describe every action, frame and event.
#[derive(Clone, Debug, Default)]
pub enum Trace {
    /// Nothing is told.
    #[default]
    Off,
    /// Keeps the last lines.
    Last(Rc<RefCell<VecDeque<String>>>),
    /// Prints all lines.
    Print,
}

/// The number of lines kept.
const KEPT: usize = 40;

impl Trace {
    /// Prints or keeps a line.
    pub(crate) fn log(&self, line: impl FnOnce() -> String) {
        match self {
            Self::Off => {}
            Self::Last(lines) => {
                let mut lines = lines.borrow_mut();
                if lines.len() == KEPT {
                    lines.pop_front();
                }
                lines.push_back(line());
            }
            Self::Print => eprintln!("{}", line()),
        }
    }
}
