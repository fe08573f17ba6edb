//! Requests to upload-pack, receive-pack and upload-archive: reading never panics and takes no more than its limits.
#![no_main]

use git_object::ObjectFormat;
use git_wire::{
    ArchiveReader, COMMANDS_MAX, Decoder, HAVES_MAX, Have, Negotiation, Packet, PushReader, RepositoryPath, Request,
    RequestReader, SHALLOW_MAX, UploadReader, Version, WANTS_MAX, WireError, is_repository_name,
};
use libfuzzer_sys::fuzz_target;

fn each(bytes: &[u8], mut take: impl FnMut(Packet<'_>) -> Result<(), WireError>) {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    while let Ok(Some(packet)) = decoder.next() {
        if take(packet).is_err() {
            return;
        }
    }
}

fuzz_target!(|input: (bool, &[u8], &str, Option<&str>)| {
    let (long, bytes, path, query) = input;
    let format = if long { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };

    let mut reader = RequestReader::new(format);
    each(bytes, |packet| {
        if let Some(Request::Fetch(fetch)) = reader.packet(packet)? {
            assert!(fetch.wants.len() <= WANTS_MAX && fetch.haves.len() <= HAVES_MAX);
            assert!(fetch.shallow.len() <= SHALLOW_MAX);
            assert!(fetch.wants.iter().all(|id| id.format() == format));
        }
        Ok(())
    });

    let (mut reader, mut negotiation) = (UploadReader::new(format), None);
    each(bytes, |packet| {
        match &mut negotiation {
            None => {
                let request = reader.packet(packet)?;
                negotiation = request.map(|request| Negotiation::new(format, request.multi_ack, request.no_done));
            }
            Some(negotiation) => {
                if let Some((haves, turn)) = negotiation.packet(packet)? {
                    let haves: Vec<_> =
                        haves.into_iter().map(|id| Have { id, common: id.as_bytes().first() < Some(&128) }).collect();
                    let _ = negotiation.acknowledge(&haves, long, turn, &mut Vec::new());
                }
            }
        }
        Ok(())
    });

    for stated in [Some(format), None] {
        let mut reader = PushReader::new(stated);
        each(bytes, |packet| {
            if let Some(push) = reader.packet(packet)? {
                assert!(push.commands.len() <= COMMANDS_MAX);
                assert!(push.commands.iter().all(|command| command.old.format() == push.format));
            }
            Ok(())
        });
    }
    let mut reader = ArchiveReader::default();
    each(bytes, |packet| reader.packet(packet).map(|_| ()));

    let _ = Version::of(bytes);
    if let Some(path) = RepositoryPath::parse(path, query) {
        assert!(is_repository_name(path.name));
    }
});
