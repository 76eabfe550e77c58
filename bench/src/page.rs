//! Pages of full threats, prepared before the measurement.

use serde_json::{Value, json};

/// Generated response of `GET /threats` with a value in every declared field. The values are invented.
const FULL: &str = include_str!("../../fixtures/threats_list/generated_full.json");

/// Number of threats on a page; the maximum page size of this list.
pub const THREATS: usize = 1_000;

/// Returns the start of a page, up to the end of its list.
///
/// # Errors
/// Returns an error if the fixture has no threats.
pub fn prefix() -> Result<Vec<u8>, String> {
    let exchange: Value = serde_json::from_str(FULL).map_err(|error| error.to_string())?;
    let threats = exchange.pointer("/response/data").and_then(Value::as_array);
    let threats = threats.filter(|threats| !threats.is_empty()).ok_or("the fixture has no threats")?;
    let page: Vec<Value> = (0..THREATS)
        .zip(threats.iter().cycle())
        .map(|(number, threat)| {
            let mut threat = threat.clone();
            threat["id"] = json!(format!("46{number:016}"));
            threat
        })
        .collect();
    let list = serde_json::to_string(&page).map_err(|error| error.to_string())?;
    Ok(format!("{{\"data\":{list},").into_bytes())
}

/// Returns the rest of a page, with the cursor of the next page.
pub fn suffix(next: Option<usize>, total: usize) -> Vec<u8> {
    let cursor = next.map(|next| format!("page-{next}"));
    format!("\"pagination\":{}}}", json!({ "nextCursor": cursor, "totalItems": total })).into_bytes()
}

/// Returns a complete page, the last page of a list.
///
/// # Errors
/// Returns the error of [`prefix`].
pub fn complete() -> Result<Vec<u8>, String> {
    let mut page = prefix()?;
    page.extend(suffix(None, THREATS));
    Ok(page)
}
