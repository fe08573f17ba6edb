//! Passwords that are signatures: how Git clients of CodeCommit prove an access key over HTTPS Basic authentication.
//!
//! Source: `awscli/customizations/codecommit.py` of the AWS CLI (Apache-2.0), for what is signed.

use crypto::hex;

use super::authorization::parse_amz_date;
use super::{ALGORITHM, SigV4Error, SigningKey, TERMINATOR};
use crate::Timestamp;

/// How far the time of signing may be from now, in minutes, either way.
const SKEW_MINUTES: u16 = 15;

/// The service in the credential scope.
pub const GIT_SERVICE: &str = "codecommit";

/// A password such as `20260801T120000Z` followed by 64 hexadecimal digits.
pub struct GitPassword<'a> {
    /// The time of signing without its `Z`, as it was signed.
    time_text: &'a str,
    time: Timestamp,
    signature: [u8; 32],
}

impl<'a> GitPassword<'a> {
    /// Reads a password. `None` if it has another form.
    #[must_use]
    pub fn parse(password: &'a str) -> Option<Self> {
        let (time_text, signature) = password.split_at_checked(16)?;
        let time = parse_amz_date(time_text.as_bytes().try_into().ok()?)?;
        let signature = hex::decode_lower(signature)?;
        Some(Self { time_text: time_text.strip_suffix('Z')?, time, signature })
    }

    /// The day of the scope, `YYYYMMDD`.
    #[must_use]
    pub fn date(&self) -> &'a str {
        self.time_text.get(..8).unwrap_or_default()
    }

    /// Checks the time and the signature of `GIT path` on `host` by `key`, which is derived for
    /// [`date`](Self::date), `region` and [`GIT_SERVICE`].
    ///
    /// # Errors
    /// [`SigV4Error::NotYetCurrent`], [`SigV4Error::Expired`], [`SigV4Error::Signature`].
    pub fn verify(
        &self,
        key: &SigningKey,
        region: &str,
        (path, host): (&str, &str),
        now: Timestamp,
    ) -> Result<(), SigV4Error> {
        let age = now.millis().saturating_sub(self.time.millis());
        let (signed, minutes) = (self.time, SKEW_MINUTES);
        let skew = i64::from(minutes) * 60_000;
        if age < -skew {
            return Err(SigV4Error::NotYetCurrent { signed, now, minutes });
        }
        if age > skew {
            return Err(SigV4Error::Expired { signed, now, minutes });
        }
        let expected = signature(key, self.time_text, region, path, host);
        if crypto::constant_time_eq(&expected, &self.signature) { Ok(()) } else { Err(SigV4Error::Signature) }
    }
}

/// Signs `GIT path` on `host` at `time` by `key`, which is derived for that day, `region` and [`GIT_SERVICE`]: the password
/// that [`GitPassword`] reads.
#[must_use]
pub fn sign_git(key: &SigningKey, time: Timestamp, region: &str, (path, host): (&str, &str)) -> String {
    let stamp = time.amz_date();
    let time_text = stamp.strip_suffix('Z').unwrap_or(&stamp);
    format!("{stamp}{}", hex::encode(&signature(key, time_text, region, path, host)))
}

fn signature(key: &SigningKey, time_text: &str, region: &str, path: &str, host: &str) -> [u8; 32] {
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let digest = hex::encode_hash(&crypto::sha256(canonical.as_bytes()));
    let date = time_text.get(..8).unwrap_or_default();
    let scope = format!("{date}/{region}/{GIT_SERVICE}/{TERMINATOR}");
    key.sign(&[format!("{ALGORITHM}\n{time_text}\n{scope}\n").as_bytes(), &digest])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/v1/repos/firstrepo";
    const HOST: &str = "git-codecommit.us-east-1.amazonaws.com";
    const NOW: Timestamp = Timestamp::from_millis(1_785_585_600_000);
    /// Made by the credential helper of AWS CLI 1.46.3 for the secret access key `secret` at that time.
    const PASSWORD: &str = "20260801T120000Z794d8ebd503261d0182627072ad27701a22cbf9e6a37dfa52455b628d5d9820c";

    fn key() -> SigningKey {
        SigningKey::derive(b"secret", "20260801", "us-east-1", GIT_SERVICE)
    }

    #[test]
    fn a_password_is_signed_as_the_aws_cli_signs_it() {
        assert_eq!(sign_git(&key(), NOW, "us-east-1", (PATH, HOST)), PASSWORD);
    }

    #[test]
    fn a_signed_password_is_good_for_its_path_host_region_and_time() {
        let password = GitPassword::parse(PASSWORD).expect("a password");
        assert_eq!(password.date(), "20260801");
        let verify = |region, at, now| password.verify(&key(), region, at, now);
        verify("us-east-1", (PATH, HOST), NOW).expect("the signature is right");
        let minutes = |count: i64| Timestamp::from_millis(NOW.millis() + count * 60_000);
        verify("us-east-1", (PATH, HOST), minutes(15)).expect("recent");
        assert!(matches!(verify("us-east-1", (PATH, HOST), minutes(16)), Err(SigV4Error::Expired { .. })));
        assert!(matches!(verify("us-east-1", (PATH, HOST), minutes(-16)), Err(SigV4Error::NotYetCurrent { .. })));
        for (region, path, host) in
            [("eu-west-1", PATH, HOST), ("us-east-1", "/v1/repos/other", HOST), ("us-east-1", PATH, "localhost")]
        {
            assert!(matches!(verify(region, (path, host), NOW), Err(SigV4Error::Signature)), "{region} {path} {host}");
        }
    }

    #[test]
    fn what_has_another_form_is_no_password() {
        let good = PASSWORD.to_owned();
        for text in
            ["", "x", &good[..79], &format!("{good}0"), &good.to_uppercase(), &good.replace('Z', "z"), &"é".repeat(40)]
        {
            assert!(GitPassword::parse(text).is_none(), "{text:?}");
        }
    }
}
