//! Composition: what comes out, and what is said when nothing can.

use std::process::Command;

use wasi_http2::{Composition, Runtime, components};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The names that a component imports and exports.
fn names(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let engine = Engine::default();
    let component = Component::new(&engine, component).unwrap();
    let ty = component.component_type();
    let imports = ty.imports(&engine).map(|(name, _)| name.to_owned()).collect();
    let exports = ty.exports(&engine).map(|(name, _)| name.to_owned()).collect();
    (imports, exports)
}

fn refusal(application: &[u8]) -> String {
    format!("{:#}", Composition::default().compose(application).unwrap_err())
}

#[test]
fn a_command_stays_a_command_and_needs_wasi_alone() {
    let runtime = Runtime::new().unwrap();
    for application in [components::ECHO_SERVER, components::FETCH, components::TCP_CHECK] {
        let composed = Composition::default().compose(application).unwrap();
        let (imports, exports) = names(&composed);
        assert!(exports.iter().any(|name| name.starts_with("wasi:cli/run@")), "{exports:?}");
        for import in imports {
            assert!(import.starts_with("wasi:") || import.starts_with("http2:engine/types@"), "{import}");
        }
        runtime.load(&composed).unwrap();
    }
}

#[test]
fn an_application_that_needs_no_engine_gets_none() {
    let composed = Composition::default().compose(components::TCP_CHECK).unwrap();
    assert!(composed.len() < components::TCP_CHECK.len() + components::ENGINE.len());
}

#[test]
fn the_transport_may_be_left_to_the_host() {
    let composed = Composition::default().host_transport().compose(components::FETCH).unwrap();
    let (imports, _) = names(&composed);
    assert!(imports.iter().any(|name| name.starts_with("http2:engine/transport@")), "{imports:?}");
    assert!(!imports.iter().any(|name| name.starts_with("http2:engine/connection@")), "{imports:?}");
}

#[test]
fn what_is_no_component_is_told_apart() {
    let module = b"\0asm\x01\0\0\0";
    assert_eq!(
        refusal(module),
        "the application is a core module, not a component: build it for wasm32-wasip2, or turn it into one with \
         wasm-tools component new"
    );
    for nothing in [&b""[..], b"(component)", b"\0asm"] {
        assert_eq!(refusal(nothing), "the application is not a WebAssembly component in binary form");
    }
    let cut = &components::FETCH[..components::FETCH.len() / 2];
    assert!(refusal(cut).starts_with("the application is not a valid component: "), "{}", refusal(cut));
}

#[test]
fn an_application_without_http2_is_refused() {
    let message = "the application imports nothing of http2:engine: there is nothing to compose it with";
    assert_eq!(refusal(components::HOG), message);
}

#[test]
fn a_transport_that_lacks_an_interface_is_named() {
    let error = Composition::default().transport(components::HOG).compose(components::FETCH).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "the engine imports http2:engine/transport@0.1.0, which no component of the composition exports"
    );
}

#[test]
fn another_version_is_named() {
    let other =
        replace(components::FETCH, b"http2:engine/connection@0.1.0", b"http2:engine/connection@0.9.0");
    assert_eq!(
        refusal(&other),
        "the application imports http2:engine/connection@0.9.0, but the engine exports \
         http2:engine/connection@0.1.0"
    );
}

/// The bytes with one string in place of another that is as long.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn the_command_composes_files() {
    let folder = tempfile::tempdir().unwrap();
    let (application, output) = (folder.path().join("app.wasm"), folder.path().join("out.wasm"));
    std::fs::write(&application, components::FETCH).unwrap();
    let compose = |application| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2"));
        command.arg("compose").arg("--app").arg(application).arg("-o").arg(&output);
        command.output().unwrap()
    };
    assert!(compose(application).status.success());
    assert_eq!(std::fs::read(&output).unwrap(), Composition::default().compose(components::FETCH).unwrap());

    let failed = compose(folder.path().join("missing.wasm"));
    let message = String::from_utf8(failed.stderr).unwrap();
    assert!(!failed.status.success());
    assert!(
        message.starts_with("wasi-http2: ") && message.contains("missing.wasm cannot be read"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}
