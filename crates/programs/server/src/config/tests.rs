use std::path::Path;

use clap::Parser;

use super::*;

/// `serve`'s flags without the command around them.
#[derive(Parser)]
struct Command {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    settings: Settings,
}

fn flags(arguments: &[&str]) -> Settings {
    Command::try_parse_from(std::iter::once("serve").chain(arguments.iter().copied())).expect("flags").settings
}

fn file(text: &str) -> Result<Settings, ConfigError> {
    file::parse(Path::new("sealstack.toml"), text)
}

fn resolve(settings: Settings) -> Result<Config, ConfigError> {
    Config::resolve(PathBuf::from("/data"), settings)
}

#[test]
fn nothing_set_means_the_defaults() {
    let config = resolve(Settings::default()).expect("defaults");
    assert_eq!(config.listen, LISTEN);
    assert_eq!(config.region, REGION);
    assert!(!config.allow_plain_http);
    assert_eq!(config.limits.body_bytes_max, 1 << 20);
    assert_eq!(config.audit, AuditConfig::default());
    assert_eq!(config.seal.kind, None);
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let file = file("listen = '10.0.0.1:1'\nregion = 'eu-central-1'\n[limits]\nidle-seconds-max = 7\n").expect("file");
    let config = resolve(flags(&["--listen", "127.0.0.1:2", "--allow-plain-http"]).over(file)).expect("config");
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert!(config.allow_plain_http);
    assert_eq!(config.region, "eu-central-1");
    assert_eq!(config.limits.idle_timeout.as_secs(), 7);
    assert_eq!(config.limits.body_timeout, Limits::default().body_timeout);
}

#[test]
fn every_key_of_the_file_is_understood() {
    let text = r#"
        data = "/var/lib/sealstack"
        listen = "0.0.0.0:4566"
        allow-plain-http = true
        endpoint-url = "https://keys.example.com"
        region = "eu-west-1"
        account = "111122223333"
        workers = 2
        [seal]
        kind = "passphrase"
        file = "/mnt/seal.json"
        passphrase-file = "/run/secrets/passphrase"
        [tls]
        certificate = "/etc/tls/chain.pem"
        key = "/etc/tls/key.pem"
        names = ["keys.example.com", "10.0.0.1"]
        [hsm.cluster-vaultroomone]
        module = "/usr/lib/pkcs11.so"
        token-label = "keys"
        trust-anchor = "/etc/hsm.pem"
        sessions = 8
        [xks."https://keys.example.com"]
        port = 8443
        ca = "/etc/xks.pem"
        [xks."https://other.example.com"]
        [limits]
        connections-max = 10
        head-bytes-max = 16384
        body-bytes-max = 65536
        head-seconds-max = 1
        body-seconds-max = 2
        idle-seconds-max = 3
        shutdown-seconds-max = 4
        [audit]
        segment-mib-max = 1
        segment-hours-max = 0
        keep-days = 90
        keep-mib = 1024
        [log]
        level = "debug"
        format = "json"
    "#;
    let settings = file(text).expect("file");
    assert_eq!(settings.data.as_deref(), Some(Path::new("/var/lib/sealstack")));
    assert_eq!(settings.log.format, Some(LogFormat::Json));
    let config = resolve(settings).expect("config");
    assert_eq!(config.seal.kind, Some(SealKind::Passphrase));
    assert_eq!(config.tls.names.len(), 2);
    assert_eq!(config.key_stores.hsm["cluster-vaultroomone"].sessions, Some(8));
    assert_eq!(config.key_stores.xks["https://keys.example.com"].port, Some(8443));
    assert_eq!(config.key_stores.xks["https://other.example.com"], XksSettings::default());
    assert_eq!(config.audit.segment_bytes_max, 1 << 20);
    assert_eq!(config.audit.keep, Keep::Bytes(1 << 30));
    assert_eq!(config.limits.shutdown_timeout.as_secs(), 4);
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    for (text, place, key) in [
        ("listen = '127.0.0.1:1'\nlisten-adress = 'x'\n", "line 2", "listen-adress"),
        ("[seal]\nkindle = 'key-file'\n", "line 2", "kindle"),
        ("[sealing]\nkind = 'key-file'\n", "line 1", "sealing"),
    ] {
        let message = file(text).expect_err("unknown").to_string();
        assert!(message.contains(place) && message.contains(key), "{message}");
    }
}

#[test]
fn a_value_out_of_bounds_is_refused_by_its_name() {
    for (arguments, name) in [
        (["--region", "US EAST"], "region"),
        (["--regions", "home-1,Away"], "regions"),
        (["--account", "12345678901"], "account"),
        (["--endpoint-url", "keys.example.com"], "endpoint-url"),
        (["--endpoint-url", "https://keys.example.com/path"], "endpoint-url"),
        (["--workers", "0"], "workers"),
        (["--head-bytes-max", "1"], "head-bytes-max"),
        (["--body-bytes-max", "1000000000"], "body-bytes-max"),
        (["--idle-seconds-max", "0"], "idle-seconds-max"),
        (["--audit-keep-days", "0"], "audit-keep-days"),
        (["--tls-key", "/key.pem"], "tls-certificate"),
    ] {
        let error = resolve(flags(&arguments)).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn the_audit_log_takes_a_part_of_the_disk_unless_the_operator_says_otherwise() {
    let root = Path::new("/");
    let keep = |arguments: &[&str]| resolve(flags(arguments)).expect("config").audit.keep_bytes(root);
    let total = crate::disk::Space::of(root).expect("a file system").total;
    assert!(keep(&[]).is_some_and(|bytes| bytes <= total / 2));
    assert_eq!(keep(&["--audit-keep-mib", "5"]), Some(5 << 20));
    assert_eq!(keep(&["--audit-keep-mib", "0"]), None);
}

#[test]
fn tokens_and_proxies_are_named_as_callers_name_them() {
    let hsm = |name: &str| format!("[hsm.{name}]\nmodule = 'm'\ntoken-label = 't'\n");
    for (text, named) in [
        (hsm("vaultroomone"), "hsm"),
        (hsm("cluster-short"), "hsm"),
        (hsm("cluster-vaultroomone1"), "hsm"),
        (hsm("cluster-vaultroomone") + "sessions = 0\n", "sessions"),
        ("[xks.\"http://keys.example.com\"]\n".to_owned(), "xks"),
        ("[xks.\"https://keys.example.com:443\"]\n".to_owned(), "xks"),
        ("[xks.\"https://keys.example.com/kms\"]\n".to_owned(), "xks"),
    ] {
        let error = resolve(file(&text).expect("a file")).expect_err(&text);
        assert!(error.to_string().contains(named), "{error}");
    }
    assert!(file("[hsm.cluster-vaultroomone]\npin = '1234'\n").is_err(), "a PIN has no place in the file");
}

#[test]
fn a_file_in_the_data_directory_is_read_unless_another_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("sealstack.toml"), "region = 'eu-west-1'").expect("a file");
    let other = dir.path().join("other.toml");
    std::fs::write(&other, "region = 'eu-west-2'\ndata = '/elsewhere'").expect("a file");
    let place = |data: Option<&Path>, config: Option<&Path>| Place {
        data: data.map(Path::to_owned),
        config: config.map(Path::to_owned),
    };

    let (data, settings) = place(Some(dir.path()), None).resolve().expect("own file");
    assert_eq!((data.as_path(), settings.region.as_deref()), (dir.path(), Some("eu-west-1")));
    let (data, settings) = place(None, Some(&other)).resolve().expect("named file");
    assert_eq!((data.as_path(), settings.region.as_deref()), (Path::new("/elsewhere"), Some("eu-west-2")));
    let (data, _) = place(Some(dir.path()), Some(&other)).resolve().expect("a flag over the file");
    assert_eq!(data, dir.path());

    assert!(matches!(place(None, Some(Path::new("/none.toml"))).resolve(), Err(ConfigError::Unreadable { .. })));
    std::fs::write(dir.path().join("sealstack.toml"), "data = '/elsewhere'").expect("a file");
    assert!(matches!(place(Some(dir.path()), None).resolve(), Err(ConfigError::OwnPlace { .. })));
}

#[test]
fn the_help_states_the_defaults_that_hold() {
    use clap::CommandFactory as _;
    let help = Command::command().render_long_help().to_string();
    let (limits, audit) = (Limits::default(), AuditConfig::default());
    for (flag, default) in [
        ("--listen", LISTEN.to_string()),
        ("--region", REGION.to_owned()),
        ("--connections-max", limits.connections_max.to_string()),
        ("--head-bytes-max", limits.head_bytes_max.to_string()),
        ("--body-bytes-max", limits.body_bytes_max.to_string()),
        ("--head-seconds-max", limits.head_timeout.as_secs().to_string()),
        ("--body-seconds-max", limits.body_timeout.as_secs().to_string()),
        ("--idle-seconds-max", limits.idle_timeout.as_secs().to_string()),
        ("--shutdown-seconds-max", limits.shutdown_timeout.as_secs().to_string()),
        ("--audit-segment-mib-max", (audit.segment_bytes_max >> 20).to_string()),
        ("--audit-segment-hours-max", audit.segment_hours_max.to_string()),
    ] {
        let after = help.split_once(&format!("{flag} <")).expect(flag).1;
        let stated = after.split_once("[default: ").expect(flag).1.split(']').next().expect(flag);
        assert_eq!(stated, default, "{flag}");
    }
}

#[test]
fn every_flag_can_come_from_the_environment() {
    use clap::CommandFactory as _;
    for argument in Command::command().get_arguments() {
        let flag = argument.get_long().expect("only flags");
        let name = argument.get_env().unwrap_or_else(|| panic!("--{flag} has no variable")).to_string_lossy();
        let expected = match flag {
            "tls-name" => "SEALSTACK_TLS_NAMES".to_owned(),
            flag => format!("SEALSTACK_{}", flag.replace('-', "_").to_uppercase()),
        };
        assert_eq!(name, expected);
    }
}

#[test]
fn the_region_that_clients_are_told_is_served_as_are_those_listed() {
    let config = resolve(flags(&["--region", "home-1", "--regions", "away-1,away-2"])).expect("a configuration");
    for (region, served) in [("home-1", true), ("away-2", true), ("eu-west-1", true), ("far-1", false)] {
        assert_eq!(config.regions.has(region), served, "{region}");
    }
    assert!(resolve(file("regions = ['away-1']").expect("a file")).expect("a configuration").regions.has("away-1"));
}

#[test]
fn a_file_that_every_user_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("sealstack.toml");
    std::fs::write(&path, "region = 'eu-west-1'").expect("a file");
    let read = || Place { data: Some(dir.path().to_owned()), config: None }.resolve();
    for (mode, readable) in [(0o644, true), (0o664, true), (0o646, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        assert_eq!(read().is_ok(), readable, "{mode:o}");
    }
    assert!(read().expect_err("refused").to_string().contains("chmod o-w"));
}
