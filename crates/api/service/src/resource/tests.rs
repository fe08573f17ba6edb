use wire::Protocol;

use super::*;
use crate::{Entry, ServiceError, operations};

struct Toy;

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct ToyError(#[from] store::StoreError);

impl ServiceError for ToyError {
    fn fault(&self) -> wire::Fault {
        wire::Fault::sender("Failure", "")
    }
}

impl Service for Toy {
    const NAME: &'static str = "toy";
    const EVENT_SOURCE: &'static str = "toy.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::json("1.1", "Toy")];
    type Error = ToyError;

    fn operations() -> &'static [Entry<Self>] {
        operations![GetThings, ListThings]
    }
}

wire::shape! {
    struct NoInput {}
}

struct GetThings;

impl ResourceOperation for GetThings {
    type On = Account<Toy>;
    const NAME: &'static str = "GetThings";
    const ACTION: &'static str = "toy:ReadThings";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = ();

    fn key(_: &NoInput) {}

    async fn run(_: NoInput, _: &Permit<Account<Toy>>, _: &Call<'_, Toy>) -> Result<(), ToyError> {
        Ok(())
    }
}

struct ListThings;

impl ResourceOperation for ListThings {
    type On = Account<Toy>;
    const NAME: &'static str = "ListThings";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = ();

    fn key(_: &NoInput) {}

    async fn run(_: NoInput, _: &Permit<Account<Toy>>, _: &Call<'_, Toy>) -> Result<(), ToyError> {
        Ok(())
    }
}

#[test]
fn an_action_is_the_name_behind_the_prefix_unless_it_is_stated() {
    assert_eq!(ListThings::ACTION, "toy:ListThings");
    assert_eq!(GetThings::ACTION, "toy:ReadThings");
}

#[test]
fn an_operation_on_a_resource_has_a_row_in_the_table() {
    let rows: Vec<_> = Toy::operations().iter().map(|row| (row.name, row.class)).collect();
    assert_eq!(rows, [("GetThings", AuditClass::Read), ("ListThings", AuditClass::Read)]);
}
