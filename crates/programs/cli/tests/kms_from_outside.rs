//! KMS from outside with boto3: as Terraform manages keys.

use testkit::Server;

fn server() -> Server {
    Server::start(env!("CARGO_BIN_EXE_sealstack"), &[])
}

#[test]
fn plans_apply_change_and_are_destroyed() {
    let said = server().script("terraform_sequences.py", &[]);
    assert_eq!(said, "Plans apply, change and are destroyed.\n");
}
