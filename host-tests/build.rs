//! Builds the WebAssembly components of the workspace, so that `cargo run` and `cargo test` need no prior step.
//!
//! The components are built in a separate target directory, which all profiles of this package share, because the outer
//! Cargo holds the lock of the main target directory.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-wasip2";

/// The components that are shipped: package, name of the built file, and name of the constant.
///
/// The server and the client are built without the relay, which is added at run time.
const SHIPPED: [(&str, &str, &str); 5] = [
    ("http2-component", "http2", "ENGINE"),
    ("http2-tcp", "http2_tcp", "TCP"),
    ("http2-server", "http2_server", "BARE_HTTP_SERVER"),
    ("http2-client", "http2_client", "BARE_HTTP_CLIENT"),
    ("http2-wasi-http-relay", "http2_wasi_http_relay", "RELAY"),
];

/// The examples, in the same form.
const EXAMPLES: [(&str, &str, &str); 3] = [
    ("echo-server", "echo-server", "ECHO_SERVER"),
    ("fetch", "fetch", "FETCH"),
    ("http-get", "http_get", "HTTP_GET"),
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let host_tests = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = host_tests.parent().ok_or("the harness has no workspace")?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    // OUT_DIR is <target>/<profile>/build/<package>/out.
    let target_dir = out.ancestors().nth(4).ok_or("OUT_DIR is not in a target directory")?.join("components");

    for source in ["Cargo.toml", "Cargo.lock", "wit", "src", "examples", "host-tests/guests"] {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");

    let folder = host_tests.join("guests");
    let guests = guests(&folder)?;
    ensure_target()?;
    // Cargo unifies features across all packages of one invocation: build each shipped component with its own features
    // only.
    for (package, ..) in SHIPPED {
        compile(workspace, &target_dir, [package].into_iter())?;
    }
    let examples = EXAMPLES.iter().map(|(package, ..)| *package);
    compile(workspace, &target_dir, examples.chain(guests.iter().map(String::as_str)))?;

    let built = target_dir.join(TARGET).join("release");
    fs::write(out.join("components.rs"), constants(&built, &folder, &guests))
        .map_err(|error| format!("the list of components cannot be written: {error}"))
}

/// Returns the names of the packages in `host-tests/guests`, one per folder.
fn guests(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error| format!("{} cannot be read: {error}", folder.display());
    let mut guests = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join("Cargo.toml").exists() {
            guests.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    guests.sort();
    Ok(guests)
}

/// Installs the WASI target if the toolchain lacks it.
fn ensure_target() -> Result<(), String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(&rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = output.map_err(|error| format!("{rustc} cannot be run: {error}"))?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!("Rust's target {TARGET} is missing; add it with: rustup target add {TARGET}"))
}

fn compile<'a>(
    workspace: &Path,
    target_dir: &Path,
    packages: impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--release", "--target", TARGET, "--target-dir"])
        .arg(target_dir);
    for package in packages {
        cargo.args(["--package", package]);
    }
    // Drop settings meant for this package: flags for the host target, and Clippy in place of the compiler.
    for inherited in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(inherited);
    }
    let output = cargo.output().map_err(|error| format!("Cargo cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    Err("the WebAssembly components cannot be built: see what Cargo says below".to_owned())
}

/// Returns Rust source with the constants that hold the components, and a macro that names every guest.
fn constants(built: &Path, folder: &Path, guests: &[String]) -> String {
    let mut source = String::new();
    let mut constant = |package: &str, name: &str, file: &str| {
        let path = built.join(file).with_extension("wasm");
        _ = writeln!(source, "#[doc = \"`{package}`.\"]");
        _ = writeln!(source, "pub const {name}: &[u8] = include_bytes!({path:?});");
    };
    for (package, file, name) in SHIPPED.into_iter().chain(EXAMPLES) {
        constant(package, name, file);
    }
    for guest in guests {
        let identifier = guest.replace('-', "_");
        // Cargo names a binary after its package, and a library after its Rust crate.
        let is_program = folder.join(guest).join("src/main.rs").exists();
        constant(guest, &identifier.to_uppercase(), if is_program { guest } else { &identifier });
    }
    _ = writeln!(source, "/// Calls a macro with the name of each guest, so that every guest is tested.");
    _ = writeln!(source, "#[macro_export] macro_rules! for_each_guest {{ ($macro:ident) => {{");
    for guest in guests {
        _ = writeln!(source, "$macro!({});", guest.replace('-', "_"));
    }
    source.push_str("}; }\n");
    source
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: the build script is run by Cargo"))
}
