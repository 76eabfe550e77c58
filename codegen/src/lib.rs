//! Code generator for the raw client, and tools that maintain the curated specification in `spec/`.
//!
//! [`generate`] runs these steps. Each step is a module and depends only on the output of the previous step:
//!
//! 1. [`bundle`] joins the files of `spec/` into one plain OpenAPI document.
//! 2. [`lint`] checks the document against the rules of `spec/README.md`.
//! 3. [`dialect`] converts it to the OpenAPI dialect that progenitor supports.
//! 4. [`generator`] runs progenitor and extracts names and types from its output.
//! 5. [`emit`] writes the modules of `generated/`, with the support code of `codegen/runtime/`.
//! 6. [`files`] writes the files to disk, or compares them with the existing ones.
//!
//! [`examples`] generates fixtures from the document of step 1.
//!
//! Imports of a vendor document run in the opposite direction: [`document`] reads the document, [`import`] corrects it
//! and compares its [`surface`] with that of `spec/`, and [`spec_update`] edits `spec/` in place through
//! [`yaml_editor`]. [`diff`] compares any two documents.
//!
//! [`metadata`] has the types of `x-s1`, the only extension of the specification. All output is deterministic: the
//! code does not depend on the clock, the network or the order of a hash map.

pub mod bundle;
pub mod commands;
pub mod dialect;
pub mod diff;
pub mod document;
pub mod emit;
mod error;
pub mod examples;
pub mod files;
mod fixture_names;
pub mod generator;
mod generic;
pub mod graphql;
pub mod html_report;
pub mod import;
pub mod lint;
pub mod metadata;
mod pattern;
mod pipeline;
mod pointer;
mod published;
mod query_fields;
mod resolver;
pub mod spec_update;
pub mod surface;
mod yaml;
pub mod yaml_editor;

/// Support code that is emitted with the generated modules, compiled here for its tests.
#[allow(unused, reason = "some items are only used by generated modules")]
#[path = "../runtime/mod.rs"]
pub mod runtime;

#[cfg(test)]
#[path = "../runtime/tests.rs"]
mod runtime_tests;

#[cfg(test)]
#[path = "../runtime/raw_item_tests.rs"]
mod raw_item_tests;

pub use error::{Error, Result};
pub use pipeline::{
    ALERT_FIELDS, COMMAND_PAGES, Project, fixtures, generate, generate_from, generate_project,
};
