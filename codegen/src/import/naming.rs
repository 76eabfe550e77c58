//! Names for operations that `spec/` does not have: operation ID and resource file.
//!
//! An operation belongs to the file of its path, of the longest common start of its path with a listed operation, or of the
//! operations with the same tag; otherwise to a file of its tag. The ID consists of the file, a verb and the rest of the
//! path: `GET /sites/{site_id}/token` is `sites_get_token`.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToKebabCase, ToSnakeCase};
use serde_json::Value;

use super::operations::{ListedOperation, Operations};
use crate::bundle::{METHODS, members};
use crate::lint::braces;
use crate::metadata::Tier;
use crate::spec_update::singular;
use crate::surface::{Key, relative_path};

/// Last words of a path that already say what an operation does.
const VERBS: [&str; 65] = [
    "abort",
    "activate",
    "add",
    "apply",
    "approve",
    "assign",
    "auth",
    "autocomplete",
    "broadcast",
    "can",
    "cancel",
    "change",
    "check",
    "clear",
    "connect",
    "copy",
    "count",
    "deactivate",
    "decommission",
    "delete",
    "deploy",
    "disable",
    "disconnect",
    "download",
    "edit",
    "enable",
    "enroll",
    "evaluate",
    "execute",
    "export",
    "fetch",
    "generate",
    "get",
    "has",
    "import",
    "initiate",
    "login",
    "logout",
    "manage",
    "mark",
    "mitigate",
    "move",
    "perform",
    "randomize",
    "re",
    "regenerate",
    "reject",
    "remove",
    "reorder",
    "request",
    "reset",
    "restart",
    "restore",
    "revert",
    "revoke",
    "search",
    "send",
    "set",
    "start",
    "stop",
    "test",
    "update",
    "upload",
    "validate",
    "verify",
];

/// An operation of a document.
struct Candidate<'a> {
    path: String,
    method: &'static str,
    node: &'a Value,
    tag: &'a str,
    /// Whether the path has a GET too.
    has_get: bool,
}

impl Candidate<'_> {
    /// Returns the segments of the path without parameters.
    fn words(&self) -> Vec<&str> {
        static_segments(&self.path)
    }

    fn ends_with_parameter(&self) -> bool {
        self.path.ends_with('}')
    }

    /// Returns whether the success response is a list.
    fn is_list(&self, document: &Value) -> bool {
        let Some((_, success)) = members(self.node, "/responses").find(|(status, _)| status.starts_with('2'))
        else {
            return false;
        };
        let schema = resolved(document, &success["content"]["application/json"]["schema"]);
        schema["type"] == "array" || resolved(document, &schema["properties"]["data"])["items"].is_object()
    }
}

fn resolved<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let target = node["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(node)
}

fn static_segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('{')).collect()
}

/// Returns entries for the operations of an OpenAPI 3.0 document that `listed` does not have, by operation ID.
pub fn propose(document: &Value, listed: &Operations) -> Operations {
    let known: BTreeSet<Key> = listed.values().map(ListedOperation::key).collect();
    let mut candidates = Vec::new();
    // Files of the listed operations by tag, each with the number of operations.
    let mut by_tag: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (path, item) in members(document, "/paths") {
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let key = Key::new(method, path);
            let tag = node["tags"][0].as_str().unwrap_or_default();
            if known.contains(&key) {
                let one = listed.values().find(|one| one.key() == key);
                if let Some(file) = one.map(|one| one.file.as_str()) {
                    *by_tag.entry(tag).or_default().entry(file).or_default() += 1;
                }
                continue;
            }
            let has_get = item.get("get").is_some();
            candidates.push(Candidate { path: relative_path(path).to_owned(), method, node, tag, has_get });
        }
    }
    let mut files: Vec<String> = candidates.iter().map(|one| file(one, listed, &by_tag)).collect();
    // All methods of a path are in one file.
    let mut of_path: BTreeMap<String, String> = BTreeMap::new();
    for (one, file) in candidates.iter().zip(&mut files) {
        let path = Key::new("", &one.path).path;
        *file = of_path.entry(path).or_insert_with(|| file.clone()).clone();
    }
    let mut prefixes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let listed_paths = listed.values().filter(|one| !one.path.starts_with("/v2.0/"));
    let all = candidates.iter().zip(&files).map(|(one, file)| (file.as_str(), one.path.as_str()));
    for (file, path) in listed_paths.map(|one| (one.file.as_str(), one.path.as_str())).chain(all) {
        let words = static_segments(path);
        match prefixes.get_mut(file) {
            None => drop(prefixes.insert(file, words)),
            Some(prefix) => {
                // Paths below another root, such as exports, do not shorten the common start.
                let common = prefix.iter().zip(&words).take_while(|(one, other)| one == other).count();
                if common > 0 {
                    prefix.truncate(common);
                }
            }
        }
    }
    let mut taken: BTreeSet<String> = listed.keys().cloned().collect();
    let mut proposed = Operations::new();
    // Operations at the common start of a resource have the first choice of names.
    let mut all: Vec<(&Candidate<'_>, &String)> = candidates.iter().zip(&files).collect();
    all.sort_by_key(|(one, file)| {
        let prefix = prefixes.get(file.as_str()).map(Vec::as_slice).unwrap_or_default();
        one.words().first() != prefix.first()
    });
    for (one, file) in all {
        let resource = file.trim_end_matches(".yaml").replace('-', "_");
        let prefix = prefixes.get(file.as_str()).map(Vec::as_slice).unwrap_or_default();
        let verb = verb(one, prefix, &resource, document);
        let id = unique(&format!("{resource}_{verb}"), one, &taken);
        taken.insert(id.clone());
        let path = index_path(one, &proposed, listed);
        let entry = ListedOperation {
            method: one.method.to_uppercase(),
            path,
            file: file.clone(),
            tier: Tier::Documented,
        };
        proposed.insert(id, entry);
    }
    proposed
}

/// Returns the path of the index, whose parameters have the names of the first operation with this path.
fn index_path(one: &Candidate<'_>, proposed: &Operations, listed: &Operations) -> String {
    let blank = Key::new("", &one.path).path;
    let known =
        listed.values().chain(proposed.values()).find(|other| Key::new("", &other.path).path == blank);
    known.map_or_else(|| one.path.clone(), |other| other.path.clone())
}

fn file(one: &Candidate<'_>, listed: &Operations, by_tag: &BTreeMap<&str, BTreeMap<&str, usize>>) -> String {
    let blank = Key::new("", &one.path).path;
    if let Some(same) = listed.values().find(|other| Key::new("", &other.path).path == blank) {
        return same.file.clone();
    }
    let words = one.words();
    let common = |other: &ListedOperation| {
        let other = static_segments(&other.path);
        words.iter().zip(&other).take_while(|(one, other)| one == other).count()
    };
    if let Some(nearest) = listed.values().filter(|other| common(other) > 0).max_by_key(|other| common(other))
    {
        return nearest.file.clone();
    }
    let most = by_tag.get(one.tag).and_then(|files| files.iter().max_by_key(|(_, count)| **count));
    if let Some((file, _)) = most {
        return (*file).to_owned();
    }
    let tag = one.tag.split('(').next().unwrap_or(one.tag).trim().to_kebab_case();
    let is_valid = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let first = words.first().copied().unwrap_or("operations").to_kebab_case();
    let letters =
        |name: &str| name.chars().filter(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    format!("{}.yaml", if is_valid(&tag) { tag } else { letters(&first) })
}

/// Returns verb and object of an operation.
fn verb(one: &Candidate<'_>, prefix: &[&str], resource: &str, document: &Value) -> String {
    let words = one.words();
    let common = words.iter().zip(prefix).take_while(|(one, other)| one == other).count();
    let subject = singular(resource.rsplit('_').next().unwrap_or(resource));
    // `/export/sites` and `/upload/software` have their verb first.
    let (first, rest) = words[common..].split_first().map_or((None, &[][..]), |(first, rest)| match *first {
        "export" | "upload" if !rest.is_empty() => (Some((*first).to_owned()), rest),
        _ => (None, &words[common..]),
    });
    let mut parts: Vec<String> = rest
        .iter()
        .map(|word| word.to_snake_case())
        .filter(|word| !matches!(word.as_str(), "actions" | "private") && singular(word) != subject)
        .collect();
    if let Some(first) = first {
        parts.insert(0, first);
        return parts.join("_");
    }
    let Some(last) = parts.last().cloned() else {
        let name = match (one.method, one.ends_with_parameter()) {
            ("get", false) if one.is_list(document) => "list",
            ("get", _) => "get",
            ("post", false) if one.is_list(document) => "search",
            ("post", _) => "create",
            ("put", _) => "update",
            _ => "delete",
        };
        return name.to_owned();
    };
    let first_word = last.split('_').next().unwrap_or(&last);
    if VERBS.contains(&first_word) {
        parts.pop();
        parts.insert(0, last);
        return parts.join("_");
    }
    if let Some((object, verb @ ("enable" | "disable"))) = last.rsplit_once('_') {
        return format!("{verb}_{object}");
    }
    if one.method == "post" && !one.ends_with_parameter() {
        return match last.as_str() {
            "action" => format!("perform_{}", parts.join("_")),
            _ if one.is_list(document) => format!("search_{}", parts.join("_")),
            _ if one.has_get => format!("create_{}", parts.join("_")),
            _ => parts.join("_"),
        };
    }
    let verb = match one.method {
        "get" if one.is_list(document) && !one.ends_with_parameter() => "list",
        "get" => "get",
        "post" => "post",
        "put" => "update",
        _ => "delete",
    };
    if one.ends_with_parameter() {
        let last = parts.pop().unwrap_or_default();
        parts.push(singular(&last));
    }
    format!("{verb}_{}", parts.join("_"))
}

/// Returns a name that is not taken: with the parameters of the path, otherwise with a number.
fn unique(name: &str, one: &Candidate<'_>, taken: &BTreeSet<String>) -> String {
    let by = braces(&one.path).last().map(|parameter| format!("{name}_by_{}", parameter.to_snake_case()));
    let root = one.words().first().map(|word| format!("{name}_of_{}", word.to_snake_case()));
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(by).chain(root).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn propose_derives_file_and_verb_from_the_path() {
        let listed = super::super::operations::parse(
            "sites_list = { method = \"GET\", path = \"/sites\", file = \"sites.yaml\" }\n\
             blocklist_list = { method = \"GET\", path = \"/restrictions\", file = \"blocklist.yaml\" }\n",
        )
        .unwrap();
        let list = json!({ "properties": { "data": { "items": { "type": "object" } } } });
        let page = json!({ "200": { "content": { "application/json": { "schema": list } } } });
        let cases = [
            ("get", "/sites", "Sites", true, ""),
            ("post", "/sites", "Sites", false, "sites_create"),
            ("get", "/sites/{site_id}", "Sites", false, "sites_get"),
            ("put", "/sites/{site_id}/revert-policy", "Sites", false, "sites_revert_policy"),
            ("get", "/sites/{site_id}/token", "Sites", false, "sites_get_token"),
            ("get", "/export/sites", "Sites", false, "sites_export"),
            ("put", "/restrictions", "Exclusions", false, "blocklist_update"),
            ("get", "/rogues/{id}", "Rogue Devices (Beta)", false, "rogue_devices_get"),
            ("get", "/rogues/settings", "Rogue Devices (Beta)", true, "rogue_devices_list_settings"),
            (
                "delete",
                "/rogues/settings/{id}",
                "Rogue Devices (Beta)",
                false,
                "rogue_devices_delete_setting",
            ),
            ("post", "/rogues/settings/test", "Rogue Devices (Beta)", false, "rogue_devices_test_settings"),
            ("post", "/rogues/scan-disable", "Rogue Devices (Beta)", false, "rogue_devices_disable_scan"),
            ("post", "/unified-widgets", "Widgets v2.1", true, "unified_widgets_search"),
        ];
        let mut paths = Map::new();
        for (method, path, tag, is_list, _) in cases {
            let responses = if is_list { page.clone() } else { json!({}) };
            let item = paths.entry(format!("/web/api/v2.1{path}")).or_insert_with(|| json!({}));
            item[method] = json!({ "tags": [tag], "responses": responses });
        }
        let proposed = propose(&json!({ "paths": paths }), &listed);
        for (method, path, _, _, expected) in cases {
            let found = proposed.iter().find(|(_, one)| one.key() == Key::new(method, path));
            assert_eq!(found.map_or("", |(id, _)| id.as_str()), expected, "{method} {path}");
        }
        assert_eq!(proposed["blocklist_update"].file, "blocklist.yaml");
    }
}
