use std::os::unix::net::UnixListener as StdListener;

use super::message::Seal;
use super::*;

#[test]
fn a_path_too_long_for_a_socket_is_reached_through_its_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let deep = dir.path().join("d".repeat(60)).join("e".repeat(60));
    std::fs::create_dir_all(&deep).expect("directories");
    let path = deep.join("admin.sock");
    let (short, _directory) = address(&path).expect("an address");
    let listener = StdListener::bind(short).expect("bound");
    assert!(path.exists());
    let (short, _directory) = address(&path).expect("an address");
    let _stream = std::os::unix::net::UnixStream::connect(short).expect("connected");
    listener.accept().expect("accepted");
}

#[test]
fn a_question_shows_no_secret_readable_and_is_read_back() {
    let next = seal::SealConfig::passphrase(SecretBytes::from(&b"correct horse"[..]));
    let current = seal::SealConfig::Shares(seal::split(3, 2).expect("a split").0);
    let question = Question::Rotate { current: Seal::from(&current), next: Seal::from(&next) };
    let text = serde_json::to_string(&question).expect("JSON");
    assert!(!text.contains("correct horse"), "{text}");
    let Question::Rotate { current, next } = serde_json::from_str(&text).expect("read back") else {
        panic!("another question")
    };
    let (current, next): (seal::SealConfig, seal::SealConfig) =
        (current.try_into().expect("a seal"), next.try_into().expect("a seal"));
    assert_eq!((current.kind(), next.kind()), (seal::Kind::Shares, seal::Kind::Passphrase));
}

#[test]
fn what_is_no_question_is_not_understood() {
    for text in ["", "{", "null", "\"explode\"", "{\"unseal\":{}}", "{\"unseal\":{\"share\":\"!\"}}", "[[[[[[[["] {
        assert!(serde_json::from_str::<Question>(text).is_err(), "{text}");
    }
}
