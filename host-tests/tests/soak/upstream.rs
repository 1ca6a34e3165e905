//! A Wasmtime bug that the relay works around; this test fails once it is fixed.
//!
//! See `upstream/README.md`.

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

const CALLS: u32 = 1_000;

/// Returns by how many entries the tables of a store have grown after a number of calls.
async fn left_behind(calls: u32) -> anyhow::Result<usize> {
    let engine = Engine::new(Config::new().wasm_component_model_async(true))?;
    let component =
        Component::new(&engine, wat::parse_str(include_str!("upstream/task-of-a-call-is-kept.wat"))?)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_async(&mut store, &component).await?;
    let run = instance.get_typed_func::<(u32,), ()>(&mut store, "run")?;
    let entries =
        |store: &mut Store<()>| store.concurrent_resource_table().map_or(0, |table| table.iter_mut().count());
    let before = entries(&mut store);
    store.run_concurrent(async |store| run.call_concurrent(store, (calls,)).await).await??;
    Ok(entries(&mut store) - before)
}

#[tokio::test]
async fn wasmtime_keeps_the_task_of_a_call_that_exits_at_once() {
    let left = left_behind(CALLS).await.unwrap();
    assert!(
        left >= CALLS as usize,
        "Wasmtime keeps only {left} entries for {CALLS} calls: if the bug is fixed, the relay in src/wasi-http-relay need \
         not spawn a task, and the report in host-tests/tests/soak/upstream is obsolete"
    );
}
