//! Injection of new threats and alerts.

use sentinelone::raw::runtime::Timestamp;
use serde_json::{Value, json};

use super::Sandbox;
use super::state::State;
use sentinelone::incidents::Stream;
use sentinelone::json_path::set_path;

impl Sandbox {
    /// Adds new threats or alerts and returns their IDs. All have the creation time `created`, which may be in the past
    /// or in the future; the lists are filtered and sorted by it. The items are copies of existing items in rotation,
    /// with new IDs, the incident status unresolved and an undefined verdict. Of a stream that the example data does not
    /// have, none are added.
    ///
    /// ```no_run
    /// # async fn run() -> std::io::Result<()> {
    /// use sentinelone::Timestamp;
    /// use sentinelone::incidents::Stream;
    /// use sentinelone_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start().await?;
    /// let ids = sandbox.inject(Stream::Threats, 3, &Timestamp::now());
    /// assert_eq!(ids.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject(&self, stream: Stream, count: usize, created: &Timestamp) -> Vec<String> {
        self.state.inject(stream, count, created)
    }
}

impl State {
    /// Adds new threats or alerts and returns their IDs.
    pub(super) fn inject(&self, stream: Stream, count: usize, created: &Timestamp) -> Vec<String> {
        let mut inner = self.lock();
        let (collection, info) = match stream {
            Stream::Threats => ("threats", "threatInfo"),
            Stream::Alerts => ("alerts", "alertInfo"),
            // The example data has no other streams.
            _ => return Vec::new(),
        };
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let existing = inner.tenant.items(collection);
            let Some(template) = existing.get(existing.len() % TEMPLATE_COUNT.min(existing.len().max(1)))
            else {
                break;
            };
            let mut item = template.clone();
            let id = inner.tenant.new_id();
            let field_path = |field: &str| format!("{info}.{field}");
            for field in ["createdAt", "updatedAt"] {
                set_path(&mut item, &field_path(field), json!(created));
            }
            for (field, value) in new_fields(stream, &id, created) {
                set_path(&mut item, &field, value);
            }
            inner.tenant.insert(collection, item);
            ids.push(id);
        }
        ids
    }
}

/// Number of existing items that serve as templates, in rotation.
const TEMPLATE_COUNT: usize = 4;

/// Returns the fields in which a new item differs from its template.
fn new_fields(stream: Stream, id: &str, created: &Timestamp) -> Vec<(String, Value)> {
    let fields = match stream {
        Stream::Threats => vec![
            ("id", json!(id)),
            ("threatInfo.threatId", json!(id)),
            ("threatInfo.identifiedAt", json!(created)),
            ("threatInfo.incidentStatus", json!("unresolved")),
            ("threatInfo.incidentStatusDescription", json!("Unresolved")),
            ("threatInfo.analystVerdict", json!("undefined")),
            ("threatInfo.analystVerdictDescription", json!("Undefined")),
            ("_resolved", json!(false)),
            ("_notes", Value::Null),
        ],
        Stream::Alerts => vec![
            ("alertInfo.alertId", json!(id)),
            ("alertInfo.reportedAt", json!(created)),
            ("alertInfo.incidentStatus", json!("Unresolved")),
            ("alertInfo.analystVerdict", json!("Undefined")),
        ],
        _ => Vec::new(),
    };
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}
