//! Pipes, ranges and Base64: what comes out, and when nothing may.

use crate::{Place, RAW, bytes, done, fed, refused};

/// Feeds a command with the raw key, from standard input to standard output.
fn piped(place: &Place, command: &str, arguments: &[&str], input: &[u8]) -> std::process::Output {
    fed(&mut place.command(&[&[command], &RAW[..], &["-i", "-", "-o", "-"], arguments].concat()), input)
}

#[test]
fn what_goes_through_pipes_comes_back_signed_or_not() {
    let place = Place::new();
    for size in [0, 1, 4096, 5_000_000] {
        let plain = bytes(size);
        for suite in ["0478", "0578"] {
            let message = done(piped(&place, "encrypt", &["--algorithm", suite], &plain));
            for flags in [&[][..], &["--buffer"]] {
                assert!(done(piped(&place, "decrypt", flags, &message)) == plain, "{size} {suite} {flags:?}");
            }
            place.write("message", &message);
            assert!(done(place.raw("decrypt", &["-i", "message", "-o", "-"])) == plain);
            let unsigned = piped(&place, "decrypt", &["--decrypt-unsigned"], &message);
            if suite == "0478" {
                assert!(done(unsigned) == plain);
            } else {
                assert!(unsigned.stdout.is_empty());
                assert!(refused(unsigned, 1).contains("signed"));
            }
        }
    }
    let fifo = place.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&fifo, b"through a named pipe").expect("written"));
        done(place.raw("encrypt", &["-i", "fifo", "-o", "from-fifo"]));
    });
    assert_eq!(done(place.raw("decrypt", &["-i", "from-fifo", "-o", "-"])), b"through a named pipe");
    done(place.raw("encrypt", &["-i", "from-fifo", "-o", "/dev/null"]));
    // Its length is known only once it is read.
    done(place.raw("encrypt", &["-i", "/proc/version", "-o", "version"]));
    assert_eq!(done(place.raw("decrypt", &["-i", "version", "-o", "-"])), std::fs::read("/proc/version").expect("it"));
}

#[test]
fn nothing_of_a_signed_message_comes_out_unless_all_of_it_is_good() {
    let place = Place::new();
    let plain = bytes(5_000_000);
    let signed = done(piped(&place, "encrypt", &[], &plain));
    let unsigned = done(piped(&place, "encrypt", &["--algorithm", "0478"], &plain));
    let flipped = |message: &[u8], at: usize| {
        let mut message = message.to_vec();
        message[at] ^= 1;
        message
    };
    for broken in [flipped(&signed, 4_000_000), flipped(&signed, signed.len() - 1), signed[..4_000_000].to_vec(), {
        let mut longer = signed.clone();
        longer.push(0);
        longer
    }] {
        place.write("broken", &broken);
        for output in [piped(&place, "decrypt", &[], &broken), place.raw("decrypt", &["-i", "broken", "-o", "-"])] {
            assert!(output.stdout.is_empty());
            refused(output, 1);
        }
        refused(place.raw("decrypt", &["-i", "broken", "-o", "opened"]), 1);
        refused(fed(&mut place.command(&[&["decrypt"], &RAW[..], &["-i", "-", "-o", "opened"]].concat()), &broken), 1);
        assert!(!place.exists("opened"));
    }
    // An unsigned one comes frame by frame, unless it shall wait.
    let cut = &unsigned[..4_000_000];
    let output = piped(&place, "decrypt", &[], cut);
    assert!(!output.stdout.is_empty() && plain.starts_with(&output.stdout));
    assert!(refused(output, 1).contains("ends in its body"));
    let output = piped(&place, "decrypt", &["--buffer"], cut);
    assert!(output.stdout.is_empty());
    refused(output, 1);
}

#[test]
fn ranges_are_cut_out_of_files() {
    let place = Place::new();
    let plain = bytes(300_000);
    place.write("plain", &plain);
    done(place.raw("encrypt", &["-i", "plain", "-o", "unsigned", "--algorithm", "0478"]));
    done(place.raw("encrypt", &["-i", "plain", "-o", "signed"]));
    for (range, expected) in [
        ("0:1", 0..1),
        ("4095:2", 4095..4097),
        ("100000:100000", 100_000..200_000),
        ("299999:99", 299_999..300_000),
        ("123456:", 123_456..300_000),
        ("300000:1", 300_000..300_000),
        ("0:0", 0..0),
    ] {
        let expected = &plain[expected];
        assert!(done(place.raw("decrypt", &["-i", "unsigned", "-o", "-", "--range", range])) == expected, "{range}");
        done(place.raw("decrypt", &["-i", "signed", "-o", "part", "--range", range, "--unverified"]));
        assert!(place.read("part") == expected, "{range}");
    }
    let output = place.raw("decrypt", &["-i", "signed", "-o", "-", "--range", "0:1"]);
    assert!(output.stdout.is_empty());
    assert!(refused(output, 1).contains("--unverified"));
    let output = piped(&place, "decrypt", &["--range", "0:1"], &place.read("unsigned"));
    assert!(refused(output, 1).contains("from a file"));
}

#[test]
fn base64_is_taken_and_given() {
    let place = Place::new();
    let plain = bytes(200_000);
    place.write("plain", &plain);
    done(place.raw("encrypt", &["-i", "plain", "-o", "text", "--encode"]));
    let text = place.read("text");
    assert!(text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)));
    let lines: Vec<u8> = text.chunks(76).flat_map(|line| [line, b"\n"].concat()).collect();
    for text in [&text, &lines] {
        assert!(done(piped(&place, "decrypt", &["--decode"], text)) == plain);
    }
    done(place.raw("decrypt", &["-i", "text", "-o", "opened", "--decode"]));
    assert!(place.read("opened") == plain);
    assert!(refused(place.raw("decrypt", &["-i", "text", "-o", "x"]), 1).contains("Base64"));
    place.write("text", &text[..text.len() / 2 - 1]);
    refused(place.raw("decrypt", &["-i", "text", "-o", "x", "--decode"]), 1);
    assert!(!place.exists("x"));
}

#[test]
fn a_reader_that_went_away_is_no_success() {
    let place = Place::new();
    place.write("plain", &bytes(5_000_000));
    let mut command = place.command(&[&["encrypt"], &RAW[..], &["-i", "plain", "-o", "-"]].concat());
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn a_terminal_gets_a_bar() {
    let place = Place::new();
    place.write("plain", &bytes(5_000_000));
    let arguments = [&["encrypt"], &RAW[..], &["-i", "plain", "-o", "sealed"]].concat().join(" ");
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_sealstack"));
    let mut terminal = std::process::Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").current_dir(place.path("."));
    let shown = String::from_utf8(done(terminal.output().expect("script runs"))).expect("text");
    assert!(shown.contains("MiB"), "{shown:?}");
    assert!(done(place.raw("decrypt", &["-i", "sealed", "-o", "-"])) == bytes(5_000_000));
}
