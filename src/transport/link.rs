//! Links of the console to files on other servers. A link is valid for a short time, and its signature is a secret.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use sentinelone_raw::runtime::{Secret, Timestamp};
use url::Url;

/// Names of query parameters with a secret contain one of these words.
const SECRET_NAMES: [&str; 8] = ["sig", "credential", "token", "key", "policy", "secret", "password", "hash"];

/// Length from which any query parameter counts as a secret.
const LONG: usize = 32;

/// Returns the secrets of a link: the values of its query that grant access, and its password.
pub(super) fn secrets(url: &Url) -> Vec<Secret> {
    let is_secret = |name: &str, value: &str| {
        let name = name.to_ascii_lowercase();
        value.len() >= LONG || SECRET_NAMES.iter().any(|word| name.contains(word))
    };
    let query = url.query_pairs().filter(|(name, value)| is_secret(name, value));
    let mut secrets: Vec<Secret> = query.map(|(_, value)| Secret::from(value.as_ref())).collect();
    secrets.extend(url.password().map(Secret::from));
    secrets
}

/// Returns a request for a link. The user and the password of its URL become a header, because a transport would not read
/// them from the URL.
pub(super) fn request(mut url: Url) -> reqwest::Request {
    let authorization = take_user_info(&mut url);
    let mut request = reqwest::Request::new(Method::GET, url);
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.extend(authorization.map(|value| (header::AUTHORIZATION, value)));
    request
}

/// Removes the user and the password from a URL, and returns the value of the header `Authorization` with them.
fn take_user_info(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |part| percent_decode_str(part).collect::<Vec<u8>>();
    let user_info = [decoded(url.username()), decoded(url.password().unwrap_or_default())].join(&b':');
    // A URL with user info has a host, so its user info can be removed.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user_info))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns whether the time of expiry in the query of a link has passed.
pub(super) fn has_expired(url: &Url, now: SystemTime) -> bool {
    expiry(url).is_some_and(|expiry| expiry < now)
}

fn expiry(url: &Url) -> Option<SystemTime> {
    let param = |names: &[&str]| {
        let is_named = |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        url.query_pairs().find(|(name, _)| is_named(name)).map(|(_, value)| value.into_owned())
    };
    if let Some(date) = param(&["X-Amz-Date", "X-Goog-Date"]) {
        let seconds = param(&["X-Amz-Expires", "X-Goog-Expires"])?.parse().ok()?;
        return basic_time(&date)?.checked_add(Duration::from_secs(seconds));
    }
    if let Some(time) = param(&["se"]) {
        return Timestamp::from(time).to_system_time();
    }
    let seconds = param(&["Expires"])?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Parses a time such as `20261121T080000Z`.
fn basic_time(text: &str) -> Option<SystemTime> {
    let part = |from: usize, to: usize| text.get(from..to);
    let (date, time) =
        ([part(0, 4)?, part(4, 6)?, part(6, 8)?], [part(9, 11)?, part(11, 13)?, part(13, 15)?]);
    Timestamp::from(format!("{}T{}Z", date.join("-"), time.join(":"))).to_system_time()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn link_expiry_is_read_from_its_query() {
        let now = Timestamp::from("2026-11-21T12:00:00Z").to_system_time().unwrap();
        for (query, expected) in [
            ("X-Amz-Date=20261121T115500Z&X-Amz-Expires=299", true),
            ("X-Amz-Date=20261121T115500Z&X-Amz-Expires=301", false),
            ("x-goog-expires=60&x-goog-date=20261121T115800Z", true),
            ("se=2026-11-21T11:59:59Z&sig=x", true),
            ("se=2026-11-21T12:00:01Z&sig=x", false),
            ("Expires=1795262399", true),
            ("Expires=1795262401", false),
            ("X-Amz-Date=soon&X-Amz-Expires=1", false),
            ("Expires=soon", false),
            ("", false),
        ] {
            let url = Url::parse(&format!("https://files.example.com/a.zip?{query}")).unwrap();
            assert_eq!(has_expired(&url, now), expected, "{query}");
        }
    }

    #[test]
    fn link_secrets_are_values_that_grant_access() {
        let url = "https://u:p4ss@files.example.com/a.zip?X-Amz-Signature=abc&X-Amz-Date=20261121T115500Z&sig=d%2Fe\
                   &AWSAccessKeyId=f&x=0123456789012345678901234567890123&y=1";
        let secrets = secrets(&Url::parse(url).unwrap());
        let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(secrets, ["abc", "d/e", "f", "0123456789012345678901234567890123", "p4ss"]);
    }
}
