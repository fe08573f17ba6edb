//! A request and the policies that bear on it, put together in a line or two for tests.

use serde_json::{Value as Json, json};
use wire::Arn;

use crate::{
    Context, Decision, Explanation, Kind, Named, Policies, Policy, Principal, Request, ResourceSide, Value, evaluate,
    explain,
};

/// The account that callers belong to unless a test says otherwise.
pub(crate) const HOME: &str = "111122223333";
/// Another account.
pub(crate) const AWAY: &str = "444455556666";

pub(crate) fn arn(text: &str) -> Arn {
    text.parse().expect("an ARN")
}

/// The user Alice of [`HOME`].
pub(crate) fn alice() -> Principal {
    Principal::user(arn("arn:aws:iam::111122223333:user/alice"), "AIDAALICEALICEALICE1")
}

/// A session of the role `path/Deployer` of [`HOME`].
pub(crate) fn deployer() -> Principal {
    Principal::role_session(
        arn("arn:aws:sts::111122223333:assumed-role/Deployer/build-7"),
        arn("arn:aws:iam::111122223333:role/path/Deployer"),
        "AROADEPLOYERDEPLOYER:build-7",
    )
}

/// A session that Alice federated for Bob.
pub(crate) fn bob() -> Principal {
    Principal::federated_user(
        arn("arn:aws:sts::111122223333:federated-user/bob"),
        arn("arn:aws:iam::111122223333:user/alice"),
        "AIDAALICEALICEALICE1",
    )
}

/// A statement that allows an action on everything.
pub(crate) fn allow(action: &str) -> Json {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

/// A statement that denies an action on everything.
pub(crate) fn deny(action: &str) -> Json {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// A statement of a resource's policy that allows an action to some principal.
pub(crate) fn allow_to(principal: impl Into<Json>, action: &str) -> Json {
    json!({"Effect": "Allow", "Principal": principal.into(), "Action": action, "Resource": "*"})
}

/// A statement of a resource's policy that denies an action to some principal.
pub(crate) fn deny_to(principal: impl Into<Json>, action: &str) -> Json {
    json!({"Effect": "Deny", "Principal": principal.into(), "Action": action, "Resource": "*"})
}

/// Wraps a statement, or an array of them, and parses it.
pub(crate) fn parse(statements: &Json, kind: Kind) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::parse(&text, kind).unwrap_or_else(|malformed| panic!("{malformed} in {text}"))
}

#[derive(Clone, Copy)]
enum Side {
    Shared,
    Mandatory,
    Granted,
    GrantedToSession,
    Trust,
}

/// A request and the policies that bear on it.
pub(crate) struct Scene {
    principal: Principal,
    action: String,
    resource: String,
    owner: Option<String>,
    context: Context<'static>,
    identity: Vec<Policy>,
    boundary: Option<Policy>,
    session: Option<Vec<Policy>>,
    levels: Vec<Policy>,
    side: Option<(Side, Policy)>,
}

impl Scene {
    /// `principal` asks for `action` on a KMS key of [`HOME`], and there are no policies yet.
    pub(crate) fn new(principal: Principal, action: &str) -> Self {
        Self {
            principal,
            action: action.to_owned(),
            resource: "arn:aws:kms:eu-central-1:111122223333:key/1234".to_owned(),
            owner: Some(HOME.to_owned()),
            context: Context::new(),
            identity: Vec::new(),
            boundary: None,
            session: None,
            levels: Vec::new(),
            side: None,
        }
    }

    pub(crate) fn on(mut self, resource: &str) -> Self {
        resource.clone_into(&mut self.resource);
        self
    }

    pub(crate) fn owned_by(mut self, account: &str) -> Self {
        self.owner = Some(account.to_owned());
        self
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.context.insert(key, value);
        self
    }

    /// Adds tags of the resource.
    pub(crate) fn tagged(mut self, tags: &[(&'static str, &'static str)]) -> Self {
        self.context.insert_named("aws:ResourceTag/", tags.iter().copied());
        self
    }

    /// Adds an identity policy.
    pub(crate) fn identity(mut self, statements: Json) -> Self {
        self.identity.push(parse(&statements, Kind::Identity));
        self
    }

    pub(crate) fn boundary(mut self, statements: Json) -> Self {
        self.boundary = Some(parse(&statements, Kind::Identity));
        self
    }

    /// Adds a session policy.
    pub(crate) fn session(mut self, statements: Json) -> Self {
        self.session.get_or_insert_default().push(parse(&statements, Kind::Session));
        self
    }

    /// Limits the session by policies of which there are none.
    pub(crate) fn empty_session(mut self) -> Self {
        self.session = Some(Vec::new());
        self
    }

    /// Adds a level of service control with one policy.
    pub(crate) fn level(mut self, statements: Json) -> Self {
        self.levels.push(parse(&statements, Kind::ServiceControl));
        self
    }

    fn side(mut self, side: Side, statements: &Json, kind: Kind) -> Self {
        self.side = Some((side, parse(statements, kind)));
        self
    }

    /// The resource has a policy as a bucket has.
    pub(crate) fn shared(self, statements: Json) -> Self {
        self.side(Side::Shared, &statements, Kind::Resource)
    }

    /// The resource has a policy as a KMS key has.
    pub(crate) fn mandatory(self, statements: Json) -> Self {
        self.side(Side::Mandatory, &statements, Kind::Resource)
    }

    /// The resource has a policy as a KMS key has, and a grant allows the caller.
    pub(crate) fn granted(self, statements: Json) -> Self {
        self.side(Side::Granted, &statements, Kind::Resource)
    }

    pub(crate) fn granted_to_session(self, statements: Json) -> Self {
        self.side(Side::GrantedToSession, &statements, Kind::Resource)
    }

    /// The resource is a role with this trust policy.
    pub(crate) fn trust(self, statements: Json) -> Self {
        self.side(Side::Trust, &statements, Kind::Trust)
    }

    /// Ties the names in the resource's policy.
    pub(crate) fn bind(mut self, resolve: &mut dyn FnMut(&Arn) -> Option<String>) -> Self {
        if let Some((_, policy)) = &mut self.side {
            policy.bind_principals(resolve);
        }
        self
    }

    pub(crate) fn decide(&self) -> Decision {
        self.play(evaluate)
    }

    pub(crate) fn explain(&self) -> Explanation {
        self.play(explain)
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.decide().is_allowed()
    }

    /// The end of AWS's message; empty if the request is allowed.
    pub(crate) fn phrase(&self) -> String {
        match self.decide() {
            Decision::Allowed(_) => String::new(),
            Decision::Denied(reason) => reason.phrase(&self.action),
        }
    }

    fn play<T>(&self, act: impl Fn(&Request<'_>, &Policies<'_>) -> T) -> T {
        fn named<'a>(name: &'a str, policies: &'a [Policy]) -> Vec<Named<'a>> {
            policies.iter().map(|policy| Named { name, policy }).collect()
        }
        let request = Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.owner.as_deref(),
            context: &self.context,
        };
        let levels: Vec<_> = self.levels.iter().map(|policy| [Named { name: "level", policy }]).collect();
        let levels: Vec<&[Named<'_>]> = levels.iter().map(<[_; 1]>::as_slice).collect();
        let session = self.session.as_ref().map(|policies| named("session", policies));
        let identity = named("identity", &self.identity);
        let resource = match &self.side {
            None => ResourceSide::None,
            Some((side, policy)) => {
                let named = Named { name: "resource", policy };
                match side {
                    Side::Shared => ResourceSide::Shared(named),
                    Side::Mandatory => ResourceSide::Mandatory(named),
                    Side::Granted => ResourceSide::Granted(named),
                    Side::GrantedToSession => ResourceSide::GrantedToSession(named),
                    Side::Trust => ResourceSide::Trust(named),
                }
            }
        };
        let policies = Policies {
            identity: &identity,
            boundary: self.boundary.as_ref().map(|policy| Named { name: "boundary", policy }),
            session: session.as_deref(),
            service_control: &levels,
            resource,
        };
        act(&request, &policies)
    }
}
