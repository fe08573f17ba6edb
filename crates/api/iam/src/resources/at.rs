//! A place among the names of an account: where something is to be created, or under which path entities are listed.

use std::marker::PhantomData;

use service::{Call, Need, Resource};

use crate::Iam;
use crate::records::entity::Entity;
use crate::values::error::Result;
use crate::values::name;
use crate::values::tag::{self, TagInput};

/// A path among the names of the entities `E`, and perhaps a name under it. Nothing is loaded.
pub(crate) struct At<E>(PhantomData<fn() -> E>);

/// The path, or the root, and the name; an empty one for a list.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: Option<&'a str>,
    pub(crate) name: &'a str,
}

fn need<E: Entity>(place: Place<'_>, action: &'static str, call: &Call<'_, Iam>) -> Need<'static> {
    let path = place.path.unwrap_or(name::ROOT_PATH);
    Need::identity(action, name::arn(E::KIND, call.account(), path, place.name).to_string())
}

impl<E: Entity> Resource for At<E> {
    type Service = Iam;
    type Key<'a> = Place<'a>;

    async fn find(_: Place<'_>, _: &Call<'_, Iam>) -> Result<Self> {
        Ok(Self(PhantomData))
    }

    fn need<'n>(&'n self, place: Place<'n>, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        need::<E>(place, action, call)
    }

    fn need_of_missing<'n>(place: Place<'n>, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(need::<E>(place, action, call))
    }
}

/// The need of tagging what is created at a place, where the request has tags.
pub(crate) fn tagging<'n, E: Entity>(
    action: &'static str,
    place: Place<'_>,
    tags: &[TagInput],
    call: &Call<'_, Iam>,
) -> Vec<Need<'n>> {
    if tags.is_empty() { Vec::new() } else { vec![tag::in_request(need::<E>(place, action, call), tags)] }
}
