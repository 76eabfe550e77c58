//! Invented texts, by the names of the fields that they stand in.
//!
//! Hosts, addresses and people are of the names and ranges that are kept free for examples; digests are of
//! nothing.

use super::values::hash;

/// Nothing was created before.
pub(super) const BEGINNING: &str = "2026-11-01T00:00:00Z";

/// What an operation of a resource is about.
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

/// What a filter selects.
pub(super) fn subject_of_filter(schema: &str) -> Option<&'static str> {
    match schema {
        "AgentFilter" => Some("agentId"),
        "AlertFilter" => Some("alertId"),
        "StarRuleFilter" => Some("ruleId"),
        "ThreatFilter" | "LegacyThreatFilter" => Some("threatId"),
        _ => None,
    }
}

/// The identifier of a thing: the same wherever it is named so.
pub(super) fn id(kind: &str, item: usize) -> String {
    // Things of one kind have neighbouring numbers, as those have that were made one after the other.
    let number = 460_000_000_000_000_000 + hash(&["id", kind]) % 900_000_000_000 * 1000;
    (number + item as u64).to_string()
}

/// The name of a machine.
pub(super) fn host(item: usize) -> String {
    format!("web-{:02}", item + 1)
}

/// A key of a map.
pub(super) fn key(name: &str) -> &'static str {
    match name {
        "cloudProviders" => "AWS",
        _ => "first",
    }
}

/// A moment. What comes later is later, and things come one after the other.
pub(super) fn time(name: &str, number: u64, item: usize) -> String {
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let (year, first) = if says(&["expir", "renew", "validuntil"]) {
        (2027, 1)
    } else if says(&["creat", "install", "regist", "upload", "from"]) {
        (2026, 1)
    } else {
        (2026, 12)
    };
    let day = first + item % 10;
    let (hour, minute, second) = (number % 24, number / 24 % 60, number / 1440 % 60);
    // Without zeros at the end, which a client leaves out when it writes the time again.
    let micros = number / 86_400 % 100_000 * 10 + 1 + number % 9;
    format!("{year}-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Any other text.
pub(super) fn text(name: &str, number: u64, item: usize) -> String {
    // What a filter does with a field is not the field: `computerName__contains`.
    let name = name.split("__").next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let lower = lower.as_str();
    let number = number.wrapping_add(item as u64);
    let ends = |words: &[&str]| words.iter().any(|word| lower.ends_with(word));
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
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
        // A list of identifiers holds those of the things that it names.
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
        return format!("https://files.example.com/{}", WORDS[(number % WORDS.len() as u64) as usize]);
    }
    if ends(&["mail", "upn", "userprincipalname"]) {
        return format!("{}@example.com", pick(PEOPLE));
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
        return format!("CN={},DC=example,DC=com", pick(WORDS));
    }
    if ends(&["extension"]) {
        return "EXE".to_owned();
    }
    if ends(&["path", "files", "paths", "directory"]) {
        return format!("/opt/example/{}/{}.bin", pick(WORDS), WORDS[(number / 7 % 8) as usize]);
    }
    if ends(&["commandline", "cmd", "cmdline", "arguments", "command"]) {
        return format!("{}.exe --quiet --level {}", pick(WORDS), number % 9);
    }
    if ends(&["filename", "processname", "modulename", "procname", "fullname"]) {
        return format!("{}.exe", pick(WORDS));
    }
    if ends(&["query", "s1ql"]) {
        return format!("ProcessName Contains \"{}\"", pick(WORDS));
    }
    if ends(&["timeframe"]) {
        return "Last 48 Hours".to_owned();
    }
    if lower == "osname" || ends(&["agentosname"]) {
        return pick(&["Linux", "Windows Server 2022"]);
    }
    if has(&["username", "initiatedby", "creator", "updater", "createdbyuser", "assignedby", "processuser"]) {
        return pick(PEOPLE);
    }
    if has(&["description", "detail", "comment", "message", "text", "reason", "annotation", "instructions"]) {
        return format!("About the {} {}", pick(WORDS), WORDS[(number / 11 % 8) as usize]);
    }
    if ends(&["name", "title"]) {
        return format!("{} {}", capital(&pick(WORDS)), 1 + item);
    }
    pick(WORDS)
}

/// What a console says about a failure: the title, the detail, and what the example is about.
pub(super) fn failure(status: u16) -> (&'static str, Option<&'static str>, &'static str) {
    match status {
        400 => ("Validation Error", Some("filter: an invented objection"), "A request that is not accepted."),
        401 => {
            ("Authentication Failed", Some("An invented token is not known"), "A token that is not accepted.")
        }
        403 => {
            ("Insufficient permissions", Some("An invented role lacks it"), "A token that may not do that.")
        }
        404 => ("Not found", Some("An invented thing is not there"), "What the path names is not there."),
        409 => ("Conflict", Some("An invented thing stands against it"), "It cannot be done now."),
        _ => ("Failed", Some("An invented failure"), "A failure of another kind."),
    }
}

const PEOPLE: &[&str] = &["sample.user", "another.user", "third.user"];

const WORDS: &[&str] = &["amber", "birch", "cedar", "delta", "ember", "fern", "granite", "harbor"];

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

/// `threat_id` as answers write it: `threatId`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capital(part))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}
