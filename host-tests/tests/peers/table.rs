//! The results of the suite, as a table.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::ours::{Ended, Ours};
use crate::peer::Report;

/// One case of one peer against one part of this project.
pub(crate) struct Outcome {
    /// Name and configuration of the peer.
    pub(crate) peer: String,
    pub(crate) ours: Ours,
    /// The case, with the number of concurrent requests where it matters.
    pub(crate) case: String,
    pub(crate) result: Result<Report>,
    /// The connections that ended during the case.
    pub(crate) ended: Vec<Ended>,
}

impl Outcome {
    /// Describes the result in one line.
    pub(crate) fn line(&self) -> String {
        let what = format!("{} × {}, {}", self.peer, self.ours.name(), self.case);
        match &self.result {
            Ok(Report { requests, bytes }) => {
                format!("passed  {what}: {requests} requests, {bytes} bytes, score {}", score(&self.ended))
            }
            Err(error) => format!("FAILED  {what}: {}", format!("{error:#}").trim_end().replace('\n', " / ")),
        }
    }
}

/// The highest score with its limit, as in `3/2000`; a dash if there were no connections.
fn score<'a>(ended: impl IntoIterator<Item = &'a Ended>) -> String {
    let highest = ended.into_iter().max_by_key(|end| end.score);
    highest.map_or_else(|| "–".to_owned(), |end| format!("{}/{}", end.score, end.limit))
}

/// Renders the Markdown table: a row for each peer and part of this project.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut rows: BTreeMap<(&str, Ours), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        rows.entry((&outcome.peer, outcome.ours)).or_default().push(outcome);
    }
    let mut text = "| peer | ours | passed | requests | MB | highest score | failed |\n\
        |---|---|--:|--:|--:|--:|---|\n"
        .to_owned();
    for ((peer, ours), outcomes) in rows {
        let reports = || outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
        let failed: Vec<&str> = outcomes
            .iter()
            .filter(|outcome| outcome.result.is_err())
            .map(|outcome| outcome.case.as_str())
            .collect();
        text += &format!(
            "| {peer} | {} | {} | {} | {} | {} | {} |\n",
            ours.name(),
            reports().count(),
            reports().map(|report| report.requests).sum::<u64>(),
            reports().map(|report| report.bytes).sum::<u64>() / 1_000_000,
            score(outcomes.iter().flat_map(|outcome| &outcome.ended)),
            failed.join(", ")
        );
    }
    text
}
