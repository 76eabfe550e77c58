//! Hash of a request, by which a journal recognizes its action.

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use crate::Result;

/// Returns a hash of a request without its IDs and secrets, in 32 hexadecimal digits. It detects mistakes, not attacks.
///
/// Secrets are left out, because a short password could be found from a hash.
pub(super) fn fingerprint<A>(version: ApiVersion, request: &Request<A>) -> Result<String> {
    let mut body = request.redacted_body().unwrap_or_default();
    if let Some((part, field)) = request.id_field()
        && let Some(part) = body.get_mut(part).and_then(Value::as_object_mut)
    {
        part.remove(field.name);
    }
    let mut hash = Fnv::new();
    hash.add(request.path(version)?.as_bytes());
    for (name, value) in request.query() {
        hash.add(name.as_bytes());
        hash.add(value.as_bytes());
    }
    hash.add_value(&body);
    Ok(format!("{:032x}", hash.0))
}

/// FNV-1a with 128 bits. Unlike the hashers of the standard library, it is the same in each version and process.
struct Fnv(u128);

impl Fnv {
    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Adds a string with its length, so that no two lists of strings are the same.
    fn add(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_be_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }

    /// Adds a JSON value. The order of members has no effect: it depends on a feature of serde_json.
    fn add_value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                self.add(format!("[{}", items.len()).as_bytes());
                items.iter().for_each(|item| self.add_value(item));
            }
            Value::Object(members) => {
                self.add(format!("{{{}", members.len()).as_bytes());
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in members {
                    self.add(name.as_bytes());
                    self.add_value(value);
                }
            }
            scalar => self.add(scalar.to_string().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn fnv_of_empty_input_is_the_published_offset() {
        let mut hash = super::Fnv::new();
        assert_eq!(format!("{:032x}", hash.0), "6c62272e07bb014262b821756295c58d");
        // FNV-1a of the eight bytes of the length, and of "a".
        hash.add(b"a");
        let expected = b"\0\0\0\0\0\0\0\x01a".iter().fold(super::Fnv::new().0, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul((1 << 88) + 0x13b)
        });
        assert_eq!(hash.0, expected);
    }
}
