//! Alerts: what STAR rules found in the telemetry, and what was decided about it.

use sentinelone_raw::alerts as raw;
use sentinelone_raw::runtime::Data;
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::alerts::{
    Alert, AlertAgent, AlertAnalystVerdict, AlertContainer, AlertFilter, AlertHitType, AlertIncidentStatus,
    AlertIncidentUpdate, AlertIncidentUpdateData, AlertInfo, AlertKubernetesInfo, AlertProcess, AlertRule,
    AlertSortField, AlertTarget, AlertVerdictUpdate, AlertVerdictUpdateData, AlertsListQuery, IntegrityLevel,
    Subsystem,
};
pub use sentinelone_raw::shared::{Scope, SortOrder};
pub use sentinelone_raw::star_rules::{RuleQueryType, Severity, TreatAsThreat};
pub use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus, OsType};

use super::grammar::{Act, List, acts, lists, resource, selects};

resource! {
    /// Everything about alerts; from [`Client::alerts`](crate::Client::alerts).
    Alerts
}

lists! {
    AlertsListQuery: sorts AlertSortField, filters AlertFilter, counts;
}

acts! {
    AlertFilter: AlertIncidentUpdate, AlertVerdictUpdate;
}

selects!(AlertFilter: alerts, AlertsListQuery, Alert);

impl<'a> Alerts<'a> {
    /// Lists alerts.
    ///
    /// `GET /web/api/v2.1/cloud-detection/alerts`
    ///
    /// ```no_run
    /// # use sentinelone::alerts::{AlertFilter, Severity};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let severe = AlertFilter::default().severity([Severity::High, Severity::Critical]);
    /// let mut alerts = client.alerts().list().filter(severe).items().limit(50);
    /// while let Some(alert) = alerts.next().await {
    ///     let rule = alert?.rule_info.unwrap_or_default();
    ///     println!("{}", rule.name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, AlertsListQuery, Alert> {
        List::new(self.client, AlertsListQuery::default(), |_, query| raw::list(query))
    }

    /// Sets the incident status of the alerts that a filter selects.
    ///
    /// `POST /web/api/v2.1/cloud-detection/alerts/incident`
    ///
    /// ```no_run
    /// # use sentinelone::alerts::{AlertFilter, IncidentStatus};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let one = AlertFilter::default().ids(["1234567890123456789"]);
    /// client.alerts().update_incident(IncidentStatus::Resolved).filter(one).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_incident(
        self,
        status: impl Into<IncidentStatus>,
    ) -> Act<'a, AlertIncidentUpdate, Data<Affected>> {
        let body = AlertIncidentUpdate::new(AlertIncidentUpdateData::new(status), AlertFilter::default());
        Act::new(self.client, body, |_, body| raw::update_incident(body))
    }

    /// Sets the analyst verdict of the alerts that a filter selects.
    ///
    /// `POST /web/api/v2.1/cloud-detection/alerts/analyst-verdict`
    pub fn update_analyst_verdict(
        self,
        verdict: impl Into<AnalystVerdict>,
    ) -> Act<'a, AlertVerdictUpdate, Data<Affected>> {
        let body = AlertVerdictUpdate::new(AlertVerdictUpdateData::new(verdict), AlertFilter::default());
        Act::new(self.client, body, |_, body| raw::update_analyst_verdict(body))
    }
}
