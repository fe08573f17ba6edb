//! The checksum behind a body: announced in the head, and there exactly once.

use http::{HeaderMap, HeaderName};

use super::{Algorithm, BodyError};

static ANNOUNCED: HeaderName = HeaderName::from_static("x-amz-trailer");

/// The trailer of one body: the announced checksum, and its value once that has arrived.
pub(super) struct Trailer {
    announced: Option<Algorithm>,
    digest: Option<Vec<u8>>,
}

impl Trailer {
    /// The trailer that a head announces. Without chunks there is nothing that could carry one.
    pub(super) fn announced(headers: &HeaderMap, takes_trailer: bool) -> Result<Self, BodyError> {
        let mut announced = None;
        for value in headers.get_all(&ANNOUNCED) {
            let names = value.to_str().map_err(|_| BodyError::TrailerName)?;
            for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let algorithm = Algorithm::of_header(name).ok_or(BodyError::TrailerName)?;
                if announced.replace(algorithm).is_some() {
                    return Err(BodyError::SeveralChecksums);
                }
            }
        }
        if announced.is_some() && !takes_trailer {
            Err(BodyError::Trailer)
        } else {
            Ok(Self { announced, digest: None })
        }
    }

    pub(super) const fn algorithm(&self) -> Option<Algorithm> {
        self.announced
    }

    /// Takes one line in.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<(), BodyError> {
        let algorithm = Algorithm::of_header(name).filter(|algorithm| self.announced == Some(*algorithm));
        let algorithm = algorithm.ok_or(BodyError::Trailer)?;
        let digest = algorithm.parse(value.as_bytes()).ok_or(BodyError::Checksum { algorithm })?;
        if self.digest.replace(digest).is_some() { Err(BodyError::Trailer) } else { Ok(()) }
    }

    /// The checksum, if one was announced.
    pub(super) fn finish(self) -> Result<Option<(Algorithm, Vec<u8>)>, BodyError> {
        match (self.announced, self.digest) {
            (None, _) => Ok(None),
            (Some(algorithm), Some(digest)) => Ok(Some((algorithm, digest))),
            (Some(_), None) => Err(BodyError::Trailer),
        }
    }
}
