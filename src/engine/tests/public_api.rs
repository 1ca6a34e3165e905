//! Compares the public API with `public-api.txt`, so that no change to it goes unnoticed.
//!
//! After an intended change, `UPDATE=1 cargo test -p http2-engine --test public_api` rewrites the file. The API is
//! that without the feature `unstable`. Blanket and auto-trait implementations are left out.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use public_api::Builder;

#[test]
fn public_api_is_as_recorded() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = package.join("public-api.txt");
    let api = public_api(package);
    if env::var_os("UPDATE").is_some() {
        fs::write(&recorded, api).unwrap();
        return;
    }
    let expected = fs::read_to_string(&recorded).unwrap();
    let missing = |from: &str, of: &str, mark| -> String {
        let lines: Vec<_> = of.lines().collect();
        from.lines().filter(|line| !lines.contains(line)).map(|line| format!("{mark}{line}\n")).collect()
    };
    let (gone, new) = (missing(&expected, &api, "-"), missing(&api, &expected, "+"));
    assert!(
        api == expected,
        "the public API has changed; if that is intended, run with UPDATE=1 and raise the version:\n{gone}{new}"
    );
}

/// Returns the items of the public API, a line each.
fn public_api(package: &Path) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public-api");
    let documented = Command::new(env!("CARGO"))
        .args(["rustdoc", "-q", "--locked", "--lib", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-Zunstable-options", "--output-format", "json"])
        // JSON is an unstable format of rustdoc. The toolchain is pinned, and `public-api` to a version that reads it.
        .env("RUSTC_BOOTSTRAP", "1")
        .status()
        .unwrap();
    assert!(documented.success(), "rustdoc failed");
    let items = Builder::from_rustdoc_json(target.join("doc/http2_engine.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .unwrap();
    items.items().map(|item| format!("{item}\n")).collect()
}
