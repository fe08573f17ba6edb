//! Below an output directory no link is followed, whenever it came there.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Place, RAW, bytes, done, refused};

/// Swaps a directory for a link to elsewhere, and back, until the end.
fn swap(place: &Place, ended: &AtomicBool) {
    let (directory, aside, link) = (place.path("out/d"), place.path("out/aside"), place.path("link"));
    symlink(place.path("elsewhere"), &link).expect("linked");
    while !ended.load(Ordering::Relaxed) {
        // Neither is there at every moment.
        if std::fs::rename(&directory, &aside).is_ok() {
            let _ = std::fs::rename(&link, &directory);
            std::thread::sleep(std::time::Duration::from_micros(300));
            let _ = std::fs::rename(&directory, &link);
            let _ = std::fs::rename(&aside, &directory);
        }
        std::thread::sleep(std::time::Duration::from_micros(300));
    }
}

#[test]
fn a_directory_that_is_swapped_for_a_link_leads_nothing_out() {
    let place = Place::new();
    for number in 0..600 {
        place.write(&format!("in/d/{number}"), &bytes(500));
    }
    std::fs::create_dir(place.path("sealed")).expect("made");
    done(place.raw("encrypt", &["-r", "-i", "in", "-o", "sealed", "--suffix", "--no-sync"]));
    let to = ["--new-wrapping-keys", "provider=raw-aes", "namespace=test", "name=two", "file=two.key"];
    let runs: [(&str, &str, &[&str]); 4] = [
        ("decrypt", "sealed", &["--no-sync"]),
        ("decrypt", "sealed", &[]),
        ("encrypt", "in", &["--no-sync"]),
        ("reencrypt", "sealed", &[&["--no-sync"][..], &to].concat()),
    ];
    let mut failed = 0;
    for (command, from, more) in runs {
        std::fs::create_dir_all(place.path("out/d")).expect("made");
        std::fs::create_dir(place.path("elsewhere")).expect("made");
        let ended = AtomicBool::new(false);
        let output = std::thread::scope(|scope| {
            scope.spawn(|| swap(&place, &ended));
            let output = place.raw(command, &[&["-r", "-i", from, "-o", "out"], more].concat());
            ended.store(true, Ordering::Relaxed);
            output
        });
        assert_eq!(place.names("elsewhere"), [""; 0], "{command} {more:?}");
        failed += usize::from(!output.status.success());
        for made in ["out", "elsewhere"] {
            std::fs::remove_dir_all(place.path(made)).expect("removed");
        }
        let _ = std::fs::remove_file(place.path("link"));
    }
    assert!(failed > 0, "a directory that is gone while outputs go there is a failure");
}

#[test]
fn links_that_are_there_are_not_followed_and_their_outputs_fail() {
    let place = Place::new();
    for name in ["d/a", "e/f/b", "c", "g"] {
        place.write(&format!("in/{name}"), b"salaries");
    }
    place.write("elsewhere/target", b"precious");
    std::fs::create_dir_all(place.path("out/e")).expect("made");
    symlink(place.path("elsewhere"), place.path("out/d")).expect("linked");
    symlink("../../elsewhere", place.path("out/e/f")).expect("linked");
    symlink("../elsewhere/target", place.path("out/c.encrypted")).expect("linked");
    for more in [&[][..], &["--no-sync"], &["--no-overwrite"]] {
        let output = place.raw("encrypt", &[&["-r", "-i", "in", "-o", "out"], more].concat());
        let said = refused(output, 1);
        for part in ["in/d/a: can't write out/d/a.encrypted", "in/e/f/b: can't write out/e/f/b.encrypted"] {
            assert!(said.contains(part), "{part} in: {said}");
        }
        assert!(said.contains("links in an output directory are not followed"), "{said}");
        assert_eq!(
            (place.names("elsewhere"), place.read("elsewhere/target")),
            (vec!["target".to_owned()], b"precious".into())
        );
        assert!(place.path("out/c.encrypted").is_symlink() && place.exists("out/g.encrypted"));
    }
    // The output directory itself is what its user named.
    symlink("out", place.path("named")).expect("linked");
    std::fs::remove_dir_all(place.path("out")).expect("removed");
    std::fs::create_dir(place.path("out")).expect("made");
    done(place.run(&[&["encrypt"], &RAW[..], &["-r", "-i", "in", "-o", "named"]].concat()));
    assert!(place.exists("out/e/f/b.encrypted"));
}
