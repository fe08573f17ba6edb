//! When a call is tried again, and how long it waits before that: as AWS's SDKs do in their standard mode.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Retry behavior".

use std::time::Duration;

use http::StatusCode;

use crate::{ClientError, ServiceError};

/// How often a call is tried unless the configuration says otherwise.
pub(crate) const ATTEMPTS_DEFAULT: u32 = 3;

/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The longest first wait, from which waits grow.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_FIRST_THROTTLED: Duration = Duration::from_secs(1);

/// Codes with which services ask for patience.
const THROTTLED: [&str; 13] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes of failures that pass.
const TRANSIENT: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];

/// How the next attempt waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    Never,
    MaybeReady,
    Throttled,
}

fn classify(error: &ClientError) -> Retry {
    match error {
        ClientError::Transport(error) if error.is_transient() => Retry::MaybeReady,
        ClientError::Service(ServiceError { status, code, .. }) => {
            if THROTTLED.contains(&code.as_str()) || *status == StatusCode::TOO_MANY_REQUESTS.as_u16() {
                Retry::Throttled
            } else if TRANSIENT.contains(&code.as_str()) || matches!(*status, 500 | 502 | 503 | 504) {
                Retry::MaybeReady
            } else {
                Retry::Never
            }
        }
        _ => Retry::Never,
    }
}

/// How long to wait after so many attempts that came to `error`; `None` when another would come to the same.
pub(crate) fn wait(error: &ClientError, attempts: u32) -> Option<Duration> {
    let first = match classify(error) {
        Retry::Never => return None,
        Retry::MaybeReady => WAIT_FIRST,
        Retry::Throttled => WAIT_FIRST_THROTTLED,
    };
    let longest = first.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(WAIT_MAX);
    // Anything up to the longest wait, so that those who failed together do not come back together.
    let mut random = [0; 4];
    crypto::random_bytes(&mut random);
    Some(longest.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TransportError;

    fn refused(status: u16, code: &str) -> ClientError {
        ServiceError { status, code: code.to_owned(), message: String::new() }.into()
    }

    #[test]
    fn throttling_and_failures_of_the_other_side_are_tried_again_and_refusals_are_not() {
        let late = TransportError::Time { host: "h".to_owned(), limit: Duration::ZERO };
        for (error, expected) in [
            (refused(400, "ThrottlingException"), Retry::Throttled),
            (refused(429, "Whatever"), Retry::Throttled),
            (refused(500, "KMSInternalException"), Retry::MaybeReady),
            (refused(503, "DependencyTimeoutException"), Retry::MaybeReady),
            (refused(400, "RequestTimeout"), Retry::MaybeReady),
            (late.into(), Retry::MaybeReady),
            (refused(400, "AccessDeniedException"), Retry::Never),
            (refused(501, "Whatever"), Retry::Never),
            (TransportError::Url(String::new()).into(), Retry::Never),
        ] {
            assert_eq!(classify(&error), expected, "{error}");
        }
    }

    #[test]
    fn waits_grow_and_stay_within_their_bound() {
        let longest = |attempts| (0..200).filter_map(|_| wait(&refused(500, "x"), attempts)).max().expect("a wait");
        assert!(longest(1) <= Duration::from_millis(200));
        assert!(longest(4) > Duration::from_millis(400) && longest(4) <= Duration::from_millis(1600));
        assert!(longest(60) <= WAIT_MAX);
        assert_eq!(wait(&refused(400, "AccessDeniedException"), 1), None);
    }
}
