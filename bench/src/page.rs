//! Pages of full threats, prepared before the measurement.

use serde_json::{Value, json};

/// Generated response of `GET /threats` with a value in every declared field. The values are invented.
const FULL: &str = include_str!("../../fixtures/threats_list/generated_full.json");

/// Number of threats on a page; the maximum page size of this list.
pub const THREATS: usize = 1_000;

/// Creation time of threat 0, in microseconds since 1970: 2024-01-01.
const FIRST_CREATED: i64 = 1_704_067_200_000_000;

/// Time between two threats in microseconds: 100,000 threats are created in a week.
const INTERVAL: i64 = 6_048_000;

/// Replaced by the ID of each threat, and of the same length.
const ID: &str = "id-of-this-threat-";

/// Replaced by the creation time of each threat, and of the same length.
const CREATED_AT: &str = "creation-time-of-the-threat";

/// Returns the ID of a threat.
pub fn id(number: u64) -> String {
    format!("46{number:016}")
}

/// Returns the creation time of a threat.
fn created_at(number: u64) -> Result<String, String> {
    let micros = i64::try_from(number).ok().and_then(|number| number.checked_mul(INTERVAL));
    let micros = micros.and_then(|micros| micros.checked_add(FIRST_CREATED)).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).map_err(|error| error.to_string())?;
    Ok(format!("{time:.6}"))
}

/// Returns the number of threats that are created before a time, or also at it.
///
/// # Errors
/// Returns an error if the text is not a time of RFC 3339.
pub fn created_before(time: &str, or_at: bool) -> Result<u64, String> {
    let time: jiff::Timestamp = time.parse().map_err(|error| format!("{time:?} is not a time: {error}"))?;
    // Nanoseconds, so that a time between two microseconds is not rounded.
    let after_first = time.as_nanosecond() - i128::from(FIRST_CREATED) * 1_000;
    let interval = i128::from(INTERVAL) * 1_000;
    let whole = after_first.div_euclid(interval);
    let counts_last = or_at || after_first.rem_euclid(interval) != 0;
    Ok(u64::try_from(whole + i128::from(counts_last)).unwrap_or_default())
}

/// Positions of the variable texts of a threat on the page.
#[derive(Clone, Copy)]
struct Slots {
    /// Of `id` and of `threatInfo.threatId`.
    ids: [usize; 2],
    created_at: usize,
    end: usize,
}

/// A page whose threats are changed in place, so that a server spends little time on it.
#[derive(Clone)]
pub struct PageBuffer {
    bytes: Vec<u8>,
    slots: Vec<Slots>,
}

impl PageBuffer {
    /// Prepares a page of [`THREATS`] threats.
    ///
    /// # Errors
    /// Returns an error if the fixture does not have the expected members.
    pub fn new() -> Result<Self, String> {
        let exchange: Value = serde_json::from_str(FULL).map_err(|error| error.to_string())?;
        let threats = exchange.pointer("/response/data").and_then(Value::as_array);
        let texts = threats.into_iter().flatten().map(|threat| {
            let mut threat = threat.clone();
            threat["id"] = json!(ID);
            threat["threatInfo"]["threatId"] = json!(ID);
            threat["threatInfo"]["createdAt"] = json!(CREATED_AT);
            threat.to_string()
        });
        let texts: Vec<String> = texts.collect();
        let (mut bytes, mut slots) = (br#"{"data":["#.to_vec(), Vec::new());
        for text in texts.iter().cycle().take(THREATS) {
            if !slots.is_empty() {
                bytes.push(b',');
            }
            let positions =
                |name: &str| text.match_indices(name).map(|(at, _)| bytes.len() + at).collect::<Vec<_>>();
            let (&[first, second], &[created_at]) = (&positions(ID)[..], &positions(CREATED_AT)[..]) else {
                return Err("a threat of the fixture has other members".into());
            };
            slots.push(Slots { ids: [first, second], created_at, end: bytes.len() + text.len() });
            bytes.extend_from_slice(text.as_bytes());
        }
        if slots.len() < THREATS {
            return Err("the fixture has no threats".into());
        }
        Ok(Self { bytes, slots })
    }

    /// Writes up to [`THREATS`] threats with these numbers. Returns the page up to the end of its last threat.
    ///
    /// # Errors
    /// Returns an error if a creation time is after the year 9999.
    pub fn write(&mut self, numbers: impl Iterator<Item = u64>) -> Result<&[u8], String> {
        let mut end = br#"{"data":["#.len();
        for (slots, number) in self.slots.iter().zip(numbers) {
            let id = id(number);
            for at in slots.ids {
                self.bytes[at..at + ID.len()].copy_from_slice(id.as_bytes());
            }
            let at = slots.created_at;
            self.bytes[at..at + CREATED_AT.len()].copy_from_slice(created_at(number)?.as_bytes());
            end = slots.end;
        }
        Ok(&self.bytes[..end])
    }
}

/// Returns the rest of a page, with the cursor of the next page.
pub fn suffix(cursor: Option<String>, total: u64) -> Vec<u8> {
    format!("],\"pagination\":{}}}", json!({ "nextCursor": cursor, "totalItems": total })).into_bytes()
}

/// Returns a complete page, the last page of a list.
///
/// # Errors
/// Returns the error of [`PageBuffer::new`].
pub fn complete() -> Result<Vec<u8>, String> {
    let mut buffer = PageBuffer::new()?;
    let mut page = buffer.write(0..THREATS as u64)?.to_vec();
    page.extend(suffix(None, THREATS as u64));
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::{PageBuffer, created_at, created_before, id, suffix};

    #[test]
    fn page_has_the_given_threats() {
        let mut buffer = PageBuffer::new().unwrap();
        for numbers in [vec![7, 100_000], vec![0], vec![]] {
            let mut page = buffer.write(numbers.iter().copied()).unwrap().to_vec();
            page.extend(suffix(None, 3));
            let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
            assert_eq!(page["data"].as_array().unwrap().len(), numbers.len());
            for (threat, number) in page["data"].as_array().unwrap().iter().zip(numbers) {
                assert_eq!(threat["id"], id(number));
                assert_eq!(threat["threatInfo"]["threatId"], id(number));
                assert_eq!(threat["threatInfo"]["createdAt"], created_at(number).unwrap());
            }
        }
    }

    #[test]
    fn created_before_counts_the_threats_before_a_time() {
        assert_eq!(created_at(1).unwrap(), "2024-01-01T00:00:06.048000Z");
        for (time, before, or_at) in [
            ("2023-12-31T23:59:59.999999Z", 0, 0),
            ("2024-01-01T00:00:00Z", 0, 1),
            ("2024-01-01T00:00:00.0000001Z", 1, 1),
            ("2024-01-01T00:00:06.048Z", 1, 2),
            ("2024-01-01T00:00:07Z", 2, 2),
            ("2024-01-08T01:00:00+01:00", 100_000, 100_001),
        ] {
            assert_eq!(created_before(time, false).unwrap(), before, "{time}");
            assert_eq!(created_before(time, true).unwrap(), or_at, "{time}");
        }
        assert!(created_before("yesterday", false).is_err());
    }
}
