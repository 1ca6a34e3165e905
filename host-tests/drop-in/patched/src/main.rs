//! The same programs as `stock`, built with the replacement for h2.

fn main() -> std::process::ExitCode {
    drop_in_tests::main()
}
