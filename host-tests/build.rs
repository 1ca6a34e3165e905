//! Builds the test guests, one package for each folder of `guests`, and the examples on `http2-tokio`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use component_build::{Component, Target};

fn main() -> ExitCode {
    component_build::run(|| {
        let workspace = component_build::workspace(1)?;
        let guests = guests(&workspace.join("host-tests/guests"))?;
        let examples = [
            Component::new("axum-server", "axum-server", "AXUM_SERVER"),
            Component::new("grpc-server", "grpc-server", "GRPC_SERVER"),
        ];
        let sources = [
            "Cargo.toml",
            "Cargo.lock",
            "wit",
            "src/engine",
            "src/tokio",
            "src/hyper",
            "examples/axum-server",
            "examples/grpc-server",
            "host-tests/grpc-services",
            "host-tests/guests",
            "host-tests/build.rs",
        ];
        component_build::rerun_if_changed(&workspace, &sources);
        let mut source =
            component_build::build(&workspace, &[(Target::Wasi, &guests), (Target::Wasi, &examples)])?;
        _ = writeln!(source, "/// Calls a macro with the name of each guest, so that every guest is tested.");
        _ = writeln!(source, "#[macro_export] macro_rules! for_each_guest {{ ($macro:ident) => {{");
        for guest in &guests {
            _ = writeln!(source, "$macro!({});", guest.package.replace('-', "_"));
        }
        source.push_str("}; }\n");
        component_build::write_source("guests.rs", &source)
    })
}

/// Returns the packages in the folder, in alphabetical order.
fn guests(folder: &Path) -> Result<Vec<Component>, String> {
    let failed = |error| format!("{} cannot be read: {error}", folder.display());
    let mut guests = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join("Cargo.toml").exists() {
            let package = path.file_name().unwrap_or_default().to_string_lossy();
            let identifier = package.replace('-', "_");
            // Cargo names a binary after its package, and a library after its Rust crate.
            let is_program = path.join("src/main.rs").exists();
            let file = if is_program { &*package } else { &identifier };
            guests.push(Component::new(&package, file, &identifier.to_uppercase()));
        }
    }
    guests.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(guests)
}
