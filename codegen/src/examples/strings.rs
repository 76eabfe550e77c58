//! Invented strings, by field name.
//!
//! Host names, IP addresses and user names come from names and ranges reserved for examples. Digests are random and
//! are not digests of files.

use regress::Regex;
use serde_json::Value;

use super::hash::hash;

/// Earliest creation time.
pub(super) const EARLIEST_TIME: &str = "2026-11-01T00:00:00Z";

/// Returns the ID field of the items of a resource.
pub(super) fn subject(tag: &str) -> &'static str {
    match tag {
        "accounts" => "accountId",
        "activities" => "activityId",
        "agents" => "agentId",
        "alerts" => "alertId",
        "blocklist" => "blocklistEntryId",
        "deep_visibility" => "eventId",
        "exclusions" => "exclusionId",
        "groups" => "groupId",
        "iocs" => "iocId",
        "remote_scripts" => "scriptId",
        "service_users" => "serviceUserId",
        "sites" => "siteId",
        "star_rules" => "ruleId",
        "threats" => "threatId",
        _ => "id",
    }
}

/// Returns the ID field of the items that a filter selects.
pub(super) fn subject_of_filter(schema: &str) -> Option<&'static str> {
    match schema {
        "AgentFilter" => Some("agentId"),
        "AlertFilter" => Some("alertId"),
        "StarRuleFilter" => Some("ruleId"),
        "ThreatFilter" | "LegacyThreatFilter" => Some("threatId"),
        _ => None,
    }
}

/// Returns the ID of an item; equal for each use of the same `kind` and number.
pub(super) fn id(kind: &str, item: usize) -> String {
    // Items of one kind have consecutive numbers.
    let number = 460_000_000_000_000_000 + hash(&["id", kind]) % 900_000_000_000 * 1000;
    (number + item as u64).to_string()
}

/// Returns the name of an endpoint.
pub(super) fn host(item: usize) -> String {
    format!("web-{:02}", item + 1)
}

/// Returns the key of a map.
pub(super) fn key(name: &str) -> &'static str {
    match name {
        "cloudProviders" => "AWS",
        _ => "first",
    }
}

/// Returns a timestamp. Creation times precede other times, expiration times follow them, and items are in order.
pub(super) fn time(name: &str, number: u64, item: usize) -> String {
    let name = name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let (year, first) = if has(&["expir", "renew", "validuntil"]) {
        (2027, 1)
    } else if has(&["creat", "install", "regist", "upload", "from"]) {
        (2026, 1)
    } else {
        (2026, 12)
    };
    let day = first + item % 10;
    let (hour, minute, second) = (number % 24, number / 24 % 60, number / 1440 % 60);
    // The fraction has no trailing zeros, because a client omits them when it encodes the time.
    let micros = number / 86_400 % 100_000 * 10 + 1 + number % 9;
    format!("{year}-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Returns a string of the format of a schema, if it has one that determines the text.
pub(super) fn of_format(schema: &Value, number: u64) -> Option<String> {
    match schema["format"].as_str()? {
        "uuid" => Some(uuid(number)),
        "duration" => Some(format!("PT{}M", 1 + number % 50)),
        "date" => Some(format!("2026-11-{:02}", 1 + number % 28)),
        "binary" => Some(format!("example-{}.csv", 1 + number % 9)),
        _ => None,
    }
}

/// Returns the text if it matches the pattern of a schema, otherwise a text that does, if one of these is known.
pub(super) fn matching(schema: &Value, text: String) -> String {
    const OTHERS: [&str; 6] =
        ["12:30", "12:30:00", "2026-11-12", "2026-11-12T12:30:00Z", "192.0.2.1", "example-1"];
    let Some(pattern) = schema["pattern"].as_str().and_then(|pattern| Regex::new(pattern).ok()) else {
        return text;
    };
    let others = OTHERS.into_iter().map(str::to_owned);
    let matching = std::iter::once(text.clone()).chain(others).find(|text| pattern.find(text).is_some());
    matching.unwrap_or(text)
}

/// Returns a string for a field name.
pub(super) fn for_field(name: &str, number: u64, item: usize) -> String {
    // A filter field ends with an operator: `computerName__contains`.
    let name = name.split("__").next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let lower = lower.as_str();
    let number = number.wrapping_add(item as u64);
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| lower.ends_with(suffix));
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let pick = |all: &[&str]| all[(number % all.len() as u64) as usize].to_owned();

    if has(&["password", "apikey", "token", "licensekey"]) {
        return format!("Invented-{}", 10 + number % 90);
    }
    if has(&["sha256"]) {
        return hex(number, 64);
    }
    if has(&["sha1", "contenthash"]) || lower == "hash" {
        return hex(number, 40);
    }
    if has(&["md5"]) {
        return hex(number, 32);
    }
    if matches!(lower, "uuid" | "uuids") {
        return uuid(hash(&["uuid"]).wrapping_add(item as u64));
    }
    if ends(&["uuid", "uuids", "uniquekey", "storyline", "storylineid"]) {
        return uuid(number);
    }
    if name.ends_with("Pid") || matches!(lower, "pid" | "tid") {
        return (1000 + number % 9000).to_string();
    }
    if ends(&["_id", "_ids"]) {
        return id(&camel(name), item);
    }
    if ends(&["id", "ids"]) && !ends(&["grid", "valid"]) {
        // A list of IDs has the IDs of the items it names.
        return id(name.strip_suffix('s').unwrap_or(name), item);
    }
    if ends(&["macaddress"]) || lower == "physical" {
        return format!("00:00:5e:00:53:{:02x}", number % 256);
    }
    if ends(&["ipv6", "inet6"]) {
        return format!("2001:db8::{:x}", 1 + number % 65_535);
    }
    if ends(&["ip", "ipv4", "inet", "iptomgmt", "dnsresponse"]) {
        let network = ["192.0.2", "198.51.100", "203.0.113"][(number % 3) as usize];
        return format!("{network}.{}", 1 + number / 3 % 254);
    }
    if ends(&["url", "link"]) {
        return format!("https://files.example.com/{}", NAMES[(number % NAMES.len() as u64) as usize]);
    }
    if ends(&["mail", "upn", "userprincipalname"]) {
        return format!("{}@example.com", pick(USER_NAMES));
    }
    if ends(&["domain", "dnsrequest"]) {
        return "example.com".to_owned();
    }
    if ends(&["computername", "computernames", "agentname"]) {
        return host(item);
    }
    if ends(&["version"]) {
        return format!("24.{}.{}.{}", 1 + number % 4, number / 4 % 6, 100 + number / 24 % 400);
    }
    if ends(&["revision"]) {
        return (19_000 + number % 4000).to_string();
    }
    if name.ends_with("Port") || ends(&["size"]) {
        return (1024 + number % 8000).to_string();
    }
    if ends(&["time"]) {
        return time(name, number, item);
    }
    if ends(&["memberof", "distinguishedname"]) {
        return format!("CN={},DC=example,DC=com", pick(NAMES));
    }
    if ends(&["extension"]) {
        return "EXE".to_owned();
    }
    if ends(&["path", "files", "paths", "directory"]) {
        return format!("/opt/example/{}/{}.bin", pick(NAMES), NAMES[(number / 7 % 8) as usize]);
    }
    if ends(&["commandline", "cmd", "cmdline", "arguments", "command"]) {
        return format!("{}.exe --quiet --level {}", pick(NAMES), number % 9);
    }
    if ends(&["filename", "processname", "modulename", "procname", "fullname"]) {
        return format!("{}.exe", pick(NAMES));
    }
    if ends(&["query", "s1ql"]) {
        return format!("ProcessName Contains \"{}\"", pick(NAMES));
    }
    if ends(&["timeframe"]) {
        return "Last 48 Hours".to_owned();
    }
    if lower == "osname" || ends(&["agentosname"]) {
        return pick(&["Linux", "Windows Server 2022"]);
    }
    if has(&["username", "initiatedby", "creator", "updater", "createdbyuser", "assignedby", "processuser"]) {
        return pick(USER_NAMES);
    }
    if has(&["description", "detail", "comment", "message", "text", "reason", "annotation", "instructions"]) {
        return format!("About the {} {}", pick(NAMES), NAMES[(number / 11 % 8) as usize]);
    }
    if ends(&["name", "title"]) {
        return format!("{} {}", capitalize(&pick(NAMES)), 1 + item);
    }
    pick(NAMES)
}

/// Returns the title and detail of an error response, and the note of the fixture.
pub(super) fn failure(status: u16) -> (&'static str, Option<&'static str>, &'static str) {
    match status {
        400 => ("Validation Error", Some("filter: invented validation error"), "Invalid request."),
        401 => ("Authentication Failed", Some("Invented detail: unknown token"), "Invalid token."),
        403 => {
            ("Insufficient permissions", Some("Invented detail: missing permission"), "Missing permission.")
        }
        404 => ("Not found", Some("Invented detail: missing item"), "Unknown ID in the path."),
        409 => ("Conflict", Some("Invented detail: conflicting item"), "Conflict with the current state."),
        _ => ("Failed", Some("Invented detail: failure"), "Other failure."),
    }
}

const USER_NAMES: &[&str] = &["sample.user", "another.user", "third.user"];

const NAMES: &[&str] = &["amber", "birch", "cedar", "delta", "ember", "fern", "granite", "harbor"];

fn hex(number: u64, digits: usize) -> String {
    let mut text = String::new();
    let mut number = number;
    while text.len() < digits {
        number = hash(&[&number.to_string()]);
        text.push_str(&format!("{number:016x}"));
    }
    text.truncate(digits);
    text
}

fn uuid(number: u64) -> String {
    let digits = hex(number, 32);
    let (a, rest) = digits.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// Converts snake case to camel case, for example `threat_id` to `threatId`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capitalize(part))
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}
