//! Against Debian's SoftHSM2. Each test runs in a process of its own, with tokens of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop, saying why"
)]

use std::process::Command;
use std::sync::Arc;

use crypto::SecretBytes;
use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, AttributeType};
use installed::SoftHsm;
use token::{SealedParts, Token, TokenConfig, TokenError, TokenThreads};

const PIN: &str = "correct horse";

fn config() -> TokenConfig {
    TokenConfig { module: SoftHsm::module().to_owned(), label: "keys".to_owned() }
}

fn log_in_with(pin: &str) -> Result<Token, TokenError> {
    Token::log_in(config(), SecretBytes::from(pin.as_bytes()))
}

fn log_in() -> Token {
    log_in_with(PIN).expect("the token lets us in")
}

/// Runs the rest of a test inside a process with a token.
macro_rules! with_token {
    ($name:literal) => {
        if let Some(outside) = SoftHsm::outside($name) {
            return outside.with_token("keys", PIN).run();
        }
    };
}

#[test]
fn what_a_key_seals_it_opens_and_nothing_else() {
    with_token!("what_a_key_seals_it_opens_and_nothing_else");
    let token = log_in();
    token.generate_key("one").expect("a key");
    token.generate_key("two").expect("another");
    for length in [0, 1, 16, 4112] {
        let plaintext = vec![7; length];
        let sealed = token.seal("one", b"aad", &plaintext).expect("seals");
        assert_eq!((sealed.nonce.len(), sealed.ciphertext.len()), (12, length));
        assert_eq!(token.open("one", b"aad", &sealed).expect("opens").expose(), plaintext);
        let refused = |label: &str, aad: &[u8], sealed: &SealedParts| {
            let error = token.open(label, aad, sealed).err().expect("refused");
            assert!(matches!(error, TokenError::NotAuthentic), "{error}");
        };
        refused("two", b"aad", &sealed);
        refused("one", b"other", &sealed);
        let mut changed = sealed.clone();
        changed.tag[0] ^= 1;
        refused("one", b"aad", &changed);
        if length > 0 {
            let mut changed = sealed.clone();
            changed.ciphertext[0] ^= 1;
            refused("one", b"aad", &changed);
        }
        let mut changed = sealed.clone();
        changed.nonce[0] ^= 1;
        refused("one", b"aad", &changed);
        assert_ne!(token.seal("one", b"aad", &plaintext).expect("seals").nonce, sealed.nonce);
    }
}

#[test]
fn what_a_token_seals_is_aes_gcm_as_everybody_elses() {
    with_token!("what_a_token_seals_is_aes_gcm_as_everybody_elses");
    // A key whose value is known, brought into the token by SoftHSM2's own tool.
    let file = SoftHsm::inside().join("known.key");
    std::fs::write(&file, [0x42; 32]).expect("a file");
    let imported = Command::new("softhsm2-util")
        .args(["--import", file.to_str().expect("UTF-8"), "--aes", "--token", "keys", "--pin", PIN])
        .args(["--label", "known", "--id", "01"])
        .output()
        .expect("softhsm2-util");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let token = log_in();
    let mut sealed = token.seal("known", b"associated", b"plaintext").expect("seals");
    let nonce = sealed.nonce.as_slice().try_into().expect("96 bits");
    let key = crypto::aead::AeadKey::aes256(&crypto::Key256::from_slice(&[0x42; 32]).expect("32 bytes"));
    key.open_in_place(nonce, b"associated", &mut sealed.ciphertext, &sealed.tag).expect("authentic");
    assert_eq!(sealed.ciphertext, b"plaintext");
    // It was outside once, and the token remembers.
    let facts = token.facts("known").expect("known");
    assert!(facts.serves() && !facts.sensitive, "{facts:?}");
}

/// The values of all keys of this label, as the module gives them to a process that is logged in.
fn values_of(label: &str) -> Vec<Attribute> {
    let context = Pkcs11::new(SoftHsm::module()).expect("the module");
    let slots = context.get_slots_with_initialized_token().expect("slots");
    let session = context.open_ro_session(slots[0]).expect("a session");
    let found = session.find_objects(&[Attribute::Label(label.as_bytes().to_vec())]).expect("finds");
    assert_eq!(found.len(), 1, "it is seen");
    session.get_attributes(found[0], &[AttributeType::Value]).expect("attributes")
}

#[test]
fn a_key_made_here_is_sensitive_and_cannot_be_extracted() {
    with_token!("a_key_made_here_is_sensitive_and_cannot_be_extracted");
    let token = log_in();
    token.generate_key("made").expect("a key");
    let facts = token.facts("made").expect("known");
    assert!(facts.serves() && facts.sensitive && !facts.extractable, "{facts:?}");
    assert!(values_of("made").is_empty(), "not even who is logged in can read it");
    assert!(matches!(token.generate_key("made"), Err(TokenError::KeyExists { .. })));
    token.destroy_key("made").expect("destroyed");
    assert!(matches!(token.seal("made", b"", b"x"), Err(TokenError::NoKey { .. })));
    assert!(matches!(token.destroy_key("made"), Err(TokenError::NoKey { .. })));
    assert_ne!(token.random(32).expect("random").expose(), token.random(32).expect("random").expose());
}

#[test]
fn a_wrong_pin_is_refused_even_when_another_login_holds() {
    with_token!("a_wrong_pin_is_refused_even_when_another_login_holds");
    assert!(matches!(log_in_with("wrong horse"), Err(TokenError::WrongPin { .. })));
    let token = log_in();
    assert!(matches!(log_in_with("wrong horse"), Err(TokenError::WrongPin { .. })));
    let second = log_in();
    drop(token);
    second.generate_key("still").expect("the login lasts as long as somebody needs it");
    drop(second);
    assert!(matches!(log_in_with("wrong horse"), Err(TokenError::WrongPin { .. })));
    assert!(log_in().facts("still").expect("lasts").serves());
}

#[test]
fn what_is_missing_is_named() {
    with_token!("what_is_missing_is_named");
    let pin = || SecretBytes::from(PIN.as_bytes());
    let error = Token::log_in(TokenConfig { label: "others".to_owned(), ..config() }, pin()).err().expect("missing");
    assert!(error.to_string().contains("\"others\""), "{error}");
    for path in ["/none.so", "/etc/hostname"] {
        let error = Token::log_in(TokenConfig { module: path.into(), ..config() }, pin()).err().expect("no module");
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[test]
fn a_token_that_vanishes_and_comes_back_is_logged_in_to_anew() {
    with_token!("a_token_that_vanishes_and_comes_back_is_logged_in_to_anew");
    let token = log_in();
    token.generate_key("kept").expect("a key");
    let sealed = token.seal("kept", b"", b"secret").expect("seals");
    let (here, away) = (SoftHsm::inside().join("tokens"), SoftHsm::inside().join("away"));
    std::fs::rename(&here, &away).expect("the token vanishes");
    let error = token.seal("kept", b"", b"secret").expect_err("the token is gone");
    assert!(!error.to_string().contains("secret"), "{error}");
    std::fs::rename(&away, &here).expect("the token comes back");
    assert_eq!(token.open("kept", b"", &sealed).expect("opens").expose(), b"secret");
}

#[test]
fn a_crew_serves_many_and_turns_away_what_it_cannot_keep_up_with() {
    with_token!("a_crew_serves_many_and_turns_away_what_it_cannot_keep_up_with");
    let token = log_in();
    token.generate_key("busy").expect("a key");
    let crew = Arc::new(TokenThreads::new(token, 2).expect("threads"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..500_u32 {
            let crew = Arc::clone(&crew);
            calls.spawn(async move {
                let sealed = crew.run(move |token| token.seal("busy", b"", &number.to_be_bytes())).await?;
                let opened = crew.run(move |token| token.open("busy", b"", &sealed)).await?;
                assert_eq!(opened.expose(), number.to_be_bytes());
                Ok::<_, TokenError>(())
            });
        }
        let (mut served, mut turned_away) = (0, 0);
        while let Some(call) = calls.join_next().await {
            match call.expect("no panic") {
                Ok(()) => served += 1,
                Err(TokenError::Busy) => turned_away += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(served >= 64, "{served} served, {turned_away} turned away");
        // Nobody is left waiting: the next call is served at once.
        crew.run(|token| token.seal("busy", b"", b"after")).await.expect("serves");
    });
}
