use http2_engine::{FieldSection, StreamId};

use super::{StreamState, Streams};

fn id(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

#[test]
fn changed_stream_is_listed_once() {
    let mut streams = Streams::default();
    streams.insert(id(1), StreamState::opened());
    streams.insert(id(3), StreamState::opened());
    for number in [3, 1, 3, 3] {
        streams.mark_changed(id(number));
    }
    assert_eq!(streams.take_changed(), [id(3), id(1)]);
    assert_eq!(streams.take_changed(), []);
    streams.mark_changed(id(1));
    assert_eq!(streams.take_changed(), [id(1)]);
}

#[test]
fn stream_is_not_listed_before_the_application_owns_it() {
    let mut streams = Streams::default();
    streams.insert(id(1), StreamState::arrived(FieldSection::new()));
    streams.mark_changed(id(1));
    assert!(!streams.has_changed());
    streams.set_app_owned(id(1));
    assert_eq!(streams.take_changed(), [id(1)]);
}

#[test]
fn removed_stream_is_not_listed() {
    let mut streams = Streams::default();
    streams.insert(id(1), StreamState::opened());
    streams.mark_changed(id(1));
    streams.remove(id(1));
    assert_eq!(streams.take_changed(), []);
    assert!(streams.mark_changed(id(1)).is_none());
}

#[test]
fn done_streams_are_released_once_and_stay_with_the_application() {
    let mut streams = Streams::default();
    streams.insert(id(1), StreamState::opened());
    streams.insert(id(3), StreamState::opened());
    streams.watch(id(1));
    streams.watch(id(1));
    streams.watch(id(3));
    assert_eq!(streams.take_done(|_, _| false), []);
    assert_eq!(streams.take_done(|done, _| done == id(1)), [id(1)]);
    assert!(streams.is_released(id(1)) && !streams.is_released(id(3)));
    streams.remove(id(3));
    assert_eq!(streams.take_done(|_, _| true), []);
    assert!(streams.get(id(1)).is_some());
}

#[test]
fn arrival_of_a_response_is_news_once_and_content_until_it_is_read() {
    let mut streams = Streams::default();
    let mut stream = StreamState::opened();
    stream.answered = true;
    streams.insert(id(1), stream);
    assert!(streams.take_arrived(id(1)));
    assert!(!streams.take_arrived(id(1)));
    streams.get_mut(id(1)).unwrap().readable = true;
    assert!(streams.take_arrived(id(1)) && streams.take_arrived(id(1)));
}

#[test]
fn untaken_informational_responses_are_bounded() {
    let mut stream = StreamState::opened();
    for _ in 0..1_000 {
        stream.push_informational(FieldSection::new());
    }
    let kept = std::iter::from_fn(|| stream.take_informational()).count();
    assert_eq!(kept, super::MAX_INFORMATIONAL);
}
