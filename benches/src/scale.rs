//! How the time of single calls grows with the number of keys in a region.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{self, Credentials, call_kms};
use crate::load::Connection;
use crate::operation::{Keys, PLAINTEXT};
use crate::process::Process;
use crate::{binary, report};

/// How many keys are few.
const FEW: usize = 1000;

/// Calls of each operation: those that warm up, and those that are timed.
const CALLS: [usize; 2] = [100, 500];

/// An account can have 100,000 keys in a region, and measuring makes some more.
const KEYS_AN_ACCOUNT: usize = 98_000;

/// Times single calls, with [`FEW`] keys and then with `keys`.
pub(crate) async fn measure(keys: usize) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let (seed, administrators) = accounts(keys.div_ceil(KEYS_AN_ACCOUNT).max(1));
    let file = directory.path().join("seed.toml");
    std::fs::write(&file, seed)?;
    let seed = ["--seed", file.to_str().unwrap_or_default()];
    let sealstack = Process::sealstack(&binary()?, &data, &seed)?;
    let [administrator, others @ ..] = administrators.as_slice() else { return Ok(()) };
    let address = sealstack.address;
    create_keys(address, administrator, FEW).await?;
    let few = time_operations(address, administrator).await?;
    let begun = Instant::now();
    create_keys(address, administrator, keys.min(KEYS_AN_ACCOUNT).saturating_sub(FEW)).await?;
    for (index, other) in others.iter().enumerate() {
        create_keys(address, other, (keys - (index + 1) * KEYS_AN_ACCOUNT).min(KEYS_AN_ACCOUNT)).await?;
    }
    println!("made {keys} keys, {:.0} a second, each durable", keys as f64 / begun.elapsed().as_secs_f64());
    let many = time_operations(address, administrator).await?;
    println!("{:<28} {:>12} {:>12} {:>7}", "operation", format!("{FEW} keys"), format!("{keys} keys"), "ratio");
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name:<28} {few:>9.0} µs {many:>9.0} µs {:>7.2}", many / few);
    }
    println!("memory: {:.1} MB resident", sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0);
    drop(sealstack);
    let again = Process::sealstack(&binary()?, &data, &[])?;
    println!("start to first answer with {keys} keys: {} ms", again.started_in.as_millis());
    Ok(())
}

/// The seed of so many accounts, and their administrators.
fn accounts(count: usize) -> (String, Vec<Credentials>) {
    let mut seed = String::new();
    let mut administrators = Vec::new();
    for index in 0..count {
        let (account, id) = (111_111_111_111 + index, format!("AKIABENCHMARK{index:07}"));
        let secret = format!("the secret of administrator {index:07}");
        // Writing text to memory cannot fail.
        let _ = writeln!(
            seed,
            "[[account]]\nid = \"{account}\"\nadministrator = {{ id = \"{id}\", secret = \"{secret}\" }}"
        );
        administrators.push(Credentials { id, secret });
    }
    (seed, administrators)
}

async fn create_keys(address: SocketAddr, administrator: &Credentials, keys: usize) -> std::io::Result<()> {
    const CONNECTIONS: usize = 64;
    let mut tasks = Vec::new();
    for index in 0..CONNECTIONS {
        let administrator = administrator.clone();
        let share = keys / CONNECTIONS + usize::from(index < keys % CONNECTIONS);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            for _ in 0..share {
                call_kms(&mut connection, &administrator, address, "CreateKey", &json!({})).await?;
            }
            Ok::<_, std::io::Error>(())
        }));
    }
    for task in tasks {
        task.await.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// The median time of each operation, in microseconds.
async fn time_operations(
    address: SocketAddr,
    administrator: &Credentials,
) -> std::io::Result<Vec<(&'static str, f64)>> {
    // What making keys has left to be done, such as a checkpoint, is not what is timed.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut connection = Connection::open(address).await?;
    let Keys { symmetric: key, ciphertext, .. } = Keys::symmetric(&mut connection, administrator, address).await?;
    let page = call_kms(&mut connection, administrator, address, "ListKeys", &json!({"Limit": 50})).await?;
    let calls = [
        ("Encrypt", "Encrypt", json!({"KeyId": key, "Plaintext": PLAINTEXT})),
        ("Decrypt", "Decrypt", json!({"CiphertextBlob": ciphertext, "EncryptionContext": {"purpose": "bench"}})),
        ("GenerateDataKey", "GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("DescribeKey", "DescribeKey", json!({"KeyId": key})),
        ("ListKeys, first 50", "ListKeys", json!({"Limit": 50})),
        ("ListKeys, a later 50", "ListKeys", json!({"Limit": 50, "Marker": page["NextMarker"]})),
        ("ListAliases", "ListAliases", json!({"Limit": 50})),
        ("ListGrants", "ListGrants", json!({"KeyId": key})),
        ("UpdateKeyDescription", "UpdateKeyDescription", json!({"KeyId": key, "Description": "measured"})),
        ("CreateKey", "CreateKey", json!({})),
    ];
    let mut medians = Vec::new();
    for (name, operation, body) in calls {
        let mut times = Vec::new();
        let [warming, timed] = CALLS;
        for index in 0..warming + timed {
            let request = client::kms(administrator, address, operation, &body);
            let begun = Instant::now();
            let answer = connection.call(&request).await?;
            if index >= warming {
                times.push(begun.elapsed().as_secs_f64() * 1e6);
            }
            if answer.status != 200 {
                return Err(std::io::Error::other(format!("{name} answered {}", answer.status)));
            }
        }
        medians.push((name, report::median(&mut times)));
    }
    Ok(medians)
}
