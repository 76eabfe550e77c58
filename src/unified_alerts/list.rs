//! Lists of unified alerts.

use std::collections::HashSet;

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sentinelone_raw::unified_alerts::{
    self as raw, Alert, AlertConnection, FilterInput, OrFilterSelectionInput, ScopeSelectorInput, ScopeType,
    SortInput, SortOrderType, UnifiedAlertsCountVariables, UnifiedAlertsListVariables, ViewType,
};

use super::error::data;
use super::filter::AlertFilter;
use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorRepr};

/// Number of alerts of a page, unless it is set.
const PAGE_SIZE: u32 = 200;

/// A list of unified alerts; from [`UnifiedAlerts::list`](super::UnifiedAlerts::list).
#[derive(Clone, Debug)]
#[must_use = "a list is not sent before its alerts are read"]
pub struct AlertList {
    client: Client,
    filter: Option<AlertFilter>,
    variables: UnifiedAlertsListVariables,
}

impl AlertList {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            filter: None,
            variables: UnifiedAlertsListVariables::new(i64::from(PAGE_SIZE)),
        }
    }

    /// Selects alerts. The default is all alerts of the scope.
    pub fn filter(mut self, filter: AlertFilter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Restricts the list to accounts, sites or groups. The default is all that the token reaches.
    pub fn scope<I: Into<String>>(mut self, kind: ScopeType, ids: impl IntoIterator<Item = I>) -> Self {
        self.variables.scope = Some(scope(kind, ids));
        self
    }

    /// Selects a view, which has the alerts of some sources. The default is all.
    pub fn view(mut self, view: ViewType) -> Self {
        self.variables.view_type = Some(view);
        self
    }

    /// Sorts by a field, after the fields before it. The console sorts by the time of detection by default.
    pub fn sort_by(mut self, field: impl Into<String>, order: SortOrderType) -> Self {
        let sort = SortInput::new(field.into()).order(order);
        self.variables.sorts.get_or_insert_default().push(sort);
        self
    }

    /// Sets the number of alerts of a page. The default is 200.
    pub fn page_size(mut self, alerts: u32) -> Self {
        self.variables.first = i64::from(alerts.max(1));
        self
    }

    /// Returns the number of alerts.
    ///
    /// # Errors
    /// Returns an error if the filter is not valid, or if the call fails.
    pub async fn count(self) -> Result<u64> {
        let mut variables = UnifiedAlertsCountVariables::default();
        (variables.filters, variables.or_filter) = selection(self.filter.as_ref())?;
        (variables.scope, variables.view_type) = (self.variables.scope, self.variables.view_type);
        let response = self.client.send(&raw::count(&variables)?).await?;
        let missing = response.missing_value("data.alerts.totalCount");
        let total = data(response, false)?.alerts.and_then(|alerts| alerts.total_count);
        total.and_then(|total| u64::try_from(total).ok()).ok_or(missing)
    }

    /// Returns the alerts of all pages. A page that does not get further than the one before is an error.
    pub fn items(self) -> BoxStream<'static, Result<Alert>> {
        let variables = selection(self.filter.as_ref()).map(|(filters, or_filter)| {
            let mut variables = self.variables;
            (variables.filters, variables.or_filter) = (filters, or_filter);
            variables
        });
        let variables = match variables {
            Ok(variables) => variables,
            Err(error) => return stream::once(async { Err(error) }).boxed(),
        };
        let position = Position { client: self.client, variables, cursors: HashSet::new(), is_last: false };
        let pages = stream::try_unfold(position, |mut position| async move {
            Ok::<_, Error>(position.next_page().await?.map(|page| (page, position)))
        });
        pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// Returns the alerts of all pages at once.
    ///
    /// # Errors
    /// Returns the errors of [`items`](Self::items).
    pub async fn collect(self) -> Result<Vec<Alert>> {
        self.items().try_collect().await
    }
}

/// Returns the scope of accounts, sites or groups.
pub(super) fn scope<I: Into<String>>(
    kind: ScopeType,
    ids: impl IntoIterator<Item = I>,
) -> ScopeSelectorInput {
    ScopeSelectorInput::new(ids.into_iter().map(Into::into).collect::<Vec<String>>(), kind)
}

/// Returns the filter as one group, or as several.
pub(super) fn selection(
    filter: Option<&AlertFilter>,
) -> Result<(Option<Vec<FilterInput>>, Option<OrFilterSelectionInput>)> {
    let Some(filter) = filter else { return Ok((None, None)) };
    Ok(match filter.conditions()? {
        Some(conditions) => (Some(conditions), None),
        None => (None, Some(filter.selection()?)),
    })
}

/// Where the next page begins.
struct Position {
    client: Client,
    variables: UnifiedAlertsListVariables,
    /// Cursors that were used.
    cursors: HashSet<String>,
    is_last: bool,
}

impl Position {
    /// Returns the next page, or `None` after the last one.
    async fn next_page(&mut self) -> Result<Option<Vec<Alert>>> {
        if self.is_last {
            return Ok(None);
        }
        let response = self.client.send(&raw::list(&self.variables)?).await?;
        let missing = response.missing_value("data.alerts");
        let AlertConnection { edges, page_info, .. } = data(response, false)?.alerts.ok_or(missing)?;
        let alerts: Vec<Alert> = edges.unwrap_or_default().into_iter().filter_map(|edge| edge.node).collect();
        let page_info = page_info.unwrap_or_default();
        self.is_last = page_info.has_next_page != Some(true);
        if !self.is_last {
            let repeated = || Error::for_operation(&raw::LIST, ErrorRepr::RepeatedCursor);
            let cursor = page_info.end_cursor.filter(|cursor| !cursor.is_empty()).ok_or_else(repeated)?;
            if alerts.is_empty() || !self.cursors.insert(cursor.clone()) {
                return Err(repeated());
            }
            self.variables.after = Some(cursor);
        }
        Ok(Some(alerts))
    }
}
