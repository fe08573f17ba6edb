//! Policy documents times requests: no panic, the same answer twice, and an explanation that agrees with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Context, Kind, Named, Policies, Policy, Principal, Request, ResourceSide, evaluate, explain};

fuzz_target!(|input: (u8, &str, &str, &str, &str)| {
    let (kind, document, action, resource, value) = input;
    let kind = match kind % 5 {
        0 => Kind::Identity,
        1 => Kind::Resource,
        2 => Kind::Trust,
        3 => Kind::ServiceControl,
        _ => Kind::Session,
    };
    let Ok(parsed) = Policy::parse(document, kind) else { return };
    let Ok(arn) = "arn:aws:iam::111122223333:user/alice".parse() else { return };
    let principal = Principal::user(arn, "AIDAEXAMPLE");
    let mut context = Context::new();
    principal.describe(&mut context);
    context.insert("aws:SourceIp", value);
    context.insert_many("aws:TagKeys", [value, "team"]);
    let request = Request { principal: &principal, action, resource, resource_account: None, context: &context };
    let named = Named { name: "fuzzed", policy: &parsed };
    let identity = [named];
    let level = [&identity[..]];
    let allowing = Policy::parse(EVERYTHING, Kind::Identity).expect("a policy");
    let allowing = [Named { name: "everything", policy: &allowing }];
    let policies = Policies {
        identity: if kind == Kind::Identity { &identity } else { &allowing },
        boundary: (kind == Kind::Identity && value.len() % 2 == 1).then_some(named),
        session: (kind == Kind::Session).then_some(&identity),
        service_control: if kind == Kind::ServiceControl { &level } else { &[] },
        resource: match kind {
            Kind::Resource if value.len() % 2 == 1 => ResourceSide::Shared(named),
            Kind::Resource => ResourceSide::Mandatory(named),
            Kind::Trust => ResourceSide::Trust(named),
            _ => ResourceSide::None,
        },
    };
    let decision = evaluate(&request, &policies);
    assert_eq!(decision, evaluate(&request, &policies));
    assert_eq!(decision, explain(&request, &policies).decision);
    // A service that a policy can never allow is not allowed by it.
    if let Some((service, _)) = action.split_once(':')
        && kind == Kind::Identity
        && decision.is_allowed()
    {
        assert!(parsed.may_allow(service));
    }
    let _ = (parsed.may_deny(action), parsed.context_keys());
});

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
