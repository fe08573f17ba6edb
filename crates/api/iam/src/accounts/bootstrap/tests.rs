//! The first start, and every later one.

use store::Store;
use wire::Timestamp;

use super::{bootstrap, end_first_start, unfinished_first_start};
use crate::accounts;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Who makes accounts.
const OPERATOR: service::Operator = service::Operator { uid: 1000, time: NOW };

#[tokio::test]
async fn the_first_start_makes_one_account_and_later_ones_change_nothing() {
    let store = Store::open_in_memory().expect("a store");
    let first = bootstrap(&store, None, OPERATOR).await.expect("done").expect("the first start");
    assert_eq!(first.arn.as_str(), format!("arn:aws:iam::{}:user/administrator", first.account));
    assert_eq!(first.secret_access_key.expose().len(), 40);
    for account in [None, Some("111122223333".to_owned())] {
        assert!(bootstrap(&store, account, OPERATOR).await.expect("done").is_none());
    }
    let known = accounts(&store).await.expect("read");
    assert_eq!(known.into_iter().map(|account| account.id).collect::<Vec<_>>(), [first.account]);
}

#[tokio::test]
async fn an_account_id_has_twelve_digits() {
    let store = Store::open_in_memory().expect("a store");
    for id in ["", "12345678901", "1234567890123", "12345678901x"] {
        assert!(bootstrap(&store, Some(id.to_owned()), OPERATOR).await.is_err(), "{id}");
    }
    assert!(accounts(&store).await.expect("read").is_empty());
}

#[tokio::test]
async fn what_a_first_start_made_can_be_asked_for_until_it_is_handed_over() {
    let store = Store::open_in_memory().expect("a store");
    assert!(unfinished_first_start(&store).await.expect("read").is_none(), "nothing was begun");
    let first = bootstrap(&store, None, OPERATOR).await.expect("done").expect("the first start");
    for _ in 0..2 {
        let made = unfinished_first_start(&store).await.expect("read").expect("begun");
        let [again] = made.as_slice() else { panic!("one administrator") };
        assert_eq!((&again.account, &again.arn), (&first.account, &first.arn));
        assert_eq!(again.access_key_id, first.access_key_id);
        assert_eq!(again.secret_access_key.expose(), first.secret_access_key.expose());
    }
    end_first_start(&store).await.expect("written");
    assert!(unfinished_first_start(&store).await.expect("read").is_none());
    assert!(bootstrap(&store, None, OPERATOR).await.expect("done").is_none());
}
