//! Composition: its results, and its error messages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use host_tests::guests;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};
use wasi_http2::compose::{with_client, with_server};
use wasi_http2::{Composition, Runtime, components};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Returns the names of a component's imports and exports.
fn names(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let engine = Engine::new(Config::new().wasm_component_model_async(true)).unwrap();
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
fn a_composed_command_imports_only_wasi() {
    let runtime = Runtime::new().unwrap();
    for application in [components::ECHO_SERVER, components::FETCH, guests::TCP_CHECK] {
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
fn components_import_only_what_their_worlds_name() {
    let of_the_engine =
        ["http2:engine/transport", "http2:engine/types", "wasi:clocks/monotonic-clock", "wasi:io/poll"];
    let of_sockets = [
        "wasi:clocks/monotonic-clock",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/network",
        "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket",
    ];
    let of_both = [&["http2:engine/types"], &of_sockets[..]].concat();
    let of_the_server = [
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/types",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/types",
        "wasi:http/handler",
        "wasi:http/types",
        "wasi:sockets/types",
    ];
    let of_the_client = [
        "wasi:cli/environment",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/types",
        "wasi:http/types",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/types",
    ];
    for (component, expected) in [
        (components::ENGINE, &of_the_engine[..]),
        (components::TCP, &of_sockets),
        (components::ENGINE_OVER_TCP, &of_both),
        (components::http_server(), &of_the_server),
        (components::http_client(), &of_the_client),
    ] {
        let (imports, _) = names(component);
        let mut imports: Vec<_> = imports.iter().filter_map(|import| import.split('@').next()).collect();
        imports.sort_unstable();
        assert_eq!(imports, expected);
    }
}

#[test]
fn an_application_that_does_not_import_the_engine_does_not_get_it() {
    let composed = Composition::default().compose(guests::TCP_CHECK).unwrap();
    assert!(composed.len() < guests::TCP_CHECK.len() + components::ENGINE.len());
}

#[test]
fn the_engine_and_the_transport_may_be_separate_components() {
    let composed = Composition::default().transport(components::TCP).compose(components::FETCH).unwrap();
    let (imports, _) = names(&composed);
    assert!(imports.iter().all(|name| name.starts_with("wasi:") || name.starts_with("http2:engine/types@")));
    Runtime::new().unwrap().load(&composed).unwrap();
}

#[test]
fn wac_plug_composes_the_engine_over_tcp() {
    let mut graph = CompositionGraph::new();
    let mut add = |name: &str, bytes: &[u8]| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).unwrap();
        graph.register_package(package).unwrap()
    };
    let (plug, socket) = (add("engine", components::ENGINE_OVER_TCP), add("application", components::FETCH));
    wac_graph::plug(&mut graph, vec![plug], socket).unwrap();
    let composed = graph.encode(EncodeOptions::default()).unwrap();
    let (imports, _) = names(&composed);
    assert!(imports.iter().all(|name| name.starts_with("wasi:") || name.starts_with("http2:engine/types@")));
    Runtime::new().unwrap().load(&composed).unwrap();
}

#[test]
fn the_host_may_supply_the_transport() {
    let composed = Composition::default().host_transport().compose(components::FETCH).unwrap();
    let (imports, _) = names(&composed);
    assert!(imports.iter().any(|name| name.starts_with("http2:engine/transport@")), "{imports:?}");
    assert!(!imports.iter().any(|name| name.starts_with("http2:engine/connection@")), "{imports:?}");
}

#[test]
fn invalid_components_are_refused_with_a_reason() {
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
    let message = "the application imports nothing of http2:engine: build it for the world command of wit/world.wit, \
                   or compose it with the server or the client if it is an application of wasi:http";
    assert_eq!(refusal(guests::HOG), message);
}

#[test]
fn a_transport_without_the_required_interface_is_refused() {
    let error = Composition::default().transport(guests::HOG).compose(components::FETCH).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "the engine imports http2:engine/transport@0.2.0, which no component of the composition exports: add one \
         that does"
    );
}

#[test]
fn another_version_of_the_interface_is_refused() {
    let other =
        replace(components::FETCH, b"http2:engine/connection@0.2.0", b"http2:engine/connection@0.9.0");
    assert_eq!(
        refusal(&other),
        "the application imports http2:engine/connection@0.9.0, but the engine exports \
         http2:engine/connection@0.2.0: build both for one version"
    );
}

/// Replaces all occurrences of a byte string by another of the same length.
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
    fs::write(&application, components::FETCH).unwrap();
    let compose = |application| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2-tested"));
        command.arg("compose").arg("--app").arg(application).arg("-o").arg(&output);
        command.output().unwrap()
    };
    assert!(compose(application).status.success());
    assert_eq!(fs::read(&output).unwrap(), Composition::default().compose(components::FETCH).unwrap());

    let failed = compose(folder.path().join("missing.wasm"));
    let message = String::from_utf8(failed.stderr).unwrap();
    assert!(!failed.status.success());
    assert!(
        message.starts_with("wasi-http2: ") && message.contains("missing.wasm cannot be read"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

/// Returns whether `names` contains an interface, in any version.
fn has(names: &[String], interface: &str) -> bool {
    names.iter().any(|name| name.strip_prefix(interface).is_some_and(|version| version.starts_with('@')))
}

/// Assembles a component from its text form.
fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn a_handler_composed_with_the_server_is_a_wasi_0_3_command() {
    let composed = with_server(guests::HTTP_SERVICE).unwrap();
    let (imports, exports) = names(&composed);
    assert!(matches!(&exports[..], [run] if run.starts_with("wasi:cli/run@0.3.")), "{exports:?}");
    assert!(imports.iter().all(|import| import.starts_with("wasi:")), "{imports:?}");
    assert!(!has(&imports, "wasi:http/handler"), "{imports:?}");
    Runtime::new().unwrap().load(&composed).unwrap();
}

#[test]
fn a_command_composed_with_the_client_stays_a_command() {
    let (imports, _) = names(components::HTTP_GET);
    assert!(has(&imports, "wasi:http/client"), "{imports:?}");
    let composed = with_client(components::HTTP_GET).unwrap();
    let (imports, exports) = names(&composed);
    assert!(has(&exports, "wasi:cli/run"), "{exports:?}");
    assert!(imports.iter().all(|import| import.starts_with("wasi:")), "{imports:?}");
    assert!(!has(&imports, "wasi:http/client"), "{imports:?}");
    Runtime::new().unwrap().load(&composed).unwrap();
}

#[test]
fn the_server_over_the_client_is_a_reverse_proxy() {
    let composed = with_server(components::http_client()).unwrap();
    let (imports, exports) = names(&composed);
    assert!(matches!(&exports[..], [run] if run.starts_with("wasi:cli/run@0.3.")), "{exports:?}");
    assert!(!has(&imports, "wasi:http/handler") && !has(&imports, "wasi:http/client"), "{imports:?}");
    Runtime::new().unwrap().load(&composed).unwrap();
}

#[test]
fn applications_that_the_server_cannot_serve_are_refused() {
    let refusal = |application: &[u8]| format!("{:#}", with_server(application).unwrap_err());
    assert_eq!(
        refusal(components::HTTP_GET),
        "the application exports no wasi:http/handler: build it for the world wasi:http/service of WASI 0.3, or \
         compose it without the server"
    );
    let older =
        component(r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.6" (instance $i)))"#);
    assert_eq!(
        refusal(&older),
        "the application exports wasi:http/incoming-handler@0.2.6, of WASI 0.2; the server takes wasi:http/handler \
         of WASI 0.3"
    );
    let newer = component(r#"(component (instance $i) (export "wasi:http/handler@0.4.0" (instance $i)))"#);
    let message = refusal(&newer);
    assert!(message.starts_with("the server imports wasi:http/handler@0.3."), "{message}");
    let end = ", but the application exports wasi:http/handler@0.4.0: build both for one version";
    assert!(message.ends_with(end), "{message}");
    let hollow = component(r#"(component (instance $i) (export "wasi:http/handler@0.3.1" (instance $i)))"#);
    assert!(
        refusal(&hollow).starts_with("the server imports a different wasi:http/handler@"),
        "{}",
        refusal(&hollow)
    );
    assert_eq!(refusal(b"what?"), "the application is not a WebAssembly component in binary form");
}

#[test]
fn applications_that_do_not_import_the_client_are_refused() {
    let refusal = |application: &[u8]| format!("{:#}", with_client(application).unwrap_err());
    assert_eq!(
        refusal(guests::HTTP_SERVICE),
        "the application imports neither wasi:http/client nor wasi:http/handler: compose it without the client"
    );
    let older = component(r#"(component (import "wasi:http/outgoing-handler@0.2.6" (instance)))"#);
    assert_eq!(
        refusal(&older),
        "the application imports wasi:http/outgoing-handler@0.2.6, of WASI 0.2; the client is wasi:http/client of \
         WASI 0.3"
    );
    let newer = component(r#"(component (import "wasi:http/client@0.4.0" (instance)))"#);
    let message = refusal(&newer);
    assert!(
        message.starts_with("the application imports wasi:http/client@0.4.0, but the client exports "),
        "{message}"
    );
}

/// Runs `wasi-http2` in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wasi-http2-tested")).args(args).current_dir(folder).output().unwrap()
}

#[test]
fn the_command_composes_with_the_server_and_the_client() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("service.wasm"), guests::HTTP_SERVICE).unwrap();
    fs::write(folder.path().join("get.wasm"), components::HTTP_GET).unwrap();
    let composed = |args: &[&str]| {
        let output = run_in(folder.path(), &[&["compose", "-o", "out.wasm"], args].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(folder.path().join("out.wasm")).unwrap()
    };
    let service = with_server(guests::HTTP_SERVICE).unwrap();
    assert_eq!(composed(&["--server", "--app", "service.wasm"]), service);
    assert_eq!(composed(&["--client", "--app", "get.wasm"]), with_client(components::HTTP_GET).unwrap());
    assert_eq!(composed(&["--server", "--client"]), with_server(components::http_client()).unwrap());
}

#[test]
fn the_command_refuses_applications_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hog.wasm"), guests::HOG).unwrap();
    let refusal = |args: &[&str]| {
        let output = run_in(folder.path(), &[&["compose", "-o", "out.wasm"], args].concat());
        assert!(!output.status.success() && !folder.path().join("out.wasm").exists());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        refusal(&["--server", "--app", "hog.wasm"]),
        "wasi-http2: hog.wasm cannot be composed: the application exports no wasi:http/handler: build it for the \
         world wasi:http/service of WASI 0.3, or compose it without the server\n"
    );
    assert!(refusal(&["--server"]).contains("--app <APP.wasm>"));
    assert!(refusal(&["--server", "--client", "--transport", "hog.wasm"]).contains("cannot be used with"));
}

#[test]
fn the_command_writes_the_components_of_the_project() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run_in(folder.path(), &["components", "-o", "some/where"]).status.success());
    let written = |name: &str| fs::read(folder.path().join("some/where").join(name)).unwrap();
    assert_eq!(written("http2.wasm"), components::ENGINE);
    assert_eq!(written("http2_tcp.wasm"), components::TCP);
    assert_eq!(written("http2_over_tcp.wasm"), components::ENGINE_OVER_TCP);
    // The relay must already be inside the server and the client.
    for (name, exported) in [("http2_server.wasm", "wasi:cli/run"), ("http2_client.wasm", "wasi:http/client")]
    {
        let (imports, exports) = names(&written(name));
        assert!(has(&exports, exported), "{exports:?}");
        assert!(imports.iter().all(|import| import.starts_with("wasi:")), "{imports:?}");
    }
}
