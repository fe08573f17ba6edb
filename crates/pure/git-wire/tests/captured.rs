//! Requests of real clients, as they were captured in front of `git http-backend`: git 2.39 and 2.47, libgit2, dulwich
//! and isomorphic-git. What is read of each stands in `captured.txt`; answers of git are written byte for byte as git
//! wrote them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use git_object::{ObjectFormat, ObjectId};
use git_wire::{
    Advertisement, ArchiveReader, Decoder, LsRef, Negotiation, Packet, PushReader, Reference, Request, RequestReader,
    Service, UploadReader, Version, WireError, ls_refs_line, service_line,
};

fn captured(extension: &str) -> Vec<(String, ObjectFormat, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    assert!(!files.is_empty(), "{extension}");
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let format = if name.contains("sha256") { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        (name, format, std::fs::read(path).expect("bytes"))
    };
    files.into_iter().map(read).collect()
}

/// Describes what `read` makes of the packets, however they arrive.
fn described(bytes: &[u8], mut read: impl FnMut(&mut String, Packet<'_>) -> Result<(), WireError>, out: &mut String) {
    let mut decoder = Decoder::default();
    for piece in bytes.chunks(7) {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(packet)) => read(out, packet).expect("what clients send"),
                Ok(None) => break,
                Err(error) => {
                    assert!(bytes.windows(8).any(|window| window == b"0000PACK"), "{error}");
                    return;
                }
            }
        }
    }
    assert!(decoder.is_empty());
}

fn upload(format: ObjectFormat, bytes: &[u8], out: &mut String) {
    if bytes.windows(8).any(|window| window == b"command=") {
        let mut reader = RequestReader::new(format);
        let read = |out: &mut String, packet: Packet<'_>| {
            if let Some(request) = reader.packet(packet)? {
                assert_ne!(request, Request::End);
                writeln!(out, "{request:?}").expect("text");
            }
            Ok(())
        };
        return described(bytes, read, out);
    }
    let (mut reader, mut negotiation) = (UploadReader::new(format), None);
    let read = |out: &mut String, packet: Packet<'_>| {
        match &mut negotiation {
            None => {
                if let Some(request) = reader.packet(packet)? {
                    writeln!(out, "{request:?}").expect("text");
                    negotiation = Some(Negotiation::new(format, request.multi_ack, request.no_done));
                }
            }
            Some(negotiation) => {
                if let Some(turn) = negotiation.packet(packet)? {
                    writeln!(out, "{turn:?}").expect("text");
                }
            }
        }
        Ok(())
    };
    described(bytes, read, out);
}

/// All that is read of the requests.
fn transcript() -> String {
    let mut out = String::new();
    for (name, format, bytes) in captured("upload-pack") {
        writeln!(out, "\n# {name}").expect("text");
        upload(format, &bytes, &mut out);
    }
    for (name, format, bytes) in captured("receive-pack") {
        writeln!(out, "\n# {name}").expect("text");
        for stated in [Some(format), None] {
            let (mut reader, mut push) = (PushReader::new(stated), None);
            let read =
                |_: &mut String, packet: Packet<'_>| reader.packet(packet).map(|read| push = read.or(push.take()));
            described(&bytes, read, &mut String::new());
            let push = push.expect("a push");
            assert_eq!(push.format, format);
            assert_eq!(push.has_pack(), bytes.windows(8).any(|window| window == b"0000PACK"));
            if stated.is_some() {
                writeln!(out, "{push:?}").expect("text");
            }
        }
    }
    for (name, _, bytes) in captured("upload-archive") {
        let mut reader = ArchiveReader::default();
        let read = |out: &mut String, packet: Packet<'_>| {
            let arguments = reader.packet(packet)?.unwrap_or_default();
            arguments.iter().for_each(|argument| writeln!(out, "{}", String::from_utf8_lossy(argument)).expect("text"));
            Ok(())
        };
        writeln!(out, "\n# {name}").expect("text");
        described(&bytes, read, &mut out);
    }
    // Bytes of names are shown as text.
    let mut lines = String::new();
    for line in out.lines() {
        writeln!(lines, "{}", as_text(line)).expect("text");
    }
    lines
}

/// The line with lists of bytes, such as `[114, 101]`, as the texts that they are.
fn as_text(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        let (list, behind) = after.split_once(']').unwrap_or((after, ""));
        let bytes: Option<Vec<u8>> = list.split(", ").map(|byte| byte.parse().ok()).collect();
        match bytes {
            Some(bytes) => {
                write!(text, "{:?}", String::from_utf8_lossy(&bytes)).expect("text");
                rest = behind;
            }
            None => {
                text.push('[');
                rest = after;
            }
        }
    }
    text + rest
}

#[test]
fn requests_of_real_clients_are_read_as_they_were_meant() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured.txt");
    let transcript = transcript();
    if std::env::var_os("SEALSTACK_BLESS").is_some() {
        std::fs::write(&path, &transcript).expect("written");
    }
    assert_eq!(transcript, std::fs::read_to_string(&path).expect("a transcript"));
}

fn lines(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let mut lines = Vec::new();
    while let Some(packet) = decoder.next().expect("packets") {
        lines.push(packet.text().map(<[u8]>::to_vec));
    }
    lines
}

fn split(line: &[u8], at: u8) -> (&[u8], &[u8]) {
    let position = line.iter().position(|byte| *byte == at).unwrap_or(line.len());
    (&line[..position], line.get(position + 1..).unwrap_or_default())
}

#[test]
fn an_advertisement_is_written_as_git_writes_it() {
    for (name, format, bytes) in captured("advertisement") {
        let lines = lines(&bytes);
        let title = split(lines[0].as_ref().expect("a title"), b'=').1.to_vec();
        let service = Service::from_name(&String::from_utf8_lossy(&title)).expect("a service");
        let mut version = Version::V0;
        let mut references: Vec<(ObjectId, Vec<u8>, Option<ObjectId>)> = Vec::new();
        let mut capabilities = Vec::new();
        for line in lines[2..].iter().flatten() {
            let (line, stated) = split(line, 0);
            if !stated.is_empty() {
                capabilities = stated.to_vec();
            }
            match split(line, b' ') {
                (b"version", b"1") => version = Version::V1,
                (_, b"capabilities^{}") => {}
                (hex, name) => {
                    let id = ObjectId::from_hex(format, hex).expect("an id");
                    match name.strip_suffix(b"^{}") {
                        Some(_) => references.last_mut().expect("a tag").2 = Some(id),
                        None => references.push((id, name.to_vec(), None)),
                    }
                }
            }
        }
        let mut out = Vec::new();
        service_line(&mut out, service);
        let mut advertisement = Advertisement::new(version, Some(format), capabilities);
        for (id, name, peeled) in &references {
            advertisement.reference(&mut out, Reference { name, id: *id, peeled: *peeled });
        }
        advertisement.finish(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&bytes), "{name}");
    }
}

#[test]
fn references_of_version_2_are_written_as_git_writes_them() {
    for (name, format, bytes) in captured("ls-refs-answer") {
        let mut out = Vec::new();
        for line in lines(&bytes).iter().flatten() {
            let mut words = line.split(|byte| *byte == b' ');
            let (hex, name) = (words.next().expect("an id"), words.next().expect("a name"));
            let id = (hex != b"unborn").then(|| ObjectId::from_hex(format, hex).expect("an id"));
            let (mut target, mut peeled) = (None, None);
            for word in words {
                match split(word, b':') {
                    (b"symref-target", name) => target = Some(name),
                    (_, hex) => peeled = Some(ObjectId::from_hex(format, hex).expect("an id")),
                }
            }
            ls_refs_line(&mut out, LsRef { name, id, target, peeled });
        }
        out.extend_from_slice(git_wire::FLUSH);
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&bytes), "{name}");
    }
}
