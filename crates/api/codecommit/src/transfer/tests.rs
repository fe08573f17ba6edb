//! Pushes as their clients send them, byte by byte.

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::tests::{PACE, REGION, World};

/// A pack that says it has one object and does not go on, and one of no objects.
const BEGUN: &[u8] = b"PACK\0\0\0\x02\0\0\0\x01";
const EMPTY: &[u8] =
    b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";

fn client(world: &World, caller: &str) -> Client {
    Client {
        caller: world.caller(caller),
        region: REGION.to_owned(),
        ip: [192, 0, 2, 1].into(),
        secure: true,
        host: None,
        user_agent: String::new(),
        carrier: Carrier::Http,
    }
}

/// The request of a push that makes a branch, up to where its pack begins.
fn request(branch: &str, tip: &str) -> Vec<u8> {
    let line = format!("{} {tip} refs/heads/{branch}\0report-status\n", "0".repeat(40));
    format!("{:04x}{line}0000", line.len() + 4).into_bytes()
}

/// A push whose client sends `bytes` and no end. What goes on sending is yielded.
fn sending(
    transfers: &Transfers,
    client: Client,
    bytes: Vec<u8>,
) -> (mpsc::Sender<Bytes>, tokio::task::JoinHandle<Result<Option<Push>, TransferError>>) {
    let (sender, receiver) = mpsc::channel::<Bytes>(4);
    sender.try_send(bytes.into()).expect("room");
    let source = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|bytes| (Ok(bytes), receiver))
    });
    let (transfers, mut packets) = (transfers.clone(), Packets::new(source.boxed()));
    let push = tokio::spawn(async move { transfers.receive(&client, "first", &mut packets, true).await });
    (sender, push)
}

#[tokio::test]
async fn a_push_that_comes_slowly_keeps_its_turn_until_another_waits_for_it() {
    let world = World::new();
    world.done("admin", "CreateRepository", json!({"repositoryName": "first"})).await;
    let tip = world.put("main", None, "a", "a").await;
    let performer = Performer::new(Arc::clone(&world.core), Arc::clone(&world.codecommit));
    let transfers = Transfers::new(performer, world.codecommit.git.clone(), "test");

    let begun = [request("slow", &tip), BEGUN.to_vec()].concat();
    let (_goes_on, slow) = sending(&transfers, client(&world, "ana"), begun);
    tokio::time::sleep(PACE * 4).await;
    assert!(!slow.is_finished(), "nobody waits");

    // One whose pack has not begun takes no turn, however long it is silent.
    let (making, silent) = sending(&transfers, client(&world, "ana"), request("silent", &tip));
    let (rest, quick) = sending(&transfers, client(&world, "admin"), request("quick", &tip));
    rest.send(Bytes::from_static(EMPTY)).await.expect("taken");
    drop(rest);
    let slow = slow.await.expect("no panic");
    assert!(matches!(slow, Err(TransferError::Slow)), "{:?}", slow.err());
    let quick = quick.await.expect("no panic").expect("received").expect("a push");
    let (output, mut report) = Output::new(8);
    transfers.finish(&client(&world, "admin"), quick, &output).await.expect("published");
    drop(output);
    let mut said = Vec::new();
    while let Some(piece) = report.recv().await {
        said.extend_from_slice(&piece);
    }
    assert!(String::from_utf8_lossy(&said).contains("ok refs/heads/quick"), "{}", String::from_utf8_lossy(&said));
    assert!(!silent.is_finished());
    making.send(Bytes::from_static(EMPTY)).await.expect("taken");
    drop(making);
    assert!(silent.await.expect("no panic").expect("received").is_some());
}

#[test]
fn addresses_of_one_network_share_their_turns() {
    let network_of = |ip: &str| network(ip.parse().expect("an address"));
    assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff:1"));
    assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
    assert_eq!(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"));
    assert_ne!(network_of("192.0.2.1"), network_of("192.0.2.2"));
}
