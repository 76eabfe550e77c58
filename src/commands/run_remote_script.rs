//! `sentinelone-run-remote-script`: a script of the library runs on endpoints.

use secrecy::SecretString;
use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::remote_scripts::{
    self as raw, RemoteScriptExecution, RemoteScriptExecutionData, ScriptOutputDestination,
};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::Value;

use super::act::{refuse, requests};
use super::context::Output;
use super::scripts::{STARTED_OUTPUTS, start};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Runs a script of the library on endpoints.
#[derive(Clone, Debug)]
pub struct RunRemoteScript {
    /// The accounts that the agents are in.
    pub account_ids: Vec<String>,
    /// Where the output goes.
    pub output_destination: ScriptOutputDestination,
    /// What the task is for.
    pub task_description: String,
    /// The script.
    pub script_id: String,
    /// Folder on the endpoint that the script writes into.
    pub output_directory: Option<String>,
    /// The agents to run it on.
    pub agent_ids: Vec<String>,
    /// Keyword of the output in Singularity XDR.
    pub singularity_xdr_keyword: Option<String>,
    /// Address of Singularity XDR.
    pub singularity_xdr_url: Option<String>,
    /// Key for Singularity XDR.
    pub api_key: Option<SecretString>,
    /// Parameters of the script, as one text.
    pub input_params: Option<String>,
    /// Password that the output is protected with.
    pub password: Option<SecretString>,
    /// How long the script may run, 60 to 172800 seconds.
    pub script_runtime_timeout_seconds: i64,
    /// Whether someone has to approve the run before it starts.
    pub requires_approval: bool,
}

/// How long a script may run, where nothing else is said.
const RUNTIME: i64 = 3600;

/// Those that the integration offers, and the one that the vendor document has beside them.
const DESTINATIONS: &[&str] = &["DataSetCloud", "Local", "None", "SentinelCloud", "SingularityXDR"];

impl Command for RunRemoteScript {
    const INFO: Info = Info {
        name: "run-remote-script",
        full_name: "sentinelone-run-remote-script",
        summary: "Run a script of the library on endpoints",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["remote_scripts_execute"],
    };

    const OUTPUTS: &'static [Output] = &STARTED_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text};
        vec![
            Argument::new("account_ids", List, "Accounts that the agents are in, by identifier.").required(),
            Argument::new(
                "output_destination",
                Text,
                "Where the output goes. Files can be fetched from SentinelCloud. DataSetCloud is no longer in the \
                 vendor document, which has SingularityXDR.",
            )
            .required()
            .values(DESTINATIONS),
            Argument::new("task_description", Text, "What the task is for.").required(),
            Argument::new("script_id", Text, "Identifier of the script.").required(),
            Argument::new("output_directory", Text, "Folder on the endpoint that the script writes into."),
            Argument::new("agent_ids", List, "Agents to run it on, by identifier.").required(),
            Argument::new("singularity_xdr_Keyword", Text, "Keyword of the output in Singularity XDR."),
            Argument::new("singularity_xdr_Url", Text, "Address of Singularity XDR."),
            Argument::new("api_key", Text, "Key for Singularity XDR. It is never shown."),
            Argument::new("input_params", Text, "Parameters of the script, as one text. It is no secret, and a dry run shows it."),
            Argument::new("password", Text, "Password that the output is protected with. It is never shown."),
            Argument::new(
                "script_runtime_timeout_seconds",
                Integer,
                "How long the script may run, 60 to 172800 seconds.",
            )
            .default("3600"),
            Argument::new("requires_approval", Boolean, "Whether someone has to approve the run first.")
                .default("false"),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            output_destination: arguments.required_choice("output_destination", DESTINATIONS)?,
            task_description: arguments.required("task_description")?,
            script_id: arguments.required("script_id")?.trim().to_owned(),
            output_directory: arguments.text("output_directory")?,
            agent_ids: arguments.required_list("agent_ids")?,
            singularity_xdr_keyword: arguments.text("singularity_xdr_Keyword")?,
            singularity_xdr_url: arguments.text("singularity_xdr_Url")?,
            api_key: arguments.text("api_key")?.map(SecretString::from),
            input_params: arguments.text("input_params")?,
            password: arguments.text("password")?.map(SecretString::from),
            script_runtime_timeout_seconds: arguments
                .integer("script_runtime_timeout_seconds")?
                .unwrap_or(RUNTIME),
            requires_approval: arguments.boolean("requires_approval")?.unwrap_or(false),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        self.requests_of(self)
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        start(client, self.requests(client.api_version())?).await
    }
}

impl RunRemoteScript {
    /// The one request that starts it, for this command or one that does more.
    pub(super) fn requests_of<C: Command>(&self, command: &C) -> Result<Vec<Request<Value>>> {
        let missing = [("script_id", &self.script_id), ("task_description", &self.task_description)];
        if let Some((name, _)) = missing.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(refuse(C::INFO.name, name, "is missing"));
        }
        let requests = requests(command, ("agent_ids", &self.agent_ids), AgentFilter::FIELDS, |ids| {
            let data = RemoteScriptExecutionData {
                output_directory: self.output_directory.clone(),
                singularityxdr_keyword: self.singularity_xdr_keyword.clone(),
                singularityxdr_url: self.singularity_xdr_url.clone(),
                api_key: self.api_key.as_ref().map(Into::into),
                input_params: self.input_params.clone(),
                password: self.password.as_ref().map(Into::into),
                script_runtime_timeout_seconds: Some(self.script_runtime_timeout_seconds),
                requires_approval: Some(self.requires_approval),
                ..RemoteScriptExecutionData::new(
                    self.output_destination.clone(),
                    self.script_id.as_str(),
                    self.task_description.as_str(),
                )
            };
            let filter = AgentFilter::default().account_ids(&self.account_ids).ids(ids);
            raw::execute(&RemoteScriptExecution::new(filter).data(data))
        })?;
        if requests.len() > 1 {
            // Each would be a run of its own, with a parent task of its own.
            let message = "are more than one run takes; run the script several times, on a part of them each";
            return Err(refuse(C::INFO.name, "agent_ids", message));
        }
        Ok(requests)
    }
}
