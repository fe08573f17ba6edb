//! Contents as streams, whole or a range of them. Knows no versions but where their contents are.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use blobs::{Blob, BlobId, Blobs, Owner, Reading};
use bytes::Bytes;
use crypto::Key256;
use futures_util::stream::{self, Stream, StreamExt as _};
use store::ReadTx;

use crate::content::Contents;
use crate::layer::{Opening, sealed_bytes};
use crate::parts::{Part, PartList};
use crate::version::{Place, Stored, Version};
use crate::{Bucket, BucketsError, ObjectKey};

/// Bytes of a content, each found authentic. Ends after an error.
pub struct ContentReading(Pin<Box<dyn Stream<Item = Result<Bytes, BucketsError>> + Send>>);

impl Stream for ContentReading {
    type Item = Result<Bytes, BucketsError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

/// A range of one blob.
struct Segment {
    blob: BlobId,
    /// The length of the content.
    bytes: u64,
    range: Range<u64>,
}

impl Bucket {
    /// The parts of a version, in order; none of one that was not uploaded in parts.
    ///
    /// # Errors
    /// Those of reading.
    pub fn parts(&self, tx: &ReadTx<'_>, version: &Version) -> Result<Vec<Part>, BucketsError> {
        let Place::Parts(upload) = version.place else { return Ok(Vec::new()) };
        let list = PartList::find(tx, self, upload)?;
        Ok(list.ok_or(BucketsError::damaged("a version has no list of its parts"))?.parts)
    }
}

impl Contents {
    /// Streams the bytes of `range` of a version's content, which is opened with its key. The first blob is opened before this
    /// answers.
    ///
    /// # Errors
    /// [`BucketsError::OutOfRange`], [`BucketsError::NotAuthentic`]; those of reading.
    pub async fn read(
        &self,
        bucket: &Bucket,
        stored: &Stored,
        key: &ObjectKey,
        range: Range<u64>,
    ) -> Result<ContentReading, BucketsError> {
        let Stored { version, inline } = stored;
        let bytes = version.bytes;
        if range.start > range.end || range.end > bytes {
            return Err(BucketsError::OutOfRange { bytes });
        }
        let segments: VecDeque<Segment> = match &version.place {
            Place::Row => {
                let opened = key.open_row(bucket, inline)?;
                let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
                let content = opened.expose().get(place(range.start)..place(range.end));
                let content = Bytes::copy_from_slice(content.ok_or(BucketsError::NotAuthentic)?);
                return Ok(ContentReading(Box::pin(stream::iter((!content.is_empty()).then_some(Ok(content))))));
            }
            Place::Blob(id) => {
                let blob = BlobId::parse(id).ok_or(BucketsError::damaged("a blob has no id"))?;
                VecDeque::from([Segment { blob, bytes, range }])
            }
            Place::Parts(_) => {
                let (bucket, version) = (*bucket, version.clone());
                let parts = self.store.read(move |tx| bucket.parts(tx, &version)).await?;
                segments(&parts, &range)
            }
        };
        let mut source = Source {
            blobs: self.blobs.clone(),
            owner: key.owner(bucket),
            inner: key.inner().map(Key256::duplicate),
            segments,
        };
        let first = source.next().await?;
        let rest = stream::unfold(Some((source, first)), |state| async {
            let (mut source, mut current) = state?;
            loop {
                let piece = match current.as_mut()?.next().await {
                    Some(piece) => piece,
                    None => match source.next().await {
                        Ok(next) => {
                            current = Some(next?);
                            continue;
                        }
                        Err(error) => Err(error),
                    },
                };
                let failed = piece.is_err();
                return Some((piece, (!failed).then_some((source, current))));
            }
        });
        Ok(ContentReading(Box::pin(rest)))
    }
}

/// The ranges of parts that make up a range of the whole.
fn segments(parts: &[Part], range: &Range<u64>) -> VecDeque<Segment> {
    let mut begin = 0_u64;
    let mut segments = VecDeque::new();
    for part in parts {
        let (from, to) = (range.start.max(begin), range.end.min(begin + part.bytes));
        if from < to {
            segments.push_back(Segment { blob: part.blob, bytes: part.bytes, range: from - begin..to - begin });
        }
        begin += part.bytes;
    }
    segments
}

/// The blobs that are read one after the other.
struct Source {
    blobs: Blobs,
    owner: Owner,
    inner: Option<Key256>,
    segments: VecDeque<Segment>,
}

/// A range of a blob that is being read.
struct Current {
    reading: Reading,
    layer: Option<Opening>,
}

impl Source {
    /// Opens the next blob; `None` at the end.
    async fn next(&mut self) -> Result<Option<Current>, BucketsError> {
        let Some(Segment { blob: id, bytes, range }) = self.segments.pop_front() else { return Ok(None) };
        let blob: Blob = self.blobs.blob(&self.owner, &id).await?;
        let (layer, range, stored_bytes) = match &self.inner {
            Some(inner) => {
                let (layer, range) = Opening::new(inner, &id, bytes, &range);
                (Some(layer), range, sealed_bytes(bytes))
            }
            None => (None, range, bytes),
        };
        if blob.plaintext_bytes() != stored_bytes {
            return Err(BucketsError::NotAuthentic);
        }
        Ok(Some(Current { reading: blob.read(range)?, layer }))
    }
}

impl Current {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, BucketsError>> {
        let Some(layer) = &mut self.layer else {
            return self.reading.next().await.map(|piece| piece.map_err(Into::into));
        };
        loop {
            if layer.is_done() {
                return None;
            }
            let opened = match self.reading.next().await {
                Some(Ok(piece)) => layer.open(&piece, false),
                Some(Err(error)) => Err(error.into()),
                None => match layer.open(&[], true) {
                    Ok(piece) if piece.is_empty() => Err(BucketsError::NotAuthentic),
                    opened => opened,
                },
            };
            match opened {
                Ok(piece) if piece.is_empty() => {}
                opened => return Some(opened),
            }
        }
    }
}
