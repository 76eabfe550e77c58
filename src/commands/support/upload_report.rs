//! Outcomes of the files of an upload, from the content of the archive and its manifests.

#![cfg_attr(not(feature = "unzip"), allow(dead_code, reason = "only the feature unzip reads archives"))]

use crate::files::manifest::{
    self, ArchiveContent, FileRecord, FileStatus, Manifest, ManifestText, Match, Name, escaped,
};
use crate::outcome::{IdOutcome, IdState};
use crate::redaction::Redactor;

/// Maximum length of a shown manifest, in characters.
const MAX_WORDS: usize = 2000;

/// Maximum number of files in one message.
const MAX_LISTED: usize = 10;

/// Reason for a file that has no other.
const NOT_CONTAINED: &str = "the archive does not contain the file";

/// Outcomes of the files of an upload.
#[derive(Debug, Default)]
pub(crate) struct UploadReport {
    /// One outcome for each file of the archive, of its manifests and of the request. The ID of a file that was
    /// received is its name in the archive, else its path on the endpoint.
    pub(crate) files: Vec<IdOutcome>,
    /// Number of files that the archive contains, without the manifests.
    pub(crate) received: usize,
    /// Name of the first file that the archive contains.
    pub(crate) first: Option<String>,
    /// Errors of the manifests that name no file, and the text of a manifest whose form is not known.
    pub(crate) notes: Vec<String>,
}

impl UploadReport {
    /// Compares the content of an archive with its manifests and the requested paths.
    pub(crate) fn new(content: &ArchiveContent, requested: &[&str], secrets: &Redactor<'_>) -> Self {
        let parsed: Vec<(&ManifestText, Manifest)> =
            content.manifests.iter().map(|text| (text, Manifest::parse(&text.text))).collect();
        let is_root = |name: &str| !name.trim_start_matches("./").contains(['/', '\\']);
        let has_root = parsed.iter().any(|(text, _)| is_root(&text.name));
        // In a directory, a fetched file can have the name of a manifest. A manifest lists the status of files.
        let is_report = |manifest: &Manifest| {
            !manifest.is_text && manifest.records.iter().any(|record| record.status > FileStatus::Listed)
        };
        let manifests: Vec<_> = parsed
            .into_iter()
            .filter(|(text, manifest)| if has_root { is_root(&text.name) } else { is_report(manifest) })
            .collect();
        // An unreadable manifest is not a file.
        let is_manifest = |name: &String| {
            manifests.iter().any(|(text, _)| text.name == *name)
                || content.unreadable.is_some() && is_root(name) && manifest::is_manifest(name)
        };
        let names: Vec<&String> = content.names.iter().filter(|name| !is_manifest(name)).collect();
        let records: Vec<&FileRecord> =
            manifests.iter().flat_map(|(_, manifest)| &manifest.records).collect();

        let mut report = Self {
            received: names.len(),
            first: names.first().map(|name| (*name).clone()),
            ..Self::default()
        };
        report.add_files(&names, &records);
        report.add_requested(&names, &records, requested);
        let is_incomplete = names.is_empty() || report.failed().next().is_some();
        report.notes.extend(
            records.iter().filter(|record| record.path.is_none()).filter_map(|one| one.reason.clone()),
        );
        let has_unexplained =
            names.is_empty() && report.failed().any(|file| file.detail.as_deref() == Some(NOT_CONTAINED));
        for (text, manifest) in manifests {
            // The records of a text may be incomplete, and so may those that explain no missing file.
            let is_unknown = manifest.is_text || manifest.records.is_empty() || has_unexplained;
            let text = text.text.trim();
            let is_shown = report.notes.iter().any(|note| note == text);
            if is_incomplete && is_unknown && !text.is_empty() && !is_shown {
                report.notes.push(text.to_owned());
            }
        }
        report.redact(secrets);
        report
    }

    /// Adds the outcomes of the records, then those of the files that no record names.
    fn add_files(&mut self, names: &[&String], records: &[&FileRecord]) {
        let mut matched: Vec<Option<usize>> = vec![None; records.len()];
        let mut is_free = vec![true; names.len()];
        let of_names: Vec<Name> = names.iter().map(|name| Name::new(name)).collect();
        let of_records: Vec<Option<Name>> =
            records.iter().map(|record| record.path.as_deref().map(Name::new)).collect();
        // A record takes the closest file before another record can match it in a weaker degree.
        for degree in Match::ALL {
            for ((record, name), matched) in records.iter().zip(&of_records).zip(&mut matched) {
                let is_too_weak = degree == Match::FileName && record.status == FileStatus::Failed;
                let Some(name) = name.as_ref().filter(|_| matched.is_none() && !is_too_weak) else {
                    continue;
                };
                *matched = (0..names.len()).find(|at| is_free[*at] && name.matches(&of_names[*at], degree));
                if let Some(at) = *matched {
                    is_free[at] = false;
                }
            }
        }
        let is_missing = |record: &FileRecord, matched: Option<usize>| {
            matched.is_none() && record.status < FileStatus::Failed && record.path.is_some()
        };
        let missing =
            records.iter().zip(&matched).filter(|(record, matched)| is_missing(record, **matched)).count();
        // The archive can name files differently, so as many files as records are the same files.
        let are_renamed = missing <= is_free.iter().filter(|is_free| **is_free).count();
        for (record, matched) in records.iter().zip(matched) {
            let Some(path) = record.path.clone() else { continue };
            let reason = || record.reason.clone().unwrap_or_else(|| NOT_CONTAINED.to_owned());
            match (matched.and_then(|at| names.get(at)), record.status) {
                (Some(_), FileStatus::Failed) => self.add(path, IdState::Partial, record.reason.clone()),
                (Some(name), _) => self.add((*name).clone(), IdState::Done, None),
                (None, FileStatus::Failed) => self.add(path, IdState::NotAffected, Some(reason())),
                (None, _) if are_renamed && record.reason.is_none() => {}
                (None, _) => self.add(path, IdState::NotAffected, Some(reason())),
            }
        }
        for (name, _) in names.iter().zip(is_free).filter(|(_, is_free)| *is_free) {
            self.add((*name).clone(), IdState::Done, None);
        }
    }

    /// Adds the requested paths that neither the archive nor a manifest names.
    fn add_requested(&mut self, names: &[&String], records: &[&FileRecord], requested: &[&str]) {
        let known = names
            .iter()
            .map(|name| name.as_str())
            .chain(records.iter().filter_map(|one| one.path.as_deref()));
        let known: Vec<Name> = known.map(Name::new).collect();
        let of_upload =
            records.iter().find(|record| record.path.is_none()).and_then(|record| record.reason.clone());
        for path in requested {
            let name = Name::new(path);
            // The agent resolves patterns and variables.
            let is_pattern = path.contains(['*', '?', '%', '$', '~']) && !names.is_empty();
            let is_known = known.iter().any(|one| Match::ALL.iter().any(|degree| name.matches(one, *degree)));
            if !is_pattern && !is_known {
                let reason = of_upload.clone().unwrap_or_else(|| NOT_CONTAINED.to_owned());
                self.add((*path).to_owned(), IdState::NotAffected, Some(reason));
            }
        }
    }

    fn add(&mut self, id: String, state: IdState, detail: Option<String>) {
        self.files.push(IdOutcome { id, state, detail });
    }

    fn redact(&mut self, secrets: &Redactor<'_>) {
        for file in &mut self.files {
            file.id = secrets.redact(&file.id);
            file.detail = file.detail.take().map(|detail| secrets.redact(&detail));
        }
        for note in &mut self.notes {
            *note = escaped(&secrets.redact(note), MAX_WORDS);
        }
    }

    /// Returns the files that were not received, or not as a whole.
    pub(crate) fn failed(&self) -> impl Iterator<Item = &IdOutcome> {
        self.files.iter().filter(|file| !file.state.is_success())
    }

    /// Returns the failed files with their reasons and the notes, in one line; `None` without failures and notes.
    pub(crate) fn reasons(&self) -> Option<String> {
        let failed: Vec<&IdOutcome> = self.failed().collect();
        let mut parts: Vec<String> = failed.iter().take(MAX_LISTED).map(|file| described(file)).collect();
        if failed.len() > MAX_LISTED {
            parts.push(format!("{} more files", failed.len() - MAX_LISTED));
        }
        parts.extend(self.notes.iter().map(|note| format!("the manifest of the upload says: {note}")));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Returns a file with its reason.
fn described(file: &IdOutcome) -> String {
    match &file.detail {
        Some(detail) => format!("{}: {detail}", file.id),
        None => file.id.clone(),
    }
}
