//! Aliases.

use super::*;

fn alias_arn(name: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:{name}")
}

async fn target_of(world: &World, alias: &str) -> Value {
    world.done("admin", "DescribeKey", json!({"KeyId": alias})).await["KeyMetadata"]["KeyId"].take()
}

#[tokio::test]
async fn an_alias_is_made_pointed_elsewhere_and_deleted() {
    let world = World::new();
    let (one, two) = (world.key().await, world.key().await);
    assert_eq!(
        world.done("admin", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": one})).await,
        Value::Null
    );
    for name in ["alias/a", &alias_arn("alias/a")] {
        assert_eq!(target_of(&world, name).await, json!(one));
    }
    world.pass_days(1);
    world.done("admin", "UpdateAlias", json!({"AliasName": "alias/a", "TargetKeyId": arn_of(&two)})).await;
    assert_eq!(target_of(&world, "alias/a").await, json!(two));
    let listed = world.done("admin", "ListAliases", json!({"KeyId": two})).await;
    assert_eq!(
        listed,
        json!({"Truncated": false, "Aliases": [{
            "AliasName": "alias/a", "AliasArn": alias_arn("alias/a"), "TargetKeyId": two,
            "CreationDate": START as f64 / 1000.0, "LastUpdatedDate": START as f64 / 1000.0 + 86_400.0,
        }]})
    );
    assert_eq!(world.done("admin", "ListAliases", json!({"KeyId": one})).await["Aliases"], json!([]));
    world.done("admin", "DeleteAlias", json!({"AliasName": "alias/a"})).await;
    let error = world.refused("admin", "DescribeKey", json!({"KeyId": "alias/a"})).await;
    assert_eq!(error, format!("NotFoundException: Alias {} is not found.", alias_arn("alias/a")));
    // Anew, it is another alias.
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": one})).await;
    assert_eq!(target_of(&world, "alias/a").await, json!(one));
}

#[tokio::test]
async fn aliases_are_refused_as_aws_refuses_them() {
    let world = World::new();
    let key = world.key().await;
    let missing = "00000000-0000-4000-8000-000000000000";
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/taken", "TargetKeyId": key})).await;
    let prefix = "ValidationException: Alias must start with the prefix \"alias/\". Please see \
                  https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    for (operation, name, target, expected) in [
        ("CreateAlias", "taken", key.as_str(), prefix.to_owned()),
        ("UpdateAlias", "taken", &key, prefix.to_owned()),
        (
            "CreateAlias",
            "alias/",
            &key,
            "ValidationException: alias/ contains invalid characters for an alias".to_owned(),
        ),
        (
            "CreateAlias",
            "alias/a:b",
            &key,
            "ValidationException: alias/a:b contains invalid characters for an alias".to_owned(),
        ),
        (
            "CreateAlias",
            "alias/ä",
            &key,
            "ValidationException: 1 validation error detected: Value 'alias/ä' at 'aliasName' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
                .to_owned(),
        ),
        (
            "CreateAlias",
            "alias/taken",
            &key,
            format!("AlreadyExistsException: An alias with the name {} already exists", alias_arn("alias/taken")),
        ),
        (
            "CreateAlias",
            "alias/aws/mine",
            &key,
            "InvalidAliasNameException: Alias names that begin with alias/aws/ are reserved".to_owned(),
        ),
        (
            "CreateAlias",
            "alias/b",
            "alias/taken",
            "ValidationException: Aliases must refer to keys. Not aliases".to_owned(),
        ),
        ("CreateAlias", "alias/b", missing, format!("NotFoundException: Key '{}' does not exist", arn_of(missing))),
        ("UpdateAlias", "alias/b", &key, format!("NotFoundException: Alias {} is not found.", alias_arn("alias/b"))),
        ("UpdateAlias", "alias/taken", missing, format!("NotFoundException: Key '{}' does not exist", arn_of(missing))),
    ] {
        let error = world.refused("admin", operation, json!({"AliasName": name, "TargetKeyId": target})).await;
        assert_eq!(error, expected, "{operation} {name}");
    }
    let error = world.refused("admin", "DeleteAlias", json!({"AliasName": "alias/b"})).await;
    assert_eq!(error, format!("NotFoundException: Alias {} is not found.", alias_arn("alias/b")));
}

#[tokio::test]
async fn an_alias_takes_permission_on_itself_and_on_its_keys() {
    let world = World::new();
    let mine = world.key_with(&[allow("alice", json!("kms:*Alias"))]).await;
    let theirs = world.key().await;
    let create = json!({"AliasName": "alias/a", "TargetKeyId": mine});
    let arn = alias_arn("alias/a");
    let on_alias = |action: &str| {
        format!(
            "AccessDeniedException: User: {} is not authorized to perform: {action} on resource: {arn} because no \
             identity-based policy allows the {action} action",
            user_arn(ACCOUNT, "alice")
        )
    };
    assert_eq!(world.refused("alice", "CreateAlias", create.clone()).await, on_alias("kms:CreateAlias"));
    let statement = json!({"Effect": "Allow", "Action": "kms:*", "Resource": arn});
    world.user("alice", ACCOUNT, "AIDAALICE", Some(statement));
    world.done("alice", "CreateAlias", create).await;
    let update = json!({"AliasName": "alias/a", "TargetKeyId": theirs});
    let expected = denied("alice", "kms:UpdateAlias", &theirs, "identity-based");
    assert_eq!(world.refused("alice", "UpdateAlias", update.clone()).await, expected);
    world.done("admin", "UpdateAlias", update).await;
    let expected = denied("alice", "kms:DeleteAlias", &theirs, "identity-based");
    assert_eq!(world.refused("alice", "DeleteAlias", json!({"AliasName": "alias/a"})).await, expected);
    let back = json!({"AliasName": "alias/a", "TargetKeyId": mine});
    let expected = denied("alice", "kms:UpdateAlias", &theirs, "identity-based");
    assert_eq!(world.refused("alice", "UpdateAlias", back.clone()).await, expected);
    world.done("admin", "UpdateAlias", back).await;
    world.done("alice", "DeleteAlias", json!({"AliasName": "alias/a"})).await;
}

#[tokio::test]
async fn a_key_has_at_most_fifty_aliases_and_they_are_listed_in_pages() {
    let world = World::new();
    let (key, other) = (world.key().await, world.key().await);
    for number in 0..50 {
        let input = json!({"AliasName": format!("alias/n{number:02}"), "TargetKeyId": key});
        world.done("admin", "CreateAlias", input).await;
    }
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/other", "TargetKeyId": other})).await;
    for (operation, name) in [("CreateAlias", "alias/n50"), ("UpdateAlias", "alias/other")] {
        let error = world.refused("admin", operation, json!({"AliasName": name, "TargetKeyId": key})).await;
        assert!(error.starts_with("LimitExceededException: "), "{error}");
    }
    world.done("admin", "UpdateAlias", json!({"AliasName": "alias/n00", "TargetKeyId": key})).await;
    for (mut input, count) in [(json!({"Limit": 7}), 51), (json!({"Limit": 7, "KeyId": key}), 50)] {
        let mut names = std::collections::BTreeSet::new();
        loop {
            let page = world.done("admin", "ListAliases", input.clone()).await;
            let aliases = page["Aliases"].as_array().expect("a list");
            assert!(aliases.len() <= 7);
            names.extend(aliases.iter().map(|alias| text(&alias["AliasName"])));
            match page.get("NextMarker") {
                Some(marker) => input["Marker"] = marker.clone(),
                None => break,
            }
        }
        assert_eq!(names.len(), count);
    }
}

#[tokio::test]
async fn an_alias_cannot_be_pointed_at_a_doomed_key_but_away_from_one() {
    let world = World::new();
    let (doomed, good) = (world.key().await, world.key().await);
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": doomed})).await;
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": doomed})).await;
    let expected = format!("KMSInvalidStateException: {} is pending deletion.", arn_of(&doomed));
    for (operation, name) in [("CreateAlias", "alias/b"), ("UpdateAlias", "alias/a")] {
        let input = json!({"AliasName": name, "TargetKeyId": doomed});
        assert_eq!(world.refused("admin", operation, input).await, expected);
    }
    world.done("admin", "UpdateAlias", json!({"AliasName": "alias/a", "TargetKeyId": good})).await;
    world.done("admin", "DeleteAlias", json!({"AliasName": "alias/a"})).await;
}
