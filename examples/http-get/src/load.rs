//! Many requests, to measure their rate.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures::future::join_all;

use crate::exchange;
use crate::failure::Failure;
use crate::options::Load;
use crate::output::Output;
use crate::request::Template;

/// Gives up after this many failures in a row for each request in flight.
const FRUITLESS: u64 = 3;

/// Sends the requests, `load.at_a_time` of them in flight, and prints how long they took.
///
/// Returns the first failure. The other requests are sent nevertheless, unless too many fail in a row.
pub(crate) async fn run(load: Load, templates: &[Template<'_>]) -> Result<(), Failure> {
    let began = Instant::now();
    let (started, succeeded, failure) = (Cell::new(0), Cell::new(0), RefCell::new(None));
    let failures_in_a_row = Cell::new(0);
    let too_many = load.at_a_time.saturating_mul(FRUITLESS);
    let lane = async || {
        let mut output = Output::nothing();
        while started.get() < load.requests && failures_in_a_row.get() < too_many {
            let index = started.replace(started.get() + 1) % templates.len() as u64;
            match exchange::run(&templates[index as usize], &mut output).await {
                Ok(()) => {
                    succeeded.set(succeeded.get() + 1);
                    failures_in_a_row.set(0);
                }
                Err(error) => {
                    failure.borrow_mut().get_or_insert(error);
                    failures_in_a_row.set(failures_in_a_row.get() + 1);
                }
            }
        }
    };
    join_all((0..load.at_a_time.min(load.requests)).map(|_| lane())).await;
    let seconds = began.elapsed().as_secs_f64();
    let succeeded = succeeded.get();
    let rate = if seconds > 0.0 { succeeded as f64 / seconds } else { 0.0 };
    println!(
        "{} requests: {succeeded} succeeded, {} failed, {seconds:.3} s, {rate:.0} req/s",
        load.requests,
        load.requests - succeeded
    );
    failure.into_inner().map_or(Ok(()), Err)
}
