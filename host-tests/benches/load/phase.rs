//! A phase of the load test, with all participants at once.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use host_tests::support::Serve;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::attackers::{self, Prepared};
use crate::clients;
use crate::figures::{Figures, Seen};

/// How long good clients may take to finish their requests after the phase.
const FINISH: Duration = Duration::from_secs(60);
/// How long good clients run before anything is measured.
const SETTLING: Duration = Duration::from_secs(3);
/// The interval between progress messages.
const PROGRESS: Duration = Duration::from_secs(10);

/// How many participants of each kind take part.
#[derive(Clone, Copy)]
pub(crate) struct Population {
    /// Good clients that send requests at a steady rate.
    busy: u32,
    /// The requests per second of all busy clients together.
    rate: u32,
    /// Good clients that send a request from time to time.
    idle: u32,
    /// Good clients that read slowly.
    slow: u32,
    /// Clients that are killed in the middle of their requests.
    killed: u32,
    attackers: u32,
}

impl Population {
    pub(crate) fn of(connections: u32, rate: u32) -> Self {
        let share = |percent: u32| connections * percent / 100;
        let (busy, slow, killed, attackers) = (share(15), share(15), share(5), share(10));
        Self { busy, rate, idle: connections - busy - slow - killed - attackers, slow, killed, attackers }
    }
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { busy, rate, idle, slow, killed, attackers } = self;
        write!(
            f,
            "{busy} busy clients ({rate} requests per second), {idle} idle clients, {slow} slow readers, {killed} \
             clients that are killed, {attackers} attackers"
        )
    }
}

/// A phase of the test.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) length: Duration,
    /// The attacks, or `None` for a phase without attackers.
    pub(crate) attacks: Option<Arc<[Prepared]>>,
}

/// State that all participants share.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) server: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    over: watch::Receiver<bool>,
}

impl Scene {
    /// Returns whether the phase is over.
    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits until the phase is over.
    pub(crate) async fn wait_until_over(&self) {
        // An error means that the sender is gone, and therefore the phase is over.
        _ = self.over.clone().wait_for(|over| *over).await;
    }
}

impl Phase {
    pub(crate) async fn run(&self, server: &str, process: &Serve, population: Population) -> Result<Figures> {
        let (end, over) = watch::channel(false);
        let scene = Scene { server: process.address(), seen: Arc::default(), over };
        let mut good = JoinSet::new();
        let mut bad = JoinSet::new();
        for n in 0..population.idle {
            good.spawn(clients::idle(scene.clone()));
            if n % 50 == 0 {
                // Pause, because the listener's backlog is short.
                sleep(Duration::from_millis(20)).await;
            }
        }
        for n in 0..population.slow {
            good.spawn(clients::slow(scene.clone(), n));
        }
        for n in 0..population.busy {
            good.spawn(clients::busy(scene.clone(), n, population.busy, population.rate));
        }
        // Let the connections open, and let all code run once.
        sleep(SETTLING).await;
        scene.seen.forget_latency();
        for n in 0..population.killed {
            bad.spawn(clients::killed(scene.clone(), n));
        }
        if let Some(attacks) = &self.attacks {
            for n in 0..population.attackers {
                bad.spawn(attackers::attack(scene.clone(), n, attacks.clone()));
            }
        }
        let memory = self.watch(server, process, &scene).await?;
        end.send_replace(true);
        timeout(FINISH, good.join_all())
            .await
            .context("good clients did not receive their responses in time")?;
        bad.shutdown().await;
        Ok(scene.seen.figures(self.length, memory))
    }

    /// Waits until the phase ends, printing progress.
    ///
    /// Returns the server's memory in KiB for each second.
    async fn watch(&self, server: &str, process: &Serve, scene: &Scene) -> Result<Vec<u64>> {
        let (start, mut second) = (Instant::now(), interval(Duration::from_secs(1)));
        let (mut memory, mut told) = (Vec::new(), Duration::ZERO);
        while start.elapsed() < self.length {
            second.tick().await;
            memory.push(process.resident().context("cannot read the server's memory from /proc")?);
            if start.elapsed() >= told + PROGRESS {
                told = start.elapsed();
                let (elapsed, length) = (told.as_secs(), self.length.as_secs());
                let memory = memory.last().unwrap_or(&0) >> 10;
                eprintln!(
                    "{server}, {}: {elapsed} of {length} s, {}, memory {memory} MiB",
                    self.name, scene.seen
                );
            }
        }
        Ok(memory)
    }
}
