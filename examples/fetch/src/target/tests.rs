use super::Target;

fn refused(url: &str) -> String {
    Target::parse(url).unwrap_err().to_string()
}

#[test]
fn url_is_split_into_its_parts() {
    let target = Target::parse("http://example.com:8080/path?query#fragment").unwrap();
    assert_eq!((target.host.as_str(), target.port), ("example.com", 8080));
    assert_eq!(target.authority, "example.com:8080");
    assert_eq!(target.path, "/path?query");
}

#[test]
fn missing_port_and_path_have_defaults() {
    let target = Target::parse("http://[::1]").unwrap();
    assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("[::1]", 80, "/"));
    assert_eq!(Target::parse("http://a?q").unwrap().path, "/?q");
}

#[test]
fn unsupported_urls_are_rejected_with_the_reason() {
    assert!(refused("https://example.com/").contains("https needs TLS"));
    assert!(refused("ftp://example.com/").contains("only http"));
    assert!(refused("example.com").contains("http://"));
    assert!(refused("http://user:word@example.com/").contains("user name"));
    assert!(refused("http://example.com:99999/").contains("port"));
    assert!(refused("http://").starts_with("http://: reading the URL: "));
}

#[test]
fn same_origin_compares_host_and_port() {
    let target = |url| Target::parse(url).unwrap();
    assert!(target("http://a/x").same_origin(&target("http://A:80/y")));
    assert!(!target("http://a/").same_origin(&target("http://a:8080/")));
    assert!(!target("http://a/").same_origin(&target("http://b/")));
}
