//! `sentinelone-create-query`: a Deep Visibility query starts.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityQuery, DeepVisibilityQueryId};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::{Value, json};

use super::act::refuse;
use super::context::{Output, under};
use super::telemetry::{check_period, query_id, required_time};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Starts a Deep Visibility query, and gives the identifier that its status and its events are asked for
/// with. It changes nothing that the query looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateQuery {
    /// The query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
}

const PREFIX: &str = "SentinelOne.Query";

impl Command for CreateQuery {
    const INFO: Info = Info {
        name: "create-query",
        full_name: "sentinelone-create-query",
        summary: "Start a Deep Visibility query",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_create_query"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Query.FromDate", "Date", "Start of the period, in UTC", "from_date"),
        Output::argument("SentinelOne.Query.Query", "String", "The query", "query"),
        Output::field("SentinelOne.Query.QueryID", "String", "Identifier of the query", "queryId"),
        Output::argument("SentinelOne.Query.ToDate", "Date", "End of the period, in UTC", "to_date"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Text, Time};
        vec![
            Argument::new("query", Text, "What to look for, in the query language of Deep Visibility.")
                .required(),
            Argument::new("from_date", Time, "Start of the period; consoles look back 93 days at most.")
                .required(),
            Argument::new("to_date", Time, "End of the period.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let request = self.request()?;
        let sent = |name: &str| request.body().and_then(|body| body.get(name)).cloned().unwrap_or_default();
        let answer = client.send(&request).await?;
        let body = answer.json();
        let id = query_id(&body).ok_or_else(|| answer.lacks("data.queryId"))?;
        let entry = json!({
            "FromDate": sent("fromDate"),
            "Query": sent("query"),
            "QueryID": id,
            "ToDate": sent("toDate"),
        });
        let errors = answer.vendor_errors().to_vec();
        Ok(Outcome { errors, ..Outcome::found(body, under(PREFIX, entry)) })
    }
}

impl CreateQuery {
    fn request(&self) -> Result<Request<Data<DeepVisibilityQueryId>>> {
        let name = Self::INFO.name;
        check_period(name, &self.from_date, &self.to_date)?;
        if self.query.trim().is_empty() {
            return Err(refuse(name, "query", "is missing"));
        }
        Ok(raw::create_query(&DeepVisibilityQuery::new(
            self.from_date.clone(),
            self.query.clone(),
            self.to_date.clone(),
        ))?)
    }
}
