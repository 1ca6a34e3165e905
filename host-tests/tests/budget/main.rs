//! What the engine and the servers cost, without a clock: Wasmtime's fuel and the allocations of fixed conversations, and
//! the sizes of the components.
//!
//! `budget.txt` has what each of them may be. A test fails if one is more than 5 % above or below. With `UPDATE=1` in
//! the environment, it writes the file instead, and the difference shows what a change has cost or saved.

mod servers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use host_tests::guests;
use host_tests::support::instructions::InstructionClock;
use small_requests::Subject;
use wasi_http2::components;

/// The largest change that passes.
const MARGIN: f64 = 0.05;

/// Counts the allocations of each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: all calls are passed on to the allocator of the system; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of this method, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[test]
fn costs_are_within_the_budget() {
    let measured = measure();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/budget/budget.txt");
    if env::var_os("UPDATE").is_some() {
        let lines = measured.iter().fold(String::new(), |mut lines, (name, value)| {
            _ = writeln!(lines, "{value:>9.0}  {name}");
            lines
        });
        fs::write(&path, lines).unwrap();
        return;
    }
    let text = fs::read_to_string(&path).unwrap();
    let budget: Vec<(&str, f64)> = text
        .lines()
        .map(|line| {
            let (value, name) = line.trim_start().split_once("  ").expect("a number and a name");
            (name, value.parse().expect("a number"))
        })
        .collect();
    let names = |list: &[(&str, f64)]| list.iter().map(|&(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&measured), names(&budget), "the rows of budget.txt: write it anew with UPDATE=1");
    let mut beyond = String::new();
    for (&(name, value), &(_, allowed)) in measured.iter().zip(&budget) {
        let change = value / allowed - 1.0;
        eprintln!("{value:>9.0}  {:>+6.1} %  {name}", change * 100.0);
        if change.abs() > MARGIN {
            _ = writeln!(beyond, "{name}: {value:.0} instead of {allowed:.0} ({:+.1} %)", change * 100.0);
        }
    }
    assert!(
        beyond.is_empty(),
        "beyond 5 %; if that is intended, write budget.txt anew with UPDATE=1:\n{beyond}"
    );
}

/// Returns the name and the value of each cost.
fn measure() -> Vec<(&'static str, f64)> {
    let requests = InstructionClock::new(guests::SMALL_REQUESTS);
    let fuel = |subject: Subject| requests.run(&[subject.name(), "100", "100"]);
    let mut costs = vec![
        ("fuel of client and server for a small request, engine", fuel(Subject::Engine)),
        (
            "fuel of client and server for a small request, engine with types of http",
            fuel(Subject::EngineHttp),
        ),
    ];
    costs.extend(servers::measure());
    costs.extend([
        ("allocations of client and server for 100 small requests, engine", allocations(Subject::Engine)),
        (
            "allocations of client and server for 100 small requests, engine with types of http",
            allocations(Subject::EngineHttp),
        ),
        ("bytes of http2.wasm", size(components::ENGINE)),
        ("bytes of http2_tcp.wasm", size(components::TCP)),
        ("bytes of http2_over_tcp.wasm", size(components::ENGINE_OVER_TCP)),
        ("bytes of http2_server.wasm", size(components::http_server())),
        ("bytes of http2_client.wasm", size(components::http_client())),
    ]);
    costs
}

/// Returns the number of allocations for 100 requests, after a first round.
fn allocations(subject: Subject) -> f64 {
    let rounds = |rounds| {
        let before = ALLOCATIONS.with(Cell::get);
        small_requests::measure(subject, rounds, 100);
        ALLOCATIONS.with(Cell::get) - before
    };
    // Both warm up by one round.
    let [one, three] = [rounds(1), rounds(3)];
    (three - one) as f64 / 2.0
}

fn size(component: &[u8]) -> f64 {
    component.len() as f64
}
