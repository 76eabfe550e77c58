//! Pages of full threats, prepared before anything is measured.

use serde_json::{Value, json};

/// The generated answer of `GET /threats` in which every declared field has a value. Invented: it follows from the
/// specification.
const FULL: &str = include_str!("../../fixtures/threats_list/generated_full.json");

/// How many threats a page has; no page of this list may have more.
pub const THREATS: usize = 1_000;

/// The start of a page, up to the end of its list.
///
/// # Errors
/// When the fixture holds no threats.
pub fn opening() -> Result<Vec<u8>, String> {
    let exchange: Value = serde_json::from_str(FULL).map_err(|error| error.to_string())?;
    let threats = exchange.pointer("/response/data").and_then(Value::as_array);
    let threats = threats.filter(|threats| !threats.is_empty()).ok_or("the fixture holds no threats")?;
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

/// The rest of a page, with the cursor of the next one.
pub fn closing(next: Option<usize>, total: usize) -> Vec<u8> {
    let cursor = next.map(|next| format!("page-{next}"));
    format!("\"pagination\":{}}}", json!({ "nextCursor": cursor, "totalItems": total })).into_bytes()
}

/// A page as a whole: the last one of a list.
///
/// # Errors
/// As [`opening`].
pub fn whole() -> Result<Vec<u8>, String> {
    let mut page = opening()?;
    page.extend(closing(None, THREATS));
    Ok(page)
}
