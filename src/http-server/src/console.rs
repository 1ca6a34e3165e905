//! The arguments of the command, and its output.

use http2_wasi_http::bindings::wit_stream;
use wit_bindgen::{FutureReader, StreamReader};

use crate::bindings::wasi::cli::types::ErrorCode;
use crate::bindings::wasi::cli::{environment, stderr, stdout};

/// The arguments of the command, starting with the program's name.
pub(crate) fn arguments() -> Vec<String> {
    environment::get_arguments()
}

/// Writes text to standard output, and waits until the host has taken it.
pub(crate) async fn print(text: String) {
    write(text, stdout::write_via_stream).await;
}

/// Writes text to standard error, and waits until the host has taken it.
pub(crate) async fn print_error(text: String) {
    write(text, stderr::write_via_stream).await;
}

async fn write(text: String, output: impl FnOnce(StreamReader<u8>) -> FutureReader<Result<(), ErrorCode>>) {
    let (mut writer, reader) = wit_stream::new();
    let written = output(reader);
    writer.write_all(text.into_bytes()).await;
    drop(writer);
    // If it failed, nobody can be told.
    _ = written.await;
}
