//! The cases that are exchanged, so that every two values of suite, keyring, length and frame length meet; and how our
//! side encrypts and decrypts them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Cursor;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use envelope::{
    AlgorithmSuite, CommitmentPolicy, Decryption, Encryption, EncryptionContext, Framing, Keyring, Opened,
    RequiredContext,
};
use serde_json::{Value, json};

use crate::keyrings::Pair;

/// Lengths of plaintexts in bytes.
pub(crate) const LENGTHS: [usize; 7] = [0, 1, 4095, 4096, 4097, 1 << 20, 33 << 20];

/// Lengths of frames in bytes; zero for a message without frames.
pub(crate) const FRAME_LENGTHS: [u32; 5] = [0, 128, 4096, 1 << 16, 1 << 20];

/// More frames than this take the other side minutes.
const FRAMES_MAX: usize = 100_000;

pub(crate) struct Case {
    index: usize,
    suite: AlgorithmSuite,
    keyring: usize,
    length: usize,
    frame_length: u32,
    /// Whether an entry of the context is required, and not stored.
    pub(crate) required: bool,
}

impl Case {
    fn what(&self, pairs: &[Pair]) -> String {
        let Self { suite, length, frame_length, required, .. } = self;
        let keyring = &pairs[self.keyring].name;
        format!("{keyring}, {suite}, {length} bytes in frames of {frame_length}, required context {required}")
    }

    fn policy(&self) -> CommitmentPolicy {
        match self.suite.format_version() {
            1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
            _ => CommitmentPolicy::RequireEncryptRequireDecrypt,
        }
    }

    fn required(&self) -> &'static [&'static str] {
        if self.required { &["tenant"] } else { &[] }
    }
}

/// Cases in which every two values of suites, keyrings, lengths and frame lengths meet, unless that means too many
/// frames.
pub(crate) fn of(pairs: &[Pair], suites: &[AlgorithmSuite], lengths: &[usize], frame_lengths: &[u32]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (keyring, pair) in pairs.iter().enumerate() {
        for (at, suite) in suites.iter().filter(|suite| pair.signed || !suite.signs()).enumerate() {
            let length = lengths[(at + keyring) % lengths.len()];
            let turn = at + 2 * keyring + (at + keyring) / lengths.len();
            let fits = |frame: u32| length.checked_div(frame as usize).unwrap_or(0) <= FRAMES_MAX;
            let frames: Vec<u32> = frame_lengths.iter().copied().filter(|frame| fits(*frame)).collect();
            let required = (at + keyring) % 3 == 1;
            let frame_length = frames[turn % frames.len()];
            cases.push(Case { index: cases.len(), suite: *suite, keyring, length, frame_length, required });
        }
    }
    let met = |pair: fn(&Case) -> (usize, usize)| cases.iter().map(pair).collect::<BTreeSet<_>>().len();
    let (suites, keyrings) = (suites.len(), pairs.len());
    assert_eq!(met(|case| (case.suite.id().into(), case.length)), suites * lengths.len());
    assert_eq!(met(|case| (case.suite.id().into(), case.frame_length as usize)), suites * frame_lengths.len());
    assert_eq!(met(|case| (case.keyring, case.length)), keyrings * lengths.len());
    assert_eq!(met(|case| (case.keyring, case.frame_length as usize)), keyrings * frame_lengths.len());
    let too_many = lengths.iter().flat_map(|length| frame_lengths.iter().map(move |frame| (*length, *frame)));
    let too_many = too_many.filter(|(length, frame)| length.checked_div(*frame as usize).unwrap_or(0) > FRAMES_MAX);
    let expected = lengths.len() * frame_lengths.len() - too_many.count();
    assert_eq!(met(|case| (case.length, case.frame_length as usize)), expected);
    cases
}

/// A keyring that is lent to a source of materials.
struct Lent<'k>(&'k dyn Keyring);

impl Keyring for Lent<'_> {
    fn wrap<'a>(
        &'a self,
        keys: &'a mut envelope::Wrapping<'_>,
    ) -> envelope::Pending<'a, Result<(), envelope::KeyFailure>> {
        self.0.wrap(keys)
    }

    fn open<'a>(
        &'a self,
        keys: &'a envelope::Unwrapping<'_>,
    ) -> envelope::Pending<'a, Result<envelope::Unwrapped, Vec<envelope::KeyFailure>>> {
        self.0.open(keys)
    }
}

/// Files in a directory: plaintexts by their length, and a message of either side for each case.
pub(crate) struct Exchange<'p> {
    directory: PathBuf,
    pairs: &'p [Pair],
}

impl<'p> Exchange<'p> {
    pub(crate) fn new(directory: &Path, pairs: &'p [Pair]) -> Self {
        for length in LENGTHS {
            // Bytes that differ from frame to frame.
            let plaintext: Vec<u8> = (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            fs::write(directory.join(format!("plaintext-{length}")), plaintext).unwrap();
        }
        Self { directory: directory.to_owned(), pairs }
    }

    fn plaintext(&self, case: &Case) -> PathBuf {
        self.directory.join(format!("plaintext-{}", case.length))
    }

    fn message(&self, case: &Case, whose: &str) -> PathBuf {
        self.directory.join(format!("{}-{whose}", case.index))
    }

    fn context() -> EncryptionContext {
        EncryptionContext::from([("purpose", "interop"), ("größe", "ünïcode"), ("tenant", "blue")])
    }

    /// Encrypts for the other side. Returns its instructions.
    pub(crate) fn offer(&self, case: &Case) -> [Value; 2] {
        self.seal(case);
        let context: serde_json::Map<_, _> =
            Self::context().iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let asked = |what: &str, source: PathBuf| {
            json!({
                "what": format!("{what} {}", case.what(self.pairs)),
                "do": what,
                "keyring": case.keyring,
                "suite": case.suite.id(),
                "frame_length": case.frame_length,
                "context": context,
                "required": case.required(),
                "source": source,
                "expected": self.plaintext(case),
                "sink": self.message(case, "theirs"),
            })
        };
        [asked("decrypt", self.message(case, "ours")), asked("encrypt", self.plaintext(case))]
    }

    /// Encrypts in one of the ways there are, each in its turn.
    fn seal(&self, case: &Case) {
        let materials = RequiredContext::new(Lent(&*self.pairs[case.keyring].encrypts), case.required().to_vec());
        let encryption = Encryption::new(&materials).suite(case.suite).commitment_policy(case.policy());
        let encryption = encryption.context(Self::context());
        let encryption = match NonZeroU32::new(case.frame_length) {
            Some(length) => encryption.frame_length(length),
            None => encryption.unframed(),
        };
        let source = File::open(self.plaintext(case)).unwrap();
        let sink = File::create(self.message(case, "ours")).unwrap();
        let sealed = match case.index % 2 {
            0 => encryption.encrypt_at(&source, case.length as u64, &sink),
            _ => encryption.encrypt_stream(source, sink),
        };
        let sealed = sealed.unwrap_or_else(|error| panic!("encrypt {}: {error}", case.what(self.pairs)));
        assert_eq!(sealed.plaintext_bytes, case.length as u64);
    }

    /// Decrypts what the other side encrypted, in one of the ways there are, and a range of it.
    pub(crate) fn receive(&self, case: &Case) {
        let what = case.what(self.pairs);
        let materials = RequiredContext::new(Lent(&*self.pairs[case.keyring].decrypts), case.required().to_vec());
        let decryption = Decryption::new(&materials).context(Self::context()).commitment_policy(case.policy());
        let path = self.message(case, "theirs");
        let open = || File::open(&path).unwrap();
        let bytes = open().metadata().unwrap().len();
        let mut plaintext = Vec::new();
        let opened = match case.index % 3 {
            0 => decryption.decrypt_seekable(open(), &mut plaintext),
            1 => decryption.decrypt_spooled(open(), Cursor::new(Vec::new()), &mut plaintext),
            _ => {
                let opened = self.directory.join(format!("{}-opened", case.index));
                let outcome = decryption.decrypt_at(&open(), bytes, &File::create(&opened).unwrap());
                plaintext = fs::read(&opened).unwrap();
                fs::remove_file(&opened).unwrap();
                outcome
            }
        };
        let Opened { header, context, .. } = opened.unwrap_or_else(|error| panic!("decrypt {what}: {error}"));
        let expected = fs::read(self.plaintext(case)).unwrap();
        assert!(plaintext == expected, "decrypt {what}: another plaintext came out");
        assert_eq!(header.suite(), case.suite, "{what}");
        assert_eq!(context.without_reserved(), Self::context(), "{what}");
        assert_eq!(header.context().contains("tenant"), !case.required, "{what}");
        let framing = NonZeroU32::new(case.frame_length).map_or(Framing::Unframed, Framing::Framed);
        assert_eq!(header.framing(), framing, "{what}");
        if let Framing::Framed(_) = framing {
            let (from, to) = (case.length / 3, case.length / 2);
            let mut range = Vec::new();
            let opened = decryption.decrypt_range_unverified(&open(), bytes, from as u64..to as u64, &mut range);
            opened.unwrap_or_else(|error| panic!("a range of {what}: {error}"));
            assert!(range == expected[from..to], "a range of {what}");
        }
        fs::remove_file(&path).unwrap();
    }
}
