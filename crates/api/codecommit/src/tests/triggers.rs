//! Triggers, and how their events reach their destinations.

use std::sync::Mutex;

use super::*;

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:f";

/// Takes messages, but for destinations that are down.
#[derive(Default)]
pub(crate) struct Endpoints {
    pub(crate) taken: Mutex<Vec<(String, Value)>>,
    pub(crate) down: Mutex<Vec<String>>,
    /// Destinations that take a message only once `go_on` says so.
    pub(crate) slow: Mutex<Vec<String>>,
    pub(crate) go_on: tokio::sync::Notify,
}

impl EventDelivery for Endpoints {
    fn deliver<'a>(&'a self, destination: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            if self.down.lock().expect("no test panicked").iter().any(|down| down == destination) {
                return Err("down".to_owned());
            }
            if self.slow.lock().expect("no test panicked").iter().any(|slow| slow == destination) {
                self.go_on.notified().await;
            }
            let message = serde_json::from_str(message).expect("JSON");
            self.taken.lock().expect("no test panicked").push((destination.to_owned(), message));
            Ok(())
        })
    }
}

fn trigger(name: &str, destination: &str, branches: Value, events: Value) -> Value {
    json!({"name": name, "destinationArn": destination, "branches": branches, "events": events, "customData": "data"})
}

fn put(triggers: &[Value]) -> Value {
    json!({"repositoryName": "first", "triggers": triggers})
}

#[tokio::test]
async fn triggers_are_put_as_a_whole_and_held_to_awss_rules() {
    let world = World::new();
    world.repository("first").await;
    let of = json!({"repositoryName": "first"});
    assert_eq!(world.done("reader", "GetRepositoryTriggers", of.clone()).await, json!({"triggers": []}));
    let one = trigger("one", TOPIC, json!(["main"]), json!(["updateReference", "createReference"]));
    let done = world.done("admin", "PutRepositoryTriggers", put(std::slice::from_ref(&one))).await;
    let found = world.done("reader", "GetRepositoryTriggers", of.clone()).await;
    assert_eq!(found, json!({"configurationId": done["configurationId"], "triggers": [one]}));
    let all = json!(["all"]);
    let many: Vec<_> = (0..11).map(|n| trigger(&n.to_string(), TOPIC, json!([]), all.clone())).collect();
    let with = |change: (&str, Value)| {
        let mut one = trigger("one", TOPIC, json!([]), json!(["all"]));
        one[change.0] = change.1;
        vec![one]
    };
    for (triggers, code) in [
        (many, "MaximumRepositoryTriggersExceeded"),
        (vec![one.clone(), one.clone()], "InvalidRepositoryTriggerName"),
        (with(("name", json!(""))), "InvalidRepositoryTriggerName"),
        (with(("name", Value::Null)), "RepositoryTriggerNameRequired"),
        (with(("destinationArn", json!("x"))), "InvalidRepositoryTriggerDestinationArn"),
        (
            with(("destinationArn", json!("arn:aws:sqs:us-east-1:111122223333:q"))),
            "InvalidRepositoryTriggerDestinationArn",
        ),
        (with(("destinationArn", json!(TOPIC.replace("us-east-1", "eu-west-1")))), "InvalidRepositoryTriggerRegion"),
        (with(("destinationArn", Value::Null)), "RepositoryTriggerDestinationArnRequired"),
        (with(("customData", json!("x".repeat(1001)))), "InvalidRepositoryTriggerCustomData"),
        (with(("branches", Value::Null)), "RepositoryTriggerBranchNameListRequired"),
        (with(("branches", json!(["a..b"]))), "InvalidRepositoryTriggerBranchName"),
        (with(("branches", json!(vec!["a"; 11]))), "MaximumBranchesExceeded"),
        (with(("events", json!([]))), "RepositoryTriggerEventsListRequired"),
        (with(("events", Value::Null)), "RepositoryTriggerEventsListRequired"),
        (with(("events", json!(["all", "createReference"]))), "InvalidRepositoryTriggerEvents"),
        (with(("events", json!(["x"]))), "InvalidRepositoryTriggerEvents"),
    ] {
        assert_eq!(world.refused("admin", "PutRepositoryTriggers", put(&triggers)).await, code, "{triggers:?}");
    }
    assert_eq!(world.refused("admin", "PutRepositoryTriggers", of.clone()).await, "RepositoryTriggersListRequired");
    world.done("admin", "PutRepositoryTriggers", put(&[])).await;
    assert_eq!(world.done("reader", "GetRepositoryTriggers", of).await["triggers"], json!([]));
}

#[tokio::test]
async fn a_change_of_a_reference_reaches_the_triggers_that_are_for_it_in_order() {
    let endpoints = Arc::new(Endpoints::default());
    let world = World::with(Arc::clone(&endpoints) as _);
    world.repository("first").await;
    let triggers = [
        trigger("all", TOPIC, json!([]), json!(["all"])),
        trigger("made", FUNCTION, json!(["topic"]), json!(["createReference"])),
    ];
    let configuration = world.done("admin", "PutRepositoryTriggers", put(&triggers)).await["configurationId"].take();
    endpoints.down.lock().expect("no test panicked").push(TOPIC.to_owned());
    let one = world.put("main", None, "a", "1").await;
    world.pass_seconds(1);
    let two = world.put("main", Some(&one), "a", "2").await;
    world.branch("topic", &two).await;
    world.pass_seconds(1);
    world.done("admin", "DeleteBranch", json!({"repositoryName": "first", "branchName": "topic"})).await;
    let deliver = async || world.deliveries.deliver_due(world.now()).await.expect("delivered");
    assert_eq!(deliver().await, 1);
    endpoints.down.lock().expect("no test panicked").clear();
    // Not before the pause after a failure is over.
    assert_eq!(deliver().await, 0);
    world.pass_seconds(3600);
    assert_eq!(deliver().await, 4);
    assert_eq!(deliver().await, 0);
    let taken = std::mem::take(&mut *endpoints.taken.lock().expect("no test panicked"));
    let (made, all) = taken.split_first().expect("messages");
    assert_eq!(made.0, FUNCTION);
    let record = &made.1["Records"][0];
    assert_eq!(
        record["codecommit"]["references"],
        json!([{"commit": two, "ref": "refs/heads/topic", "created": true}])
    );
    for (member, expected) in [
        ("awsRegion", json!(REGION)),
        ("customData", json!("data")),
        ("eventName", json!("ReferenceChanges")),
        ("eventSource", json!("aws:codecommit")),
        ("eventSourceARN", json!(repository_arn("first"))),
        ("eventTriggerConfigId", configuration),
        ("eventTriggerName", json!("made")),
        ("eventVersion", json!("1.0")),
        ("userIdentityARN", json!(user_arn(ACCOUNT, "admin"))),
    ] {
        assert_eq!(record[member], expected, "{member}");
    }
    let references: Vec<_> =
        all.iter().map(|(_, message)| message["Records"][0]["codecommit"]["references"][0].clone()).collect();
    let main = "refs/heads/main";
    assert_eq!(
        references,
        [
            json!({"commit": one, "ref": main, "created": true}),
            json!({"commit": two, "ref": main}),
            json!({"commit": two, "ref": "refs/heads/topic", "created": true}),
            json!({"commit": two, "ref": "refs/heads/topic", "deleted": true}),
        ]
    );
}

#[tokio::test]
async fn a_slow_destination_holds_up_nobody_else_and_keeps_its_order() {
    let endpoints = Arc::new(Endpoints::default());
    let world = World::with(Arc::clone(&endpoints) as _);
    world.repository("first").await;
    let all = json!(["all"]);
    let triggers = [trigger("slow", TOPIC, json!([]), all.clone()), trigger("quick", FUNCTION, json!([]), all)];
    world.done("admin", "PutRepositoryTriggers", put(&triggers)).await;
    endpoints.slow.lock().expect("no test panicked").push(TOPIC.to_owned());
    let deliver = async || world.deliveries.deliver_due(world.now()).await.expect("delivered");
    let mut tip = world.put("main", None, "a", "0").await;
    // The first event is on its way for the whole time.
    for number in 1..3 {
        assert_eq!(deliver().await, 1, "to the quick one");
        tip = world.put("main", Some(&tip), "a", &number.to_string()).await;
    }
    endpoints.slow.lock().expect("no test panicked").clear();
    endpoints.go_on.notify_one();
    while endpoints.taken.lock().expect("no test panicked").len() < 6 {
        deliver().await;
    }
    assert_eq!(deliver().await, 0);
    let taken = std::mem::take(&mut *endpoints.taken.lock().expect("no test panicked"));
    let commits = |of: &str| -> Vec<_> {
        let messages = taken.iter().filter(|(destination, _)| destination == of);
        messages.map(|(_, message)| message["Records"][0]["codecommit"]["references"][0]["commit"].clone()).collect()
    };
    assert_eq!(commits(TOPIC), commits(FUNCTION));
    assert_eq!(commits(TOPIC).len(), 3);
    assert_eq!(commits(TOPIC)[2], tip);
}

#[tokio::test]
async fn a_test_says_which_destinations_took_it() {
    let endpoints = Arc::new(Endpoints::default());
    let world = World::with(Arc::clone(&endpoints) as _);
    world.repository("first").await;
    endpoints.down.lock().expect("no test panicked").push(FUNCTION.to_owned());
    let triggers =
        [trigger("up", TOPIC, json!([]), json!(["all"])), trigger("down", FUNCTION, json!([]), json!(["all"]))];
    let tested = world.done("admin", "TestRepositoryTriggers", put(&triggers)).await;
    assert_eq!(tested["successfulExecutions"], json!(["up"]));
    assert_eq!(tested["failedExecutions"], json!([{"trigger": "down", "failureMessage": "down"}]));
    let first = endpoints.taken.lock().expect("no test panicked")[0].1.clone();
    assert_eq!(first["Records"][0]["eventName"], "TriggerEventTest");
    // Where nothing is configured, that is said.
    let world = World::new();
    world.repository("first").await;
    let tested = world.done("admin", "TestRepositoryTriggers", put(&triggers[..1])).await;
    let message = text(&tested["failedExecutions"][0]["failureMessage"]);
    assert!(message.contains(TOPIC), "{message}");
}
