use super::*;

fn parse(arguments: &[&str]) -> Result<Request, String> {
    Request::parse(["http2-server"].iter().chain(arguments).map(ToString::to_string))
}

fn options(arguments: &[&str]) -> Options {
    match parse(arguments) {
        Ok(Request::Serve(options)) => *options,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

fn complaint(arguments: &[&str]) -> String {
    parse(arguments).expect_err("the arguments are invalid")
}

#[test]
fn default_address_is_loopback() {
    let options = options(&[]);
    assert_eq!(options.address.to_string(), "127.0.0.1:8080");
    assert_eq!(options.config.idle_timeout, Some(Duration::from_secs(60)));
    assert!(!options.drain_on_stdin_eof && !options.cancel && !options.quiet && !options.log_connections);
}

#[test]
fn limits_are_passed_to_the_connections() {
    let options = options(&["--addr=[::1]:0", "--max-concurrent-streams", "7", "--idle-timeout=0.5", "-q"]);
    assert_eq!(options.address.to_string(), "[::1]:0");
    assert_eq!(options.config.max_concurrent_streams, 7);
    assert_eq!(options.config.idle_timeout, Some(Duration::from_millis(500)));
    assert!(options.quiet);
}

#[test]
fn timeout_of_zero_disables_it() {
    let options = options(&["--idle-timeout=0", "--stall-timeout=0", "--drain-timeout=0"]);
    let Config { idle_timeout, stall_timeout, drain_timeout, .. } = options.config;
    assert_eq!((idle_timeout, stall_timeout, drain_timeout), (None, None, None));
}

#[test]
fn hard_header_limit_follows_the_soft_one() {
    let options = options(&["--max-header-list-size=1000000"]);
    assert_eq!(options.config.max_header_list_size, 1_000_000);
    assert_eq!(options.config.limits.field_section_hard, 2_000_000);
}

#[test]
fn invalid_options_are_named_in_the_error() {
    assert!(complaint(&["--addr=localhost"]).starts_with("--addr: "));
    assert!(complaint(&["--idle-timeout=-1"]).starts_with("--idle-timeout: "));
    assert!(complaint(&["--max-connections=0"]).starts_with("--max-connections: "));
    assert!(complaint(&["--frobnicate"]).contains("--frobnicate"));
}

#[test]
fn every_option_is_in_the_help() {
    for option in ["--addr", "--max-connections", "--max-concurrent-streams", "--max-header-list-size"] {
        assert!(HELP.contains(option), "{option}");
    }
    assert!(matches!(parse(&["--help"]), Ok(Request::Help)));
    assert!(matches!(parse(&["-V"]), Ok(Request::Version)));
}
