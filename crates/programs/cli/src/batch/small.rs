//! Short inputs: each worker has several in memory, and works on one while others wait for the key service.
//!
//! A call of the key service takes longer than the work on a short file. So one call at a time would leave the cores
//! idle, and a thread for each would cost them more than the work does.

use std::fs::File;

use envelope::{Error, ReadAt as _};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::draft::Draft;
use super::queue::Taker;
use super::target::Target;
use super::work::{Batch, Failed, Job, Opened, Operation, Publisher, Worked};

/// How many short inputs a worker has in memory at a time, unless it was said how many are worked on at a time.
///
/// Half of them are begun at once, so their calls come one after the other: a key service on the same machine then
/// answers several each time that it is woken.
const TOGETHER_MAX: usize = 16;

impl<O: Operation> Batch<'_, O> {
    /// Works on short inputs until there is another one, which it hands back, or no more at all.
    pub(super) async fn small(&self, waiting: &Taker<Job>, publisher: &Publisher) -> Option<Opened> {
        let together_max = if self.files.parallel.is_some() { 1 } else { TOGETHER_MAX };
        let mut together = FuturesUnordered::new();
        let mut other = None;
        loop {
            let room = together.len() <= together_max / 2;
            while room && other.is_none() && together.len() < together_max {
                let job = if together.is_empty() { waiting.take() } else { waiting.at_hand() };
                let Some(job) = job else { break };
                let Some(opened) = self.open(job) else { continue };
                match self.small_bytes(&opened) {
                    Some(length) => together.push(self.one_small(opened, length)),
                    None => other = Some(opened),
                }
            }
            match together.next().await {
                Some(Some((job, draft, worked))) => self.publish(job, draft, worked, publisher),
                Some(None) => {}
                None => return other,
            }
        }
    }

    /// Processes one, or reports why that fails.
    async fn one_small(&self, opened: Opened, length: usize) -> Option<(Job, Draft, Worked)> {
        let Opened { job, file, .. } = opened;
        let worked = self.work_small(&file, length, job.target.as_ref()?).await;
        let (draft, worked) = worked.map_err(|error| self.fail(job.name(), error)).ok()?;
        Some((job, draft, worked))
    }

    async fn work_small(&self, file: &File, length: usize, target: &Target) -> Result<(Draft, Worked), Failed> {
        let mut input = vec![0; length];
        file.read_exact_at(&mut input, 0).map_err(Error::Io)?;
        self.progress.advance(length as u64);
        let draft = Self::draft(target)?;
        let worked = self.operation.work_small(&input, draft.file()).await?;
        Ok((draft, worked))
    }
}
