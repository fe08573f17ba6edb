//! Key material: the operations that rotate it, import it and delete it, for all related keys at once.

pub(crate) mod deletion;
pub(crate) mod family;
pub(crate) mod import;
pub(crate) mod import_parameters;
pub(crate) mod import_token;
pub(crate) mod rotation;
pub(crate) mod rotation_list;
pub(crate) mod wrapping;
