//! The programs, built with the crate h2.

fn main() -> std::process::ExitCode {
    drop_in_tests::main()
}
