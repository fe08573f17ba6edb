//! A command never writes over what it reads, whatever names the file goes by.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::symlink;
use std::process::Output;

use crate::{Place, RAW, done, records, refused};

const PRECIOUS: &[u8] = b"precious";

/// A place with the file `f`, which has other names.
fn place() -> Place {
    let place = Place::new();
    place.write("f", PRECIOUS);
    std::fs::hard_link(place.path("f"), place.path("hard")).expect("linked");
    symlink("f", place.path("link")).expect("linked");
    std::fs::create_dir(place.path("out")).expect("made");
    place
}

/// A command's error output, after it refused its arguments and left the file as it was.
#[track_caller]
fn unharmed(place: &Place, file: &str, before: &[u8], output: Output) -> String {
    let said = refused(output, 2);
    assert!(place.read(file) == before, "{file} was written to");
    said
}

#[test]
fn records_do_not_go_where_the_command_reads() {
    let place = place();
    let names = ["f", "./f", "out/../f", "hard", "link"];
    for metadata in names {
        for how in [&["--metadata-output", metadata, "--overwrite-metadata"][..], &["--metadata-output", metadata]] {
            for input in [&["-i", "f", "-o", "f.enc"][..], &["-i", "[f]", "-o", "f.enc"], &["-i", "f", "-o", "out"]] {
                let output = place.raw("encrypt", &[input, how].concat());
                let said = unharmed(&place, "f", PRECIOUS, output);
                assert!(said.contains("metadata file") && said.contains("it is the input"), "{said}");
                assert!(!place.exists("f.enc") && place.names("out").is_empty());
            }
        }
    }
    let read = File::open(place.path("f")).expect("it opens");
    let arguments = [&["encrypt"], &RAW[..], &["-i", "-", "-o", "x", "--metadata-output", "hard"]].concat();
    let output = place.command(&arguments).stdin(read).output().expect("it runs");
    let said = unharmed(&place, "f", PRECIOUS, output);
    assert!(said.contains("standard input"), "{said}");
}

#[test]
fn nothing_goes_where_keys_and_settings_are() {
    let place = place();
    std::fs::hard_link(place.path("one.key"), place.path("another name")).expect("linked");
    let settings = b"-w provider=raw-aes namespace=test name=one file=one.key";
    place.write("settings", settings);
    let config = b"[default]\nregion = us-east-1\n";
    place.write(".aws/config", config);
    let run = |file: &str, how: &[&str]| {
        let arguments = [&["encrypt", "@settings", "-w", "key=alias/a", "-i", "f"], how].concat();
        let mut command = place.command(&arguments);
        let before = place.read(file);
        // Nobody answers there, and nobody is asked.
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_ACCESS_KEY_ID", "A");
        unharmed(&place, file, &before, command.env("AWS_SECRET_ACCESS_KEY", "s").output().expect("it runs"))
    };
    for (file, name, what) in [
        ("one.key", "one.key", "the key one.key"),
        ("one.key", "another name", "the key one.key"),
        ("settings", "settings", "the argument file settings"),
        (".aws/config", "out/../.aws/config", "the AWS configuration's file"),
    ] {
        for how in [
            &["-o", name][..],
            &["-o", "x", "--metadata-output", name],
            &["-o", "x", "--metadata-output", name, "--overwrite-metadata"],
        ] {
            let said = run(file, how);
            assert!(said.contains(what), "{how:?}: {said}");
        }
    }
    // In an output directory too, where others are worked on nevertheless.
    place.write("in/one.key", b"not the key");
    place.write("in/other", b"no key");
    let said = refused(place.raw("encrypt", &["-r", "-i", "in", "-o", ".", "--suffix"]), 1);
    assert!(said.contains("would replace the key one.key") && said.contains("1 of 2 inputs failed"), "{said}");
    assert_eq!(place.read("one.key"), [1; 32]);
    assert!(place.exists("other"));
}

#[test]
fn two_things_that_are_written_are_two_files() {
    let place = place();
    place.write("old", b"old");
    std::fs::hard_link(place.path("old"), place.path("older")).expect("linked");
    symlink("new", place.path("to new")).expect("linked");
    for (output, metadata) in
        [("new", "new"), ("new", "./new"), ("new", "to new"), ("to new", "out/../new"), ("old", "older")]
    {
        let output = place.raw("encrypt", &["-i", "f", "-o", output, "--metadata-output", metadata]);
        let said = unharmed(&place, "old", b"old", output);
        assert!(said.contains("metadata file") && said.contains("it is the output"), "{said}");
        assert!(!place.exists("new"));
    }
    let into = ["-i", "f", "-o", "out", "--metadata-output", "out/f.encrypted"];
    for round in 1..3 {
        let said = refused(place.raw("encrypt", &into), 1);
        assert!(said.contains("would replace the metadata file"), "{round}: {said}");
    }
    assert!(records(&place.path("out/f.encrypted")).is_empty());
    let appended = || OpenOptions::new().append(true).open(place.path("old")).expect("it opens");
    let arguments = [&["encrypt"], &RAW[..], &["-i", "f", "-o", "older", "--metadata-output", "-"]].concat();
    let output = place.command(&arguments).stdout(appended()).output().expect("it runs");
    unharmed(&place, "old", b"old", output);
}

#[test]
fn an_output_is_no_other_input() {
    let place = Place::new();
    for name in ["a", "a.encrypted", "b"] {
        place.write(&format!("d/{name}"), name.as_bytes());
    }
    for input in [&["-i", "d/a", "d/a.encrypted", "d/b"][..], &["-r", "-i", "d"], &["-i", "d/*"]] {
        let said = refused(place.raw("encrypt", &[input, &["-o", "d"]].concat()), 1);
        assert!(said.contains("sealstack: d/a: the output would replace another input"), "{said}");
        assert_eq!(place.read("d/a.encrypted"), b"a.encrypted");
        assert!(place.exists("d/b.encrypted"));
        for made in ["d/b.encrypted", "d/a.encrypted.encrypted"] {
            std::fs::remove_file(place.path(made)).expect("it was made");
        }
    }
    // Standard output that is the input would grow for ever, or be empty.
    let arguments = [&["encrypt"], &RAW[..], &["-i", "d/a", "-o", "-"]].concat();
    let appended = OpenOptions::new().append(true).open(place.path("d/a")).expect("it opens");
    let said = refused(place.command(&arguments).stdout(appended).output().expect("it runs"), 1);
    assert!(said.contains("would replace the input") && place.read("d/a") == b"a", "{said}");
}

#[test]
fn messages_are_replaced_by_their_own_outputs_and_by_no_others() {
    let place = Place::new();
    for name in ["a", "b", "c/d"] {
        place.write(&format!("plain/{name}"), name.as_bytes());
    }
    std::fs::create_dir(place.path("vault")).expect("made");
    done(place.raw("encrypt", &["-r", "-i", "plain", "-o", "vault", "--suffix"]));
    let before = place.read("vault/a");
    let to = ["--new-wrapping-keys", "provider=raw-aes", "namespace=test", "name=two", "file=two.key"];
    done(place.raw("reencrypt", &[&["-r", "-i", "vault", "-o", "vault", "--suffix"], &to[..]].concat()));
    assert!(place.read("vault/a") != before);
    let two = ["-w", "provider=raw-aes", "namespace=test", "name=two", "file=two.key"];
    let opened = place.run(&[&["decrypt", "-i", "vault/c/d", "-o", "-"], &two[..]].concat());
    assert_eq!(done(opened), b"c/d");
    place.write("vault/a.b", &before);
    let to = ["--new-wrapping-keys", "provider=raw-aes", "namespace=test", "name=one", "file=one.key"];
    let strip = ["-i", "vault/a.b", "vault/a", "-o", "vault", "--strip-suffix", ".b", "--suffix", ".b"];
    refused(place.raw("reencrypt", &[&strip[..], &to].concat()), 1);
    assert!(place.read("vault/a.b") != before, "its own output");
}

#[test]
fn records_among_the_inputs_are_no_input_and_anything_else_there_stays() {
    let place = Place::new();
    place.write("in/a", b"a");
    place.write("in/thesis", PRECIOUS);
    std::fs::create_dir(place.path("out")).expect("made");
    let encrypt = |more: &[&str]| {
        let tree = ["-r", "-i", "in", "-o", "out", "--metadata-output"];
        place.raw("encrypt", &[&tree[..], more].concat())
    };
    for (more, count) in
        [(&["in/records"][..], 2), (&["in/records"], 4), (&["out/../in/records", "--overwrite-metadata"], 2)]
    {
        let output = encrypt(more);
        assert!(String::from_utf8_lossy(&output.stderr).contains("in/records: is the metadata file; skipped"));
        done(output);
        assert_eq!(place.names("out"), ["a.encrypted", "thesis.encrypted"]);
        assert_eq!(records(&place.path("in/records")).len(), count);
    }
    std::fs::hard_link(place.path("in/thesis"), place.path("elsewhere")).expect("linked");
    for metadata in ["in/thesis", "elsewhere"] {
        for more in [&[metadata][..], &[metadata, "--overwrite-metadata"]] {
            let said = refused(encrypt(more), 1);
            assert!(said.contains("it is an input") && place.read("in/thesis") == PRECIOUS, "{said}");
        }
    }
    assert!(place.read("in/thesis") == PRECIOUS);
}

#[test]
fn what_keeps_nothing_may_be_read_and_written() {
    let place = place();
    done(place.raw("encrypt", &["-i", "/dev/null", "-o", "/dev/null", "--metadata-output", "/dev/null"]));
    done(place.raw("encrypt", &["-i", "f", "-o", "x", "--metadata-output", "/dev/null", "--overwrite-metadata"]));
}
