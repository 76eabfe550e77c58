//! Response envelopes and their decoding.

use std::fmt;
use std::iter::Peekable;
use std::marker::PhantomData;
use std::vec;

use bytes::Bytes;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::{DecodeError, from_slice, item, json};
use super::lenient::Sparse;
use super::raw_item::RawItem;

/// A type into which a response body decodes.
pub trait ResponseBody: Sized {
    /// Decodes a body.
    ///
    /// # Errors
    /// Returns an error if the body does not match the type.
    fn decode(body: &[u8]) -> Result<Self, DecodeError>;

    /// Decodes a body that the result may share instead of copying parts of it.
    ///
    /// # Errors
    /// Returns the errors of [`decode`](Self::decode).
    fn decode_shared(body: &Bytes) -> Result<Self, DecodeError> {
        Self::decode(body)
    }

    /// Returns the items that did not decode.
    fn undecoded(&self) -> &[UndecodedItem] {
        &[]
    }

    /// Adds items of the list `list_key` in `data`, which were replaced by null in the decoded body because they are not
    /// valid JSON. The key is empty if `data` is the list. A type without items ignores them.
    ///
    /// The items are in ascending order of their indexes, which count all items of the response that are not null.
    fn add_undecoded(&mut self, list_key: &str, items: Vec<UndecodedItem>) {
        let _ = (list_key, items);
    }
}

/// Decodes and re-encodes a response body.
#[cfg(feature = "contract")]
pub(crate) fn reencode_response<T: ResponseBody + Serialize>(body: &[u8]) -> Result<Value, DecodeError> {
    let response = T::decode(body)?;
    if let Some(item) = response.undecoded().first() {
        return Err(item.error_with_page_path());
    }
    encode(&response)
}

/// Decodes and re-encodes a request body. It decodes from a value, as the requests from parts do, so that each type
/// has one deserializer instance.
#[cfg(feature = "contract")]
pub(crate) fn reencode_request_body<T: DeserializeOwned + Serialize>(
    body: &[u8],
) -> Result<Value, DecodeError> {
    encode(&item::<T>(&json(body)?)?)
}

#[cfg(feature = "contract")]
fn encode(value: &impl Serialize) -> Result<Value, DecodeError> {
    serde_json::to_value(value).map_err(|error| DecodeError { path: ".".into(), message: error.to_string() })
}

/// Decodes an envelope. Arrays are rejected first, because a derived deserializer would accept one as a struct.
fn envelope<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, DecodeError> {
    is_object(body)?;
    json(body)
}

fn is_object(body: &[u8]) -> Result<(), DecodeError> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    Err(DecodeError { path: ".".into(), message: "not a JSON object".into() })
}

/// One page of a list: `{"data": […], "pagination": {…}}`. The list may be nested one level deeper, as in
/// `{"data": {"sites": […], "allSites": {…}}}`.
///
/// An item that does not decode is in [`undecoded`](Self::undecoded); the other items are not lost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// Decoded items, in the order of the response.
    pub data: Vec<T>,
    /// Items that did not decode.
    pub undecoded: Vec<UndecodedItem>,
    /// Cursor of the next page and total. Some lists have no pagination.
    pub pagination: Option<Pagination>,
    /// Errors returned with the data.
    pub errors: Option<Vec<Value>>,
    /// Key and siblings of a nested list, such as `data.sites`; `None` if `data` is the list.
    pub list_envelope: Option<ListEnvelope>,
}

/// The object around a nested list, which may contain totals.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListEnvelope {
    /// Key of the list in `data`; empty if the list is null or missing.
    pub list_key: String,
    /// Other members of `data`, as the console sent them.
    pub siblings: Map<String, Value>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        let (data, undecoded) = (Vec::new(), Vec::new());
        Self { data, undecoded, pagination: None, errors: None, list_envelope: None }
    }
}

impl<T> Page<T> {
    /// Returns the cursor of the next page; `None` on the last page.
    pub fn next_cursor(&self) -> Option<&str> {
        self.pagination.as_ref()?.next_cursor()
    }

    /// Returns the number of matching items; `None` if the console did not count them.
    pub fn total(&self) -> Option<u64> {
        self.pagination.as_ref()?.total_items
    }

    /// Returns all items in the order of the response, including items that did not decode.
    pub fn into_items(self) -> PageItems<T> {
        PageItems {
            decoded: self.data.into_iter(),
            undecoded: self.undecoded.into_iter().peekable(),
            index: 0,
        }
    }
}

/// An iterator over the items of a page in the order of the response; from [`Page::into_items`].
#[derive(Clone, Debug)]
pub struct PageItems<T> {
    decoded: vec::IntoIter<T>,
    undecoded: Peekable<vec::IntoIter<UndecodedItem>>,
    index: usize,
}

impl<T> Iterator for PageItems<T> {
    type Item = Result<T, UndecodedItem>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.undecoded.next_if(|item| item.index == self.index) {
            Some(item) => Some(Err(item)),
            // The indexes have gaps if items were removed from the lists.
            None => self.decoded.next().map(Ok).or_else(|| self.undecoded.next().map(Err)),
        };
        self.index += 1;
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = self.decoded.len() + self.undecoded.len();
        (remaining, Some(remaining))
    }
}

impl<T> ExactSizeIterator for PageItems<T> {}

/// An item of a page that did not decode.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UndecodedItem {
    /// Index in the page, from 0. Null items are not counted.
    pub index: usize,
    /// Decode error; its path starts at the item.
    pub error: DecodeError,
    /// The item as the console sent it; a string with its text if the item is not valid JSON.
    pub value: Value,
}

impl UndecodedItem {
    /// Creates an item that is not valid JSON, from its text and its index.
    pub fn invalid_json(index: usize, error: DecodeError, text: String) -> Self {
        Self { index, error, value: Value::String(text) }
    }

    /// Returns the error with the path from the root of the page, such as `data[1].threatInfo.fileSize`.
    pub fn error_with_page_path(&self) -> DecodeError {
        let Self { index, error, .. } = self;
        let path = match error.path.as_str() {
            "." => format!("data[{index}]"),
            path if path.starts_with('[') => format!("data[{index}]{path}"),
            path => format!("data[{index}].{path}"),
        };
        DecodeError { path, message: error.message.clone() }
    }
}

/// The pagination of a page: the cursor of the next page and the total.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pagination {
    /// Number of matching items. It is missing if the request disabled the count, and meaningless with some cursors.
    #[serde(default, deserialize_with = "count", skip_serializing_if = "Option::is_none")]
    pub total_items: Option<u64>,
    /// Raw cursor; use [`next_cursor`](Self::next_cursor) instead.
    #[serde(default, deserialize_with = "cursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Reads the pagination of a response with one item.
fn pagination<'de, D: Deserializer<'de>>(de: D) -> Result<Option<Pagination>, D::Error> {
    Ok(Pagination::from_value(Value::deserialize(de)?))
}

impl Pagination {
    /// Reads a pagination. A value of another type is ignored.
    fn from_value(value: Value) -> Option<Self> {
        value.is_object().then(|| serde_json::from_value(value).ok())?
    }

    /// Returns the cursor of the next page. A null, missing or blank cursor, and the string `null`, mean the last
    /// page. Consoles send all of these forms.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref().filter(|cursor| !matches!(cursor.trim(), "" | "null"))
    }
}

/// Reads an invalid count as missing, so that the page is not lost.
fn count<'de, D: Deserializer<'de>>(de: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(de)?.as_u64())
}

fn cursor<'de, D: Deserializer<'de>>(de: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::String(string) => Some(string),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a, T: Deserialize<'de>"))]
struct RawPage<'a, T> {
    #[serde(borrow, default = "Option::default", deserialize_with = "some")]
    data: Option<Option<List<'a, T>>>,
    #[serde(default, deserialize_with = "some")]
    pagination: Option<Value>,
    #[serde(default, deserialize_with = "errors")]
    errors: Option<Vec<Value>>,
}

/// The items of a page: a list, or an object with one list member.
struct List<'a, T> {
    items: Items<'a, T>,
    list_envelope: Option<ListEnvelope>,
}

enum Items<'a, T> {
    Decoded(Vec<T>),
    /// Items of a nested list. They are decoded later, because the list is found only after all members are read.
    Texts(Vec<&'a RawValue>),
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for List<'a, T> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct ListVisitor<'a, T>(PhantomData<(&'a (), T)>);

        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for ListVisitor<'a, T> {
            type Value = List<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or an object with a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Ok(List { items: Items::Decoded(Sparse::read(seq)?.0), list_envelope: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let (envelope, items) = nested_list(map)?;
                Ok(List { items: Items::Texts(items), list_envelope: Some(envelope) })
            }
        }

        de.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Reads an object with one list member.
fn nested_list<'de, A: MapAccess<'de>>(mut map: A) -> Result<(ListEnvelope, Vec<&'de RawValue>), A::Error> {
    let mut siblings = Map::new();
    let mut list = None;
    while let Some((name, text)) = map.next_entry::<String, &RawValue>()? {
        if !text.get().starts_with('[') {
            siblings.insert(name, serde_json::from_str(text.get()).map_err(A::Error::custom)?);
            continue;
        }
        let items: Vec<Option<&RawValue>> = serde_json::from_str(text.get()).map_err(A::Error::custom)?;
        if list.replace((name, items.into_iter().flatten().collect())).is_some() {
            return Err(A::Error::custom("data has more than one list; expected one"));
        }
    }
    // The list may be null or missing. `RawPage::split` then requires pagination, to reject other responses.
    let (list_key, items) = list.unwrap_or_default();
    Ok((ListEnvelope { list_key, siblings }, items))
}

/// Reads errors of any form, so that the response is not lost because of them.
fn errors<'de, D: Deserializer<'de>>(de: D) -> Result<Option<Vec<Value>>, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::Null => None,
        Value::Array(list) => Some(list),
        other => Some(vec![other]),
    })
}

/// Distinguishes a null member from a missing one.
fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(de: D) -> Result<Option<T>, D::Error> {
    T::deserialize(de).map(Some)
}

impl<'a, T> RawPage<'a, T> {
    /// Splits the page into its envelope and its items.
    fn split<U>(self) -> Result<(Page<U>, Items<'a, T>), DecodeError> {
        let pagination = self.pagination.and_then(Pagination::from_value);
        if self.data.is_none() && pagination.is_none() && self.errors.is_none() {
            return Err(DecodeError {
                path: ".".into(),
                message: "not a page of a list: data and pagination are missing".into(),
            });
        }
        let envelope =
            self.data.as_ref().and_then(Option::as_ref).and_then(|data| data.list_envelope.as_ref());
        if envelope.is_some_and(|envelope| envelope.list_key.is_empty()) && pagination.is_none() {
            return Err(DecodeError {
                path: "data".into(),
                message: "not a page of a list: the list and the pagination are missing".into(),
            });
        }
        let (items, list_envelope) = match self.data.flatten() {
            Some(list) => (list.items, list.list_envelope),
            None => (Items::Decoded(Vec::new()), None),
        };
        let page = Page { pagination, errors: self.errors, list_envelope, ..Page::default() };
        Ok((page, items))
    }
}

impl<'a> RawPage<'a, &'a RawValue> {
    /// Splits the page into its envelope and the texts of its items.
    fn split_texts<U>(self) -> Result<(Page<U>, Vec<&'a RawValue>), DecodeError> {
        let (page, Items::Decoded(texts) | Items::Texts(texts)) = self.split()?;
        Ok((page, texts))
    }
}

impl<T> Page<T> {
    /// Decodes an item without its type. An error has the path of the item in the page.
    fn item_value(&self, index: usize, text: &RawValue) -> Result<Value, DecodeError> {
        json(text.get().as_bytes()).map_err(|DecodeError { path, message }| {
            let list = match self.list_envelope.as_ref().map(|envelope| envelope.list_key.as_str()) {
                None | Some("") => "data".to_owned(),
                Some(key) => format!("data.{key}"),
            };
            let path = match path.as_str() {
                "." => String::new(),
                path if path.starts_with('[') => path.to_owned(),
                path => format!(".{path}"),
            };
            DecodeError { path: format!("{list}[{index}]{path}"), message }
        })
    }
}

impl<T: DeserializeOwned> ResponseBody for Page<T> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        is_object(body)?;
        let (mut page, texts): (Self, _) = match from_slice::<RawPage<'_, T>>(body) {
            Ok(page) => match page.split()? {
                (page, Items::Decoded(data)) => return Ok(Page { data, ..page }),
                (page, Items::Texts(texts)) => (page, texts),
            },
            // The second pass decodes item by item. It runs only after an error, because it takes longer.
            Err(_) => json::<RawPage<'_, &RawValue>>(body)?.split_texts()?,
        };
        for (index, text) in texts.into_iter().enumerate() {
            if let Ok(item) = serde_json::from_str(text.get()) {
                page.data.push(item);
                continue;
            }
            let value = page.item_value(index, text)?;
            match item(&value) {
                Ok(item) => page.data.push(item),
                Err(error) => page.undecoded.push(UndecodedItem { index, error, value }),
            }
        }
        Ok(page)
    }

    fn undecoded(&self) -> &[UndecodedItem] {
        &self.undecoded
    }

    fn add_undecoded(&mut self, list_key: &str, items: Vec<UndecodedItem>) {
        self.insert_undecoded(list_key, items);
    }
}

/// Start of an escape of a UTF-16 code unit.
const UNICODE_ESCAPE: &[u8] = b"\\u";

/// The items are slices of the body, which is checked like that of other types: an unpaired surrogate is an error.
impl ResponseBody for Page<RawItem> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_shared(&Bytes::copy_from_slice(body))
    }

    fn decode_shared(body: &Bytes) -> Result<Self, DecodeError> {
        let (mut page, texts): (Self, _) = envelope::<RawPage<'_, &RawValue>>(body)?.split_texts()?;
        if memchr::memmem::find(body, UNICODE_ESCAPE).is_some() {
            // Skipping a string does not pair its surrogates.
            for (index, text) in texts.iter().enumerate() {
                if memchr::memmem::find(text.get().as_bytes(), UNICODE_ESCAPE).is_some() {
                    page.item_value(index, text)?;
                }
            }
        }
        page.data = texts.into_iter().map(|text| RawItem::new(body, text)).collect();
        Ok(page)
    }

    fn undecoded(&self) -> &[UndecodedItem] {
        &self.undecoded
    }

    fn add_undecoded(&mut self, list_key: &str, items: Vec<UndecodedItem>) {
        self.insert_undecoded(list_key, items);
    }
}

impl<T> Page<T> {
    fn insert_undecoded(&mut self, list_key: &str, items: Vec<UndecodedItem>) {
        let own_key = self.list_envelope.as_ref().map_or("", |envelope| envelope.list_key.as_str());
        if own_key != list_key || items.is_empty() {
            return;
        }
        let added = items.len();
        let mut others = std::mem::take(&mut self.undecoded).into_iter().peekable();
        for (before, item) in items.into_iter().enumerate() {
            // The indexes of the other items do not count those that are added.
            while let Some(other) = others.next_if(|other| other.index + before < item.index) {
                self.undecoded.push(UndecodedItem { index: other.index + before, ..other });
            }
            self.undecoded.push(item);
        }
        self.undecoded.extend(others.map(|other| UndecodedItem { index: other.index + added, ..other }));
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Items<'a, T>(&'a Page<T>);

        impl<T: Serialize> Serialize for Items<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (mut decoded, mut undecoded) = (self.0.data.iter(), self.0.undecoded.iter().peekable());
                let count = self.0.data.len() + self.0.undecoded.len();
                serializer.collect_seq((0..count).map(|index| {
                    match undecoded.next_if(|item| item.index == index) {
                        Some(item) => Item::Undecoded(&item.value),
                        None => Item::Decoded(decoded.next()),
                    }
                }))
            }
        }

        #[derive(Serialize)]
        #[serde(untagged)]
        enum Item<'a, T> {
            Decoded(Option<&'a T>),
            Undecoded(&'a Value),
        }

        struct NestedItems<'a, T>(&'a Page<T>, &'a ListEnvelope);

        impl<T: Serialize> Serialize for NestedItems<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                if !self.1.list_key.is_empty() {
                    map.serialize_entry(&self.1.list_key, &Items(self.0))?;
                }
                for (name, value) in &self.1.siblings {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        let mut map = serializer.serialize_map(None)?;
        match &self.list_envelope {
            None => map.serialize_entry("data", &Items(self))?,
            Some(envelope) => map.serialize_entry("data", &NestedItems(self, envelope))?,
        }
        if let Some(pagination) = &self.pagination {
            map.serialize_entry("pagination", pagination)?;
        }
        if let Some(errors) = &self.errors {
            map.serialize_entry("errors", errors)?;
        }
        map.end()
    }
}

/// A response with a single item: `{"data": {…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Data<T> {
    /// The item; `None` if it is null or missing.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// Pagination of a list in the item; `None` if the response has none.
    #[serde(default, deserialize_with = "pagination", skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Errors returned with the data.
    #[serde(default, deserialize_with = "errors", skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Value>>,
}

impl<T> Default for Data<T> {
    fn default() -> Self {
        Self { data: None, pagination: None, errors: None }
    }
}

impl<T: DeserializeOwned> ResponseBody for Data<T> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        envelope(body)
    }
}

/// A JSON response without an envelope. It dereferences to the decoded value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonBody<T>(pub T);

impl<T> std::ops::Deref for JsonBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> ResponseBody for JsonBody<T> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        json(body).map(Self).or_else(|error| {
            let Ok(items) = serde_json::from_slice::<Vec<Option<&RawValue>>>(body) else { return Err(error) };
            // A null item of a list is ignored, as in a page.
            let texts: Vec<&str> = items.iter().flatten().map(|item| item.get()).collect();
            match texts.len() < items.len() {
                true => json(format!("[{}]", texts.join(",")).as_bytes()).map(Self),
                false => Err(error),
            }
        })
    }
}

impl ResponseBody for Value {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        json(body)
    }
}

/// The response data of an action, with the number of affected items.
pub trait AffectedCount {
    /// Returns the number of affected items; `None` if the response has no count.
    fn affected(&self) -> Option<u64>;
}

/// An empty response. A body is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl ResponseBody for Empty {
    fn decode(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

/// A response of arbitrary bytes, such as a zip file. The bytes are in the body of the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binary;

impl ResponseBody for Binary {
    fn decode(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

/// A response that no source describes: JSON, a file, or nothing. The bytes are in the body of the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undocumented;

impl ResponseBody for Undocumented {
    fn decode(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
