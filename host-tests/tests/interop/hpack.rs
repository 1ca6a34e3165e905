//! Our HPACK encoder, checked by the decoder of another implementation.

use std::path::Path;
use std::process::Command;

use host_tests::support::peers::Python;
use host_tests::support::run;

#[test]
fn pythons_hpack_decodes_our_field_blocks() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let stories = workspace.join("../shared/data/hpack/raw-data");
    if !stories.is_dir() {
        // The stories are not part of this repository, so their absence is not an error even with `CI=true`.
        println!("skipped: {} is missing", stories.display());
        return;
    }
    let Some(python) = Python::with_packages() else { return };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let build = [
        "build",
        "-q",
        "--locked",
        "-p",
        "http2-engine",
        "--features",
        "unstable",
        "--example",
        "hpack_encode",
        "--target-dir",
    ];
    let built = run(Command::new(env!("CARGO")).current_dir(workspace).args(build).arg(target));
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hpack_judge.py");
    let encoder = target.join("debug/examples/hpack_encode");
    let verdict = run(python.script(&judge).arg("--encoder").arg(encoder).arg(stories)).text();
    assert!(verdict.contains(" 0 failures"), "{verdict}");
}
