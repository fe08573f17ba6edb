//! Parts of answers: references of `ls-refs`, and the sections of `fetch` before its pack.
//!
//! Source: gitprotocol-v2, "ls-refs", "fetch", "object-info".

use git_object::ObjectId;

use crate::packet::{DELIMITER, line, line_of};

/// A reference as `ls-refs` shows it.
#[derive(Clone, Copy, Debug)]
pub struct LsRef<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its object; `None` for a `HEAD` whose branch does not exist.
    pub id: Option<ObjectId>,
    /// The reference that it refers to, if it is symbolic.
    pub target: Option<&'a [u8]>,
    /// The object that its annotated tag leads to.
    pub peeled: Option<ObjectId>,
}

/// Writes a line of the answer to `ls-refs`. A flush packet ends the answer.
pub fn ls_refs_line(out: &mut Vec<u8>, reference: LsRef<'_>) {
    let LsRef { name, id, target, peeled } = reference;
    let id = id.map_or_else(|| "unborn".to_owned(), |id| id.to_string());
    let peeled = peeled.map(|peeled| format!(" peeled:{peeled}")).unwrap_or_default();
    let key: &[u8] = if target.is_some() { b" symref-target:" } else { b"" };
    line(out, &[id.as_bytes(), b" ", name, key, target.unwrap_or_default(), peeled.as_bytes(), b"\n"]);
}

/// Writes the section of acknowledgments. Behind it follows the pack if `ready`, else a flush packet ends the answer.
pub fn acknowledgments(out: &mut Vec<u8>, common: &[ObjectId], ready: bool) {
    line_of(out, format_args!("acknowledgments"));
    if common.is_empty() {
        line_of(out, format_args!("NAK"));
    }
    common.iter().for_each(|id| line_of(out, format_args!("ACK {id}")));
    if ready {
        line_of(out, format_args!("ready"));
        out.extend_from_slice(DELIMITER);
    }
}

/// Writes the commits where the client's history now ends and those where it no longer does. In version 2 this is a
/// section, before [`wanted_refs`]; in the others a flush packet follows.
pub fn shallow_lines(out: &mut Vec<u8>, shallow: &[ObjectId], unshallow: &[ObjectId], is_section: bool) {
    if is_section {
        line_of(out, format_args!("shallow-info"));
    }
    // Without line feeds, as git writes these: libgit2 takes no others.
    shallow.iter().for_each(|id| line(out, &[b"shallow ", id.to_string().as_bytes()]));
    unshallow.iter().for_each(|id| line(out, &[b"unshallow ", id.to_string().as_bytes()]));
    out.extend_from_slice(if is_section { DELIMITER } else { crate::FLUSH });
}

/// Writes the section of the references that were wanted by name.
pub fn wanted_refs<'a>(out: &mut Vec<u8>, references: impl IntoIterator<Item = (&'a [u8], ObjectId)>) {
    line_of(out, format_args!("wanted-refs"));
    for (name, id) in references {
        line(out, &[id.to_string().as_bytes(), b" ", name, b"\n"]);
    }
    out.extend_from_slice(DELIMITER);
}

/// Writes the answer to `object-info`: each object's size, or none for one that the caller cannot have.
pub fn object_info(out: &mut Vec<u8>, size: bool, objects: impl IntoIterator<Item = (ObjectId, Option<u64>)>) {
    if size {
        line_of(out, format_args!("size"));
    }
    for (id, bytes) in objects {
        match bytes.filter(|_| size) {
            Some(bytes) => line_of(out, format_args!("{id} {bytes}")),
            None => line_of(out, format_args!("{id} ")),
        }
    }
    out.extend_from_slice(crate::FLUSH);
}

#[cfg(test)]
mod tests {
    use git_object::ObjectFormat;

    use super::*;

    fn id(hex: &str) -> ObjectId {
        ObjectId::from_hex(ObjectFormat::Sha1, hex.repeat(40).as_bytes()).expect("an id")
    }

    #[test]
    fn sections_are_written_as_git_writes_them() {
        let mut out = Vec::new();
        acknowledgments(&mut out, &[id("a")], true);
        shallow_lines(&mut out, &[id("b")], &[id("c")], true);
        wanted_refs(&mut out, [(b"refs/heads/main".as_slice(), id("d"))]);
        let ids = ["a", "b", "c", "d"].map(|digit| digit.repeat(40));
        let [a, b, c, d] = ids;
        let expected = format!(
            "0014acknowledgments\n0031ACK {a}\n000aready\n00010011shallow-info\n0034shallow {b}0036unshallow {c}0001\
             0010wanted-refs\n003d{d} refs/heads/main\n0001"
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut out = Vec::new();
        shallow_lines(&mut out, &[id("b")], &[], false);
        assert_eq!(String::from_utf8_lossy(&out), format!("0034shallow {b}0000"));
        let mut out = Vec::new();
        acknowledgments(&mut out, &[], false);
        assert_eq!(out, b"0014acknowledgments\n0008NAK\n");
        let mut out = Vec::new();
        object_info(&mut out, true, [(id("a"), Some(7)), (id("b"), None)]);
        assert_eq!(String::from_utf8_lossy(&out), format!("0009size\n002f{a} 7\n002e{b} \n0000"));
    }
}
