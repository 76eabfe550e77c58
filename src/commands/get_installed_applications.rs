//! `sentinelone-get-installed-applications`: what is installed on endpoints.

use sentinelone_raw::agents::{self as raw, AgentsListApplicationsQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::{Value, json};

use super::agents::named;
use super::context::Output;
use super::lists::read_each;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// The applications on endpoints, asked for one endpoint after the other: the answer does not say whose they
/// are.
#[derive(Clone, Debug, PartialEq)]
pub struct GetInstalledApplications {
    /// The agents.
    pub agent_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Application";

impl Command for GetInstalledApplications {
    const INFO: Info = Info {
        name: "get-installed-applications",
        full_name: "sentinelone-get-installed-applications",
        summary: "List the applications on endpoints",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["agents_list_applications"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Application.Name", "String", "Name of the application", "name"),
        Output::field("SentinelOne.Application.Publisher", "String", "Who publishes it", "publisher"),
        Output::field("SentinelOne.Application.Size", "String", "Size, as the agent reports it", "size"),
        Output::field("SentinelOne.Application.Version", "String", "Version of the application", "version"),
        Output::field(
            "SentinelOne.Application.InstalledOn",
            "String",
            "When it was installed",
            "installedDate",
        ),
        Output::computed("SentinelOne.Application.AgentID", "String", "Agent on whose endpoint it is")
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("agent_ids", ArgumentKind::List, "Identifiers of the agents.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_ids: arguments.required_list("agent_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let ids = named(self, ("agent_ids", &self.agent_ids))?;
        ids.iter().map(|id| Ok(of_agent(id)?.answering())).collect()
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let ids = named(self, ("agent_ids", &self.agent_ids))?;
        let requests = ids.iter().map(|id| of_agent(id)).collect::<Result<Vec<_>>>()?;
        read_each(
            client,
            requests,
            None,
            |_| true,
            (PREFIX, Self::OUTPUTS),
            |number, entry| {
                put(entry, "AgentID", json!(ids.get(number)));
            },
        )
        .await
    }
}

fn of_agent(id: &str) -> Result<Request<Page<Value>>> {
    Ok(raw::list_applications(&AgentsListApplicationsQuery::new([id]))?.answering())
}
