use super::*;

fn text(share: &Share) -> String {
    String::from_utf8(share.text().expose().to_vec()).unwrap()
}

fn gathering(splits: &[Split]) -> Gathering {
    Gathering { splits: splits.to_vec(), given: Vec::new() }
}

fn read(text: &str) -> Share {
    text.parse().unwrap()
}

fn refused(gathering: &mut Gathering, share: Share) -> ShareError {
    gathering.add(share).err().expect("it is refused")
}

#[test]
fn a_share_is_read_back_however_it_is_typed() {
    let (key, shares) = split(5, 3).unwrap();
    for share in &shares {
        let written = text(share);
        assert_eq!(written.len(), PREFIX.len() + 72 + 11);
        let spaced = written.replace('-', " ").replacen(' ', "-", 1).to_uppercase();
        for typed in
            [written.clone(), format!("  {spaced}\t\r\n"), written.replace('-', "").replacen("seal1", PREFIX, 1)]
        {
            let back = read(&typed);
            assert_eq!((back.split, back.index()), (key.split, share.index()));
            assert_eq!(back.share.value.expose(), share.share.value.expose());
        }
    }
}

#[test]
fn every_wrong_missing_and_added_character_is_noticed() {
    let (_, shares) = split(2, 2).unwrap();
    let written = text(&shares[0]);
    for at in PREFIX.len()..written.len() {
        let mut bytes = written.clone().into_bytes();
        if bytes[at] == b'-' {
            continue;
        }
        bytes[at] = if bytes[at] == b'q' { b'p' } else { b'q' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(changed.parse::<Share>().err(), Some(ShareError::Mistyped), "{at}");
        let short = format!("{}{}", &written[..at], &written[at + 1..]);
        assert_eq!(short.parse::<Share>().err(), Some(ShareError::Mistyped), "{at}");
        let long = format!("{}q{}", &written[..at], &written[at..]);
        assert_eq!(long.parse::<Share>().err(), Some(ShareError::Mistyped), "{at}");
    }
    for foreign in ["", "seal", "seal1", "seal2-qqqqqq", "AKIAEXAMPLE", "\u{1F511}eal1-qqqq", "séal1-"] {
        assert_eq!(foreign.parse::<Share>().err(), Some(ShareError::NotShare), "{foreign}");
    }
    for wrong in ["seal1-", "seal1-qqqqqq", "seal1-bbbbbb", "seal1-\u{1F511}", &format!("{written}q")] {
        assert_eq!(wrong.parse::<Share>().err(), Some(ShareError::Mistyped), "{wrong}");
    }
}

#[test]
fn enough_shares_give_the_key_in_any_order() {
    let (key, mut shares) = split(5, 3).unwrap();
    shares.reverse();
    let mut gathering = gathering(&[key.split]);
    let mut shares = shares.into_iter();
    for given in 1..3 {
        assert!(gathering.add(shares.next().unwrap()).unwrap().is_none());
        assert_eq!(gathering.progress(), Some(Progress { split: key.split, given }));
    }
    let gathered = gathering.add(shares.next().unwrap()).unwrap().expect("enough");
    assert_eq!(gathered.expose().expose(), key.expose().expose());
    gathering.reset();
    assert_eq!(gathering.progress(), Some(Progress { split: key.split, given: 0 }));
}

#[test]
fn a_repeated_and_a_foreign_share_are_told_apart_and_change_nothing() {
    let (key, shares) = split(3, 2).unwrap();
    let (other, others) = split(3, 2).unwrap();
    let mut gathering = gathering(&[key.split]);
    let (first, foreign) = (text(&shares[0]), text(&others[1]));
    gathering.add(read(&first)).unwrap();
    assert_eq!(refused(&mut gathering, read(&first)), ShareError::Repeated { index: 1 });
    let wrong = refused(&mut gathering, read(&foreign));
    assert_eq!(wrong, ShareError::Foreign { given: other.split.id, sealed: vec![key.split.id] });
    assert!(wrong.to_string().contains(&key.split.id.to_string()), "{wrong}");
    assert_eq!(gathering.progress().unwrap().given, 1);
    let gathered = gathering.add(read(&text(&shares[2]))).unwrap().expect("enough");
    assert_eq!(gathered.expose().expose(), key.expose().expose());
}

#[test]
fn either_of_two_splits_will_do_but_not_both_mixed() {
    let ((old, old_shares), (new, new_shares)) = (split(2, 2).unwrap(), split(2, 2).unwrap());
    let mut gathering = gathering(&[old.split, new.split]);
    gathering.add(read(&text(&new_shares[1]))).unwrap();
    let mixed = refused(&mut gathering, read(&text(&old_shares[0])));
    assert_eq!(mixed, ShareError::Foreign { given: old.split.id, sealed: vec![new.split.id] });
    let gathered = gathering.add(read(&text(&new_shares[0]))).unwrap().expect("enough");
    assert_eq!(gathered.split(), new.split);
}

#[test]
fn letters_are_found_without_looking_up_by_them() {
    for bits in 0..32 {
        assert_eq!(letter(bits), ALPHABET[usize::from(bits)]);
        assert_eq!(place(letter(bits)), Some(bits));
    }
    assert_eq!(place(b'b'), None);
}
