//! The forms of answers.

use std::fmt;
use std::iter::Peekable;
use std::marker::PhantomData;
use std::vec;

use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::Sparse;

/// A value that an answer's body decodes into.
pub trait Answer: Sized {
    /// Decodes a body.
    ///
    /// # Errors
    /// When the body is none of this form.
    fn decode(body: &[u8]) -> Result<Self, DecodeError>;

    /// What of it did not decode and was set apart.
    fn undecoded(&self) -> &[Undecoded] {
        &[]
    }
}

/// Why a body did not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where in the document, such as `data[1].threatInfo.fileSize`; `.` for the document itself.
    pub path: String,
    /// What was wrong there.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.path, self.message)
    }
}

impl std::error::Error for DecodeError {}

impl From<serde_path_to_error::Error<serde_json::Error>> for DecodeError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self { path: error.path().to_string(), message: error.into_inner().to_string() }
    }
}

/// Decodes JSON with the path of what does not fit. To keep the path costs a third of the time, so that it is looked
/// for only where something does not.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let mut de = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut de)?;
    de.end().map_err(|error| DecodeError { path: ".".into(), message: error.to_string() })?;
    Ok(value)
}

/// Decodes an answer and encodes it again.
#[cfg(feature = "both-ways")]
pub(crate) fn answer_again<T: Answer + Serialize>(body: &[u8]) -> Result<Value, DecodeError> {
    let answer = T::decode(body)?;
    if let Some(item) = answer.undecoded().first() {
        return Err(item.located());
    }
    encode(&answer)
}

/// Decodes the body of a request and encodes it again; from a value, as requests are built from their parts, so that
/// there is one reader of each.
#[cfg(feature = "both-ways")]
pub(crate) fn body_again<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<Value, DecodeError> {
    encode(&item::<T>(&json(body)?)?)
}

#[cfg(feature = "both-ways")]
fn encode(value: &impl Serialize) -> Result<Value, DecodeError> {
    serde_json::to_value(value).map_err(|error| DecodeError { path: ".".into(), message: error.to_string() })
}

/// Decodes an envelope. A derived reader would take an array for one too, member by member.
fn envelope<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    is_object(body)?;
    json(body)
}

fn is_object(body: &[u8]) -> Result<(), DecodeError> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    Err(DecodeError { path: ".".into(), message: "this is no JSON object".into() })
}

/// Decodes what has been read as a value already.
pub(super) fn item<T: DeserializeOwned>(value: &Value) -> Result<T, DecodeError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error: serde_path_to_error::Error<serde_json::Error>| error.into())
}

/// One page of a list: `{"data": […], "pagination": {…}}`. The list may stand one level deeper, as in
/// `{"data": {"sites": […], "allSites": {…}}}`.
///
/// An item that does not decode is set apart in [`undecoded`](Self::undecoded); the others are not
/// lost for it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items that decoded, in the server's order.
    pub data: Vec<T>,
    /// The items that did not.
    pub undecoded: Vec<Undecoded>,
    /// Where the next page begins. Some lists leave it out.
    pub pagination: Option<Pagination>,
    /// Errors that came with the data.
    pub errors: Option<Vec<Value>>,
    /// Where the items stand one level deeper, as `data.sites`: the name of the list, and what stands beside
    /// it.
    pub around: Option<Around>,
}

/// What is around a list that is not `data` itself: totals, say.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Around {
    /// Name of the list; empty where it was null or left out.
    pub name: String,
    /// The other members of `data`, as the server sent them.
    pub beside: Map<String, Value>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        let (data, undecoded) = (Vec::new(), Vec::new());
        Self { data, undecoded, pagination: None, errors: None, around: None }
    }
}

impl<T> Page<T> {
    /// The cursor of the next page; `None` on the last one.
    pub fn next_cursor(&self) -> Option<&str> {
        self.pagination.as_ref()?.next_cursor()
    }

    /// How many items match, as far as the server counted them.
    pub fn total(&self) -> Option<u64> {
        self.pagination.as_ref()?.total_items
    }

    /// All items in the server's order, those that did not decode among them.
    pub fn into_items(self) -> PageItems<T> {
        PageItems { good: self.data.into_iter(), bad: self.undecoded.into_iter().peekable(), index: 0 }
    }
}

/// The items of a page in the server's order; from [`Page::into_items`].
#[derive(Clone, Debug)]
pub struct PageItems<T> {
    good: vec::IntoIter<T>,
    bad: Peekable<vec::IntoIter<Undecoded>>,
    index: usize,
}

impl<T> Iterator for PageItems<T> {
    type Item = Result<T, Undecoded>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.bad.next_if(|item| item.index == self.index) {
            Some(item) => Some(Err(item)),
            // What was taken out of the list leaves no item behind.
            None => self.good.next().map(Ok).or_else(|| self.bad.next().map(Err)),
        };
        self.index += 1;
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.good.len() + self.bad.len();
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for PageItems<T> {}

/// An item of a page that did not decode.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Undecoded {
    /// Position among the items of the page, from 0; nulls are not counted.
    pub index: usize,
    /// What was wrong; the path starts at the item.
    pub error: DecodeError,
    /// The item as the server sent it.
    pub value: Value,
}

impl Undecoded {
    /// What was wrong, with the path from the root of the page: `data[1].threatInfo.fileSize`.
    pub fn located(&self) -> DecodeError {
        let Self { index, error, .. } = self;
        let separator = if error.path.starts_with('[') { "" } else { "." };
        let path = format!("data[{index}]{separator}{}", error.path);
        DecodeError { path, message: error.message.clone() }
    }
}

/// Where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pagination {
    /// Items that match in all; absent when the server was told not to count, meaningless with some
    /// cursors.
    #[serde(default, deserialize_with = "count", skip_serializing_if = "Option::is_none")]
    pub total_items: Option<u64>,
    /// Cursor as the server wrote it; [`next_cursor`](Self::next_cursor) is what to go by.
    #[serde(default, deserialize_with = "cursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Pagination {
    /// The cursor of the next page. Null, absence, an empty text and the word `null` all mean that
    /// there is none: each of them has been seen.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref().filter(|cursor| !matches!(cursor.trim(), "" | "null"))
    }
}

/// A count that is none is left out: it is not worth a page.
fn count<'de, D: Deserializer<'de>>(de: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(de)?.as_u64())
}

fn cursor<'de, D: Deserializer<'de>>(de: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct RawPage<T> {
    #[serde(default = "Option::default", deserialize_with = "some")]
    data: Option<Option<List<T>>>,
    #[serde(default, deserialize_with = "some")]
    pagination: Option<Value>,
    #[serde(default, deserialize_with = "errors")]
    errors: Option<Vec<Value>>,
}

/// The items of a page: the list itself, or an object in which one member is a list.
struct List<T> {
    items: Items<T>,
    around: Option<Around>,
}

enum Items<T> {
    Read(Vec<T>),
    /// Those of a list that stands one level deeper: which member it is shows when it has been read.
    Values(Vec<Value>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or an object that holds one")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Ok(List { items: Items::Read(Sparse::read(seq)?.0), around: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let (around, items) = deeper(map)?;
                Ok(List { items: Items::Values(items), around: Some(around) })
            }
        }

        de.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Reads an object of which one member is the list.
fn deeper<'de, A: MapAccess<'de>>(mut map: A) -> Result<(Around, Vec<Value>), A::Error> {
    let mut beside = Map::new();
    let mut lists = Vec::new();
    while let Some((name, value)) = map.next_entry::<String, Value>()? {
        match value {
            Value::Array(items) => lists.push((name, items)),
            value => drop(beside.insert(name, value)),
        }
    }
    // Null, or left out, where the list would be: what stands beside it tells that apart from an answer of
    // another kind.
    let (name, mut items) = lists.pop().unwrap_or_default();
    if !lists.is_empty() {
        return Err(A::Error::custom("more than one list in data: which is the page?"));
    }
    items.retain(|item| !item.is_null());
    Ok((Around { name, beside }, items))
}

/// Reads errors in whatever form they come; a word about a failure is not worth the answer.
fn errors<'de, D: Deserializer<'de>>(de: D) -> Result<Option<Vec<Value>>, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::Null => None,
        Value::Array(list) => Some(list),
        other => Some(vec![other]),
    })
}

/// Tells a member that is null from one that is absent.
fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(de: D) -> Result<Option<T>, D::Error> {
    T::deserialize(de).map(Some)
}

impl<T> RawPage<T> {
    /// A page without its items, and the items.
    fn split<U>(self) -> Result<(Page<U>, Items<T>), DecodeError> {
        // One of another form says nothing.
        let pagination: Option<Pagination> =
            self.pagination.filter(Value::is_object).and_then(|value| serde_json::from_value(value).ok());
        if self.data.is_none() && pagination.is_none() && self.errors.is_none() {
            return Err(DecodeError {
                path: ".".into(),
                message: "neither data nor pagination: this is no page of a list".into(),
            });
        }
        let no_list = self.data.as_ref().and_then(Option::as_ref).and_then(|data| data.around.as_ref());
        if no_list.is_some_and(|around| around.name.is_empty()) && pagination.is_none() {
            return Err(DecodeError {
                path: "data".into(),
                message: "no list and no pagination: this is no page of a list".into(),
            });
        }
        let (items, around) = match self.data.flatten() {
            Some(list) => (list.items, list.around),
            None => (Items::Read(Vec::new()), None),
        };
        let page = Page { pagination, errors: self.errors, around, ..Page::default() };
        Ok((page, items))
    }
}

impl<T: DeserializeOwned> Answer for Page<T> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        is_object(body)?;
        let (mut page, items): (Self, _) = match serde_json::from_slice::<RawPage<T>>(body) {
            Ok(page) => page.split()?,
            // Only now, since it costs a second reading: one by one.
            Err(_) => match envelope::<RawPage<Value>>(body)?.split()? {
                (page, Items::Read(items) | Items::Values(items)) => (page, Items::Values(items)),
            },
        };
        let values = match items {
            Items::Read(items) => {
                page.data = items;
                return Ok(page);
            }
            Items::Values(values) => values,
        };
        for (index, value) in values.into_iter().enumerate() {
            match item(&value) {
                Ok(item) => page.data.push(item),
                Err(error) => page.undecoded.push(Undecoded { index, error, value }),
            }
        }
        Ok(page)
    }

    fn undecoded(&self) -> &[Undecoded] {
        &self.undecoded
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Items<'a, T>(&'a Page<T>);

        impl<T: Serialize> Serialize for Items<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (mut good, mut bad) = (self.0.data.iter(), self.0.undecoded.iter().peekable());
                let count = self.0.data.len() + self.0.undecoded.len();
                serializer.collect_seq((0..count).map(
                    |index| match bad.next_if(|item| item.index == index) {
                        Some(item) => Item::Bad(&item.value),
                        None => Item::Good(good.next()),
                    },
                ))
            }
        }

        #[derive(Serialize)]
        #[serde(untagged)]
        enum Item<'a, T> {
            Good(Option<&'a T>),
            Bad(&'a Value),
        }

        struct Deeper<'a, T>(&'a Page<T>, &'a Around);

        impl<T: Serialize> Serialize for Deeper<'_, T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                if !self.1.name.is_empty() {
                    map.serialize_entry(&self.1.name, &Items(self.0))?;
                }
                for (name, value) in &self.1.beside {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        let mut map = serializer.serialize_map(None)?;
        match &self.around {
            None => map.serialize_entry("data", &Items(self))?,
            Some(around) => map.serialize_entry("data", &Deeper(self, around))?,
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

/// An answer about one thing: `{"data": {…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Data<T> {
    /// The thing; absent when the server said nothing about it.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// Errors that came with it.
    #[serde(default, deserialize_with = "errors", skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Value>>,
}

impl<T> Default for Data<T> {
    fn default() -> Self {
        Self { data: None, errors: None }
    }
}

impl<T: DeserializeOwned> Answer for Data<T> {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        envelope(body)
    }
}

impl Answer for Value {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        json(body)
    }
}

/// What actions answer: how many things they were applied to.
pub trait Acted {
    /// How many; `None` when the console did not say.
    fn affected(&self) -> Option<u64>;
}

/// An answer without content. Whatever the server sends all the same is left unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl Answer for Empty {
    fn decode(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

/// An answer of any bytes, such as a zip file. The bytes are the body of the response, as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binary;

impl Answer for Binary {
    fn decode(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
