//! The names under which buckets have hosts of their own: those that the server is reached by, and AWS's forms below them.
//!
//! Knows the configuration's names; how a request is matched with them is `service::Hosts`'s.

use http::Uri;
use service::Hosts;

/// Hosts below `localhost`, `names` and the host of `url`, and for each below `s3.NAME` and `s3.REGION.NAME`.
pub(crate) fn hosts(names: &[String], url: &str, region: &str) -> Hosts {
    let url = url.parse::<Uri>().ok();
    let host = url.as_ref().and_then(Uri::host);
    let all = names.iter().map(String::as_str).chain(host).chain(["localhost"]);
    // Addresses have no names below them, with or without brackets.
    let all = all.filter(|name| !name.starts_with('[') && name.parse::<std::net::IpAddr>().is_err());
    Hosts::below(all.flat_map(|name| [name.to_owned(), format!("s3.{name}"), format!("s3.{region}.{name}")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_hosts_below_every_name_of_the_server() {
        let names = ["keys.example.com".to_owned(), "10.0.0.1".to_owned()];
        let hosts = hosts(&names, "https://aws.example.net:8443", "eu-west-1");
        for (host, expect) in [
            ("photos.localhost:4566", Some("photos")),
            ("photos.s3.localhost", Some("photos")),
            ("photos.s3.eu-west-1.localhost", Some("photos")),
            ("s3.eu-west-1.keys.example.com", None),
            ("photos.keys.example.com", Some("photos")),
            ("photos.aws.example.net:8443", Some("photos")),
            ("photos.10.0.0.1", None),
            ("s3.10.0.0.1", None),
        ] {
            assert_eq!(hosts.label(host).as_deref(), expect, "{host}");
        }
    }
}
