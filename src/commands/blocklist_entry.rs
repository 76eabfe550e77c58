//! What the two commands that change the blocklist have in common.

use std::collections::HashSet;

use super::act::refuse;
use super::{Argument, ArgumentKind};
use crate::Result;

/// As many sites as the API takes at once.
const MOST_SITES: usize = 500;

pub(super) fn sha1_argument() -> Argument {
    Argument::new("sha1", ArgumentKind::Text, "SHA-1 of the file. The command cannot do without it.")
}

pub(super) fn sites_argument() -> Argument {
    Argument::new(
        "block_site_ids",
        ArgumentKind::List,
        "Sites whose blocklists are meant, by identifier. Without them it is the list of the whole tenant.",
    )
}

/// The hash, if it is one: a part of one would be found in others.
pub(super) fn sha1(command: &'static str, text: &str) -> Result<()> {
    if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(refuse(command, "sha1", format!("is {text:?}; give the 40 hexadecimal digits of a SHA-1")))
}

/// The sites of each request. No sites are the whole tenant, in one request.
pub(super) fn scopes(site_ids: &[String]) -> Vec<Vec<String>> {
    let mut seen = HashSet::new();
    let unique: Vec<String> = site_ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
    if unique.is_empty() {
        return vec![Vec::new()];
    }
    unique.chunks(MOST_SITES).map(<[String]>::to_vec).collect()
}
