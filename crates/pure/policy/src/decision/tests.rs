use super::*;

fn cited(source: PolicyLayer) -> Cited {
    Cited { source, policy: "limits".to_owned(), statement: 2, sid: Some("NoDeletes".into()) }
}

#[test]
fn refusals_are_worded_as_aws_words_them() {
    let action = "kms:Decrypt";
    for (source, explicit, implicit) in [
        (PolicyLayer::Identity, "an identity-based policy", "no identity-based policy"),
        (PolicyLayer::Resource, "a resource-based policy", "no resource-based policy"),
        (PolicyLayer::Boundary, "a permissions boundary", "no permissions boundary"),
        (PolicyLayer::Session, "a session policy", "no session policy"),
        (PolicyLayer::ServiceControl, "a service control policy", "no service control policy"),
        (PolicyLayer::Trust, "the role trust policy", "no role trust policy"),
    ] {
        let reason = Reason::ExplicitDeny(cited(source));
        assert_eq!(reason.phrase(action), format!("with an explicit deny in {explicit}"));
        assert_eq!(reason.source(), source);
        let reason = Reason::NoAllow(source);
        assert_eq!(reason.phrase(action), format!("because {implicit} allows the kms:Decrypt action"));
        assert_eq!(reason.source(), source);
    }
}

#[test]
fn explanations_name_policy_statement_and_sid() {
    let reason = Reason::ExplicitDeny(cited(PolicyLayer::Boundary));
    assert_eq!(reason.to_string(), "denied by Statement[2] (NoDeletes) of the permissions boundary limits");
    assert_eq!(Reason::NoAllow(PolicyLayer::Trust).to_string(), "no role trust policy allows it");
    let by = By { resource: Some(Cited { sid: None, ..cited(PolicyLayer::Resource) }), root: true, ..By::default() };
    assert_eq!(
        by.to_string(),
        "allowed by Statement[2] of the resource-based policy limits and being the account's root user"
    );
    assert_eq!(By { grant: true, ..By::default() }.to_string(), "allowed by a grant");
}
