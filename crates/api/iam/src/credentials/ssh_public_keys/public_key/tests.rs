//! Keys and fingerprint as ssh-keygen 9 wrote them.

use super::*;

const BLOB: &str = "AAAAB3NzaC1yc2EAAAADAQABAAABAQDWzNyAxc27NGvxb15rBGi+NFJUUI9CBlVTc5LT/ZRxAgIGboN7eOD4rzm3oZC/44egW5Hd\
     sGxwoRzNtFCRv1dbqI3YmSUsJ+Pi48wpy3nCaLRIFAuo5qCOEnkvGYm8Y2PiLe41/nLT+yD0ki1vp4aHUiiAEULI4KD5zqf5FRi3\
     IMhuFULWMzlaGVCaLkuNC8daGJoAgcsd7lA8yfv+iAtuxNC3S1ksQVZYmswZTstQWiEAjcDaP/Lz5v8D8Ys9F6Twbbioqa/T0Wyy\
     5IbplXTGx+4jb62zzHMDCo7BsJHAkC5MVpvbNKWnNFQ6yugDpbBAiJL78zFEHq6qki5ke73z";

const PKCS8: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1szcgMXNuzRr8W9eawRo
vjRSVFCPQgZVU3OS0/2UcQICBm6De3jg+K85t6GQv+OHoFuR3bBscKEczbRQkb9X
W6iN2JklLCfj4uPMKct5wmi0SBQLqOagjhJ5LxmJvGNj4i3uNf5y0/sg9JItb6eG
h1IogBFCyOCg+c6n+RUYtyDIbhVC1jM5WhlQmi5LjQvHWhiaAIHLHe5QPMn7/ogL
bsTQt0tZLEFWWJrMGU7LUFohAI3A2j/y8+b/A/GLPRek8G24qKmv09FssuSG6ZV0
xsfuI2+ts8xzAwqOwbCRwJAuTFab2zSlpzRUOsroA6WwQIiS+/MxRB6uqpIuZHu9
8wIDAQAB
-----END PUBLIC KEY-----
";

const PKCS1: &str = "\
-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEA1szcgMXNuzRr8W9eawRovjRSVFCPQgZVU3OS0/2UcQICBm6De3jg
+K85t6GQv+OHoFuR3bBscKEczbRQkb9XW6iN2JklLCfj4uPMKct5wmi0SBQLqOag
jhJ5LxmJvGNj4i3uNf5y0/sg9JItb6eGh1IogBFCyOCg+c6n+RUYtyDIbhVC1jM5
WhlQmi5LjQvHWhiaAIHLHe5QPMn7/ogLbsTQt0tZLEFWWJrMGU7LUFohAI3A2j/y
8+b/A/GLPRek8G24qKmv09FssuSG6ZV0xsfuI2+ts8xzAwqOwbCRwJAuTFab2zSl
pzRUOsroA6WwQIiS+/MxRB6uqpIuZHu98wIDAQAB
-----END RSA PUBLIC KEY-----
";

const SMALL: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDni98eHzg5abPOtlfXsYuN1hL1KDB5I/lVwQgUoq/mfqw4YwFMqGzpGH7JkTeD\
     KdPgZKZy+GzO8Um7LMTZHo95oucfWwCvbEcwuAvbof6lUu7h12DxsrkEHa+0M6gdpNqwFw/CpihNaurrESOlyUkY1dLMQd/T7k7m\
     Cqq0/MuZJw== small";

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVlS9pfNSL1AejlnpmjoVb3ovOwBsjl9NeyD0tENzBr e";

/// As `ssh-keygen -e -m PKCS8` writes it.
const ED25519_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEABWVL2l81IvUB6OWemaOhVvei87AGyOX017IPS0Q3MGs=
-----END PUBLIC KEY-----
";

/// An Ed25519 key that says it is another.
const SWAPPED: &str = "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAVlS9pfNSL1AejlnpmjoVb3ovOwBsjl9NeyD0tENzBr e";

fn code(text: &str) -> &'static str {
    service::ServiceError::fault(&PublicKey::read(text).expect_err(text)).code
}

#[test]
fn a_key_is_the_same_in_every_form() {
    let line = format!("ssh-rsa {BLOB} ana@example\n");
    let key = PublicKey::read(&line).expect("a line");
    assert_eq!(PublicKey::read(PKCS8).expect("PKCS #8"), key);
    assert_eq!(PublicKey::read(PKCS1).expect("PKCS #1"), key);
    assert_eq!(key.line(), format!("ssh-rsa {BLOB}"));
    assert_eq!(key.pem(), PKCS8);
}

#[test]
fn an_ed25519_key_is_the_same_in_both_forms() {
    let key = PublicKey::read(ED25519).expect("a line");
    assert_eq!(PublicKey::read(ED25519_PEM).expect("PEM"), key);
    assert_eq!(format!("{} e", key.line()), ED25519);
    assert_eq!(key.pem(), ED25519_PEM);
    let line = key.line();
    for end in 1..line.len() {
        assert!(PublicKey::read(&line[..end]).is_err(), "{end}");
    }
}

#[test]
fn the_fingerprint_is_that_of_ssh_keygen() {
    let key = PublicKey::read(PKCS8).expect("a key");
    assert_eq!(key.fingerprint(), "b0:3f:9e:26:b7:2d:8c:36:26:9a:3b:15:9b:4f:d5:af");
}

#[test]
fn what_is_no_key_of_a_kind_that_is_taken_is_refused() {
    for text in [SMALL, "ssh-rsa", "ssh-rsa !!!", "ssh-rsa AAAA", "-----BEGIN X-----", "ssh-dss AAAA", SWAPPED] {
        assert_eq!(code(text), "InvalidPublicKey", "{text}");
    }
    for text in ["", "hello", "AAAAB3NzaC1yc2E"] {
        assert_eq!(code(text), "UnrecognizedPublicKeyEncoding", "{text}");
    }
}

#[test]
fn a_key_cut_short_anywhere_is_refused() {
    let line = format!("ssh-rsa {BLOB}");
    for end in 1..line.len() {
        assert!(PublicKey::read(&line[..end]).is_err(), "{end}");
    }
    let pem = PKCS8.trim_end();
    for end in 1..pem.len() {
        assert!(PublicKey::read(&pem[..end]).is_err(), "{end}");
    }
}
