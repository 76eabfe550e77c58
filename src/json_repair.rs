//! Repair of JSON bodies that are invalid in single values, so that these do not cost the whole body.
//!
//! Windows file names can contain one half of a surrogate pair, and some serializers write `NaN`. A body is repaired
//! after its decoding failed only. The scanner is iterative, takes time in proportion to the body, and keeps no more
//! than the repaired body and a bounded report in memory.

mod report;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

pub(crate) use report::RepairLog;
pub use report::{Repair, RepairKind, Repairs};

/// Maximum number of list items that are set apart: the size of the largest page. A body with more is an error.
const MAX_SET_APART: usize = 1000;

/// Maximum number of nested objects and lists that `serde_json` reads.
const MAX_DEPTH: usize = 127;

/// Maximum number of characters of a member name in a location, and of an ID.
const MAX_NAME: usize = 64;

/// Length in bytes from which a location is cut off.
const MAX_PATH: usize = 160;

/// A repaired body, which is valid JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RepairedBody {
    pub(crate) json: Bytes,
    pub(crate) repairs: Repairs,
    pub(crate) set_apart: Vec<SetApartItem>,
}

/// An item of a list in `data` that cannot be repaired. The repaired body has null in its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SetApartItem {
    /// Member of `data` that is the list; empty if `data` is the list.
    pub(crate) list_key: String,
    /// Position among the items that are not null.
    pub(crate) index: usize,
    /// Location of the invalid value in the item; `.` for the item itself.
    pub(crate) path: String,
    pub(crate) reason: String,
    /// The text of the item. Bytes that are not UTF-8 are replaced.
    pub(crate) text: String,
    /// The item without its invalid values, to read its ID and time. If the structure of its text is not JSON, the part
    /// before that; null if nothing is readable.
    pub(crate) salvaged: Value,
}

/// Repairs a body. Returns `None` if it is valid, is cut off, or has an error outside of list items that no rule covers.
pub(crate) fn repair(body: &[u8]) -> Option<RepairedBody> {
    Scanner::new(body).run()
}

/// Parses a body, and repairs it if it is not valid JSON.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_slice(&repair(body)?.json).ok())
}

/// The reason why scanning stops.
enum Stop {
    /// The structure is not JSON. Within a list item, it costs the item.
    Invalid,
    /// The body is cut off, or has too many invalid items. A body that is cut off must not pass for a complete one.
    Final,
}

type Scan<T> = Result<T, Stop>;

/// What comes next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    /// A value, or the end of an empty list.
    FirstValue,
    /// A member name, or the end of an empty object.
    FirstName,
    Name,
    /// A comma, or the end of the list, the object or the body.
    Separator,
}

/// An open object or list.
struct Frame {
    is_object: bool,
    /// Text of the current member name in the body, without its quotes.
    name: Range<usize>,
    /// Index of the current item.
    index: usize,
    /// Number of items that are not null, before the current one.
    present: usize,
}

/// The current item of a list in `data`.
struct Item {
    start: usize,
    /// Start in the output.
    out_start: usize,
    /// Number of frames around the item.
    depth: usize,
    /// Position among the items that are not null.
    index: usize,
    /// The first value that cannot be repaired: its location, its location in the item, and the reason.
    problem: Option<(String, String)>,
    /// Repairs of the item. Their ID is set at its end.
    repairs: Vec<Repair>,
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    out: Vec<u8>,
    frames: Vec<Frame>,
    item: Option<Item>,
    repairs: Repairs,
    set_apart: Vec<SetApartItem>,
}

impl<'a> Scanner<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            at: 0,
            out: Vec::with_capacity(body.len()),
            frames: Vec::new(),
            item: None,
            repairs: Repairs::default(),
            set_apart: Vec::new(),
        }
    }

    fn run(mut self) -> Option<RepairedBody> {
        let mut next = Next::Value;
        loop {
            next = match self.step(next) {
                Ok(None) => break,
                Ok(Some(next)) => next,
                Err(Stop::Invalid) => self.skip_item().ok()?,
                Err(Stop::Final) => return None,
            };
        }
        let Self { out, repairs, set_apart, .. } = self;
        (!repairs.is_empty()).then(|| RepairedBody { json: out.into(), repairs, set_apart })
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    /// Copies bytes to the output.
    fn copy(&mut self, count: usize) {
        self.out.extend_from_slice(&self.body[self.at..self.at + count]);
        self.at += count;
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.copy(1);
        }
    }

    /// Reads one token. Returns `None` at the end of the body.
    fn step(&mut self, next: Next) -> Scan<Option<Next>> {
        self.skip_whitespace();
        let byte = match self.peek() {
            None if self.frames.is_empty() && next == Next::Separator => return Ok(None),
            None => return Err(Stop::Final),
            Some(byte) => byte,
        };
        match (next, byte) {
            (Next::FirstName, b'}') | (Next::FirstValue, b']') => self.close(byte).map(Some),
            (Next::FirstName | Next::Name, b'"') => {
                let start = self.at + 1;
                let problem = self.string()?;
                if let Some(frame) = self.frames.last_mut() {
                    frame.name = start..self.at.saturating_sub(1);
                }
                self.report(problem);
                self.skip_whitespace();
                if self.peek().ok_or(Stop::Final)? != b':' {
                    return Err(Stop::Invalid);
                }
                self.copy(1);
                Ok(Some(Next::Value))
            }
            (Next::Value | Next::FirstValue, byte) => {
                self.start_item();
                let next = self.value(byte)?;
                if next == Next::Separator {
                    self.end_value(byte)?;
                }
                Ok(Some(next))
            }
            (Next::Separator, b',') => {
                let Some(frame) = self.frames.last_mut() else { return Err(Stop::Invalid) };
                frame.index += 1;
                let next = if frame.is_object { Next::Name } else { Next::Value };
                self.copy(1);
                Ok(Some(next))
            }
            (Next::Separator, b'}' | b']') => self.close(byte).map(Some),
            _ => Err(Stop::Invalid),
        }
    }

    /// Returns the key of the list in `data` whose items are read next: empty if `data` is the list.
    fn list_key(&self) -> Option<Range<usize>> {
        let is_data =
            |frame: &Frame| frame.is_object && self.body.get(frame.name.clone()) == Some(&b"data"[..]);
        match self.frames.as_slice() {
            [root, list] if is_data(root) && !list.is_object => Some(0..0),
            [root, data, list] if is_data(root) && data.is_object && !list.is_object => {
                Some(data.name.clone())
            }
            _ => None,
        }
    }

    fn start_item(&mut self) {
        if self.item.is_none() && self.list_key().is_some() {
            let index = self.frames.last().map_or(0, |list| list.present);
            self.item = Some(Item {
                start: self.at,
                out_start: self.out.len(),
                depth: self.frames.len(),
                index,
                problem: None,
                repairs: Vec::new(),
            });
        }
    }

    /// Reads a scalar, or the begin of an object or a list.
    fn value(&mut self, byte: u8) -> Scan<Next> {
        match byte {
            b'{' | b'[' if self.frames.len() == MAX_DEPTH => {
                self.skip_nested(0)?;
                self.out.extend_from_slice(b"null");
                self.replaced(format!("more than {MAX_DEPTH} nested objects and lists"));
            }
            b'{' | b'[' => {
                let is_object = byte == b'{';
                self.copy(1);
                self.frames.push(Frame { is_object, name: 0..0, index: 0, present: 0 });
                return Ok(if is_object { Next::FirstName } else { Next::FirstValue });
            }
            b'"' => {
                let problem = self.string()?;
                self.report(problem);
            }
            _ => self.literal()?,
        }
        Ok(Next::Separator)
    }

    /// Closes an object or a list.
    fn close(&mut self, byte: u8) -> Scan<Next> {
        match self.frames.last() {
            Some(frame) if frame.is_object == (byte == b'}') => {}
            _ => return Err(Stop::Invalid),
        }
        if self.item.as_ref().is_some_and(|item| item.depth >= self.frames.len()) {
            return Err(Stop::Invalid);
        }
        self.frames.pop();
        self.copy(1);
        self.end_value(byte)?;
        Ok(Next::Separator)
    }

    /// Ends a value, which may be the current item. `first` is one of its bytes.
    fn end_value(&mut self, first: u8) -> Scan<()> {
        let Some(item) = self.item.take_if(|item| item.depth == self.frames.len()) else { return Ok(()) };
        let text = &self.body[item.start..self.at];
        if let Some(list) = self.frames.last_mut() {
            // Of the scalars, only null begins with this letter.
            list.present += usize::from(first != b'n' || text != b"null");
        }
        if item.problem.is_none() && item.repairs.is_empty() {
            return Ok(());
        }
        let salvaged = serde_json::from_slice(&self.out[item.out_start..]).unwrap_or_default();
        self.finish_item(item, salvaged)
    }

    /// Reports the repairs of an item, or sets it apart.
    fn finish_item(&mut self, item: Item, salvaged: Value) -> Scan<()> {
        let item_id = id(&salvaged);
        let Some((path, reason)) = item.problem else {
            for repair in item.repairs {
                self.repairs.push(Repair { item_id: item_id.clone(), ..repair });
            }
            return Ok(());
        };
        if self.set_apart.len() == MAX_SET_APART {
            return Err(Stop::Final);
        }
        self.out.truncate(item.out_start);
        self.out.extend_from_slice(b"null");
        let list_key = self.list_key().map(|name| self.name(name).into_owned()).unwrap_or_default();
        let location = self.location(self.frames.len());
        let full_reason = if path == "." { reason.clone() } else { format!("{reason} at {path}") };
        let kind = RepairKind::SetApart(full_reason);
        self.repairs.push(Repair { location, item_id, kind, item: Some(item.index) });
        let text = String::from_utf8_lossy(&self.body[item.start..self.at]).into_owned();
        self.set_apart.push(SetApartItem { list_key, index: item.index, path, reason, text, salvaged });
        Ok(())
    }

    /// Skips the rest of an item whose structure is not JSON, and sets it apart.
    fn skip_item(&mut self) -> Scan<Next> {
        let mut item = self.item.take().ok_or(Stop::Final)?;
        let (path, reason) = match item.problem.take() {
            Some(problem) => problem,
            None => (self.location_in(item.depth), "invalid JSON".to_owned()),
        };
        let salvaged = self.readable_part(&item);
        self.skip_nested(self.frames.len().saturating_sub(item.depth))?;
        if self.at == item.start {
            // There is a comma and no item.
            return Err(Stop::Final);
        }
        self.frames.truncate(item.depth);
        if let Some(list) = self.frames.last_mut() {
            list.present += 1;
        }
        item.problem = Some((path, reason));
        self.finish_item(item, salvaged)?;
        Ok(Next::Separator)
    }

    /// Returns the part of an item that was read, with its open objects and lists closed.
    fn readable_part(&self, item: &Item) -> Value {
        let open = self.frames.get(item.depth..).unwrap_or_default();
        let closing: String =
            open.iter().rev().map(|frame| if frame.is_object { '}' } else { ']' }).collect();
        let text = self.out.get(item.out_start..).unwrap_or_default().trim_ascii_end();
        let text = text.strip_suffix(b",").unwrap_or(text);
        // The text ends after a value, a member name, or a colon.
        let parts =
            ["", ":null", "null"].iter().map(|value| [text, value.as_bytes(), closing.as_bytes()].concat());
        parts.into_iter().find_map(|part| serde_json::from_slice(&part).ok()).unwrap_or_default()
    }

    /// Skips a value without reading its content: to the end of `open` objects and lists, or of the next one. A scalar
    /// ends before a comma or a bracket. The kinds of the brackets are not compared, because the text is dropped.
    fn skip_nested(&mut self, mut open: usize) -> Scan<()> {
        let is_scalar = open == 0 && !matches!(self.peek(), Some(b'{' | b'['));
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string()?,
                b',' | b']' | b'}' if is_scalar && open == 0 => return Ok(()),
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open -= 1;
                    self.at += 1;
                    if open == 0 && !is_scalar {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
        Err(Stop::Final)
    }

    fn skip_string(&mut self) -> Scan<()> {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return Ok(());
            }
        }
        Err(Stop::Final)
    }

    /// Reads a string. Returns its first problem.
    fn string(&mut self) -> Scan<Option<Problem>> {
        let mut problem = None;
        self.copy(1);
        loop {
            let rest = &self.body[self.at..];
            let is_special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
            let length = rest.iter().position(is_special).ok_or(Stop::Final)?;
            for chunk in rest[..length].utf8_chunks() {
                self.out.extend_from_slice(chunk.valid().as_bytes());
                if !chunk.invalid().is_empty() {
                    self.out.extend_from_slice("\u{fffd}".as_bytes());
                    problem.get_or_insert(Problem::Repair(RepairKind::InvalidUtf8));
                }
            }
            self.at += length;
            match rest[length] {
                b'"' => {
                    self.copy(1);
                    return Ok(problem);
                }
                b'\\' => {
                    if let Some(invalid) = self.escape()? {
                        problem.get_or_insert(invalid);
                    }
                }
                control => {
                    self.out.extend_from_slice(format!("\\u{control:04x}").as_bytes());
                    self.at += 1;
                    problem.get_or_insert(Problem::Repair(RepairKind::ControlCharacter(control)));
                }
            }
        }
    }

    /// Reads an escape sequence, or two for a surrogate pair. Returns its problem.
    fn escape(&mut self) -> Scan<Option<Problem>> {
        match self.body.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.copy(2);
                return Ok(None);
            }
            Some(b'u') => {}
            Some(other) => {
                let sequence =
                    if other.is_ascii_graphic() { format!("\\{}", char::from(*other)) } else { "\\".into() };
                // Only the backslash is replaced, so that nothing else is lost.
                self.at += 1;
                self.out.extend_from_slice(b"\\ufffd");
                return Ok(Some(Problem::Invalid(format!("invalid escape {sequence}"))));
            }
            None => return Err(Stop::Final),
        }
        let Some(code) = self.code_unit(self.at) else {
            self.at += 1;
            self.out.extend_from_slice(b"\\ufffd");
            return Ok(Some(Problem::Invalid("invalid escape \\u".to_owned())));
        };
        let is_pair = matches!(code, 0xd800..=0xdbff)
            && self.code_unit(self.at + 6).is_some_and(|low| matches!(low, 0xdc00..=0xdfff));
        if is_pair {
            self.copy(12);
        } else if matches!(code, 0xd800..=0xdfff) {
            self.at += 6;
            self.out.extend_from_slice(b"\\ufffd");
            return Ok(Some(Problem::Repair(RepairKind::UnpairedSurrogate(code))));
        } else {
            self.copy(6);
        }
        Ok(None)
    }

    /// Returns the code unit of the escape sequence `\uXXXX` at a position.
    fn code_unit(&self, at: usize) -> Option<u16> {
        let digits = self.body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digits = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_hexdigit))?;
        u16::from_str_radix(digits, 16).ok()
    }

    /// Reads a number, `true`, `false`, `null`, or one of the texts of other languages for no number. Another text costs
    /// its item, whose other values remain readable.
    fn literal(&mut self) -> Scan<()> {
        let rest = &self.body[self.at..];
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        let token = std::str::from_utf8(&rest[..length]).map_err(|_| Stop::Invalid)?;
        if token.is_empty() || token.contains(['"', '\\', '{', '[', ':']) {
            return Err(Stop::Invalid);
        }
        if matches!(token, "true" | "false" | "null") || serde_json::from_str::<Number>(token).is_ok() {
            self.copy(length);
            return Ok(());
        }
        let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
        let is_not_a_number =
            ["nan", "infinity", "inf"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
        let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit())
            && token.parse::<f64>().is_ok_and(f64::is_infinite);
        if !is_not_a_number && !is_number && self.item.is_none() {
            return Err(Stop::Invalid);
        }
        self.out.extend_from_slice(b"null");
        self.at += length;
        if is_not_a_number {
            self.report(Some(Problem::Repair(RepairKind::NotANumber(token.to_owned()))));
        } else if is_number {
            self.replaced(format!("number out of range: {}", shortened(token)));
        } else {
            self.replaced(format!("invalid value {}", shortened(token)));
        }
        Ok(())
    }

    /// Reports a value that has no repair.
    fn replaced(&mut self, reason: String) {
        self.report(Some(Problem::Invalid(reason)));
    }

    /// Reports the problem of the current value.
    fn report(&mut self, problem: Option<Problem>) {
        let Some(problem) = problem else { return };
        let count = self.item.as_ref().map_or(0, |item| item.repairs.len());
        let kind = match problem {
            Problem::Invalid(reason) => match &self.item {
                // The first problem is the reason for setting the item apart.
                Some(item) if item.problem.is_some() => return,
                Some(item) => {
                    let path = self.location_in(item.depth);
                    if let Some(item) = &mut self.item {
                        item.problem = Some((path, reason));
                    }
                    return;
                }
                None => RepairKind::Replaced(reason),
            },
            Problem::Repair(kind) => kind,
        };
        // Locations are built only for the repairs that are described.
        if !self.repairs.describes(&kind, count) {
            self.repairs.omit(&kind);
            return;
        }
        let location = self.location(self.frames.len());
        let repair = Repair { location, item_id: None, kind, item: None };
        match &mut self.item {
            Some(item) => item.repairs.push(Repair { item: Some(item.index), ..repair }),
            None => self.repairs.push(repair),
        }
    }

    /// Returns a member name for a message.
    fn name(&self, name: Range<usize>) -> Cow<'a, str> {
        let text = self.body.get(name).unwrap_or_default();
        // Reading a long name for each location would take more time than scanning the body.
        let text = String::from_utf8_lossy(text.get(..4 * (MAX_NAME + 1)).unwrap_or(text));
        match text.char_indices().nth(MAX_NAME) {
            Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
            None => text,
        }
    }

    /// Returns the location of the current value of the first `depth` frames.
    fn location(&self, depth: usize) -> String {
        self.path(&self.frames[..depth])
    }

    /// Returns the location of the current value from an item.
    fn location_in(&self, depth: usize) -> String {
        self.path(self.frames.get(depth..).unwrap_or_default())
    }

    fn path(&self, frames: &[Frame]) -> String {
        let mut path = String::new();
        for frame in frames {
            if path.len() > MAX_PATH {
                path.push('…');
                break;
            }
            if frame.is_object {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&self.name(frame.name.clone()));
            } else {
                path.push_str(&format!("[{}]", frame.index));
            }
        }
        if path.is_empty() { ".".to_owned() } else { path }
    }
}

/// A problem of a value.
enum Problem {
    Repair(RepairKind),
    /// The value has no repair. Holds the reason.
    Invalid(String),
}

/// Returns the ID of an item: its own, or that of an alert or a threat.
fn id(item: &Value) -> Option<String> {
    let ids = ["/id", "/alertInfo/alertId", "/threatInfo/threatId", "/uuid"];
    let id = ids.iter().filter_map(|pointer| item.pointer(pointer)).find_map(|id| match id {
        Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    id.map(|id| shortened(&id))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
