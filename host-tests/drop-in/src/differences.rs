//! The differences that are known, each with the reason why no program may rely on either side.

/// The known differences of a scenario.
///
/// A line that begins with "- " may be missing on the replacement, a line that begins with "+ " may be new there, and
/// "because" begins the reason.
const TABLE: &str = include_str!("differences.txt");

/// Lines of a transcript that may differ.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// The scenario, as `module::function`.
    pub(crate) scenario: &'static str,
    /// Lines on the crate `h2`.
    pub(crate) stock: Vec<&'static str>,
    /// Lines on the replacement.
    pub(crate) patched: Vec<&'static str>,
    /// Why both are right.
    pub(crate) reason: &'static str,
}

/// All known differences.
pub(crate) fn known() -> Vec<Difference> {
    parse(TABLE)
}

fn parse(table: &'static str) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut next = Difference::default();
    for line in table.lines().map(str::trim_start) {
        if let Some(stock) = line.strip_prefix("- ") {
            next.stock.push(stock);
        } else if let Some(patched) = line.strip_prefix("+ ") {
            next.patched.push(patched);
        } else if let Some(reason) = line.strip_prefix("because ") {
            let scenario = next.scenario;
            next.reason = reason;
            differences.push(std::mem::replace(&mut next, Difference { scenario, ..Difference::default() }));
        } else if !line.is_empty() && !line.starts_with('#') {
            next.scenario = line.trim_end_matches(':');
        }
    }
    assert!(
        next.stock.is_empty() && next.patched.is_empty(),
        "{} has a difference without a reason",
        next.scenario
    );
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_well_formed() {
        for difference in known() {
            assert!(!difference.scenario.is_empty() && !difference.reason.is_empty(), "{difference:?}");
        }
    }

    #[test]
    fn blocks_share_a_scenario() {
        let parsed = parse("# a comment\nm::f:\n  - a\n  + b\n  because x\n  - c\n  because y\n");
        let block = |stock, patched, reason| Difference { scenario: "m::f", stock, patched, reason };
        assert_eq!(parsed, [block(vec!["a"], vec!["b"], "x"), block(vec!["c"], vec![], "y")]);
    }
}
