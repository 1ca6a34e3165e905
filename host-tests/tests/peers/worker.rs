//! Runs cases in turn, with servers that are started once and reused.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result, anyhow};

use crate::get::Client;
use crate::ours::{Ended, OurServer, Ours, Workshop};
use crate::peer::{Attempt, Listening, PlayClient, Report, Role, StartServer};
use crate::plan::{Case, Plan};
use crate::table::Outcome;

/// The interval between checks for ended connections, and the number of checks until one must have ended.
const SETTLE: Duration = Duration::from_millis(100);
const LOOKS: usize = 20;

/// Runs the cases of one peer in turn.
pub(crate) struct Worker<'a> {
    workshop: &'a Workshop,
    seconds: u64,
    servers: HashMap<Ours, OurServer>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(workshop: &'a Workshop, seconds: u64) -> Self {
        Self { workshop, seconds, servers: HashMap::new() }
    }

    /// Runs all cases of a plan, and prints a line for each.
    pub(crate) fn run(&mut self, plan: &Plan) -> Vec<Outcome> {
        let mut their_server = None;
        let mut outcomes = Vec::new();
        for case in &plan.cases {
            let mut outcome = self.run_case(plan, case, &mut their_server);
            println!("{}", outcome.line());
            // Peers have their own lapses, and their patience depends on the load of the machine; connections
            // ended by our side are never excused by that.
            if outcome.result.is_err() && outcome.ended.iter().all(Ended::is_tolerable) {
                println!("once more:");
                outcome = self.run_case(plan, case, &mut their_server);
                println!("{}", outcome.line());
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn run_case(&mut self, plan: &Plan, case: &Case, their_server: &mut Option<Listening>) -> Outcome {
        let (result, ended) = match &plan.peer.role {
            Role::Client(client) => self.their_client(client, case),
            Role::Server(start) => self.our_client(start, their_server, case),
        };
        let result = result.and_then(|report| ended.iter().try_for_each(Ended::check).map(|()| report));
        Outcome { peer: plan.title(), ours: case.ours, case: case.title(), result, ended }
    }

    /// Stops our servers, which must drain.
    pub(crate) fn finish(self) -> Vec<Outcome> {
        let stop = |(ours, server): (Ours, OurServer)| {
            let result = server.stop().map(|()| Report::default());
            Outcome { peer: "all".to_owned(), ours, case: "drain".to_owned(), result, ended: Vec::new() }
        };
        self.servers.into_iter().map(stop).collect()
    }

    fn their_client(&mut self, client: &PlayClient, case: &Case) -> (Result<Report>, Vec<Ended>) {
        let mut server =
            match self.servers.remove(&case.ours).map_or_else(|| self.workshop.serve(case.ours), Ok) {
                Ok(server) => server,
                Err(error) => return (Err(error), Vec::new()),
            };
        let result = client(&self.attempt(case, &server.url));
        let result = result.and_then(|report| server.check_running().map(|()| report));
        let (ended, others) = settle(&server);
        match result {
            Ok(report) => {
                self.servers.insert(case.ours, server);
                (Ok(report), ended)
            }
            // Start a new server for the next case, so that the failure does not spread.
            Err(error) => (Err(with_words(&error, "our side", &ended, &others)), ended),
        }
    }

    fn our_client(
        &self,
        start: &StartServer,
        server: &mut Option<Listening>,
        case: &Case,
    ) -> (Result<Report>, Vec<Ended>) {
        let listening = match server.take().map_or_else(start, Ok) {
            Ok(listening) => listening,
            Err(error) => return (Err(error), Vec::new()),
        };
        let attempt = self.attempt(case, &listening.url);
        let (result, ended) = Client::new(self.workshop, case.ours, attempt).run();
        let others = listening.server.lines();
        if result.is_ok() {
            *server = Some(listening);
        }
        (result.map_err(|error| with_words(&error, "their side", &ended, &others)), ended)
    }

    fn attempt<'c>(&self, case: &Case<'c>, url: &'c str) -> Attempt<'c> {
        Attempt { case: case.name, url, seconds: self.seconds, at_a_time: case.at_a_time }
    }
}

/// Waits until our server has reported the connections that the peer closed; also returns its other lines.
fn settle(server: &OurServer) -> (Vec<Ended>, Vec<String>) {
    let (mut ended, mut others) = (Vec::new(), Vec::new());
    for _ in 0..LOOKS {
        thread::sleep(SETTLE);
        let (more_ended, more_others) = server.ended_connections();
        let is_quiet = more_ended.is_empty();
        ended.extend(more_ended);
        others.extend(more_others);
        if is_quiet && !ended.is_empty() {
            break;
        }
    }
    (ended, others)
}

/// Adds the connections that ended badly, and a few lines of the server, to the error.
fn with_words(error: &Error, whose: &str, ended: &[Ended], others: &[String]) -> Error {
    let bad = ended.iter().filter_map(|end| end.check().err()).map(|error| error.to_string());
    let words: Vec<_> = bad.take(5).chain(others.iter().take(5).cloned()).collect();
    let error = format!("{error:#}");
    let error = error.trim_end();
    if words.is_empty() { anyhow!("{error}") } else { anyhow!("{error}; {whose}: {}", words.join(" | ")) }
}
