//! Files and directories: names, modes, failures among successes, and the report on each.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;

use serde_json::json;

use crate::{Place, RAW, Service, bytes, done, fed, records, refused};

#[test]
fn a_tree_is_encrypted_and_comes_back_and_links_do_not_lead_in_circles() {
    let place = Place::new();
    let sizes = [0, 1, 4095, 4096, 4097, 1 << 20, 3_000_000];
    for (index, size) in sizes.into_iter().enumerate() {
        place.write(&format!("in/{}/{index}", ["", "a", "a/b"][index % 3]), &bytes(size));
    }
    symlink("..", place.path("in/a/up")).expect("linked");
    for directory in ["out", "back"] {
        std::fs::create_dir(place.path(directory)).expect("made");
    }
    let output = place.raw("encrypt", &["-r", "-q", "-i", "in", "-o", "out"]);
    assert!(output.stderr.is_empty(), "no bar where there is no terminal: {output:?}");
    done(output);
    let output = place.raw("encrypt", &["-r", "-i", "in", "-o", "out", "--metadata-output", "records"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("link to a directory; skipped"));
    done(output);
    assert_eq!(records(&place.path("records")).len(), sizes.len());
    done(place.raw("decrypt", &["-r", "-i", "out", "-o", "back", "--strip-suffix", ".encrypted", "--suffix"]));
    for (index, size) in sizes.into_iter().enumerate() {
        assert!(place.read(&format!("back/{}/{index}", ["", "a", "a/b"][index % 3])) == bytes(size));
    }
    assert_eq!(place.names("out"), ["0.encrypted", "3.encrypted", "6.encrypted", "a"]);

    // The output directory may lie in the input directory: what appears there is no input.
    done(place.raw("encrypt", &["-r", "-q", "-i", ".", "-o", "out", "--suffix", ".x"]));
    assert!(place.exists("out/in/a/1.x") && !place.exists("out/out"));
}

#[test]
fn one_broken_message_does_not_stop_the_others() {
    let place = Place::new();
    for name in ["a", "b", "c", "d"] {
        place.write(&format!("in/{name}"), &bytes(10_000));
    }
    std::fs::create_dir(place.path("out")).expect("made");
    std::fs::create_dir(place.path("back")).expect("made");
    done(place.raw("encrypt", &["-i", "in/*", "-o", "out"]));
    let mut broken = place.read("out/b.encrypted");
    broken[9000] ^= 1;
    place.write("out/b.encrypted", &broken);
    let cut = place.read("out/c.encrypted");
    place.write("out/c.encrypted", &cut[..cut.len() - 20]);
    let output = place.raw("decrypt", &["-i", "out/*", "missing", "-o", "back", "--suffix"]);
    let said = refused(output, 1);
    for part in [
        "out/b.encrypted: frame",
        "out/c.encrypted: the message ends",
        "missing: can't be read",
        "3 of 5 inputs failed",
    ] {
        assert!(said.contains(part), "{part} in: {said}");
    }
    assert_eq!(place.names("back"), ["a.encrypted", "d.encrypted"]);
}

#[test]
fn a_wrong_context_writes_nothing() {
    let place = Place::new();
    place.write("plain", b"salaries");
    done(place.raw("encrypt", &["-i", "plain", "-o", "sealed", "-c", "a=1", "b=2", "-c", "c=3"]));
    for context in [&["a=1"][..], &["a=1", "b"], &["c", "b=2", "a=1"]] {
        let output = place.raw("decrypt", &[&["-i", "sealed", "-o", "-", "-c"], context].concat());
        assert_eq!(done(output), b"salaries");
    }
    for (context, reason) in
        [(&["a=2"][..], "another value for \"a\""), (&["d=4"], "lacks \"d\""), (&["d"], "lacks \"d\"")]
    {
        for to in ["-", "x"] {
            let output = place.raw("decrypt", &[&["-i", "sealed", "-o", to, "-c"], context].concat());
            assert!(output.stdout.is_empty());
            let said = refused(output, 1);
            assert!(said.contains(reason), "{said}");
        }
        assert!(!place.exists("x"));
    }
    let unstored = ["--required-encryption-context-keys", "b"];
    done(place.raw("encrypt", &[&["-i", "plain", "-o", "sealed", "-c", "a=1", "b=2"], &unstored[..]].concat()));
    let known = [&["-i", "sealed", "-o", "-", "-c", "b=2"], &unstored[..]].concat();
    assert_eq!(done(place.raw("decrypt", &known)), b"salaries");
    refused(place.raw("decrypt", &["-i", "sealed", "-o", "x"]), 1);
    refused(place.raw("decrypt", &[&["-i", "sealed", "-o", "x", "-c", "b=3"], &unstored[..]].concat()), 1);
    assert!(!place.exists("x"));
}

#[test]
fn files_are_replaced_skipped_or_asked_about() {
    let place = Place::new();
    place.write("plain", b"new");
    place.write("target", b"old");
    let said = place.raw("encrypt", &["-i", "plain", "-o", "target", "--no-overwrite"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("target is there; skipped"));
    done(said);
    assert_eq!(place.read("target"), b"old");
    let ask = [&["encrypt"], &RAW[..], &["-i", "plain", "-o", "target", "--interactive"]].concat();
    for answer in ["\n", "n\n", ""] {
        let output = fed(&mut place.command(&ask), answer.as_bytes());
        assert!(String::from_utf8_lossy(&output.stderr).contains("replace target? [y/N]"));
        done(output);
        assert_eq!(place.read("target"), b"old");
    }
    done(fed(&mut place.command(&ask), b"y\n"));
    assert_ne!(place.read("target"), b"old");
    done(place.raw("encrypt", &["-i", "plain", "-o", "target"]));
    let said = refused(place.raw("encrypt", &["-i", "plain", "-o", "x", "--max-length", "2"]), 1);
    assert!(said.contains("longer than 2 bytes") && !place.exists("x"), "{said}");
    done(place.raw("encrypt", &["-i", "plain", "-o", "x", "--max-length", "3"]));

    let said = refused(place.raw("encrypt", &["-i", "plain", "-o", "plain"]), 1);
    assert!(said.contains("would replace the input"), "{said}");
    let said = refused(place.raw("encrypt", &["-i", "plain", "-o", ".", "--suffix"]), 1);
    assert!(said.contains("would replace the input"), "{said}");
    for directory in ["one", "two", "out"] {
        place.write(&format!("{directory}/same"), b"x");
    }
    let said = refused(place.raw("encrypt", &["-i", "one/same", "two/same", "-o", "out"]), 1);
    assert!(said.contains("another input has the output"), "{said}");
}

#[test]
fn modes_are_private_for_plaintext_and_kept_for_what_is_replaced_and_links_are_followed() {
    let place = Place::new();
    place.write("plain", b"salaries");
    let mode = |name: &str| std::fs::metadata(place.path(name)).expect("it").permissions().mode() & 0o777;
    done(place.raw("encrypt", &["-i", "plain", "-o", "sealed"]));
    assert_eq!(mode("sealed") & 0o600, 0o600);
    done(place.raw("decrypt", &["-i", "sealed", "-o", "opened"]));
    assert_eq!(mode("opened"), 0o600);
    std::fs::set_permissions(place.path("opened"), std::fs::Permissions::from_mode(0o640)).expect("set");
    symlink("opened", place.path("link")).expect("linked");
    done(place.raw("decrypt", &["-i", "sealed", "-o", "link"]));
    assert_eq!(mode("opened"), 0o640);
    assert!(place.path("link").is_symlink());
    assert_eq!(place.read("opened"), b"salaries");
}

#[test]
fn an_output_that_may_not_be_written_is_named_and_its_input_stays() {
    let place = Place::new();
    place.write("plain", b"salaries");
    place.write("locked/x", b"");
    for (path, mode) in [("locked", 0o555), (".", 0o755), ("one.key", 0o644), ("plain", 0o644)] {
        std::fs::set_permissions(place.path(path), std::fs::Permissions::from_mode(mode)).expect("set");
    }
    let mut command = place.command(&[&["encrypt"], &RAW[..], &["-i", "plain", "-o", "locked/y"]].concat());
    // Root may write everywhere.
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let said = refused(command.output().expect("it runs"), 1);
    assert!(said.contains("locked/y") && said.contains("ermission denied"), "{said}");
    let said = refused(place.raw("encrypt", &["-i", "plain", "-o", "none/y"]), 1);
    assert!(said.contains("none/y"), "{said}");
    assert_eq!(place.names("locked"), ["x"]);
}

#[test]
fn records_tell_of_each_output_what_the_official_command_tells() {
    let place = Place::new();
    place.write("plain", b"salaries");
    for round in 1..3 {
        done(place.raw("encrypt", &["-i", "plain", "-o", "sealed", "-c", "a=1", "--metadata-output", "records"]));
        assert_eq!(records(&place.path("records")).len(), round);
    }
    let overwrite = ["--metadata-output", "records", "--overwrite-metadata"];
    done(place.raw("decrypt", &[&["-i", "sealed", "-o", "opened"], &overwrite[..]].concat()));
    let all = records(&place.path("records"));
    let [record] = &all[..] else { panic!("{all:?}") };
    assert_eq!(record["mode"], "decrypt");
    assert_eq!(record["input"], place.path("sealed").display().to_string());
    assert_eq!(record["output"], place.path("opened").display().to_string());
    assert_eq!(record["wrapping_key"], "raw AES key test/one");
    let header = &record["header"];
    assert_eq!(header["algorithm"], "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384");
    assert_eq!((&header["version"], &header["frame_length"]), (&json!("2.0"), &json!(4096)));
    assert_eq!(header["encryption_context"]["a"], "1");
    assert_eq!(header["encrypted_data_keys"][0]["key_provider"]["provider_id"], "dGVzdA==");
    // A failure leaves no record.
    refused(place.raw("decrypt", &["-i", "plain", "-o", "opened", "--metadata-output", "records"]), 1);
    assert_eq!(records(&place.path("records")).len(), 1);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_done() {
    let place = Place::new();
    place.write("plain", b"x");
    place.write("sealed", b"x");
    let cases: [(&str, &[&str], &str); 14] = [
        ("encrypt", &["-i", "plain"], "--output"),
        ("encrypt", &["-i", "plain", "sealed", "-o", "x"], "existing directory"),
        ("encrypt", &["-i", "*", "-o", "x"], "existing directory"),
        ("encrypt", &["-i", "plain", "sealed", "-o", "-"], "existing directory"),
        ("encrypt", &["-i", "-", "-", "-o", "x"], "once only"),
        ("encrypt", &["-i", "plain", "-o", "-", "--metadata-output", "-"], "standard output"),
        ("encrypt", &["-i", "plain", "-o", "x", "-S", "--metadata-output", "m"], "cannot be used with"),
        ("encrypt", &["-i", "plain", "-o", "x", "-c", "a"], "name=value"),
        ("encrypt", &["-i", "plain", "-o", "x", "--algorithm", "AES"], "algorithm suite"),
        ("encrypt", &["-i", "plain", "-o", "x", "--commitment-policy", "none"], "require-encrypt-require-decrypt"),
        ("encrypt", &["-i", "plain", "-o", "x", "--caching", "capacity=1"], "max_age"),
        ("decrypt", &["-i", "sealed", "-o", "x", "--range", "5"], "OFFSET:LENGTH"),
        ("decrypt", &["-i", "sealed", "-o", "x", "--unverified"], "--range"),
        ("decrypt", &["-i", "sealed", "-o", "x", "-w", "key"], "name=value"),
    ];
    for (command, arguments, reason) in cases {
        let said = refused(place.raw(command, arguments), 2);
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
    refused(place.run(&["decrypt", "-i", "sealed", "-o", "x"]), 2);
    assert!(!place.exists("x"));
    let said = refused(place.raw("encrypt", &["-i", "plain", "-o", "x", "--algorithm", "0178"]), 1);
    assert!(said.contains("commitment policy"), "{said}");
    done(place.raw(
        "encrypt",
        &["-i", "plain", "-o", "x", "--algorithm", "0178", "--commitment-policy", "forbid-encrypt-allow-decrypt"],
    ));
    let said = refused(place.raw("decrypt", &["-i", "x", "-o", "y"]), 1);
    assert!(said.contains("require-encrypt-require-decrypt does not allow"), "{said}");
}

#[test]
fn arguments_come_from_files_and_keys_from_their_encodings() {
    let place = Place::new();
    place.write("plain", b"salaries");
    place.write("hex.key", format!("{}\n", "01".repeat(32)).as_bytes());
    place.write(
        "settings",
        b"# where and how\n-w provider=raw-aes namespace=test name=one file=hex.key encoding=hex\n-c 'a=b c'\n",
    );
    done(place.run(&["encrypt", "@settings", "-i", "plain", "-o", "sealed"]));
    assert_eq!(done(place.raw("decrypt", &["-i", "sealed", "-o", "-", "-c", "a=b c"])), b"salaries");
    let wrong = ["-w", "provider=raw-aes", "namespace=test", "name=one", "file=hex.key"];
    let said = refused(place.run(&[&["encrypt", "-i", "plain", "-o", "x"], &wrong[..]].concat()), 2);
    assert!(said.contains("encoding=hex"), "{said}");
    let two = ["-w", "provider=raw-aes", "namespace=test", "name=one", "file=two.key"];
    let said = refused(place.run(&[&["decrypt", "-i", "sealed", "-o", "x"], &two[..]].concat()), 1);
    assert!(said.contains("raw AES key test/one") && said.contains("another key has this name"), "{said}");
}

#[test]
fn an_rsa_key_pair_is_used_half_by_half() {
    let place = Place::new();
    place.write("plain", b"salaries");
    let script = "
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives import serialization as s
key = rsa.generate_private_key(65537, 2048)
open('private.pem', 'wb').write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
open('public.pem', 'wb').write(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
";
    let mut python = testkit::Python::installed().command("python");
    done(python.args(["-c", script]).current_dir(place.path(".")).output().expect("python runs"));
    let key = |file| ["-w", "provider=raw-rsa", "namespace=test", "name=rsa", file, "padding=oaep-sha384"];
    done(place.run(&[&["encrypt", "-i", "plain", "-o", "sealed"], &key("file=public.pem")[..]].concat()));
    let opened = place.run(&[&["decrypt", "-i", "sealed", "-o", "-"], &key("file=private.pem")[..]].concat());
    assert_eq!(done(opened), b"salaries");
    let said = refused(place.run(&[&["decrypt", "-i", "sealed", "-o", "x"], &key("file=public.pem")[..]].concat()), 1);
    assert!(said.contains("raw RSA key test/rsa"), "{said}");
    let said = refused(place.run(&[&["encrypt", "-i", "plain", "-o", "x"], &key("file=private.pem")[..]].concat()), 1);
    assert!(said.contains("no public key"), "{said}");
}

#[test]
fn messages_are_inspected_without_a_key() {
    let place = Place::new();
    place.write("plain", &bytes(10_000));
    std::fs::create_dir(place.path("vault")).expect("made");
    done(place.raw("encrypt", &["-i", "plain", "-o", "vault/1", "-c", "a=\u{1b}[2J"]));
    let text = String::from_utf8(done(place.run(&["inspect", "vault/1"]))).expect("text");
    for part in ["0578", "data key under      test one", r"a = \u{1b}[2J", "3 of 4096 bytes", "10000 bytes"] {
        assert!(text.contains(part), "{part} in: {text}");
    }
    let message = place.read("vault/1");
    place.write("vault/cut", &message[..5000]);
    place.write("vault/none", b"none");
    let output = place.run(&["inspect", "--json", "-r", "vault"]);
    let lines = String::from_utf8(output.stdout.clone()).expect("text");
    let seen: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(seen.len(), 2);
    assert_eq!((&seen[0]["frames"], &seen[0]["plaintext_bytes"]), (&json!(3), &json!(10_000)));
    assert_eq!((&seen[1]["frames"], &seen[1]["header"]["frame_length"]), (&json!(null), &json!(4096)));
    let said = refused(output, 1);
    assert!(said.contains("vault/none") && said.contains("1 of 3 inputs failed"), "{said}");
    let piped = fed(&mut place.command(&["inspect", "--json", "-"]), &message);
    assert!(String::from_utf8(done(piped)).expect("text").contains(r#""input":"<stdin>""#));
}

#[test]
fn short_files_and_long_ones_of_one_run_come_back_each_and_one_that_was_changed_is_told() {
    let service = Service::start();
    service.key("one");
    // Short ones wait for the key service together; a long one comes in between, and one is empty.
    let contents = |number: usize| bytes(if number % 37 == 5 { 200_000 + number } else { number * 3 });
    for number in 0..150 {
        service.place.write(&format!("in/{}/{number}", number % 3), &contents(number));
    }
    for directory in ["vault", "back"] {
        std::fs::create_dir(service.place.path(directory)).expect("made");
    }
    let arguments = ["-r", "-w", "key=alias/one", "--metadata-output"];
    done(service.run(&[&["encrypt", "-i", "in", "-o", "vault"], &arguments[..], &["sealed"]].concat()));
    let mut broken = service.place.read("vault/1/100.encrypted");
    let end = broken.len() - 1;
    broken[end] ^= 1;
    service.place.write("vault/1/100.encrypted", &broken);
    let said = refused(
        service.run(
            &[
                &["decrypt", "-i", "vault", "-o", "back", "--strip-suffix", ".encrypted", "--suffix", "--no-sync"],
                &arguments[..],
                &["opened"],
            ]
            .concat(),
        ),
        1,
    );
    assert!(said.contains("vault/1/100.encrypted: ") && said.contains("1 of 150 inputs failed"), "{said}");
    for number in (0..150).filter(|number| *number != 100) {
        assert!(service.place.read(&format!("back/{}/{number}", number % 3)) == contents(number), "{number}");
    }
    assert!(!service.place.exists("back/1/100"));
    assert_eq!(service.place.names("back/1").len(), 49, "nothing is left of what failed");
    // Each was recorded once, with a data key of its own.
    let mut keys: Vec<String> = records(&service.place.path("sealed"))
        .iter()
        .map(|record| record["header"]["encrypted_data_keys"][0]["encrypted_data_key"].to_string())
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), records(&service.place.path("opened")).len()), (150, 149));
}

#[test]
fn foreign_text_is_shown_and_commands_no_terminal() {
    let place = Place::new();
    const NAME: &str = "a\u{202e}b\u{1b}[2J\n\u{200b}\u{9b}";
    const SHOWN: &str = r"a\u{202e}b\u{1b}[2J\n\u{200b}\u{9b}";
    place.write(NAME, b"plain");
    std::fs::create_dir(place.path("out")).expect("made");
    let quiet = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).expect("text");
        assert!(!NAME.chars().any(|it| !it.is_ascii_graphic() && it != '\n' && text.contains(it)), "{text:?}");
        text
    };
    let context = format!("{NAME}={NAME}");
    done(place.raw("encrypt", &["-i", NAME, "-o", "out", "--suffix", ".e", "-c", &context]));
    let sealed = format!("out/{NAME}.e");
    let text = quiet(&done(place.run(&["inspect", &sealed])));
    assert!(text.contains(&format!("out/{SHOWN}.e")) && text.contains(&format!("{SHOWN} = {SHOWN}")), "{text}");
    let json = quiet(&done(place.run(&["inspect", "--json", &sealed])));
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&read["input"], &read["header"]["encryption_context"][NAME]), (&json!(sealed), &json!(NAME)));
    let told = quiet(&done(place.raw("decrypt", &["-i", &sealed, "-o", "x", "--metadata-output", "-"])));
    assert!(told.contains("\\u202e") && told.contains("\\u009b"), "{told}");

    // Names, arguments and settings that are complained of.
    let one = |output: std::process::Output| {
        let said = quiet(&output.stderr);
        assert!(!output.status.success() && said.contains(r"a\u{202e}b"), "{said}");
        said
    };
    place.write("settings", format!("-w key=k '{NAME}=x'").as_bytes());
    assert!(one(place.raw("decrypt", &["-i", NAME, "-o", "y"])).lines().count() == 1);
    one(place.raw("decrypt", &["-i", "out/none", NAME, "-o", "out", "--suffix"]));
    one(place.raw("encrypt", &["-i", NAME, "-o", NAME]));
    one(place.run(&["encrypt", "@settings", "-i", "x", "-o", "y"]));
    one(place.raw("encrypt", &["-i", "x", "-o", "y", &format!("--{NAME}")]));
    one(place.run(&[
        "decrypt",
        "-w",
        "provider=raw-aes",
        "namespace=n",
        "name=n",
        &format!("file={NAME}"),
        "-i",
        "x",
        "-o",
        "y",
    ]));
    one(place.run(&["seal", "status", "--data", NAME]));
}
