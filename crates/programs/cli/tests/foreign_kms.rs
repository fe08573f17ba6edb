//! A key service that is neither AWS's nor ours: moto's, from PyPI. It seals the root key, and wraps the data keys of
//! messages. It verifies signatures and policies with code that nobody here wrote.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use testkit::{Calls, Moto, MotoWorld, Python, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

fn printed(output: &Output) -> String {
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}{complaint}", output.status);
    out.into_owned()
}

#[track_caller]
fn refused(output: &Output, code: i32, parts: &[&str]) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    for part in parts {
        assert!(complaint.contains(part), "{part} in: {complaint}");
    }
}

/// A subcommand on a data directory, as the holder of an access key of moto's.
fn sealstack(data: &Path, moto: &Moto, access_key: &(String, String), arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).env("SEALSTACK_DATA", data).stdin(Stdio::null());
    moto.configure(&mut command, access_key).output().expect("it runs")
}

#[test]
fn a_foreign_key_service_seals_the_root_key_and_opens_it_at_every_start() {
    let moto = Moto::start(0);
    let MotoWorld { key, other, keeper, stranger } = moto.set_up();
    let arguments = ["--seal", "kms", "--seal-kms-key", "alias/root"];
    let server = Server::start_in(moto.environment(&keeper), BINARY, &arguments);
    let status = printed(&server.sealstack(&["seal", "status"]));
    assert!(status.contains(&key) && status.contains("generation 1"), "{status}");
    let id = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    let blob = Calls::new(&server).encrypt(&id, b"kept").expect("encrypted");
    let opens = |server: &Server| {
        assert_eq!(Calls::new(server).decrypt(&id, &blob).expect("decrypted"), b"kept");
    };

    // Killed and started again, it opens by itself; so it does after a rotation, away from the service, and back.
    let mut server = server.kill().restart();
    opens(&server);
    for (to, generation) in [
        (&["seal", "rotate"][..], 2),
        (&["seal", "rotate", "--new-seal", "key-file"], 3),
        (&["seal", "rotate", "--new-seal", "kms", "--new-seal-kms-key", &other], 4),
        (&["seal", "rotate", "--new-seal-kms-key", "alias/root"], 5),
    ] {
        let said = printed(&server.sealstack(to));
        assert!(said.contains(&format!("generation {generation}")), "{said}");
        opens(&server);
        server = server.kill().restart_with(&[]);
        opens(&server);
    }
    let stopped = server.terminate();
    let status = printed(&stopped.sealstack(&["seal", "status"]));
    assert!(status.contains(&key), "{status}");

    // The service's refusal is reported in its words, and with the key.
    let data = stopped.data();
    let verify = |access_key: &(String, String), arguments: &[&str]| {
        sealstack(&data, &moto, access_key, &[&["audit", "verify"], arguments].concat())
    };
    printed(&verify(&keeper, &[]));
    refused(&verify(&stranger, &[]), 6, &[&key, "AccessDenied", "kms:Decrypt", "user/stranger"]);
    let forger = (keeper.0.clone(), "wrong/secret".to_owned());
    refused(&verify(&forger, &[]), 6, &[&key, "Signature"]);
    refused(&verify(&keeper, &["--seal-kms-key", &other]), 6, &[&other, "AccessDeniedException"]);
    let nowhere = key.replace(key.rsplit('/').next().expect("an id"), "11111111-2222-3333-4444-555555555555");
    refused(&verify(&keeper, &["--seal-kms-key", &nowhere]), 6, &[&nowhere, "NotFoundException"]);
    let header = data.join("seal/root.json");
    let whole = std::fs::read_to_string(&header).expect("a header");
    let deployment = status.split("sealstack:deployment=").nth(1).and_then(|rest| rest.lines().next()).expect("its id");
    std::fs::write(&header, whole.replace(deployment, &"0".repeat(32))).expect("written");
    refused(&verify(&keeper, &[]), 6, &[&key, "for another deployment"]);
    std::fs::write(&header, whole).expect("written");

    // Out of reach, and back without its keys.
    let (port, place) = (moto.port(), format!("127.0.0.1:{}", moto.port()));
    let environment = moto.environment(&keeper);
    drop(moto);
    let start = || {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("SEALSTACK_DATA", &data).stdin(Stdio::null());
        command.envs(environment.iter().map(|(name, value)| (name, value))).output().expect("it runs")
    };
    refused(&start(), 6, &[&key, "cannot be used", "can't connect to", &place]);
    let forgetful = Moto::start(port);
    refused(&start(), 6, &[&key, "cannot be used", "NotFoundException"]);
    drop(forgetful);
}

#[test]
fn messages_are_wrapped_by_a_foreign_key_service() {
    let moto = Moto::start(0);
    let MotoWorld { key, other, keeper, stranger } = moto.set_up();
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("plain"), b"salaries").expect("written");
    let run = |access_key: &(String, String), arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(directory.path()).stdin(Stdio::null());
        moto.configure(&mut command, access_key).output().expect("it runs")
    };
    let (by_arn, by_other) = (format!("key={key}"), format!("key={other}"));
    let sealed = ["encrypt", "-w", &by_arn, "-c", "purpose=test", "-i", "plain", "-o", "sealed"];
    printed(&run(&keeper, &sealed));
    for named in [&["-w", by_arn.as_str()][..], &["-w", "discovery=true"]] {
        let opened = run(&keeper, &[&["decrypt", "-i", "sealed", "-o", "-"], named].concat());
        assert_eq!(printed(&opened), "salaries");
    }
    // The alias names the key when data keys are made.
    printed(&run(&keeper, &["encrypt", "-w", "key=alias/root", "-i", "plain", "-o", "by-alias"]));
    assert_eq!(printed(&run(&keeper, &["decrypt", "-w", &by_arn, "-i", "by-alias", "-o", "-"])), "salaries");

    // The AWS Encryption SDK opens it with the same service.
    let program = "import sys, aws_encryption_sdk as sdk\n\
                   client = sdk.EncryptionSDKClient(max_encrypted_data_keys=2)\n\
                   provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[sys.argv[1]])\n\
                   opened, header = client.decrypt(source=open(sys.argv[2], 'rb').read(), key_provider=provider)\n\
                   assert header.encryption_context['purpose'] == 'test'\n\
                   print(opened.decode(), end='')\n";
    let mut python = Python::installed().command("python");
    python.args(["-c", program, &key]).arg(path("sealed"));
    assert_eq!(printed(&moto.configure(&mut python, &keeper).output().expect("python")), "salaries");

    // To another key, after which the first one opens it no more.
    printed(&run(
        &keeper,
        &["reencrypt", "-w", &by_arn, "--new-wrapping-keys", &by_other, "-i", "sealed", "-o", "moved"],
    ));
    assert_eq!(printed(&run(&keeper, &["decrypt", "-w", &by_other, "-i", "moved", "-o", "-"])), "salaries");
    refused(&run(&keeper, &["decrypt", "-w", &by_arn, "-i", "moved", "-o", "x"]), 1, &[&other]);
    for (arguments, action) in
        [(&sealed[..8], "kms:GenerateDataKey"), (&["decrypt", "-w", &by_arn, "-i", "sealed", "-o"], "kms:Decrypt")]
    {
        let output = run(&stranger, &[arguments, &["x"]].concat());
        refused(&output, 1, &["AccessDenied", "user/stranger", action]);
    }
    assert!(!path("x").exists());
}
