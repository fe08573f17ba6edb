//! A shape with every kind of member that a service uses.

use std::collections::BTreeMap;

use wire::shape::Rule;

wire::text_enum! {
    /// A choice.
    pub enum Choice { One = "ONE", Two = "TWO" }
}

wire::shape! {
    /// A structure in a list.
    pub struct Tag {
        "TagKey" key: String, required, [Rule::Length(1, 128)];
        "TagValue" value: String, required, [Rule::Length(0, 256)];
    }
}

wire::shape! {
    /// Everything at once.
    pub struct Everything {
        "KeyId" key_id: String, required, [Rule::Length(1, 2048), Rule::Pattern("[a-zA-Z0-9:/_-]+")];
        "Plaintext" plaintext: wire::SecretBlob, optional, [Rule::Length(1, 4096)];
        "CiphertextBlob" ciphertext: wire::Blob, optional, [Rule::Length(1, 6144)];
        "Limit" limit: i32, optional, [Rule::Range(1, 1000)];
        "DryRun" dry_run: bool, optional, [];
        "When" when: wire::Timestamp, optional, [];
        "Choice" choice: Choice, optional, [];
        "Context" context: BTreeMap<String, String>, default, [];
        "Tags" tags: Vec<Tag>, default, [Rule::Length(0, 50)];
        "Names" names: Vec<String>, default, [Rule::Length(0, 10), Rule::Each(&[Rule::Length(1, 100)])];
    }
}
