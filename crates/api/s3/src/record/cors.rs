//! Which pages of other sites may call, as it travels and as it is stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::shape::Binding::{Flat, Name};

wire::document! {
    /// Some origins, and what their pages may do.
    pub(crate) struct CorsRule {
        "ID" id: String, optional, [];
        "AllowedHeaders" allowed_headers: Vec<String>, default, [], [Name("AllowedHeader"), Flat];
        "AllowedMethods" allowed_methods: Vec<String>, required, [], [Name("AllowedMethod"), Flat];
        "AllowedOrigins" allowed_origins: Vec<String>, required, [], [Name("AllowedOrigin"), Flat];
        "ExposeHeaders" expose_headers: Vec<String>, default, [], [Name("ExposeHeader"), Flat];
        "MaxAgeSeconds" max_age_seconds: i32, optional, [];
    }
}

wire::document! {
    /// The rules of a bucket: the first one that fits a request decides.
    pub(crate) struct CorsConfiguration {
        "CORSRules" rules: Vec<CorsRule>, required, [], [Name("CORSRule"), Flat];
    }
}

/// The rules of a bucket, stored under the bucket's id.
#[derive(Serialize, Deserialize)]
pub(crate) struct CorsRecord(pub(crate) CorsConfiguration);

impl Record for CorsRecord {
    const COLLECTION: &'static str = "s3-cors";
}
