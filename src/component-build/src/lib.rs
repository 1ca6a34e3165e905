//! Builds WebAssembly components for the build scripts that embed them.
//!
//! The components are built in a target directory of their own, which all profiles and all build scripts share, because
//! the outer Cargo holds the lock of the main target directory.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The platform that components are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// WASI 0.2, which Rust's standard library uses for files, output, time and more.
    Wasi,
    /// None: a component imports only what its own world names, and all but the engine is optimized for size.
    ///
    /// A panic traps without a message.
    Bare,
}

impl Target {
    fn triple(self) -> &'static str {
        match self {
            Self::Wasi => "wasm32-wasip2",
            Self::Bare => "wasm32-unknown-unknown",
        }
    }
}

/// The environment of Cargo for [`Target::Bare`].
const BARE: [(&str, &str); 4] = [
    // The linker of wasm32-wasip2, which makes a component of the module.
    ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-component-ld"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_RELEASE_STRIP", "true"),
];

/// A package of the workspace that is built as a component.
#[derive(Clone, Debug)]
pub struct Component {
    /// The name of the package.
    pub package: String,
    /// The name of the built file, without `.wasm`.
    pub file: String,
    /// The name of the constant that holds the component.
    pub constant: String,
}

impl Component {
    /// Creates the description of a component.
    pub fn new(package: &str, file: &str, constant: &str) -> Self {
        Self { package: package.to_owned(), file: file.to_owned(), constant: constant.to_owned() }
    }
}

/// Runs the body of a build script.
pub fn run(build: impl FnOnce() -> Result<(), String>) -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds components, and returns Rust source with one constant for each.
///
/// The components of one group are built by one invocation of Cargo, which unifies their features.
///
/// # Errors
///
/// Returns the message to show if a target cannot be installed or if a build fails.
pub fn build(workspace: &Path, groups: &[(Target, &[Component])]) -> Result<String, String> {
    let out = out_dir()?;
    // OUT_DIR is <target>/<profile>/build/<package>/out.
    let target_dir = out.ancestors().nth(4).ok_or("OUT_DIR is not in a target directory")?.join("components");
    let mut source = String::new();
    for &(target, group) in groups {
        ensure_target(target)?;
        compile(workspace, &target_dir, target, group)?;
        for Component { package, file, constant } in group {
            let path = target_dir.join(target.triple()).join("release").join(file).with_extension("wasm");
            _ = writeln!(source, "#[doc = \"`{package}`.\"]");
            _ = writeln!(source, "pub const {constant}: &[u8] = include_bytes!({path:?});");
        }
    }
    Ok(source)
}

/// Writes Rust source to a file in `OUT_DIR`, from which the crate includes it.
///
/// # Errors
///
/// Returns the message to show if the file cannot be written.
pub fn write_source(name: &str, source: &str) -> Result<(), String> {
    fs::write(out_dir()?.join(name), source).map_err(|error| format!("{name} cannot be written: {error}"))
}

/// Runs the build script again if one of these paths of the workspace changes.
pub fn rerun_if_changed(workspace: &Path, paths: &[&str]) {
    for path in paths {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
}

/// Returns the root of the workspace, `levels` above the package that is built.
///
/// # Errors
///
/// Returns the message to show if Cargo does not run the build script.
pub fn workspace(levels: usize) -> Result<PathBuf, String> {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = package.ancestors().nth(levels).ok_or("the package is in no workspace")?;
    Ok(root.to_owned())
}

fn out_dir() -> Result<PathBuf, String> {
    variable("OUT_DIR").map(PathBuf::from)
}

/// Installs a target if the toolchain lacks it.
fn ensure_target(target: Target) -> Result<(), String> {
    let target = target.triple();
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(&rustc).args(["--print", "target-libdir", "--target", target]).output();
    let output = output.map_err(|error| format!("{rustc} cannot be run: {error}"))?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists() {
        return Ok(());
    }
    say(&format!("Rust's target {target}"), "Installing");
    let added = Command::new("rustup").args(["target", "add", target]).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!("Rust's target {target} is missing; add it with: rustup target add {target}"))
}

fn compile(
    workspace: &Path,
    target_dir: &Path,
    target: Target,
    components: &[Component],
) -> Result<(), String> {
    let names: Vec<&str> = components.iter().map(|component| component.package.as_str()).collect();
    let names = names.join(", ");
    say(&names, "Building");
    let start = Instant::now();
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--release", "--target", target.triple(), "--target-dir"])
        .arg(target_dir);
    for component in components {
        cargo.args(["--package", &component.package]);
    }
    // Drop settings meant for the outer package: flags for the host target, and Clippy in place of the compiler.
    for inherited in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(inherited);
    }
    if target == Target::Bare {
        cargo.envs(BARE).args(["--config", "profile.release.package.http2-engine.opt-level=3"]);
    }
    let output = cargo.output().map_err(|error| format!("Cargo cannot be run: {error}"))?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(format!("{names} cannot be built: see what Cargo says below"));
    }
    say(&format!("{names} in {} s", start.elapsed().as_secs()), "Built");
    Ok(())
}

/// Prints a line of progress in the form of Cargo's own.
///
/// Cargo keeps the output of a build script until the script has failed, and building components takes minutes: write
/// to the standard error of Cargo where the system gives access to it.
fn say(text: &str, verb: &str) {
    #[cfg(target_os = "linux")]
    {
        let path = format!("/proc/{}/fd/2", std::os::unix::process::parent_id());
        if let Ok(mut stderr) = OpenOptions::new().append(true).open(path) {
            _ = stderr.write_all(format!("\r\x1b[K{verb:>12} {text}\n").as_bytes());
        }
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: the build script is run by Cargo"))
}
