//! New threats and alerts, as time brings them.

use sentinelone_raw::runtime::Timestamp;
use serde_json::{Value, json};

use super::Sandbox;
use crate::dotted::put;
use crate::incidents::Stream;

impl Sandbox {
    /// Lets new threats or alerts come, all created at this time, which may be past or to come: what the lists show
    /// depends on it, and the sandbox itself has no clock. They are like those that the tenant has, one after the
    /// other, unresolved and undecided, with identifiers of their own. Gives the identifiers.
    ///
    /// ```no_run
    /// # async fn run() -> std::io::Result<()> {
    /// use sentinelone::Timestamp;
    /// use sentinelone::incidents::Stream;
    /// use sentinelone::sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start().await?;
    /// let ids = sandbox.arrive(Stream::Threats, 3, &Timestamp::now());
    /// assert_eq!(ids.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn arrive(&self, stream: Stream, count: usize, created: &Timestamp) -> Vec<String> {
        let mut inner = self.state.lock();
        let (collection, info) = match stream {
            Stream::Threats => ("threats", "threatInfo"),
            Stream::Alerts => ("alerts", "alertInfo"),
        };
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            let known = inner.tenant.things(collection);
            let Some(model) = known.get(known.len() % MODELS.min(known.len().max(1))) else { break };
            let mut thing = model.clone();
            let id = inner.tenant.new_id();
            let at = |field: &str| format!("{info}.{field}");
            for field in ["createdAt", "updatedAt"] {
                put(&mut thing, &at(field), json!(created));
            }
            for (field, value) in fresh(stream, &id, created) {
                put(&mut thing, &field, value);
            }
            inner.tenant.insert(collection, thing);
            ids.push(id);
        }
        ids
    }
}

/// How many of the tenant's things are taken as models, in turn.
const MODELS: usize = 4;

/// What sets a new thing apart from the one that it is like.
fn fresh(stream: Stream, id: &str, created: &Timestamp) -> Vec<(String, Value)> {
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
            ("alertInfo.incidentStatus", json!("UNRESOLVED")),
            ("alertInfo.analystVerdict", json!("UNDEFINED")),
        ],
    };
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}
