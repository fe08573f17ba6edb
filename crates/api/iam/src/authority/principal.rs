//! The port through which other services look up principals.

use service::BoxFuture;
use service::ports::Principals;
use store::StoreError;
use wire::Arn;

use crate::Iam;
use crate::records::principal::unique_id;

impl Principals for Iam {
    fn unique_id<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        let arn = arn.clone();
        Box::pin(self.store.read(move |tx| unique_id(tx, &arn)))
    }
}
