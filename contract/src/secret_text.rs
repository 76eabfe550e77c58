//! Recognition of secrets by the name of a field and the form of a string, without a schema.

use sentinelone::raw::runtime::SECRET_NAMES;

/// The replacement of a secret. It is constant, so it does not depend on the secret.
pub(super) const MASK: &str = "[secret]";

/// Returns whether a name indicates a secret value. Without a schema, any name that contains a word of the list does.
pub(super) fn is_secret_name(name: &str) -> bool {
    // A redacted name does not indicate a secret value.
    if name.starts_with(MASK) {
        return false;
    }
    let plain = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let plain: Vec<u8> = plain.collect();
    let begins = |rest: &[u8]| SECRET_NAMES.iter().any(|secret| rest.starts_with(secret.as_bytes()));
    (0..plain.len()).any(|at| plain.get(at..).is_some_and(begins))
}

/// Returns whether a string contains a signed token (JWT).
pub(super) fn contains_jwt(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let mut segments = text[at..].split('.');
        let mut segment = |whole: bool| {
            segments.next().is_some_and(|segment| {
                let inside = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=');
                let length = segment.chars().take_while(inside).count();
                length >= 8 && (!whole || length == segment.len())
            })
        };
        // The signature follows the payload. It can be truncated, so it is not required.
        segment(true) && segment(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_secret_name_matches_parts_of_names() {
        for name in ["password", "X-Api-Key", "api_token", "clientSecret", "Set-Cookie", "licenseKey"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "uniqueKey", "passes", "[secret]", "[secret]-2"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn contains_jwt_requires_header_and_payload() {
        for text in [
            "eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0",
            "Bearer eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0, and more",
            "eyJx eyJhbGciOiJF.eyJzdWIiOiJz",
        ] {
            assert!(contains_jwt(text), "{text}");
        }
        // A cursor is not a token.
        for text in ["eyJpZCI6MTkwfQ==", "eyJpZCI6MTkwfQ. A sentence", "eyJ.a.b", "hostname.example.com"] {
            assert!(!contains_jwt(text), "{text}");
        }
    }
}
