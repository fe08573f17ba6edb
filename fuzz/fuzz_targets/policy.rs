//! Policy documents times requests: no panic, and the same answer twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Context, Kind, Named, Policies, Policy, Principal, Request, ResourceSide, evaluate};

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
    let request =
        Request { principal: &principal, action, resource, resource_account: None, context: &context };
    let named = Named { name: "fuzzed", policy: &parsed };
    let on_the_resource = matches!(kind, Kind::Resource | Kind::Trust);
    let identity = [named];
    let policies = Policies {
        identity: if on_the_resource { &[] } else { &identity },
        boundary: None,
        session: None,
        service_control: &[],
        resource: match kind {
            Kind::Resource => ResourceSide::Mandatory(named),
            Kind::Trust => ResourceSide::Trust(named),
            _ => ResourceSide::None,
        },
    };
    assert_eq!(evaluate(&request, &policies), evaluate(&request, &policies));
});
