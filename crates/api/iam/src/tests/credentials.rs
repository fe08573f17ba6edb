//! Users' credentials besides access keys: passwords, SSH public keys, credentials for Git.

use service::ports::{Authority as _, CredentialError, Proof};
use wire::Timestamp;
use wire::sigv4::SigningKey;

use super::server::{ACCOUNT, NOW, Server, allow, document};

const RSA: &str = concat!(
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDWzNyAxc27NGvxb15rBGi+NFJUUI9CBlVTc5LT/ZRxAgIGboN7eOD4rzm3oZC/44egW5HdsGxwo",
    "RzNtFCRv1dbqI3YmSUsJ+Pi48wpy3nCaLRIFAuo5qCOEnkvGYm8Y2PiLe41/nLT+yD0ki1vp4aHUiiAEULI4KD5zqf5FRi3IMhuFULWMzlaGVCaLkuN",
    "C8daGJoAgcsd7lA8yfv+iAtuxNC3S1ksQVZYmswZTstQWiEAjcDaP/Lz5v8D8Ys9F6Twbbioqa/T0Wyy5IbplXTGx+4jb62zzHMDCo7BsJHAkC5MVpvb",
    "NKWnNFQ6yugDpbBAiJL78zFEHq6qki5ke73z comment"
);

#[tokio::test]
async fn a_git_password_is_shown_once_and_opens_until_it_is_reset_switched_off_or_deleted() {
    let server = Server::start().await;
    server.user("ana").await;
    let (name, git) = (("UserName", "ana"), ("ServiceName", "codecommit.amazonaws.com"));
    let made = server.admin("CreateServiceSpecificCredential", &[name, git]).await.ok();
    let (id, password) = (made.text("ServiceSpecificCredentialId").to_owned(), made.text("ServicePassword").to_owned());
    assert!(id.starts_with("ACCA") && id.len() == 21, "{id}");
    let login = format!("ana-at-{ACCOUNT}");
    assert_eq!(made.text("ServiceUserName"), login);
    let opens = async |password: &str, now: Timestamp| {
        let caller = server.iam.git_caller(&login, password.as_bytes(), now).await.expect("read");
        caller.map(|caller| caller.principal.arn.to_string())
    };
    let arn = Some(format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    assert_eq!(opens(&password, NOW).await, arn);
    assert_eq!(opens("wrong", NOW).await, None);
    assert!(server.iam.git_caller("bob-at-1", password.as_bytes(), NOW).await.expect("read").is_none());

    let listed = server.admin("ListServiceSpecificCredentials", &[("AllUsers", "true")]).await.ok();
    assert_eq!(listed.text("ServiceSpecificCredentialId"), id);
    assert!(!listed.body.contains(&password) && !server.trail().await.contains(&password));

    let which = [name, ("ServiceSpecificCredentialId", id.as_str())];
    let status = |status| [which[0], which[1], ("Status", status)];
    server.admin("UpdateServiceSpecificCredential", &status("Inactive")).await.ok();
    assert_eq!(opens(&password, NOW).await, None);
    server.admin("UpdateServiceSpecificCredential", &status("Active")).await.ok();
    let reset = server.admin("ResetServiceSpecificCredential", &which).await.ok();
    assert_eq!(opens(&password, NOW).await, None);
    assert_eq!(opens(reset.text("ServicePassword"), NOW).await, arn);

    let short = [name, git, ("CredentialAgeDays", "1")];
    let second = server.admin("CreateServiceSpecificCredential", &short).await.ok();
    let login = second.text("ServiceUserName");
    assert_eq!(login, format!("ana+1-at-{ACCOUNT}"));
    let password = second.text("ServicePassword").as_bytes();
    assert!(server.iam.git_caller(login, password, NOW).await.expect("read").is_some());
    assert!(server.iam.git_caller(login, password, NOW.plus_days(1)).await.expect("read").is_none());
    server.admin("CreateServiceSpecificCredential", &[name, git]).await.refused(409, "LimitExceeded");
    let other = [name, ("ServiceName", "cassandra.amazonaws.com")];
    server.admin("CreateServiceSpecificCredential", &other).await.refused(404, "NotSupportedService");

    server.admin("DeleteServiceSpecificCredential", &which).await.ok();
    assert_eq!(opens(reset.text("ServicePassword"), NOW).await, None);
    server.admin("DeleteServiceSpecificCredential", &which).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn an_ssh_key_is_uploaded_once_shown_in_both_forms_and_deleted() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    let name = ("UserName", "ana");
    let made = server.admin("UploadSSHPublicKey", &[name, ("SSHPublicKeyBody", RSA)]).await.ok();
    assert_eq!(made.text("Fingerprint"), "b0:3f:9e:26:b7:2d:8c:36:26:9a:3b:15:9b:4f:d5:af");
    let id = made.text("SSHPublicKeyId").to_owned();
    let again = server.admin("UploadSSHPublicKey", &[name, ("SSHPublicKeyBody", RSA)]).await;
    again.refused(400, "DuplicateSSHPublicKey");
    let other = server.admin("UploadSSHPublicKey", &[name, ("SSHPublicKeyBody", "ssh-rsa AAAA")]).await;
    other.refused(400, "InvalidPublicKey");

    let which = [name, ("SSHPublicKeyId", id.as_str())];
    let pem = [which[0], which[1], ("Encoding", "PEM")];
    let shown = server.admin("GetSSHPublicKey", &pem).await.ok();
    assert!(shown.text("SSHPublicKeyBody").starts_with("-----BEGIN PUBLIC KEY-----"), "{}", shown.body);
    server
        .admin("UploadSSHPublicKey", &[name, ("SSHPublicKeyBody", shown.text("SSHPublicKeyBody"))])
        .await
        .refused(400, "DuplicateSSHPublicKey");
    server.admin("UpdateSSHPublicKey", &[which[0], which[1], ("Status", "Inactive")]).await.ok();
    assert_eq!(server.admin("ListSSHPublicKeys", &[name]).await.ok().text("Status"), "Inactive");
    let message = server.admin("DeleteUser", &[name]).await.refused(409, "DeleteConflict");
    assert_eq!(message, "Cannot delete entity, must delete SSH public keys first.");
    server.admin("DeleteSSHPublicKey", &which).await.ok();
    server.admin("DeleteSSHPublicKey", &which).await.refused(404, "NoSuchEntity");
    server.admin("DeleteUser", &[name]).await.ok();
}

#[tokio::test]
async fn a_password_is_set_changed_by_its_owner_and_held_to_the_policy() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let name = ("UserName", "ana");
    server.admin("GetLoginProfile", &[name]).await.refused(404, "NoSuchEntity");
    let weak = server.admin("CreateLoginProfile", &[name, ("Password", "abcdefgh")]).await;
    weak.refused(400, "PasswordPolicyViolation");
    let first = ("Password", "First-Secret-1");
    server.admin("CreateLoginProfile", &[name, first, ("PasswordResetRequired", "true")]).await.ok();
    server.admin("CreateLoginProfile", &[name, first]).await.refused(409, "EntityAlreadyExists");
    assert_eq!(server.admin("GetLoginProfile", &[name]).await.ok().text("PasswordResetRequired"), "true");
    let message = server.admin("DeleteUser", &[name]).await.refused(409, "DeleteConflict");
    assert!(message.contains("access keys"), "{message}");

    let change = |old, new| [("OldPassword", old), ("NewPassword", new)];
    let to_second = change("First-Secret-1", "Second-Secret-2");
    server.call(&ana, "ChangePassword", &to_second).await.refused(403, "AccessDenied");
    let rules = [("AllowUsersToChangePassword", "true"), ("PasswordReusePrevention", "2")];
    server.admin("UpdateAccountPasswordPolicy", &rules).await.ok();
    let wrong = server.call(&ana, "ChangePassword", &change("Wrong-Secret-0", "Second-Secret-2")).await;
    assert_eq!(wrong.refused(403, "AccessDenied"), "The old password was incorrect.");
    server.call(&ana, "ChangePassword", &to_second).await.ok();
    assert_eq!(server.admin("GetLoginProfile", &[name]).await.ok().text("PasswordResetRequired"), "false");
    let back = server.call(&ana, "ChangePassword", &change("Second-Secret-2", "First-Secret-1")).await;
    back.refused(400, "PasswordPolicyViolation");
    // The account's leave does not outweigh an explicit deny.
    server.allow("ana", &document("Deny", "iam:ChangePassword", "*")).await;
    let third = change("Second-Secret-2", "Third-Secret-3");
    server.call(&ana, "ChangePassword", &third).await.refused(403, "AccessDenied");

    server.admin("UpdateLoginProfile", &[name, ("Password", "Fourth-Secret-4")]).await.ok();
    let trail = server.trail().await;
    assert!(trail.contains("ChangePassword") && !trail.contains("Secret-"), "a password is in the trail");
    server.admin("DeleteLoginProfile", &[name]).await.ok();
    server.admin("DeleteLoginProfile", &[name]).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn the_password_policy_is_set_shown_and_dropped() {
    let server = Server::start().await;
    server.admin("GetAccountPasswordPolicy", &[]).await.refused(404, "NoSuchEntity");
    let rules = [("MinimumPasswordLength", "12"), ("RequireSymbols", "true"), ("MaxPasswordAge", "90")];
    server.admin("UpdateAccountPasswordPolicy", &rules).await.ok();
    let shown = server.admin("GetAccountPasswordPolicy", &[]).await.ok();
    assert_eq!(shown.text("MinimumPasswordLength"), "12");
    assert_eq!((shown.text("RequireSymbols"), shown.text("RequireNumbers")), ("true", "false"));
    assert_eq!((shown.text("ExpirePasswords"), shown.text("MaxPasswordAge")), ("true", "90"));
    server.admin("DeleteAccountPasswordPolicy", &[]).await.ok();
    server.admin("DeleteAccountPasswordPolicy", &[]).await.refused(404, "NoSuchEntity");
    server
        .admin("UpdateAccountPasswordPolicy", &[("MinimumPasswordLength", "5")])
        .await
        .refused(400, "ValidationError");
}

#[tokio::test]
async fn an_administrator_does_not_change_passwords_of_the_root_user() {
    let server = Server::start().await;
    let root = super::access_keys::root_key(&server).await;
    server.call(&root, "GetLoginProfile", &[]).await.refused(400, "ValidationError");
    server.call(&root, "ListSSHPublicKeys", &[]).await.ok();
    let ana = server.user_who("ana", &allow("iam:*")).await;
    server.call(&ana, "ListSSHPublicKeys", &[]).await.ok();
    let change = [("OldPassword", "a"), ("NewPassword", "b")];
    server.call(&root, "ChangePassword", &change).await.refused(400, "InvalidUserType");
}

#[tokio::test]
async fn git_over_https_and_ssh_knows_its_callers_by_what_they_hold() {
    let server = Server::start().await;
    server.user("ana").await;
    let name = ("UserName", "ana");
    let arn = Some(format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    let caller = async |proof: Proof<'_>| match server.iam.authenticate(proof, NOW).await {
        Ok(caller) => Some(caller.principal.arn.to_string()),
        Err(CredentialError::Unknown) => None,
        Err(error) => panic!("{error}"),
    };

    let git = ("ServiceName", "codecommit.amazonaws.com");
    let made = server.admin("CreateServiceSpecificCredential", &[name, git]).await.ok();
    let user_name = format!("ana-at-{ACCOUNT}");
    let password = made.text("ServicePassword").as_bytes();
    assert_eq!(caller(Proof::GitPassword { user_name: &user_name, password }).await, arn);
    assert_eq!(caller(Proof::GitPassword { user_name: &user_name, password: b"other" }).await, None);

    let made = server.admin("CreateAccessKey", &[name]).await.ok();
    let (key, secret) = (made.text("AccessKeyId").to_owned(), made.text("SecretAccessKey").to_owned());
    let (time, host, path) = (NOW.amz_date(), "git.example.com", "/v1/repos/first");
    let signing = SigningKey::derive(secret.as_bytes(), &time[..8], "us-east-1", "codecommit");
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let digest = crypto::hex::encode_hash(&crypto::sha256(canonical.as_bytes()));
    let head = format!("AWS4-HMAC-SHA256\n{}\n{}/us-east-1/codecommit/aws4_request\n", &time[..15], &time[..8]);
    let signature = crypto::hex::encode_hash(&signing.sign(&[head.as_bytes(), &digest]));
    let password = format!("{time}{}", std::str::from_utf8(&signature).expect("digits"));
    let hosts = [host, "git.example.com:8443"];
    let signed =
        |user_name, region, paths| Proof::GitSigned { user_name, password: &password, region, paths, hosts: &hosts };
    let paths = ["/v1/repos/first.git", path];
    assert_eq!(caller(signed(&key, "us-east-1", &paths)).await, arn);
    assert_eq!(caller(signed(&key, "eu-west-1", &paths)).await, None);
    assert_eq!(caller(signed(&key, "us-east-1", &["/v1/repos/second"])).await, None);
    assert_eq!(caller(signed("AKIAIOSFODNN7EXAMPLE", "us-east-1", &paths)).await, None);
    let with_token = format!("{key}%token");
    assert_eq!(caller(signed(&with_token, "us-east-1", &paths)).await, None);
    server.admin("UpdateAccessKey", &[name, ("AccessKeyId", &key), ("Status", "Inactive")]).await.ok();
    assert_eq!(caller(signed(&key, "us-east-1", &paths)).await, None);

    let line = RSA.trim_end_matches(" comment");
    let made = server.admin("UploadSSHPublicKey", &[name, ("SSHPublicKeyBody", RSA)]).await.ok();
    let id = made.text("SSHPublicKeyId").to_owned();
    let ssh = |key_id, public_key| Proof::SshKey { key_id, public_key };
    assert_eq!(caller(ssh(&id, line)).await, arn);
    assert_eq!(caller(ssh(&id, "ssh-rsa AAAA")).await, None);
    assert_eq!(caller(ssh("APKAIOSFODNN7EXAMPLE", line)).await, None);
    assert_eq!(server.iam.index_ssh_keys().await.expect("indexed"), 0);
    let which = [name, ("SSHPublicKeyId", id.as_str())];
    server.admin("UpdateSSHPublicKey", &[which[0], which[1], ("Status", "Inactive")]).await.ok();
    assert_eq!(caller(ssh(&id, line)).await, None);
    server.admin("DeleteSSHPublicKey", &which).await.ok();
    assert_eq!(caller(ssh(&id, line)).await, None);

    let nobody = server.iam.authenticate(Proof::Anonymous, NOW).await.expect("nobody");
    assert_eq!(nobody.principal.kind, policy::PrincipalKind::Anonymous);
}
