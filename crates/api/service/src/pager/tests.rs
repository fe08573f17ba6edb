use crypto::Key256;
use serde::{Deserialize, Serialize};
use store::Store;

use super::*;

fn window(token: Option<String>, size: usize) -> Window {
    Window::new(token, Some(size), 1, 1000)
}

/// Goes through all pages.
fn join<T>(mut page: impl FnMut(Option<String>) -> Listed<T>) -> Vec<T> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let listed = page(token);
        all.extend(listed.items);
        token = listed.next;
        if token.is_none() {
            return all;
        }
    }
}

#[test]
fn pages_put_together_are_the_whole_list() {
    let names = ["a", "b", "c", "d", "e"];
    for size in 1..7 {
        assert_eq!(join(|token| window(token, size).by_name(names, |name| name).expect("a page")), names, "{size}");
        assert_eq!(join(|token| window(token, size).by_count(names.to_vec()).expect("a page")), names, "{size}");
    }
}

#[test]
fn a_token_outlives_the_item_it_names() {
    let next = window(None, 2).by_name(["a", "b", "c"], |name| name).expect("a page").next;
    let listed = window(next, 2).by_name(["a", "c"], |name| name).expect("a page");
    assert_eq!(listed, Listed { items: vec!["c"], next: None });
}

#[test]
fn a_list_that_just_fits_is_not_truncated() {
    for (count, truncated) in [(0, false), (99, false), (100, false), (101, true)] {
        let listed = Window::new(None, None::<u32>, 100, 1000).by_count(vec![(); count]).expect("a page");
        assert_eq!(listed.is_truncated(), truncated, "{count}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    for token in ["!", "_w", "a"] {
        let token = Some(token.to_owned());
        let page = window(token.clone(), 2).by_name(["a"], |name| name);
        assert!(matches!(page, Err(StoreError::BadCursor)), "{token:?}");
        let page = window(token.clone(), 2).by_count(vec!["a"]);
        assert!(matches!(page, Err(StoreError::BadCursor)), "{token:?}");
        assert!(matches!(window(token, 2).cursor(), Err(StoreError::BadCursor)));
    }
}

#[test]
fn a_page_has_a_size_within_bounds() {
    for (asked, size) in [(None, 50), (Some(1), 1), (Some(0), 1), (Some(-1), 50), (Some(100), 100), (Some(1000), 100)] {
        assert_eq!(Window::new(None, asked, 50, 100).size(), size, "{asked:?}");
    }
}

#[derive(Serialize, Deserialize)]
struct Number(usize);

impl Record for Number {
    const COLLECTION: &'static str = "numbers";
}

#[tokio::test]
async fn records_are_listed_by_pages_that_a_filter_fills() {
    let store = Store::open_in_memory().expect("a store");
    let fill =
        |tx: &mut store::Tx<'_>| (0..250).try_for_each(|number| tx.put("all", &number.to_string(), &Number(number)));
    store.write(fill).await.expect("written");
    let listed = store.read(|tx| {
        let all = join(|token| window(token, 70).records::<Number>(tx, "all").expect("a page"));
        let even = |looked_at_max| {
            join(|token| {
                let keep = |number: Number| Ok::<_, StoreError>(number.0.is_multiple_of(2).then_some(number));
                let id = |number: &Number| number.0.to_string();
                let listed = window(token, 30).filtered(tx, "all", looked_at_max, id, keep).expect("a page");
                assert!(listed.items.len() <= 30);
                listed
            })
        };
        Ok::<_, StoreError>((all, even(usize::MAX), even(1)))
    });
    let (all, even, even_of_short_pages) = listed.await.expect("read");
    let sorted = |numbers: Vec<Number>| {
        let mut numbers: Vec<_> = numbers.into_iter().map(|number| number.0).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(sorted(all), (0..250).collect::<Vec<_>>());
    for even in [even, even_of_short_pages] {
        assert_eq!(sorted(even), (0..250).step_by(2).collect::<Vec<_>>());
    }
}

#[test]
fn a_filter_that_lets_nothing_more_pass_ends_the_list() {
    let store = Store::open_in_memory().expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let read = async {
        let fill =
            |tx: &mut store::Tx<'_>| (0..9).try_for_each(|number| tx.put("all", &number.to_string(), &Number(number)));
        store.write(fill).await?;
        store
            .read(|tx| {
                let keep = |number: Number| Ok::<_, StoreError>((number.0 < 3).then_some(number));
                window(None, 3).filtered(tx, "all", usize::MAX, |number| number.0.to_string(), keep)
            })
            .await
    };
    let listed = runtime.block_on(read).expect("read");
    assert_eq!((listed.items.len(), listed.next), (3, None));
}

#[test]
fn a_sealed_token_serves_the_list_that_gave_it() {
    let from = Key256::random();
    let key = TokenKey::derive(&from, b"lists of a test");
    let token = key.seal(b"42", b"this one");
    assert_eq!(key.open(&token, b"this one").expect("opens").expose(), b"42");
    assert!(key.open(&token, b"another").is_none());
    assert!(TokenKey::derive(&from, b"other lists").open(&token, b"this one").is_none());
    for text in ["", "42", "!", &token[1..]] {
        assert!(key.open(text, b"this one").is_none(), "{text}");
    }
}
