//! `sentinelone-run-remote-script`: runs a script of the library on endpoints.

use secrecy::SecretString;
use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::remote_scripts::{
    self as raw, RemoteScriptsExecuteData, RemoteScriptsExecuteRequest, ScriptOutputDestination,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};

use super::arguments::argument_error;
use super::support::batch_action::batch_requests;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::remote_scripts::{STARTED_OUTPUTS, elevation_request, start_script};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Runs a script of the script library on endpoints.
#[derive(Clone, Debug)]
pub struct RunRemoteScript {
    /// IDs of the accounts of the agents.
    pub account_ids: Vec<String>,
    /// Destination of the output.
    pub output_destination: ScriptOutputDestination,
    /// Description of the task.
    pub task_description: String,
    /// Script ID.
    pub script_id: String,
    /// Output directory on the endpoint.
    pub output_directory: Option<String>,
    /// Agent IDs.
    pub agent_ids: Vec<String>,
    /// Keyword for Singularity XDR.
    pub singularity_xdr_keyword: Option<String>,
    /// URL of Singularity XDR.
    pub singularity_xdr_url: Option<String>,
    /// API key of Singularity XDR.
    pub api_key: Option<SecretString>,
    /// Parameters of the script, as one string.
    pub input_params: Option<String>,
    /// Password that protects the output.
    pub password: Option<SecretString>,
    /// Maximum run time of the script, 60 to 172800 seconds.
    pub script_runtime_timeout_seconds: i64,
    /// Whether the run requires an approval before it starts.
    pub requires_approval: bool,
    /// Verification code for protected actions. The session of the token's user is elevated with it first.
    pub protected_actions_code: Option<SecretString>,
}

/// Default maximum run time of a script, in seconds.
const DEFAULT_RUNTIME: i64 = 3600;

/// Destinations of the integration, and the additional one of SentinelOne's API document.
const DESTINATIONS: &[&str] = &["DataSetCloud", "Local", "None", "SentinelCloud", "SingularityXDR"];

impl Command for RunRemoteScript {
    const INFO: CommandInfo = CommandInfo {
        name: "run-remote-script",
        full_name: "sentinelone-run-remote-script",
        topic: Topic::RemoteScripts,
        summary: "Run a library script on endpoints",
        example: "s1 run-remote-script --script-id 570000000000000001 --account-ids 410000000000000001 \
            --agent-ids 440000000000000001 --output-destination SentinelCloud \
            --task-description 'open ports'",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["remote_scripts_execute", "users_elevate_session"],
    };

    const OUTPUTS: &'static [ContextPath] = &STARTED_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String};
        vec![
            Argument::new("account_ids", List, "IDs of the accounts of the agents.").required(),
            Argument::new(
                "output_destination",
                String,
                "Destination of the output. Files can be downloaded from SentinelCloud. SentinelOne's API \
                 document lists SingularityXDR and no longer lists DataSetCloud.",
            )
            .required()
            .values(DESTINATIONS),
            Argument::new("task_description", String, "Description of the task.").required(),
            Argument::new("script_id", String, "ID of the script.").required(),
            Argument::new("output_directory", String, "Output directory on the endpoint."),
            Argument::new("agent_ids", List, "Agent IDs.").required(),
            Argument::new("singularity_xdr_Keyword", String, "Keyword for Singularity XDR."),
            Argument::new("singularity_xdr_Url", String, "URL of Singularity XDR."),
            Argument::new("api_key", String, "API key of Singularity XDR. It is never printed."),
            Argument::new(
                "input_params",
                String,
                "Parameters of the script, as one string. Not treated as a secret: --dry-run prints it.",
            ),
            Argument::new("password", String, "Password that protects the output. It is never printed."),
            Argument::new(
                "script_runtime_timeout_seconds",
                Integer,
                "Maximum run time of the script, 60 to 172800 seconds.",
            )
            .default("3600"),
            Argument::new(
                "requires_approval",
                Boolean,
                "Whether the run requires an approval before it starts.",
            )
            .default("false"),
            Argument::new(
                "protected_actions_code",
                String,
                "Verification code of the token's user for protected actions. It is sent before the run, and it is \
                 never printed.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            output_destination: arguments.required_choice("output_destination", DESTINATIONS)?,
            task_description: arguments.required("task_description")?,
            script_id: arguments.required("script_id")?.trim().to_owned(),
            output_directory: arguments.string("output_directory")?,
            agent_ids: arguments.required_list("agent_ids")?,
            singularity_xdr_keyword: arguments.string("singularity_xdr_Keyword")?,
            singularity_xdr_url: arguments.string("singularity_xdr_Url")?,
            api_key: arguments.string("api_key")?.map(SecretString::from),
            input_params: arguments.string("input_params")?,
            password: arguments.string("password")?.map(SecretString::from),
            script_runtime_timeout_seconds: arguments
                .integer("script_runtime_timeout_seconds")?
                .unwrap_or(DEFAULT_RUNTIME),
            requires_approval: arguments.boolean("requires_approval")?.unwrap_or(false),
            protected_actions_code: arguments.string("protected_actions_code")?.map(SecretString::from),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        self.build_requests(self)
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        start_script(client, actions).await
    }
}

impl RunRemoteScript {
    /// Returns the request that starts the script, for this command or for `command`, after the one that elevates the
    /// session if there is a code.
    pub(super) fn build_requests<C: Command>(&self, command: &C) -> Result<Requests> {
        let missing = [("script_id", &self.script_id), ("task_description", &self.task_description)];
        if let Some((name, _)) = missing.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(argument_error(C::INFO.name, name, "is missing"));
        }
        let requests = batch_requests(command, ("agent_ids", &self.agent_ids), AgentFilter::FIELDS, |ids| {
            let data = RemoteScriptsExecuteData {
                output_directory: self.output_directory.clone(),
                singularityxdr_keyword: self.singularity_xdr_keyword.clone(),
                singularityxdr_url: self.singularity_xdr_url.clone(),
                api_key: self.api_key.as_ref().map(Into::into),
                input_params: self.input_params.clone(),
                password: self.password.as_ref().map(Into::into),
                script_runtime_timeout_seconds: Some(self.script_runtime_timeout_seconds),
                requires_approval: Some(self.requires_approval),
                ..RemoteScriptsExecuteData::new(
                    self.output_destination.clone(),
                    self.script_id.as_str(),
                    self.task_description.as_str(),
                )
            };
            let filter = AgentFilter::default().account_ids(&self.account_ids).ids(ids);
            raw::execute(&RemoteScriptsExecuteRequest::new(filter).data(data))
        })?;
        if requests.len() > 1 {
            // Each request would be a separate run with its own parent task.
            let message = "exceeds the maximum of one run; run the script several times with fewer agents";
            return Err(argument_error(C::INFO.name, "agent_ids", message));
        }
        let elevation = self.protected_actions_code.as_ref().map(elevation_request).transpose()?;
        Ok(elevation.into_iter().chain(requests).collect())
    }
}
