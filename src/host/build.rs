//! Builds the components that are shipped, and the examples that the command runs, so that `cargo run` needs no prior
//! step.

use std::process::ExitCode;

use component_build::Component;
use component_build::Target::{Bare, Wasi};

fn main() -> ExitCode {
    component_build::run(|| {
        // The server and the client are built without the relay, which is added at run time.
        let engine = [Component::new("http2-component", "http2", "ENGINE")];
        let tcp = [Component::new("http2-tcp", "http2_tcp", "TCP")];
        let over_tcp = [Component::new("http2-over-tcp", "http2_over_tcp", "ENGINE_OVER_TCP")];
        let server = [Component::new("http2-server", "http2_server", "BARE_HTTP_SERVER")];
        let client = [Component::new("http2-client", "http2_client", "BARE_HTTP_CLIENT")];
        let relay = [Component::new("http2-wasi-http-relay", "http2_wasi_http_relay", "RELAY")];
        let examples = [
            Component::new("echo-server", "echo-server", "ECHO_SERVER"),
            Component::new("fetch", "fetch", "FETCH"),
            Component::new("http-get", "http_get", "HTTP_GET"),
        ];

        let workspace = component_build::workspace(2)?;
        let sources = [
            "engine",
            "component",
            "tcp",
            "over-tcp",
            "wasi-http",
            "wasi-http-relay",
            "http-server",
            "http-client",
        ];
        let sources = sources.map(|name| format!("src/{name}"));
        let mut sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        sources.extend(["Cargo.toml", "Cargo.lock", "wit", "examples", "src/host/build.rs"]);
        component_build::rerun_if_changed(&workspace, &sources);
        // Cargo unifies features across all packages of one invocation: build each shipped component with its own
        // features only.
        let groups: [(_, &[Component]); 7] = [
            (Bare, &engine),
            (Bare, &tcp),
            (Bare, &over_tcp),
            (Bare, &server),
            (Bare, &client),
            (Bare, &relay),
            (Wasi, &examples),
        ];
        let source = component_build::build(&workspace, &groups)?;
        component_build::write_source("components.rs", &source)
    })
}
