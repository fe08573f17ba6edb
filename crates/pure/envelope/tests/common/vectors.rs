//! The shared vectors, in `../shared/vectors/esdk` beside the workspace.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

/// The files of an archive by their names.
pub(crate) struct Vectors(BTreeMap<String, Vec<u8>>);

impl Vectors {
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/vectors/esdk").join(name);
        let file =
            File::open(&path).unwrap_or_else(|error| panic!("the shared vectors at {}: {error}", path.display()));
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(entry.name().unwrap().trim_start_matches("./").to_owned(), bytes);
        }
        Self(files)
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.0[name]).unwrap()
    }

    pub(crate) fn file(&self, url: &Value) -> &[u8] {
        &self.0[url.as_str().unwrap().strip_prefix("file://").unwrap()]
    }

    /// The RSA key pair of the vectors, in PEM.
    pub(crate) fn rsa() -> (String, String) {
        let keys = Self::read("v4-Net-4.0.1.zip").json("keys.json");
        let material = |name: &str| keys["keys"][name]["material"].as_str().unwrap().to_owned();
        (material("rsa-4096-private"), material("rsa-4096-public"))
    }
}
