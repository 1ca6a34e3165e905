use super::{Answer, route};
use crate::bindings::http2::engine::types::{Method, RequestHead, Scheme};

fn request(method: Method, path: &str) -> RequestHead {
    RequestHead {
        method,
        scheme: Some(Scheme::Http),
        authority: Some("127.0.0.1".to_owned()),
        path_with_query: Some(path.to_owned()),
        headers: vec![("accept".to_owned(), b"*/*".to_vec())],
    }
}

fn status(answer: &Answer) -> u16 {
    match answer {
        Answer::Text { status, .. } => *status,
        Answer::NotAllowed { .. } => 405,
        _ => 200,
    }
}

#[test]
fn every_path_has_its_answer() {
    assert!(matches!(route(&request(Method::Get, "/bytes/42")), Answer::Bytes(42)));
    assert!(matches!(route(&request(Method::Get, "/delay/5?x")), Answer::Delayed { milliseconds: 5 }));
    assert!(matches!(route(&request(Method::Get, "/early-hints")), Answer::EarlyHints { .. }));
    assert!(matches!(route(&request(Method::Post, "/")), Answer::Count));
    assert!(matches!(route(&request(Method::Post, "/upload")), Answer::Count));
    assert!(matches!(route(&request(Method::Post, "/early")), Answer::Bytes(10_000)));
    assert!(matches!(route(&request(Method::Get, "/endless")), Answer::Endless));
    assert_eq!(status(&route(&request(Method::Post, "/refuse"))), 401);
    assert!(matches!(route(&request(Method::Post, "/echo")), Answer::Echo));
    assert!(matches!(route(&request(Method::Other("PROPFIND".to_owned()), "/echo")), Answer::Echo));
    for path in
        ["/nothing", "/bytes/", "/bytes/-1", "/bytes/1/2", "/status/99", "/status/101", "/status/x", ""]
    {
        assert_eq!(status(&route(&request(Method::Get, path))), 404, "{path}");
    }
}

#[test]
fn read_only_paths_reject_other_methods() {
    for path in ["/bytes/1", "/status/200", "/headers", "/delay/1", "/early-hints", "/endless"] {
        assert_eq!(status(&route(&request(Method::Put, path))), 405, "{path}");
        assert_eq!(status(&route(&request(Method::Head, path))), 200, "{path}");
    }
    assert_eq!(route(&request(Method::Delete, "/")), Answer::NotAllowed { allow: "GET, HEAD, POST" });
    assert_eq!(status(&route(&request(Method::Put, "/nothing"))), 404);
}

#[test]
fn statuses_204_205_304_have_no_content() {
    for status in [204, 205, 304] {
        let answer = route(&request(Method::Get, &format!("/status/{status}")));
        assert_eq!(answer, Answer::Text { status, text: String::new() });
    }
    let answer = route(&request(Method::Get, "/status/503"));
    assert_eq!(answer, Answer::Text { status: 503, text: "status 503\n".to_owned() });
}

#[test]
fn headers_path_lists_the_request_fields() {
    let Answer::Text { text, .. } = route(&request(Method::Get, "/headers")) else { panic!("no text") };
    assert_eq!(text, ":authority: 127.0.0.1\n:path: /headers\naccept: */*\n");
}
