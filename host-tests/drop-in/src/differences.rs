//! The differences that are known, each with the reason why it is none that a program may rely on.

/// Lines of a transcript that may differ.
pub(crate) struct Difference {
    /// The scenario, as `module::function`.
    pub(crate) scenario: &'static str,
    /// The line on the crate `h2`.
    pub(crate) stock: &'static str,
    /// The line on the replacement.
    pub(crate) patched: &'static str,
    /// Why both are right.
    pub(crate) reason: &'static str,
}

/// All known differences.
pub(crate) const KNOWN: &[Difference] = &[];
