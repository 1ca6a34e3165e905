//! Generates the client and the server of the service `proof.Echo`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::echo::Message")
            .output_type("crate::echo::Message")
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .name("Echo")
        .package("proof")
        .method(method("unary", "Unary").build())
        .method(method("upload", "Upload").client_streaming().build())
        .method(method("download", "Download").server_streaming().build())
        .method(method("both", "Both").client_streaming().server_streaming().build())
        .build();
    Builder::new().compile(&[service]);
    println!("cargo::rerun-if-changed=build.rs");
}
