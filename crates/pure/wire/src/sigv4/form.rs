//! The signature of a form's policy: who lets a browser upload what.
//!
//! Does not read the policy itself.
//!
//! Source: Amazon S3 API Reference, "Browser-based uploads using POST: calculating a signature".

use std::borrow::Cow;

use crypto::hex;

use super::authorization::{Form, Given};
use super::{ALGORITHM, Authorization, SigV4Error, SigningKey};
use crate::form::Fields;

/// The fields of a signature.
const NAMES: [(&str, &str); 4] = [
    ("x-amz-signature", "X-Amz-Signature"),
    ("x-amz-algorithm", "X-Amz-Algorithm"),
    ("x-amz-credential", "X-Amz-Credential"),
    ("x-amz-date", "X-Amz-Date"),
];

/// The field of the policy.
const POLICY: &str = "policy";

impl<'a> Authorization<'a> {
    /// Reads the fields of a form; `None` for one that nobody has signed.
    ///
    /// # Errors
    /// The error of a signature's form.
    pub fn of_form(fields: &'a Fields) -> Result<Option<Self>, SigV4Error> {
        if fields.value("awsaccesskeyid").is_some() || fields.value("signature").is_some() {
            return Err(SigV4Error::Mechanism);
        }
        if NAMES.iter().all(|(name, _)| fields.value(name).is_none()) {
            return Ok(None);
        }
        let field = |name, shown| fields.value(name).ok_or(SigV4Error::FormField { name: shown });
        let [signature, algorithm, credential, date] = NAMES.map(|(name, shown)| field(name, shown));
        let (signature, algorithm, credential, date) = (signature?, algorithm?, credential?, date?);
        field(POLICY, "policy")?;
        if algorithm != ALGORITHM {
            return Err(SigV4Error::Algorithm);
        }
        Self::assemble(Given {
            credential: credential.into(),
            signed_headers: Cow::Borrowed(""),
            signature,
            date,
            session_token: fields.value("x-amz-security-token").map(Cow::Borrowed),
            content_hash: None,
            form: Form::Policy,
        })
        .map(Some)
    }

    /// Checks the signature of a form's policy. When the policy ends is in itself.
    ///
    /// # Errors
    /// [`SigV4Error::Signature`].
    pub fn verify_policy(&self, fields: &Fields, key: &SigningKey) -> Result<(), SigV4Error> {
        let policy = fields.value(POLICY).filter(|_| self.form == Form::Policy).ok_or(SigV4Error::Signature)?;
        let expected = hex::encode_hash(&key.sign(&[policy.as_bytes()]));
        if crypto::constant_time_eq(&expected, &self.signature) { Ok(()) } else { Err(SigV4Error::Signature) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy of AWS's example.
    const POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgIC\
        B7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNl\
        ci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaX\
        JlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2Fk\
        Lmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LW\
        Ftei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRp\
        b24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgIC\
        B7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3\
        czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7In\
        gtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

    fn fields(changes: &[(&str, Option<&str>)]) -> Fields {
        let example = [
            ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-date", "20151229T000000Z"),
            ("policy", POLICY),
            ("x-amz-signature", SIGNATURE),
        ];
        let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
        let given = example
            .iter()
            .filter_map(|(name, value)| Some((*name, changed(name).map_or(Some(*value), |(_, value)| *value)?)));
        let added = changes.iter().filter(|(name, _)| !example.iter().any(|(known, _)| known == name));
        let added = added.filter_map(|(name, value)| Some((*name, (*value)?)));
        given.chain(added).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn verify(changes: &[(&str, Option<&str>)]) -> Result<(), SigV4Error> {
        let fields = fields(changes);
        let authorization = Authorization::of_form(&fields)?.ok_or(SigV4Error::Missing)?;
        let key = SigningKey::derive(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20151229", "us-east-1", "s3");
        authorization.verify_policy(&fields, &key)
    }

    #[test]
    fn awss_example_of_a_signed_policy_is_verified() {
        assert_eq!(verify(&[]), Ok(()));
        assert_eq!(verify(&[("policy", Some("e30="))]), Err(SigV4Error::Signature));
        assert_eq!(verify(&[("x-amz-signature", Some(&SIGNATURE.replace('8', "9")))]), Err(SigV4Error::Signature));
        let fields = fields(&[]);
        let authorization = Authorization::of_form(&fields).expect("well formed").expect("signed");
        assert_eq!((authorization.region(), authorization.access_key_id()), ("us-east-1", "AKIAIOSFODNN7EXAMPLE"));
    }

    #[test]
    fn a_form_is_signed_in_full_or_not_at_all() {
        for (name, shown) in
            [("policy", "policy"), ("x-amz-algorithm", "X-Amz-Algorithm"), ("x-amz-signature", "X-Amz-Signature")]
        {
            assert_eq!(verify(&[(name, None)]), Err(SigV4Error::FormField { name: shown }), "{name}");
        }
        assert_eq!(verify(&[("x-amz-algorithm", Some("AWS4-ECDSA-P256-SHA256"))]), Err(SigV4Error::Algorithm));
        assert_eq!(verify(&[("awsaccesskeyid", Some("AKIA"))]), Err(SigV4Error::Mechanism));
        let unsigned = ["policy", "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date"];
        assert_eq!(verify(&unsigned.map(|name| (name, None))), Err(SigV4Error::Missing));
    }
}
