//! Inputs that are not what an operation takes, and what strangers learn.

use service::Service as _;

use super::*;

#[tokio::test]
async fn a_missing_member_has_its_own_error_on_every_operation() {
    let world = World::new();
    for entry in CodeCommit::operations() {
        let required = entry.input.iter().any(|member| member.required);
        if required {
            let code = world.refused("admin", entry.name, json!({})).await;
            let own = code.ends_with("Required") || code.starts_with("Invalid");
            assert!(own, "{} without anything: {code}", entry.name);
        }
        for member in entry.input {
            let code = world.refused("admin", entry.name, json!({member.name: -1.5})).await;
            assert_ne!(code, "Validation", "{} with a wrong {}", entry.name, member.name);
        }
        assert_eq!(world.refused("admin", entry.name, json!([])).await, "Serialization", "{}", entry.name);
    }
}

#[tokio::test]
async fn a_stranger_cannot_tell_missing_from_forbidden() {
    let world = World::new();
    world.repository("first").await;
    for operation in ["GetRepository", "DeleteRepository", "CreateRepository", "UpdateRepositoryDescription"] {
        let there = world.call("nobody", operation, json!({"repositoryName": "first"})).await.expect_err("refused");
        let none = world.call("nobody", operation, json!({"repositoryName": "other"})).await.expect_err("refused");
        assert!(there.starts_with("AccessDeniedException: "), "{there}");
        assert_eq!(there.replace("first", "other"), none);
    }
    // Another account's repositories are not reached by their names.
    let code = world.refused("stranger", "GetRepository", json!({"repositoryName": "first"})).await;
    assert_eq!(code, "RepositoryDoesNotExist");
}
