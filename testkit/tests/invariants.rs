//! The invariants of ARCHITECTURE.md, checked against manifests and sources.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has to stop, saying why")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

struct Crate {
    shelf: String,
    name: String,
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
    sources: Vec<(PathBuf, String)>,
}

fn crates() -> BTreeMap<String, Crate> {
    let mut found = BTreeMap::new();
    for shelf in ["pure", "state", "api", "programs"] {
        let directory = testkit::workspace_root().join("crates").join(shelf);
        for entry in std::fs::read_dir(directory).expect("a shelf") {
            let path = entry.expect("a crate").path();
            let manifest = std::fs::read_to_string(path.join("Cargo.toml")).expect("a manifest");
            let manifest: toml::Table = manifest.parse().expect("TOML");
            let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
            let keys = |name: &str| table(name).map(|table| table.keys().cloned().collect()).unwrap_or_default();
            let (dependencies, dev_dependencies): (BTreeSet<_>, _) = (keys("dependencies"), keys("dev-dependencies"));
            assert!(!dependencies.is_empty(), "{} has dependencies", path.display());
            let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
            let mut sources = Vec::new();
            read_sources(&path.join("src"), &mut sources);
            assert!(!sources.is_empty(), "{name} has sources");
            found
                .insert(name.clone(), Crate { shelf: shelf.to_owned(), name, dependencies, dev_dependencies, sources });
        }
    }
    assert!(found.len() >= 10, "the crates were found");
    found
}

fn read_sources(directory: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(directory).expect("a source directory") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            into.push((path, text));
        }
    }
}

/// Only `owner` may depend on any of `packages` or name one of them in its sources.
fn owned(owner: &str, packages: &[&str]) {
    for (name, found) in crates() {
        if name == owner {
            continue;
        }
        for package in packages {
            assert!(!found.dependencies.contains(*package), "{name} depends on {package}: only {owner} may");
            let module = format!("{}::", package.replace('-', "_"));
            for (path, text) in &found.sources {
                let named = text.lines().any(|line| !line.trim_start().starts_with("//") && names(line, &module));
                assert!(!named, "{} names {package}: only {owner} may", path.display());
            }
        }
    }
}

/// Whether the line has `module` (`ring::`) as a whole name, and not as the end of another (`String::`).
fn names(line: &str, module: &str) -> bool {
    let mut found = line.match_indices(module);
    found.any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

#[test]
fn only_crypto_names_the_crypto_provider() {
    owned("crypto", &["aws-lc-rs", "aws-lc-sys", "argon2", "ring"]);
}

#[test]
fn only_pki_names_the_certificate_library() {
    owned("pki", &["rcgen"]);
}

#[test]
fn only_store_names_the_sql_library() {
    owned("store", &["rusqlite", "libsqlite3-sys"]);
}

#[test]
fn only_token_names_the_pkcs11_library() {
    owned("token", &["cryptoki", "cryptoki-sys"]);
}

#[test]
fn only_git_front_names_the_ssh_library() {
    owned("git-front", &["russh"]);
}

/// The shelves that crates on this one may use.
fn below(shelf: &str) -> &'static [&'static str] {
    match shelf {
        "pure" => &["pure"],
        "state" => &["pure", "state"],
        "api" => &["pure", "state", "api"],
        _ => &["pure", "state", "api", "programs"],
    }
}

#[test]
fn arrows_point_down_only() {
    let all = crates();
    for found in all.values() {
        for dependency in found.dependencies.iter().filter_map(|name| all.get(name)) {
            assert!(
                below(&found.shelf).contains(&dependency.shelf.as_str()),
                "{} uses {}",
                found.name,
                dependency.name
            );
        }
    }
}

#[test]
fn arrows_of_tests_point_down_too() {
    let all = crates();
    for found in all.values() {
        for dependency in &found.dev_dependencies {
            if let Some(dependency) = all.get(dependency) {
                let allowed = below(&found.shelf).contains(&dependency.shelf.as_str());
                assert!(allowed, "the tests of {} use {}", found.name, dependency.name);
            }
            // It drives programs, so only their tests may use it. What `installed` finds is everybody's.
            let allowed = dependency != "testkit" || found.shelf == "programs";
            assert!(allowed, "the tests of {} use testkit", found.name);
        }
    }
}

#[test]
fn what_every_crates_tests_may_use_knows_none_of_ours() {
    let manifest = testkit::workspace_root().join("testkit/installed/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).expect("a manifest").parse().expect("TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");
    for ours in crates().keys().map(String::as_str).chain(["testkit"]) {
        assert!(!dependencies.contains_key(ours), "installed uses {ours}");
    }
}

#[test]
fn api_crates_meet_only_in_service() {
    let all = crates();
    for found in all.values().filter(|found| found.shelf == "api") {
        for dependency in
            found.dependencies.iter().filter_map(|name| all.get(name)).filter(|other| other.shelf == "api")
        {
            assert_eq!(dependency.name, "service", "{} uses {}", found.name, dependency.name);
            assert_ne!(found.name, "service", "service uses {}", dependency.name);
        }
    }
}

#[test]
fn pure_crates_do_no_io_and_read_no_clock() {
    for found in crates().values().filter(|found| found.shelf == "pure") {
        for package in ["tokio", "hyper", "reqwest", "ureq"] {
            // The envelope library offers an async face behind a feature; its core stays synchronous.
            let optional = found.name == "envelope" && package == "tokio";
            assert!(optional || !found.dependencies.contains(package), "{} depends on {package}", found.name);
        }
        for (path, text) in &found.sources {
            for word in [
                "std::fs::",
                "std::net::Tcp",
                "std::net::Udp",
                "SystemTime::now",
                "Instant::now",
                "now_utc",
                "std::process::",
            ] {
                let used = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
                let test = path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
                // A stopwatch chooses between codes that give the same digests, and decides about nothing else.
                let stopwatch = word == "Instant::now" && path.ends_with("crypto/src/digest/choice.rs");
                assert!(test || stopwatch || !used, "{} uses {word}", path.display());
            }
        }
    }
}

/// Files that write to the store without a call, and record their events themselves. Everything else goes through
/// `Call::write`, which writes the audit record in the same transaction.
const WRITES_BESIDE_CALLS: &[(&str, usize)] = &[
    // What operators do: each change records its event.
    // Besides, that the first access key is handed over.
    ("iam/src/accounts/bootstrap.rs", 2),
    ("iam/src/accounts/operator.rs", 2),
    ("iam/src/accounts/seed.rs", 1),
    ("iam/src/accounts/service_control.rs", 2),
    ("kms/src/seed.rs", 1),
    // What is done when its time has come: `DeleteKey`, `DeleteExpiredKeyMaterial`, `RotateKey` record their events.
    ("kms/src/key/deletion.rs", 2),
    ("kms/src/material/deletion.rs", 1),
    ("kms/src/material/family.rs", 1),
    ("kms/src/material/rotation.rs", 1),
    // The deletion of a repository was recorded; its records are removed afterwards.
    ("codecommit/src/repository/purge.rs", 1),
    // So was whatever left the parts that are removed here.
    ("s3/src/bucket/purge.rs", 1),
    // What has expired records an event; that a bucket was gone through does not.
    ("s3/src/lifecycle/carry_out.rs", 2),
    // Bookkeeping.
    ("iam/src/authority/ssh.rs", 1),
    ("iam/src/records/last_use.rs", 1),
    ("kms/src/domain_key.rs", 3),
    ("kms/src/key_store/connection.rs", 2),
    ("kms/src/key_store/create_key.rs", 1),
    ("kms/src/key_store/orphan.rs", 1),
    ("kms/src/record/last_usage.rs", 1),
    ("kms/src/record/schedule.rs", 1),
];

#[test]
fn operations_write_through_their_call() {
    let all = crates();
    let mut found = BTreeMap::new();
    for name in ["iam", "kms", "cloudtrail", "codecommit", "s3"] {
        for (path, text) in &all[name].sources {
            let path = path.strip_prefix(testkit::workspace_root().join("crates/api")).expect("an API crate's");
            let path = path.to_str().expect("UTF-8").to_owned();
            // Unit tests stand at the end of a file, or in files of their own.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code: String = code.split_whitespace().collect();
            let writes = code.matches("store.write(").count();
            if writes > 0 && !path.contains("/tests") {
                found.insert(path, writes);
            }
        }
    }
    let listed: BTreeMap<_, _> = WRITES_BESIDE_CALLS.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
    assert_eq!(found, listed, "a change that a caller asked for is written with `call.write`");
}

/// The crates whose folders import one way.
const IN_ROOMS: &[&str] = &["iam", "kms", "codecommit", "s3"];

/// A source's path below its crate's `src`.
fn below_src(path: &Path) -> Vec<&str> {
    let path = path.strip_prefix(testkit::workspace_root()).expect("a path in the workspace");
    // `crates`, the shelf, the crate and `src` stand before it.
    path.iter().skip(4).map(|part| part.to_str().expect("UTF-8")).collect()
}

/// The folders of a crate that each of its folders names, apart from tests. `src/key.rs` belongs to the folder `src/key`.
fn imports_of_folders(found: &Crate) -> BTreeMap<String, BTreeSet<String>> {
    let sources = || found.sources.iter().map(|(path, text)| (path, below_src(path), text));
    let folders: BTreeSet<&str> =
        sources().filter(|(_, parts, _)| parts.len() > 1).map(|(_, parts, _)| parts[0]).collect();
    // Errors and tests are everybody's.
    let folders: BTreeSet<&str> = folders.into_iter().filter(|name| !["error", "tests"].contains(name)).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, parts, text) in sources() {
        let from = parts[0].trim_end_matches(".rs");
        if !folders.contains(from) || path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, word) in line.match_indices("crate::") {
                let name = line[at + word.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next();
                let name = name.unwrap_or_default();
                assert!(!name.is_empty(), "{}: name one folder a line, or it is not seen: {line}", path.display());
                if name != from && folders.contains(name) {
                    imports.entry(from.to_owned()).or_default().insert(name.to_owned());
                }
            }
        }
    }
    imports
}

/// A way through `imports` that comes back to where it began.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(imports: &BTreeMap<String, BTreeSet<String>>, way: &mut Vec<String>) -> bool {
        let last = way.last().expect("a way begins somewhere").clone();
        for next in imports.get(&last).into_iter().flatten() {
            let back = way.contains(next);
            way.push(next.clone());
            if back || walk(imports, way) {
                return true;
            }
            way.pop();
        }
        false
    }
    imports.keys().find_map(|from| {
        let mut way = vec![from.clone()];
        walk(imports, &mut way).then_some(way)
    })
}

#[test]
fn folders_of_a_crate_import_one_way() {
    let all = crates();
    for name in IN_ROOMS {
        let imports = imports_of_folders(&all[*name]);
        assert!(imports.len() >= 3, "the folders of {name} were found");
        assert_eq!(circle(&imports), None, "folders of {name} import each other: {imports:?}");
    }
}

#[test]
fn a_circle_of_folders_is_found() {
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        imports
    };
    assert_eq!(circle(&imports(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    assert!(circle(&imports(&[("a", "b"), ("b", "c"), ("c", "a")])).is_some());
}
