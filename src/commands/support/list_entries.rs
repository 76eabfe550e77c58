//! Context entries of list items.

use sentinelone_raw::runtime::commands::CommandDeclaration;
use sentinelone_raw::runtime::commands::ContextPath;
use sentinelone_raw::runtime::{ApiVersion, RawItem};
use serde_json::Value;

use super::context_entry::entry;
use crate::json_text::Projection;

/// Builds the context entry of an item.
type BuildEntry<'a> = &'a (dyn Fn(&Value) -> Value + Sync);

/// Adds values to the context entry of an item. The number is that of the list.
type FillEntry<'a> = &'a (dyn Fn(usize, &Value, &mut Value) + Sync);

/// Where the entries of a list are in the context, and how an item becomes one.
#[derive(Clone, Copy)]
pub(crate) struct ContextEntries<'a> {
    pub(crate) prefix: &'a str,
    outputs: &'a [ContextPath],
    build: Option<BuildEntry<'a>>,
    fill: Option<FillEntry<'a>>,
}

impl<'a> From<(&'a str, &'a [ContextPath])> for ContextEntries<'a> {
    fn from((prefix, outputs): (&'a str, &'a [ContextPath])) -> Self {
        Self { prefix, outputs, build: None, fill: None }
    }
}

impl<'a> ContextEntries<'a> {
    /// Creates the entries of a command: the fields of its context paths.
    pub(crate) fn of<C: CommandDeclaration>() -> Self {
        Self::from((C::INFO.context, C::OUTPUTS))
    }

    /// Creates empty entries, for lists whose items are used.
    pub(crate) const NONE: Self = Self { prefix: "", outputs: &[], build: None, fill: None };

    /// Adds values to each entry.
    pub(crate) fn filled(self, fill: FillEntry<'a>) -> Self {
        Self { fill: Some(fill), ..self }
    }

    /// Creates entries that are not read from the fields of context paths.
    pub(crate) fn built(prefix: &'a str, build: BuildEntry<'a>) -> Self {
        Self { prefix, outputs: &[], build: Some(build), fill: None }
    }

    /// Returns the reader of the items of one list.
    pub(super) fn reader(self, version: ApiVersion, list: usize) -> EntryReader<'a> {
        // A function can read any field of the item.
        let reads_whole_item = self.build.is_some() || self.fill.is_some();
        let fields = || Projection::new(self.outputs.iter().filter_map(|output| output.field_on(version)));
        EntryReader { entries: self, version, list, projection: (!reads_whole_item).then(fields) }
    }
}

/// Reads the context entries of one list.
pub(super) struct EntryReader<'a> {
    entries: ContextEntries<'a>,
    version: ApiVersion,
    list: usize,
    /// The fields that an entry has; `None` to read whole items.
    projection: Option<Projection>,
}

impl EntryReader<'_> {
    /// Returns the entry of an item.
    pub(super) fn entry(&self, item: &RawItem) -> Value {
        match &self.projection {
            Some(fields) => self.entry_of(&fields.read(item.get())),
            None => self.entry_of(&item.to_value()),
        }
    }

    /// Returns the entry of an item that was read.
    pub(super) fn entry_of(&self, item: &Value) -> Value {
        let ContextEntries { prefix, outputs, build, fill } = self.entries;
        let mut entry = build.map_or_else(|| entry(outputs, prefix, self.version, item), |build| build(item));
        if let Some(fill) = fill {
            fill(self.list, item, &mut entry);
        }
        entry
    }
}

/// The items that a page adds to a list, as JSON text and as context entries.
pub struct ListPage<'a> {
    pub(super) items: &'a [RawItem],
    pub(super) items_path: &'static str,
    pub(super) reader: &'a EntryReader<'a>,
}

impl ListPage<'_> {
    /// Returns the items: valid JSON text as the console sent it.
    pub fn items(&self) -> &[RawItem] {
        self.items
    }

    /// Returns the dotted path of the list in the response, such as `data` or `data.sites`.
    pub fn items_path(&self) -> &'static str {
        self.items_path
    }

    /// Returns the context path of the list, such as `SentinelOne.Threat`.
    pub fn context_prefix(&self) -> &str {
        self.reader.entries.prefix
    }

    /// Returns the context entries of the items. Each is read when the iterator advances, from the fields that it needs.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = serde_json::Value> + '_ {
        self.items.iter().map(|item| self.reader.entry(item))
    }
}

impl std::fmt::Debug for ListPage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListPage").field("items", &self.items.len()).finish_non_exhaustive()
    }
}
