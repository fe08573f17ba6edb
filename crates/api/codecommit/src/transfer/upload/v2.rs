//! Requests of version 2: references, fetches, and sizes of objects.

use git::{Boundary, GitError};
use git_object::ObjectId;
use git_wire::{
    FLUSH, Fetch, LsRef, LsRefs, ObjectInfo, Request, RequestReader, SideBand, acknowledgments, line_of, ls_refs_line,
    object_info, shallow_lines, wanted_refs,
};
use tokio::task::spawn_blocking;

use super::{Stop, Upload, flush, send_pack};
use crate::reference::HIDDEN;
use crate::transfer::discovery::PIECE_BYTES;
use crate::transfer::output::Banded;
use crate::transfer::{Output, Packets, TransferError};

impl Upload {
    pub(super) async fn serve_v2(&self, packets: &mut Packets, output: &Output) -> Result<(), Stop> {
        let mut reader = RequestReader::new(self.format);
        loop {
            packets.begin();
            match packets.until(|packet| reader.packet(packet)).await? {
                None | Some(Request::End) => return Ok(()),
                Some(Request::LsRefs(asked)) => self.ls_refs(&asked, output).await?,
                Some(Request::Fetch(fetch)) => self.fetch(*fetch, output).await?,
                Some(Request::ObjectInfo(asked)) => self.object_info(asked, output).await?,
            }
        }
    }

    async fn ls_refs(&self, asked: &LsRefs, output: &Output) -> Result<(), TransferError> {
        self.record.listed()?;
        let mut out = Vec::new();
        let references = self.repository.references();
        let target = self.repository.head();
        let head = references.find(target);
        if asked.has(b"HEAD") && (head.is_some() || asked.unborn) {
            ls_refs_line(
                &mut out,
                LsRef {
                    name: b"HEAD",
                    id: head.map(|head| head.id),
                    target: asked.symrefs.then_some(target.as_bytes()),
                    peeled: head.and_then(|head| head.peeled).filter(|_| asked.peel),
                },
            );
        }
        let all = [Vec::new()];
        let prefixes = if asked.prefixes.is_empty() { &all } else { asked.prefixes.as_slice() };
        // No name begins with what is not UTF-8.
        for prefix in prefixes.iter().filter_map(|prefix| str::from_utf8(prefix).ok()) {
            for reference in references.with_prefix(prefix).filter(|found| !found.name.starts_with(HIDDEN)) {
                let peeled = reference.peeled.filter(|_| asked.peel);
                let (name, id) = (reference.name.as_bytes(), Some(reference.id));
                ls_refs_line(&mut out, LsRef { name, id, target: None, peeled });
                if out.len() >= PIECE_BYTES {
                    flush(&mut out, output).await?;
                }
            }
        }
        out.extend_from_slice(FLUSH);
        flush(&mut out, output).await
    }

    async fn fetch(&self, mut fetch: Fetch, output: &Output) -> Result<(), Stop> {
        let mut named = Vec::with_capacity(fetch.want_refs.len());
        for name in &fetch.want_refs {
            let name_of = |name| if name == "HEAD" { self.repository.head() } else { name };
            let found = str::from_utf8(name).ok().and_then(|name| self.repository.reference(name_of(name)));
            let unknown = || GitError::BadRequest { reason: format!("unknown ref {}", git_wire::clean(name)) };
            named.push((name.clone(), found.ok_or_else(unknown)?));
        }
        self.check(&fetch.wants).await?;
        fetch.wants.extend(named.iter().map(|(_, id)| *id));
        let mut out = Vec::new();
        let haves = std::mem::take(&mut fetch.haves);
        let known = self.known(haves.clone()).await?;
        let common: Vec<ObjectId> = haves.iter().zip(known).filter(|(_, known)| *known).map(|(id, _)| *id).collect();
        if fetch.wants.is_empty() && !fetch.wait_for_done {
            return Ok(());
        }
        if !fetch.done && (!haves.is_empty() || fetch.wait_for_done) {
            let asks = !common.is_empty() && !fetch.wait_for_done;
            let ready = asks && self.repository.ready(fetch.wants.clone(), common.clone()).await?;
            acknowledgments(&mut out, &common, ready);
            if !ready {
                out.extend_from_slice(FLUSH);
                return Ok(flush(&mut out, output).await?);
            }
        }
        let boundary = self.boundary(&fetch).await?;
        if let Some(Boundary { shallow, unshallow }) = &boundary {
            shallow_lines(&mut out, shallow, unshallow, true);
        }
        if !named.is_empty() {
            wanted_refs(&mut out, named.iter().map(|(name, id)| (name.as_slice(), *id)));
        }
        let to = Banded { output, side_band: Some(SideBand::Large), verbose: !fetch.no_progress };
        let pack = self.pack(fetch, common, boundary)?;
        line_of(&mut out, format_args!("packfile"));
        flush(&mut out, output).await?;
        send_pack(pack, &to).await
    }

    async fn object_info(&self, asked: ObjectInfo, output: &Output) -> Result<(), TransferError> {
        self.check(&asked.ids).await?;
        self.record.listed()?;
        let objects = self.repository.objects();
        let found = spawn_blocking(move || {
            let size = |id: &ObjectId| Ok((*id, objects.header(id)?.map(|(_, bytes)| bytes)));
            asked.ids.iter().map(size).collect::<Result<Vec<_>, GitError>>()
        });
        let mut out = Vec::new();
        object_info(&mut out, asked.size, found.await.unwrap_or(Err(GitError::Interrupted))?);
        flush(&mut out, output).await
    }
}
