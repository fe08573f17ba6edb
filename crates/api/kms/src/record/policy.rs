//! Key policies as they are stored: which are accepted, and what they mean.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use policy::{Kind, Policy, PrincipalPattern};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::ports::Principals;

use crate::error::KmsError;
use crate::record::account_arn;

/// The longest policy in bytes.
pub(crate) const POLICY_BYTES_MAX: usize = 32 * 1024;

/// A key's policy as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    /// The document as it was given.
    pub(crate) text: String,
    /// The unique ids that the users and roles in it had when it was given.
    bound: BTreeMap<String, String>,
}

/// A policy that allows nothing to anybody, for keys that do not exist.
pub(crate) fn nothing() -> Arc<Policy> {
    static NOTHING: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let nobody = allow("arn:aws:iam::000000000000:user/nobody", &json!("kms:*"));
        let record = PolicyRecord { text: document(vec![nobody]), bound: BTreeMap::new() };
        #[expect(clippy::expect_used, reason = "a constant, which every test of a missing key parses")]
        let policy = record.parse().expect("the constant is a policy");
        Arc::new(policy)
    });
    Arc::clone(&NOTHING)
}

impl PolicyRecord {
    /// The policy of a key that was made without one: the account decides by its identity policies.
    pub(crate) fn of_account(account: &str) -> Self {
        let mut enable = allow(account_arn(account).as_str(), &json!("kms:*"));
        if let Some(statement) = enable.as_object_mut() {
            statement.insert("Sid".to_owned(), json!("Enable IAM User Permissions"));
        }
        let text = json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [enable]}).to_string();
        Self { text, bound: BTreeMap::new() }
    }

    /// A policy that names no user and no role.
    pub(crate) const fn unbound(text: String) -> Self {
        Self { text, bound: BTreeMap::new() }
    }

    /// Takes in a policy that a caller gave: it must be well-formed, and the principals in it must exist.
    ///
    /// # Errors
    /// [`KmsError::MalformedPolicy`], [`KmsError::LimitExceeded`].
    pub(crate) async fn accept(text: String, principals: &dyn Principals) -> Result<Self, KmsError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(KmsError::LimitExceeded(format!("A key policy is at most {POLICY_BYTES_MAX} bytes long.")));
        }
        let policy = Policy::parse(&text, Kind::Resource)
            .map_err(|malformed| KmsError::MalformedPolicy(malformed.to_string()))?;
        let mut bound = BTreeMap::new();
        for principal in policy.principals() {
            let exists = match principal {
                PrincipalPattern::Named { arn, .. } => match principals.unique_id(arn).await? {
                    Some(id) => {
                        bound.insert(arn.as_str().to_owned(), id);
                        true
                    }
                    None => false,
                },
                PrincipalPattern::Account(account) => principals.unique_id(&account_arn(account)).await?.is_some(),
                PrincipalPattern::Session(arn) => principals.unique_id(&account_arn(arn.account())).await?.is_some(),
                // Stands for a principal that was deleted.
                PrincipalPattern::UniqueId(_) => false,
                _ => true,
            };
            if !exists {
                let message = "Policy contains a statement with one or more invalid principals.";
                return Err(KmsError::MalformedPolicy(message.to_owned()));
            }
        }
        Ok(Self { text, bound })
    }

    /// The policy, ready for use. A stored policy that no longer parses allows nothing.
    pub(crate) fn parsed(&self, arn: &str) -> Arc<Policy> {
        match self.parse() {
            Ok(policy) => Arc::new(policy),
            Err(malformed) => {
                tracing::error!(
                    key = arn,
                    at = malformed.at,
                    "a stored key policy is malformed: nobody can use the key"
                );
                nothing()
            }
        }
    }

    fn parse(&self) -> Result<Policy, policy::Malformed> {
        let mut policy = Policy::parse(&self.text, Kind::Resource)?;
        policy.bind_principals(&mut |arn| self.bound.get(arn.as_str()).cloned());
        Ok(policy)
    }

    /// This policy and a statement that lets `accounts` decide over `action` by their identity policies. `whole` keeps
    /// what this policy allows; otherwise only its denials count.
    pub(crate) fn delegating(&self, accounts: &[&str], action: &str, whole: bool, arn: &str) -> Arc<Policy> {
        let own: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let mut statements = match own.get("Statement") {
            Some(Value::Array(statements)) => statements.clone(),
            Some(statement) => vec![statement.clone()],
            None => Vec::new(),
        };
        if !whole {
            statements.retain(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Deny"));
        }
        statements.extend(accounts.iter().map(|account| allow(account_arn(account).as_str(), &json!(action))));
        if statements.is_empty() {
            return nothing();
        }
        let version = own.get("Version").and_then(Value::as_str).unwrap_or("2008-10-17");
        let text = json!({"Version": version, "Statement": statements}).to_string();
        Self { text, bound: self.bound.clone() }.parsed(arn)
    }

    /// The document as `GetKeyPolicy` shows it: a user or role that is gone, or gone and made again, is shown by the
    /// unique id that the policy still means.
    pub(crate) async fn shown(&self, principals: &dyn Principals) -> Result<String, KmsError> {
        let mut gone = Vec::new();
        for (arn, id) in &self.bound {
            let Ok(named) = arn.parse() else { continue };
            if principals.unique_id(&named).await?.as_ref() != Some(id) {
                gone.push((arn.as_str(), id.as_str()));
            }
        }
        if gone.is_empty() {
            return Ok(self.text.clone());
        }
        let mut document: Value = serde_json::from_str(&self.text).unwrap_or_default();
        for statement in statements_mut(&mut document) {
            for element in ["Principal", "NotPrincipal"] {
                match statement.get_mut(element).and_then(|element| element.get_mut("AWS")) {
                    Some(Value::Array(names)) => names.iter_mut().for_each(|name| show_gone(name, &gone)),
                    Some(name) => show_gone(name, &gone),
                    None => {}
                }
            }
        }
        Ok(document.to_string())
    }
}

fn statements_mut(document: &mut Value) -> &mut [Value] {
    match document.get_mut("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(statement) => std::slice::from_mut(statement),
        None => &mut [],
    }
}

fn show_gone(name: &mut Value, gone: &[(&str, &str)]) {
    let found = gone.iter().find(|(arn, _)| name.as_str() == Some(*arn));
    if let Some((_, id)) = found {
        *name = json!(id);
    }
}

fn allow(principal: &str, action: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"})
}

fn document(statements: Vec<Value>) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}
