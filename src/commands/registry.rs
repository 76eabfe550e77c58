//! The list of all commands.

use super::registered::RegisteredCommand;
use super::*;

/// Returns all commands in alphabetical order.
pub const fn registry() -> &'static [RegisteredCommand] {
    const {
        &[
            RegisteredCommand::new::<AddHashToBlocklist>(),
            RegisteredCommand::new::<BroadcastMessage>(),
            RegisteredCommand::new::<ConnectAgent>(),
            RegisteredCommand::new::<CreateIoc>(),
            RegisteredCommand::new::<CreatePowerQuery>(),
            RegisteredCommand::new::<CreateQuery>(),
            RegisteredCommand::new::<CreateStarRule>(),
            RegisteredCommand::new::<CreateWhiteListItem>(),
            RegisteredCommand::new::<DeleteGroup>(),
            RegisteredCommand::new::<DeleteIoc>(),
            RegisteredCommand::new::<DeleteStarRule>(),
            RegisteredCommand::new::<DisableStarRules>(),
            RegisteredCommand::new::<DisconnectAgent>(),
            RegisteredCommand::new::<DownloadFetchedFile>(),
            RegisteredCommand::new::<EnableStarRules>(),
            RegisteredCommand::new::<ExpireSite>(),
            RegisteredCommand::new::<FetchFile>(),
            RegisteredCommand::new::<FetchThreatFile>(),
            RegisteredCommand::new::<GetAccounts>(),
            RegisteredCommand::new::<GetActivities>(),
            RegisteredCommand::new::<GetAgent>(),
            RegisteredCommand::new::<GetAgentMac>(),
            RegisteredCommand::new::<GetAlerts>(),
            RegisteredCommand::new::<GetBlocklist>(),
            RegisteredCommand::new::<GetDvQueryStatus>(),
            RegisteredCommand::new::<GetEvents>(),
            RegisteredCommand::new::<GetGroups>(),
            RegisteredCommand::new::<GetHash>(),
            RegisteredCommand::new::<GetInstalledApplications>(),
            RegisteredCommand::new::<GetIocs>(),
            RegisteredCommand::new::<GetMappingFields>(),
            RegisteredCommand::new::<GetModifiedRemoteData>(),
            RegisteredCommand::new::<GetPowerQueryResults>(),
            RegisteredCommand::new::<GetProcesses>(),
            RegisteredCommand::new::<GetRemoteData>(),
            RegisteredCommand::new::<GetRemoteScriptTaskResults>(),
            RegisteredCommand::new::<GetRemoteScriptTaskStatus>(),
            RegisteredCommand::new::<GetSite>(),
            RegisteredCommand::new::<GetSites>(),
            RegisteredCommand::new::<GetStarRules>(),
            RegisteredCommand::new::<GetThreatNotes>(),
            RegisteredCommand::new::<GetThreats>(),
            RegisteredCommand::new::<GetWhiteList>(),
            RegisteredCommand::new::<InitiateEndpointScan>(),
            RegisteredCommand::new::<ListAgents>(),
            RegisteredCommand::new::<MarkAsThreat>(),
            RegisteredCommand::new::<MitigateThreat>(),
            RegisteredCommand::new::<MoveAgent>(),
            RegisteredCommand::new::<PingPowerQuery>(),
            RegisteredCommand::new::<ReactivateSite>(),
            RegisteredCommand::new::<RemoteScriptAutomateResults>(),
            RegisteredCommand::new::<RemoveHashFromBlocklist>(),
            RegisteredCommand::new::<RemoveItemFromWhitelist>(),
            RegisteredCommand::new::<ResolveThreat>(),
            RegisteredCommand::new::<RunRemoteScript>(),
            RegisteredCommand::new::<ShutdownAgent>(),
            RegisteredCommand::new::<ThreatSummary>(),
            RegisteredCommand::new::<UninstallAgent>(),
            RegisteredCommand::new::<UpdateAlertsStatus>(),
            RegisteredCommand::new::<UpdateAlertsVerdict>(),
            RegisteredCommand::new::<UpdateRemoteSystem>(),
            RegisteredCommand::new::<UpdateStarRule>(),
            RegisteredCommand::new::<UpdateThreatIncident>(),
            RegisteredCommand::new::<UpdateThreatsStatus>(),
            RegisteredCommand::new::<UpdateThreatsVerdict>(),
            RegisteredCommand::new::<WriteThreatNote>(),
        ]
    }
}

/// Returns the command with this name, with or without the prefix `sentinelone-`.
pub fn find(name: &str) -> Option<&'static RegisteredCommand> {
    registry().iter().find(|entry| entry.info.name == name || entry.info.full_name == name)
}
