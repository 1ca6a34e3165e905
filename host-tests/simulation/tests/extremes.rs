//! Honest applications that behave as extremely as they may.

use std::time::Duration;

use http2_simulation::{Random, converse, with_seeds};

#[test]
fn nobody_is_blamed_for_honest_extremes() {
    let (mut blamed, mut highest, mut streams, mut messages) = (Vec::new(), 0, 0, 0);
    let mut hours = Duration::ZERO;
    with_seeds(100, |seed| {
        let t = std::time::Instant::now();
        let conversation = converse(Random::from_seed(seed));
        highest = highest.max(conversation.highest_scores[0]).max(conversation.highest_scores[1]);
        (streams, messages) = (streams + conversation.streams, messages + conversation.messages);
        hours += conversation.duration;
        eprintln!(
            "{seed} {:?} {:?} {} {} {:?} {:?}",
            t.elapsed(),
            conversation.duration,
            conversation.streams,
            conversation.messages,
            conversation.highest_scores,
            conversation.blame
        );
        if let Some(words) = &conversation.blame {
            blamed.push(format!("SEED={seed}: {words}\n    {:?}", conversation.personalities));
        }
    });
    let hours = hours.as_secs() / 3_600;
    eprintln!("{streams} streams, {messages} messages, {hours} hours; the highest abuse score is {highest}");
    assert!(blamed.is_empty(), "{} conversations:\n{}", blamed.len(), blamed.join("\n"));
}
