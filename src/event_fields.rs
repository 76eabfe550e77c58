//! Fields of Deep Visibility events, under the names of all agent versions.

use serde_json::Value;

/// Prefixes of the source process: as the agent reports it, and as the operating system does.
const SOURCE: [&str; 2] = ["srcProc", "osSrcProc"];

/// Prefixes of the parent of the source process.
const SOURCE_PARENT: [&str; 2] = ["srcProcParent", "osSrcProcParent"];

/// Prefix of the target process.
const TARGET: [&str; 1] = ["tgtProc"];

/// Suffixes that identify a process.
const IDENTITY: [&str; 5] = ["Name", "CmdLine", "Pid", "Uid", "ImagePath"];

/// A field of a process, under the names of older and newer agents.
struct ProcessField {
    /// Names without a prefix, in the order of preference.
    process: &'static [&'static str],
    /// Names of the same field of the parent process.
    parent: &'static [&'static str],
    /// Suffix after `srcProc`, `osSrcProc` or `tgtProc`.
    suffix: &'static str,
    /// Whether a created process has the value of its parent, unless the event contains its own.
    inherited: bool,
}

const fn process(
    process: &'static [&'static str],
    parent: &'static [&'static str],
    suffix: &'static str,
) -> ProcessField {
    ProcessField { process, parent, suffix, inherited: false }
}

/// Fields of processes.
const PROCESS_FIELDS: &[ProcessField] = &[
    process(&["processName"], &["parentProcessName"], "Name"),
    process(&["processCmd"], &[], "CmdLine"),
    process(&["pid"], &["parentPid"], "Pid"),
    ProcessField { inherited: true, ..process(&["user", "processUserName"], &[], "User") },
    process(&["processStartTime"], &["parentProcessStartTime"], "StartTime"),
    process(&["processUniqueKey"], &["parentProcessUniqueKey"], "Uid"),
    process(&["processImagePath"], &[], "ImagePath"),
    process(&["processImageSha1Hash"], &[], "ImageSha1"),
    process(&[], &[], "ImageSha256"),
    process(&[], &[], "ImageMd5"),
    process(&["processDisplayName"], &[], "DisplayName"),
    process(&["processSubSystem"], &[], "Subsystem"),
    process(&["processIntegrityLevel"], &[], "IntegrityLevel"),
    process(&["processSessionId"], &[], "SessionId"),
    process(&["processIsRedirectedCommandProcessor"], &[], "IsRedirectCmdProcessor"),
    process(&["trueContext", "storyline"], &[], "StorylineId"),
    process(&["relatedToThreat"], &[], "RelatedToThreat"),
    process(&["publisher"], &[], "Publisher"),
    process(&["signedStatus"], &[], "SignedStatus"),
    process(&["verifiedStatus"], &[], "VerifiedStatus"),
    process(&["signatureSignedInvalidReason"], &[], "ReasonSignatureInvalid"),
    process(&["tid"], &[], "Tid"),
    process(&["rpid"], &[], "Rpid"),
];

/// Fields that do not belong to a process, each with its other names.
const OTHER_FIELDS: &[(&str, &[&str])] = &[
    ("agentName", &["endpointName"]),
    ("agentOs", &["endpointOs"]),
    ("agentMachineType", &["endpointMachineType"]),
    ("connectionStatus", &["netConnStatus"]),
    ("direction", &["netEventDirection"]),
    ("fileFullName", &["tgtFilePath"]),
    ("fileId", &["tgtFileId"]),
    ("fileMd5", &["tgtFileMd5"]),
    ("fileSha1", &["tgtFileSha1"]),
    ("fileSha256", &["tgtFileSha256"]),
    ("fileSize", &["tgtFileSize"]),
    ("fileType", &["tgtFileType"]),
    ("oldFileMd5", &["tgtFileOldMd5"]),
    ("oldFileName", &["tgtFileOldPath"]),
    ("oldFileSha1", &["tgtFileOldSha1"]),
    ("oldFileSha256", &["tgtFileOldSha256"]),
    ("md5", &["fileMd5", "tgtFileMd5", "tgtProcImageMd5"]),
    ("sha1", &["fileSha1", "tgtFileSha1", "tgtProcImageSha1"]),
    ("sha256", &["fileSha256", "tgtFileSha256", "tgtProcImageSha256"]),
    ("registryId", &["registryUid"]),
    ("registryPath", &["registryKeyPath"]),
    ("loginsUserName", &["loginUserName", "loginAccountName"]),
    ("networkUrl", &["url"]),
];

/// The fields of a Deep Visibility event in JSON, under the names of all agent versions.
///
/// Older agents report one process, in fields such as `processName`. Newer agents report a source process
/// (`srcProcName`) and a target process (`tgtProcName`), and leave the other fields null. An event can have both forms.
/// A field that is missing, null or an empty string counts as missing.
#[derive(Clone, Copy, Debug)]
pub struct EventFields<'a> {
    event: &'a Value,
    target_is_process: bool,
}

/// A process of a Deep Visibility event. Numbers are strings here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventProcess {
    /// Name, such as `cmd.exe`.
    pub name: Option<String>,
    /// Command line.
    pub command_line: Option<String>,
    /// Process ID.
    pub pid: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Unique key of the process.
    pub unique_key: Option<String>,
    /// Start time.
    pub start_time: Option<String>,
    /// Path of the image.
    pub image_path: Option<String>,
    /// SHA-1 of the image.
    pub sha1: Option<String>,
    /// SHA-256 of the image.
    pub sha256: Option<String>,
    /// MD5 of the image.
    pub md5: Option<String>,
    /// ID of the storyline.
    pub storyline_id: Option<String>,
}

impl<'a> EventFields<'a> {
    /// Returns the fields of an event.
    pub fn new(event: &'a Value) -> Self {
        let has_process = |prefix: &str| {
            IDENTITY.iter().any(|suffix| non_empty(event, &format!("{prefix}{suffix}")).is_some())
        };
        let has_target = TARGET.into_iter().any(has_process);
        let target_is_process =
            has_target && (is_process_event(event) || !SOURCE.into_iter().any(has_process));
        Self { event, target_is_process }
    }

    /// Returns the documented names, which [`get`](Self::get) reads from other fields if an event does not have them.
    #[cfg(feature = "commands")]
    pub(crate) fn documented_names() -> impl Iterator<Item = &'static str> {
        let of_process = PROCESS_FIELDS.iter().flat_map(|field| field.process.iter().chain(field.parent));
        of_process.copied().chain(OTHER_FIELDS.iter().map(|(name, _)| *name))
    }

    /// Returns whether the process of the event is its target process. In an event of the type process the source
    /// process starts or changes the target process, and is its parent. In any other event, such as a file event, the
    /// source process is the process of the event.
    pub fn target_is_process(self) -> bool {
        self.target_is_process
    }

    /// Returns a field by its documented name, such as `processName`, or else by its other names in this event. A name
    /// that the event has takes precedence.
    ///
    /// The fallback of a process is the target process or the source process, see
    /// [`target_is_process`](Self::target_is_process). The fallback of `parentProcessName` and the other fields of the
    /// parent is the source process, or its parent. The fallback of a field of the source process, such as
    /// `srcProcName`, is the process that the operating system reports as the source, such as `osSrcProcName`.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        let value = |name: &str| non_empty(self.event, name);
        let with_suffix = |prefixes: &[&str], suffix: &str| {
            prefixes.iter().find_map(|prefix| value(&format!("{prefix}{suffix}")))
        };
        if let Some(found) = value(name) {
            return Some(found);
        }
        if let Some(suffix) = name.strip_prefix(SOURCE[0]) {
            return with_suffix(&SOURCE, suffix);
        }
        if let Some((_, others)) = OTHER_FIELDS.iter().find(|(one, _)| *one == name) {
            return others.iter().find_map(|other| value(other));
        }
        for field in PROCESS_FIELDS {
            if field.process.contains(&name) {
                let plain = || field.process.iter().find_map(|other| value(other));
                let source = || with_suffix(&SOURCE, field.suffix);
                return plain().or_else(|| match self.target_is_process {
                    true => {
                        with_suffix(&TARGET, field.suffix).or_else(|| field.inherited.then(source).flatten())
                    }
                    false => source(),
                });
            }
            if field.parent.contains(&name) {
                let prefixes = if self.target_is_process { &SOURCE } else { &SOURCE_PARENT };
                return with_suffix(prefixes, field.suffix);
            }
        }
        None
    }

    /// Returns the process of the event, or `None` if the event has none.
    pub fn process(self) -> Option<EventProcess> {
        let sha = |suffix: &str| match self.target_is_process {
            true => prefixed(self.event, &TARGET, suffix),
            false => prefixed(self.event, &SOURCE, suffix),
        };
        collect(|suffix| {
            let field = PROCESS_FIELDS.iter().find(|field| field.suffix == suffix)?;
            field.process.first().map_or_else(|| sha(suffix), |name| self.get(name))
        })
    }

    /// Returns the parent of the process, or `None` if the event has none.
    pub fn parent(self) -> Option<EventProcess> {
        let prefixes = if self.target_is_process { &SOURCE } else { &SOURCE_PARENT };
        collect(|suffix| {
            let field = PROCESS_FIELDS.iter().find(|field| field.suffix == suffix)?;
            let plain = field.parent.iter().find_map(|name| non_empty(self.event, name));
            plain.or_else(|| prefixed(self.event, prefixes, suffix))
        })
    }

    /// Returns the source process of an event of a newer agent.
    pub fn source(self) -> Option<EventProcess> {
        collect(|suffix| prefixed(self.event, &SOURCE, suffix))
    }

    /// Returns the target process of an event of a newer agent.
    pub fn target(self) -> Option<EventProcess> {
        collect(|suffix| prefixed(self.event, &TARGET, suffix))
    }
}

/// Returns a process with the values that `get` returns for the suffixes of its fields; `None` if it returns none.
fn collect<'a>(get: impl Fn(&str) -> Option<&'a Value>) -> Option<EventProcess> {
    let text =
        |suffix: &str| get(suffix).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
    let process = EventProcess {
        name: text("Name"),
        command_line: text("CmdLine"),
        pid: text("Pid"),
        user: text("User"),
        unique_key: text("Uid"),
        start_time: text("StartTime"),
        image_path: text("ImagePath"),
        sha1: text("ImageSha1"),
        sha256: text("ImageSha256"),
        md5: text("ImageMd5"),
        storyline_id: text("StorylineId"),
    };
    (process != EventProcess::default()).then_some(process)
}

/// Returns the first of the fields with these prefixes that has a value.
fn prefixed<'a>(event: &'a Value, prefixes: &[&str], suffix: &str) -> Option<&'a Value> {
    prefixes.iter().find_map(|prefix| non_empty(event, &format!("{prefix}{suffix}")))
}

/// Returns a member of an event, unless it is null or an empty string.
fn non_empty<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event
        .get(name)
        .filter(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()))
}

/// Returns whether an event is about a process and not about a file, a connection or the like. An event without a type
/// is, too.
fn is_process_event(event: &Value) -> bool {
    let text = |name: &str| non_empty(event, name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    match (text("objectType"), text("eventType")) {
        (Some(object), _) => object == "process",
        (None, Some(event)) => event.starts_with("process"),
        (None, None) => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    /// Prefixes of the process and of its parent, for an event of the type process and for another event.
    const ROLES: [(&str, [&str; 2], [&str; 2]); 2] =
        [("process", ["tgtProc", "tgtProc"], SOURCE), ("file", SOURCE, SOURCE_PARENT)];

    /// Returns an event with a target process, so that its type decides.
    fn event(object_type: &str) -> Value {
        json!({ "objectType": object_type, "tgtProcUid": "t", "srcProcUid": "s" })
    }

    #[track_caller]
    fn assert_fallback(event: &Value, name: &str, fallback: &str) {
        for missing in [Value::Null, json!(""), json!(" ")] {
            let mut event = event.clone();
            event[name] = missing;
            for value in [json!("value"), json!(7), json!("7"), json!(false), json!("False")] {
                event[fallback] = value.clone();
                assert_eq!(EventFields::new(&event).get(name), Some(&value), "{name} from {fallback}");
            }
            event[name] = json!("own");
            assert_eq!(EventFields::new(&event).get(name), Some(&json!("own")), "{name} wins");
        }
    }

    #[test]
    fn process_fields_fall_back_on_names_of_newer_agents() {
        for (object_type, of_process, of_parent) in ROLES {
            for field in PROCESS_FIELDS {
                for prefix in of_process {
                    for name in field.process {
                        let mut event = event(object_type);
                        event.as_object_mut().unwrap().retain(|key, _| !key.ends_with(field.suffix));
                        event["tgtProcCmdLine"] = "t".into();
                        assert_fallback(&event, name, &format!("{prefix}{}", field.suffix));
                    }
                }
                for prefix in of_parent {
                    for name in field.parent {
                        let mut event = event(object_type);
                        event.as_object_mut().unwrap().remove("srcProcUid");
                        event["srcProcCmdLine"] = "s".into();
                        assert_fallback(&event, name, &format!("{prefix}{}", field.suffix));
                    }
                }
            }
        }
    }

    #[test]
    fn other_fields_fall_back_on_names_of_newer_agents() {
        for (name, others) in OTHER_FIELDS {
            for other in *others {
                for object_type in ["process", "file", "ip"] {
                    assert_fallback(&json!({ "objectType": object_type }), name, other);
                }
            }
        }
    }

    #[test]
    fn table_has_each_name_once() {
        let process = PROCESS_FIELDS.iter().flat_map(|field| field.process.iter().chain(field.parent));
        let mut names: Vec<&str> =
            process.copied().chain(OTHER_FIELDS.iter().map(|(name, _)| *name)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn process_role_follows_the_event_type() {
        let both = |name: &str, value: &str| json!({ name: value, "srcProcName": "source.exe", "tgtProcName": "target.exe" });
        for (event, name) in [
            (both("objectType", "process"), "target.exe"),
            (both("objectType", "Process"), "target.exe"),
            (both("eventType", "Process Creation"), "target.exe"),
            (both("eventType", "PROCESSCREATION"), "target.exe"),
            (both("unrelated", ""), "target.exe"),
            (both("objectType", "cross_process"), "source.exe"),
            (both("eventType", "Open Remote Process Handle"), "source.exe"),
            (both("objectType", "file"), "source.exe"),
            (json!({ "objectType": "file", "tgtProcName": "target.exe" }), "target.exe"),
            (json!({ "objectType": "process", "srcProcName": "source.exe" }), "source.exe"),
            (json!({ "objectType": "dns", "osSrcProcName": "os.exe" }), "os.exe"),
            (json!({ "objectType": "dns", "srcProcName": null, "osSrcProcName": "os.exe" }), "os.exe"),
        ] {
            assert_eq!(EventFields::new(&event).get("processName"), Some(&json!(name)), "{event}");
        }
    }

    #[test]
    fn created_process_inherits_only_the_user() {
        let event = json!({
            "objectType": "process", "tgtProcName": "target.exe", "srcProcName": "source.exe", "srcProcPid": 4,
            "srcProcUser": "ann", "srcProcCmdLine": "source -x", "osSrcProcImageSha1": "ff",
        });
        let fields = EventFields::new(&event);
        let process = fields.process().unwrap();
        let expected = EventProcess {
            name: Some("target.exe".into()),
            user: Some("ann".into()),
            ..EventProcess::default()
        };
        assert_eq!(process, expected);
        let parent = fields.parent().unwrap();
        assert_eq!(parent, fields.source().unwrap());
        assert_eq!((parent.pid.as_deref(), parent.sha1.as_deref()), (Some("4"), Some("ff")));
        assert_eq!(fields.target().unwrap().name.as_deref(), Some("target.exe"));
    }

    #[test]
    fn event_of_older_agent_has_one_process() {
        let event = json!({ "objectType": "process", "processName": "a.exe", "pid": "7", "parentPid": "1" });
        let fields = EventFields::new(&event);
        assert_eq!(fields.process().unwrap().pid.as_deref(), Some("7"));
        assert_eq!(fields.parent().unwrap().pid.as_deref(), Some("1"));
        assert_eq!((fields.source(), fields.target()), (None, None));
        for odd in [Value::Null, json!([]), json!("text")] {
            assert_eq!(EventFields::new(&odd).process(), None);
        }
    }
}
