//! Constraints: which contexts meet them, and which can be passed on.

use super::*;

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn subset(of: &[(&str, &str)]) -> Constraints {
    Constraints { encryption_context_subset: Some(pairs(of)), encryption_context_equals: None }
}

fn equals(to: &[(&str, &str)]) -> Constraints {
    Constraints { encryption_context_subset: None, encryption_context_equals: Some(pairs(to)) }
}

#[test]
fn constraints_are_met_by_the_contexts_they_describe() {
    let (a, ab) = (&[("a", "1")][..], &[("a", "1"), ("b", "2")][..]);
    for (constraints, context, expected) in [
        (Constraints::default(), &[][..], true),
        (subset(a), a, true),
        (subset(a), ab, true),
        (subset(a), &[], false),
        (subset(a), &[("a", "2")], false),
        (subset(a), &[("A", "1")], true),
        (subset(a), &[("A", "2"), ("a", "1")], false),
        (subset(&[("A", "2"), ("a", "1")]), a, false),
        (subset(&[]), &[], true),
        (equals(a), a, true),
        (equals(a), ab, false),
        (equals(a), &[], false),
        (equals(a), &[("A", "1")], true),
        (equals(a), &[("A", "2"), ("a", "1")], false),
        (equals(&[]), &[], true),
        (equals(&[]), a, false),
    ] {
        assert_eq!(constraints.met_by(&pairs(context)), expected, "{constraints:?} by {context:?}");
    }
}

#[test]
fn constraints_are_passed_on_only_if_they_are_no_looser() {
    let (a, ab) = (&[("a", "1")][..], &[("a", "1"), ("b", "2")][..]);
    for (new, old, expected) in [
        (Constraints::default(), Constraints::default(), true),
        (subset(a), Constraints::default(), true),
        (Constraints::default(), subset(a), false),
        (Constraints::default(), equals(a), false),
        (subset(ab), subset(a), true),
        (subset(a), subset(ab), false),
        (equals(ab), subset(a), true),
        (equals(a), subset(ab), false),
        (equals(a), equals(a), true),
        (equals(ab), equals(a), false),
        (subset(a), equals(a), false),
        (equals(&[("A", "1")]), equals(a), true),
        (subset(&[("A", "1"), ("a", "2")]), subset(a), false),
    ] {
        assert_eq!(new.at_least_as_strict_as(&old), expected, "{new:?} under {old:?}");
    }
}

proptest::proptest! {
    /// Meaning of "at least as strict": whatever meets the new constraints meets the old ones.
    #[test]
    fn stricter_constraints_are_met_by_fewer_contexts(
        new in small_constraints(),
        old in small_constraints(),
        context in small_context(),
    ) {
        if new.at_least_as_strict_as(&old) && new.met_by(&context) {
            proptest::prop_assert!(old.met_by(&context));
        }
    }
}

fn small_context() -> impl proptest::strategy::Strategy<Value = EncryptionContext> {
    proptest::collection::btree_map("[abA]", "[12]", 0..3)
}

fn small_constraints() -> impl proptest::strategy::Strategy<Value = Constraints> {
    use proptest::strategy::Strategy as _;
    (proptest::option::of(small_context()), proptest::option::of(small_context())).prop_map(|(subset, equals)| {
        Constraints { encryption_context_subset: subset, encryption_context_equals: equals }
    })
}
