//! The cost of authorisation for a call, and the time of lists in a large account.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, Credentials, call_iam, call_kms, element};
use crate::load::{Connection, Load, replay};
use crate::operation::{PLAINTEXT, VARIANTS};
use crate::process::Process;
use crate::report;

/// Policies of a caller with many, and statements of each.
const POLICIES: usize = 10;
const STATEMENTS: usize = 20;

/// The subject of the statements of a caller with many.
#[derive(Clone, Copy)]
enum Statements {
    /// Several services; every other one covers the requested action, on other resources or conditions.
    Mixed,
    /// All of them cover the requested action, half of them the key as well, under conditions that fail.
    Dense,
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// One statement that does not apply to the load's requests.
fn statement(kind: Statements, index: usize, key: &str) -> Value {
    let other = format!("arn:aws:kms:us-east-1:*:key/0000{index:04}-*");
    let conditional = json!({"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": format!("other-{index}")}}});
    let elsewhere = json!({"Effect": "Allow", "Action": "kms:*", "Resource": other});
    match (kind, index % 8) {
        (Statements::Mixed, 0 | 4) => conditional,
        (Statements::Mixed, 2) => elsewhere,
        (Statements::Mixed, 6) => json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
        (Statements::Mixed, 1 | 5) => json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": format!("arn:aws:s3:::bucket-{index}/*")}),
        (Statements::Mixed, _) => json!({"Effect": "Allow", "Action": ["kms:ScheduleKeyDeletion", "kms:TagResource"],
            "Resource": other}),
        (Statements::Dense, 0 | 2 | 4) => conditional,
        (Statements::Dense, 6) => json!({"Effect": "Deny", "Action": "kms:Enc*", "Resource": key,
            "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}}),
        (Statements::Dense, _) => elsewhere,
    }
}

struct User {
    name: &'static str,
    credentials: Credentials,
}

/// A user whose first policy allows the request, or whose last one of many does.
async fn user(
    connection: &mut Connection,
    administrator: &Credentials,
    address: SocketAddr,
    name: &'static str,
    many: Option<(Statements, &str)>,
) -> std::io::Result<User> {
    call_iam(connection, administrator, address, &format!("Action=CreateUser&UserName={name}")).await?;
    let allowing = json!({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"});
    let policies: Vec<Vec<Value>> = match many {
        None => vec![vec![allowing]],
        Some((kind, key)) => (0..POLICIES)
            .map(|policy| {
                let numbers = (0..STATEMENTS).map(|index| policy * STATEMENTS + index);
                let mut statements: Vec<_> = numbers.map(|index| statement(kind, index, key)).collect();
                if policy == POLICIES - 1 {
                    statements.pop();
                    statements.push(allowing.clone());
                }
                statements
            })
            .collect(),
    };
    for (index, statements) in policies.into_iter().enumerate() {
        let document = percent(&json!({"Version": "2012-10-17", "Statement": statements}).to_string());
        let form = format!("Action=CreatePolicy&PolicyName={name}-{index}&PolicyDocument={document}");
        let made = call_iam(connection, administrator, address, &form).await?;
        let arn = percent(element(&made, "Arn").unwrap_or_default());
        let form = format!("Action=AttachUserPolicy&UserName={name}&PolicyArn={arn}");
        call_iam(connection, administrator, address, &form).await?;
    }
    let xml = call_iam(connection, administrator, address, &format!("Action=CreateAccessKey&UserName={name}")).await?;
    let text = |name| element(&xml, name).unwrap_or_default().to_owned();
    Ok(User { name, credentials: Credentials { id: text("AccessKeyId"), secret: text("SecretAccessKey") } })
}

/// The extra cost of a call for a caller with many statements over one with a single one, in processor time.
pub(crate) async fn authorisation(
    sealstack: &Process,
    administrator: &Credentials,
    duration: Duration,
    rounds: usize,
) -> std::io::Result<()> {
    const CONNECTIONS: usize = 16;
    let address = sealstack.address;
    let mut connection = Connection::open(address).await?;
    let created = call_kms(&mut connection, administrator, address, "CreateKey", &json!({})).await?;
    let key = created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned();
    let body = json!({"KeyId": key, "Plaintext": PLAINTEXT, "EncryptionContext": {"purpose": "bench"}});
    let users = [
        user(&mut connection, administrator, address, "one-statement", None).await?,
        user(&mut connection, administrator, address, "mixed", Some((Statements::Mixed, &key))).await?,
        user(&mut connection, administrator, address, "dense", Some((Statements::Dense, &key))).await?,
    ];
    let requests = users.each_ref().map(|user| {
        Arc::new((0..VARIANTS).map(|_| client::kms(&user.credentials, address, "Encrypt", &body)).collect::<Vec<_>>())
    });
    let mut costs: [Vec<f64>; 3] = Default::default();
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..=rounds {
        for (index, requests) in requests.iter().enumerate() {
            let before = sealstack.cpu();
            let load = Load { address, closes: false, requests: Arc::clone(requests) };
            let measured = replay(&load, CONNECTIONS, duration).await?;
            if measured.failed > 0 {
                return Err(std::io::Error::other(format!("{} requests were refused", measured.failed)));
            }
            let spent = sealstack.cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
            // The first round warms up and is not counted.
            if round > 0 {
                costs[index].extend(spent.map(|spent| spent.as_secs_f64() * 1e6 / measured.answered as f64));
                rates[index].push(measured.requests_per_second);
            }
        }
    }
    println!("{:<16} {:>10} {:>14} {:>24}", "Encrypt by", "req/s", "CPU a call", "more than one statement");
    let first = costs[0].clone();
    for ((user, costs), rates) in users.iter().zip(&mut costs).zip(&mut rates) {
        let mut more: Vec<_> = costs.iter().zip(&first).map(|(cost, first)| cost - first).collect();
        println!(
            "{:<16} {:>10.0} {:>11.2} µs {:>21.2} µs",
            user.name,
            report::median(rates),
            report::median(costs),
            report::median(&mut more)
        );
    }
    Ok(())
}

/// Makes an account large: users in one group, with one managed policy each, and managed policies.
async fn fill(address: SocketAddr, administrator: &Credentials, users: usize, policies: usize) -> std::io::Result<()> {
    const CONNECTIONS: usize = 64;
    let mut connection = Connection::open(address).await?;
    call_iam(&mut connection, administrator, address, "Action=CreateGroup&GroupName=everybody").await?;
    let mut tasks = Vec::new();
    for share in 0..CONNECTIONS {
        let administrator = administrator.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let document = percent(
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#,
            );
            for index in (share..users).step_by(CONNECTIONS) {
                for form in [
                    format!("Action=CreateUser&UserName=user-{index:05}&Path=/team-{}/", index % 100),
                    format!("Action=AddUserToGroup&GroupName=everybody&UserName=user-{index:05}"),
                    format!(
                        "Action=AttachUserPolicy&UserName=user-{index:05}&PolicyArn={}",
                        percent("arn:aws:iam::aws:policy/ReadOnlyAccess")
                    ),
                ] {
                    call_iam(&mut connection, &administrator, address, &form).await?;
                }
            }
            for index in (share..policies).step_by(CONNECTIONS) {
                let form = format!("Action=CreatePolicy&PolicyName=policy-{index:05}&PolicyDocument={document}");
                call_iam(&mut connection, &administrator, address, &form).await?;
            }
            Ok::<_, std::io::Error>(())
        }));
    }
    for task in tasks {
        task.await.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// The time of each page of each list in a large account.
pub(crate) async fn lists(
    sealstack: &Process,
    administrator: &Credentials,
    users: usize,
    policies: usize,
) -> std::io::Result<()> {
    let address = sealstack.address;
    let begun = Instant::now();
    fill(address, administrator, users, policies).await?;
    println!("made {users} users and {policies} policies in {:.1} s", begun.elapsed().as_secs_f64());
    let read_only = percent("arn:aws:iam::aws:policy/ReadOnlyAccess");
    let lists = [
        ("ListUsers", "Action=ListUsers".to_owned()),
        ("ListUsers, pages of 1000", "Action=ListUsers&MaxItems=1000".to_owned()),
        ("ListUsers of one path", "Action=ListUsers&PathPrefix=/team-7/".to_owned()),
        ("ListPolicies", "Action=ListPolicies".to_owned()),
        ("ListPolicies, pages of 1000", "Action=ListPolicies&MaxItems=1000".to_owned()),
        ("ListPolicies, attached", "Action=ListPolicies&OnlyAttached=true&MaxItems=1000".to_owned()),
        ("GetGroup, pages of 1000", "Action=GetGroup&GroupName=everybody&MaxItems=1000".to_owned()),
        ("ListEntitiesForPolicy, 1000", format!("Action=ListEntitiesForPolicy&PolicyArn={read_only}&MaxItems=1000")),
        ("GetAccountAuthorization…", "Action=GetAccountAuthorizationDetails".to_owned()),
        ("GetAccountAuthorization…, 1000", "Action=GetAccountAuthorizationDetails&MaxItems=1000".to_owned()),
        ("ListGroupsForUser", "Action=ListGroupsForUser&UserName=user-00000".to_owned()),
        ("ListAttachedUserPolicies", "Action=ListAttachedUserPolicies&UserName=user-00000".to_owned()),
    ];
    let mut connection = Connection::open(address).await?;
    println!("{:<32} {:>6} {:>12} {:>12}", "list", "pages", "median", "slowest");
    for (name, form) in lists {
        let mut times = Vec::new();
        let mut marker = String::new();
        loop {
            let request = client::iam(administrator, address, &format!("{form}{marker}"));
            let begun = Instant::now();
            let answer = connection.call(&request).await?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            if answer.status != 200 {
                return Err(std::io::Error::other(format!("{name} answered {}: {said}", answer.status)));
            }
            match element(&said, "Marker") {
                Some(next) => marker = format!("&Marker={}", percent(next)),
                None => break,
            }
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        println!("{name:<32} {:>6} {:>9.2} ms {slowest:>9.2} ms", times.len(), report::median(&mut times));
    }
    Ok(())
}
