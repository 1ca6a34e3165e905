use super::*;

#[test]
fn content_round_trips_whatever_its_length_and_its_pieces() {
    let text: Vec<u8> = (0..100).collect();
    for length in 0..=text.len() {
        for cut in [0, 1, 7, 8, 9, length] {
            let text = &text[..length];
            let (front, back) = text.split_at(cut.min(length));
            let content = content(&[Bytes::copy_from_slice(front), Bytes::copy_from_slice(back)]);
            assert_eq!(content.words.len(), length.div_ceil(8));
            assert_eq!(bytes(content.words, 0, content.length).unwrap(), text);
        }
    }
}

#[test]
fn the_first_byte_is_the_least_significant() {
    let content = content(&[Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7, 8, 9])]);
    assert_eq!((content.words, content.length), (vec![0x0807_0605_0403_0201, 9], 9));
}

#[test]
fn bytes_beyond_the_words_are_refused() {
    for (skip, length) in [(0, 9), (1, 8), (9, 0), (u32::MAX, u32::MAX)] {
        assert!(bytes(vec![0], skip, length).is_err());
    }
    assert_eq!(bytes(vec![0x0807_0605_0403_0201], 3, 5).unwrap(), [4, 5, 6, 7, 8][..]);
}
