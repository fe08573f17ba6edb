//! One skeleton for operations: a [`Resource`] says how it is found and what an action on it needs, a
//! [`ResourceOperation`] the rest.
//!
//! Every `ResourceOperation` is an [`Operation`]. The few that act on two resources, or on none that is named,
//! implement `Operation` themselves. Knows no service.

mod account;
mod action;

use std::future::Future;

use wire::Fault;

use crate::call::Call;
use crate::need::Need;
use crate::operation::{AuditClass, Operation, OperationInput, OperationOutput, Permit, Service};

pub use account::Account;
use action::Action;

/// The service of a resource.
type ServiceOf<R> = <R as Resource>::Service;

/// The error of the operations of a resource's service.
type ErrorOf<R> = <ServiceOf<R> as Service>::Error;

/// Something that operations act on, as loaded: a key, a user, a repository, a bucket.
pub trait Resource: Sized + Send + Sync + 'static {
    /// The service it belongs to.
    type Service: Service;
    /// How an input names one: a name, an ARN, or whatever else decides which one it is and how it is reached.
    type Key<'a>: Send;

    /// Loads it. Reads only.
    fn find<'a>(
        key: Self::Key<'a>,
        call: &'a Call<'_, ServiceOf<Self>>,
    ) -> impl Future<Output = Result<Self, ErrorOf<Self>>> + Send;

    /// The need of `action` on it.
    fn need<'n>(&'n self, key: Self::Key<'n>, action: &'static str, call: &'n Call<'_, ServiceOf<Self>>) -> Need<'n>;

    /// The need of `action` on one that was not found: the same as if it existed, as far as its name says, so that a
    /// stranger cannot distinguish missing from forbidden. `None` for a key that could name nothing, whose refusal
    /// reveals nothing.
    fn need_of_missing<'n>(
        key: Self::Key<'n>,
        action: &'static str,
        call: &'n Call<'_, ServiceOf<Self>>,
    ) -> Option<Need<'n>>;

    /// The error for a caller who is not permitted, where the usual refusal would reveal that the resource exists.
    fn concealed(&self, _: &Call<'_, ServiceOf<Self>>) -> Option<ErrorOf<Self>> {
        None
    }

    /// The refusal of a caller who is not permitted, with what everybody may know of it, such as a bucket's Region.
    #[must_use]
    fn refused(&self, fault: Fault) -> Fault {
        fault
    }

    /// Prepares it for `operation`, which the caller is permitted: the place to refuse an operation that its state does
    /// not allow.
    fn begin(
        &mut self,
        _operation: &'static str,
        _: &Call<'_, ServiceOf<Self>>,
    ) -> impl Future<Output = Result<(), ErrorOf<Self>>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called when `operation` has succeeded.
    fn end(&self, _operation: &'static str, _: &Call<'_, ServiceOf<Self>>) {}
}

/// An operation on one resource that its input names.
///
/// The caller must hold [`ACTION`](Self::ACTION) on the resource; an operation can refine that need and add others, but
/// not do without it. None of the defaults grants anything.
pub trait ResourceOperation: Sized + 'static {
    /// The resource that it acts on.
    type On: Resource;
    /// Its name on the wire.
    const NAME: &'static str;
    /// Its IAM action: its name behind the service's prefix, unless stated.
    const ACTION: &'static str = Action::<Self>::TEXT;
    /// Whether it reads, uses or changes.
    const AUDIT: AuditClass;
    /// Its input.
    type Input: OperationInput;
    /// Its output.
    type Output: OperationOutput;

    /// The resource that the input names.
    fn key(input: &Self::Input) -> <Self::On as Resource>::Key<'_>;

    /// Checks the input before anything is loaded. Only a caller who holds what the operation needs gets its error.
    ///
    /// # Errors
    /// Those that the shape's rules do not cover.
    fn check(_: &Self::Input) -> Result<(), ErrorOf<Self::On>> {
        Ok(())
    }

    /// Adds to the need the condition keys of this action. Asked whether or not the resource was found.
    fn refine<'n>(_: &'n Self::Input, _found: Option<&'n Self::On>, need: Need<'n>) -> Need<'n> {
        need
    }

    /// Further needs. Asked whether or not the resource was found.
    fn further_needs<'n>(
        _: &'n Self::Input,
        _found: Option<&'n Self::On>,
        _: &'n Call<'_, ServiceOf<Self::On>>,
    ) -> Vec<Need<'n>> {
        Vec::new()
    }

    /// Does it.
    fn run(
        input: Self::Input,
        target: &Permit<Self::On>,
        call: &Call<'_, ServiceOf<Self::On>>,
    ) -> impl Future<Output = Result<Self::Output, ErrorOf<Self::On>>> + Send;
}

/// The need of the operation's own action; none where nothing was found nor could be.
fn own_need<'n, O: ResourceOperation>(
    input: &'n O::Input,
    found: Option<&'n O::On>,
    call: &'n Call<'_, ServiceOf<O::On>>,
) -> Option<Need<'n>> {
    let key = O::key(input);
    let need = match found {
        Some(found) => found.need(key, O::ACTION, call),
        None => O::On::need_of_missing(key, O::ACTION, call)?,
    };
    Some(O::refine(input, found, need))
}

impl<O: ResourceOperation> Operation for O {
    type Service = ServiceOf<O::On>;
    const NAME: &'static str = O::NAME;
    const AUDIT: AuditClass = O::AUDIT;
    type Input = O::Input;
    type Output = O::Output;
    type Target = O::On;

    async fn find(input: &O::Input, call: &Call<'_, Self::Service>) -> Result<O::On, ErrorOf<O::On>> {
        O::check(input)?;
        let found = O::On::find(O::key(input), call).await?;
        if let Some(concealed) = found.concealed(call) {
            // Boxed, because few calls take this path and the future would grow.
            Box::pin(async {
                let permitted = match own_need::<O>(input, Some(&found), call) {
                    Some(need) => call.would_allow(&need).await?,
                    None => false,
                };
                if permitted { Ok(()) } else { Err(concealed) }
            })
            .await?;
        }
        Ok(found)
    }

    fn needs<'n>(input: &'n O::Input, found: Option<&'n O::On>, call: &'n Call<'_, Self::Service>) -> Vec<Need<'n>> {
        let mut needs = match own_need::<O>(input, found, call) {
            Some(need) => vec![need],
            None => Vec::new(),
        };
        needs.extend(O::further_needs(input, found, call));
        needs
    }

    fn refused(found: Option<&O::On>, fault: Fault) -> Fault {
        match found {
            Some(found) => found.refused(fault),
            None => fault,
        }
    }

    #[expect(clippy::manual_async_fn, reason = "an async fn stores its arguments twice")]
    fn run(
        input: O::Input,
        mut target: Permit<O::On>,
        call: &Call<'_, Self::Service>,
    ) -> impl Future<Output = Result<O::Output, ErrorOf<O::On>>> + Send {
        async move {
            target.get_mut().begin(O::NAME, call).await?;
            let output = <O as ResourceOperation>::run(input, &target, call).await?;
            target.end(O::NAME, call);
            Ok(output)
        }
    }
}

#[cfg(test)]
mod tests;
