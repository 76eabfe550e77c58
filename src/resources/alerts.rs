//! Alerts: events that STAR rules matched, with analyst verdict and incident status.

use sentinelone_raw::alerts as raw;
use sentinelone_raw::runtime::{Data, RequestError};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::alerts::{
    Alert, AlertActionFilter, AlertAgent, AlertAnalystVerdict, AlertContainer, AlertFilter, AlertHitType,
    AlertIncidentStatus, AlertIncidentUpdateData, AlertInfo, AlertKubernetesInfo, AlertProcess, AlertRule,
    AlertSortField, AlertTarget, AlertVerdictUpdateData, AlertsListQuery, AlertsUpdateAnalystVerdictRequest,
    AlertsUpdateIncidentRequest, IntegrityLevel, Subsystem,
};
pub use sentinelone_raw::shared::{Scope, SortOrder};
pub use sentinelone_raw::star_rules::{RuleQueryType, Severity, TreatAsThreat};
pub use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus, OsType};

#[cfg(feature = "detection")]
pub use super::documented::types::alerts::*;

use super::builders::{
    ActionBuilder, ListBuilder, impl_countable_filter, impl_limited_action_body, impl_list_query,
    incident_update, resource,
};
use crate::Result;

resource! {
    /// Operations on alerts; see [`Client::alerts`](crate::Client::alerts).
    Alerts
}

impl_list_query! {
    AlertsListQuery: sorts AlertSortField, filters AlertFilter, counts;
}

impl_limited_action_body! {
    AlertFilter: AlertsUpdateAnalystVerdictRequest, AlertsUpdateIncidentRequest
}

impl_countable_filter!(AlertFilter: alerts, AlertsListQuery, Alert);

impl Alerts {
    /// Lists the alerts that match a filter.
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
    pub fn list(&self) -> ListBuilder<AlertsListQuery, Alert> {
        ListBuilder::new(&self.client, AlertsListQuery::default(), |_, query| raw::list(query))
    }

    /// Sets the incident status of the alerts that match the filter.
    ///
    /// `POST /web/api/v2.1/cloud-detection/alerts/incident`
    ///
    /// ```no_run
    /// # use sentinelone::alerts::{AlertFilter, IncidentStatus};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let filter = AlertFilter::default().ids(["1234567890123456789"]);
    /// let response = client.alerts().update_incident().filter(filter).status(IncidentStatus::Resolved).send().await?;
    /// println!("{} affected", response.affected().unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_incident(&self) -> ActionBuilder<IncidentUpdate, Data<Affected>> {
        ActionBuilder::new(&self.client, IncidentUpdate::default(), |_, update| {
            raw::update_incident(update.body()?)
        })
    }

    /// Sets the analyst verdict of the alerts that match the filter.
    ///
    /// `POST /web/api/v2.1/cloud-detection/alerts/analyst-verdict`
    pub fn update_analyst_verdict(
        &self,
        verdict: impl Into<AnalystVerdict>,
    ) -> ActionBuilder<AlertsUpdateAnalystVerdictRequest, Data<Affected>> {
        let body = AlertsUpdateAnalystVerdictRequest::new(
            AlertVerdictUpdateData::new(verdict),
            AlertFilter::default(),
        );
        ActionBuilder::new(&self.client, body, |_, body| raw::update_analyst_verdict(body))
    }
}

incident_update! {
    /// The fields of an incident update; from [`Alerts::update_incident`].
    AlertFilter: AlertsUpdateIncidentRequest(AlertIncidentUpdateData), Data<Affected>, raw::UPDATE_INCIDENT
}
