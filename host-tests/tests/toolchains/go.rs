//! The example in Go, built by Go itself.

use std::fs;
use std::path::Path;

use host_tests::support::apps::sources;
use host_tests::support::peers::{installed, peers_folder};
use host_tests::support::run;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{generate, gets_a_response, workspace, world};

/// The first version 1.N of Go for which the bindings are generated.
const OLDEST: u32 = 25;

#[tokio::test]
async fn a_client_in_go_gets_a_response() {
    let Some(mut go) = installed("go", "golang-go") else { return };
    let version = run(go.args(["env", "GOVERSION"])).text();
    let minor = version.trim_end().split('.').nth(1).and_then(|minor| minor.parse().ok());
    if minor < Some(OLDEST) {
        // The Go of Debian 12 is older, and enough for the peers.
        eprintln!("skipped: {version} is older than 1.{OLDEST}");
        return;
    }
    let module = peers_folder().join("go-client");
    generate(wit_bindgen_go::Opts::default().build(), &module);
    let package = module.join("export_wasi_cli_run");
    fs::create_dir(&package).unwrap();
    fs::copy(workspace().join("examples/go-client/run.go"), package.join("run.go")).unwrap();
    use_own_runtime(&module);

    let mut go = installed("go", "golang-go").unwrap();
    go.current_dir(&module).envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off")]);
    go.args(["build", "-mod=mod", "-buildmode=c-shared", "-ldflags=-checklinkname=0", "-o", "core.wasm"]);
    run(&mut go).text();
    gets_a_response(&componentize(fs::read(module.join("core.wasm")).unwrap())).await;
}

/// Has the module use the copy of `go.bytecodealliance.org/pkg` that comes with the generator, so that Go needs no
/// network.
fn use_own_runtime(module: &Path) {
    let name = "go.bytecodealliance.org/pkg";
    let copy = module.join("pkg");
    let packages = sources("wit-bindgen-go").join("src/pkg/wit");
    for package in ["runtime", "types", "async"] {
        let to = copy.join("wit").join(package);
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(packages.join(package)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    // Its own file asks for a later Go than most have, which only asynchronous functions need.
    fs::write(copy.join("go.mod"), format!("module {name}\n\ngo 1.{OLDEST}\n")).unwrap();
    let mut text = fs::read_to_string(module.join("go.mod")).unwrap();
    text += &format!("\nreplace {name} => ./pkg\n");
    fs::write(module.join("go.mod"), text).unwrap();
}

/// Makes a component from a module of Go.
fn componentize(mut module: Vec<u8>) -> Vec<u8> {
    let (resolve, world) = world();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap().adapter(NAME, ADAPTER).unwrap().encode().unwrap()
}
