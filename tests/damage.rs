//! Healthy exchanges are damaged in every way that is known, one at a time: the contract check finds each damage,
//! calls it by its name, says where it is, and finds nothing else.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/points.rs"]
mod points;
#[path = "support/schemas.rs"]
mod schemas;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sentinelone::contract::FindingKind::{self, *};
use sentinelone::contract::fixture::{Exchange, ProvenanceKind, read_all};
use sentinelone::contract::{Contract, Finding, OperationSpec, Parameter, Sanitizer};
use sentinelone::raw::runtime::Kind;
use serde_json::{Value, json};

use points::{Point, points};
use schemas::{Dice, says, words};

/// A signed token of nobody.
const JWT: &str = "eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0";

/// An exchange in which nothing is wrong.
struct Case {
    name: String,
    exchange: Exchange,
    operation: &'static OperationSpec,
}

/// An exchange in which something is, and what has to be found. Parts that a file cannot hold stand beside it.
struct Damaged {
    exchange: Exchange,
    query: Option<Vec<(String, String)>>,
    path: Option<BTreeMap<String, String>>,
    expected: Vec<(FindingKind, String)>,
}

type Damage = fn(&Case, &mut Dice) -> Option<Damaged>;

impl Damaged {
    fn of(
        case: &Case,
        kind: FindingKind,
        place: impl Into<String>,
        spoil: impl FnOnce(&mut Exchange),
    ) -> Self {
        let mut exchange = case.exchange.clone();
        spoil(&mut exchange);
        Self { exchange, query: None, path: None, expected: vec![(kind, place.into())] }
    }

    fn and(mut self, kind: FindingKind, place: &str) -> Self {
        self.expected.push((kind, place.to_owned()));
        self
    }

    fn findings(&self, case: &Case) -> Vec<Finding> {
        let contract = Contract::bundled();
        if self.query.is_none() && self.path.is_none() {
            return contract.check_exchange(&self.exchange);
        }
        let found = self.exchange.find(contract).unwrap();
        let path = self.path.as_ref().unwrap_or(&found.path_values);
        let query = self.query.clone().unwrap_or_else(|| self.exchange.query());
        contract.check_request(case.operation, path, &query, self.exchange.request.body.as_ref())
    }
}

/// The part of an exchange that is spoilt.
#[derive(Clone, Copy)]
enum Part {
    Answer,
    Body,
}

impl Case {
    fn schema(&self, part: Part) -> Option<&'static Value> {
        match part {
            Part::Answer => self.operation.answer_schema(self.exchange.status),
            Part::Body => self.operation.body_schema(),
        }
    }

    fn document(&self, part: Part) -> Option<&Value> {
        match part {
            Part::Answer => self.exchange.response.as_ref(),
            Part::Body => self.exchange.request.body.as_ref(),
        }
    }

    fn is_read(&self) -> bool {
        self.operation.kind() == Kind::Read
    }

    /// Puts something else in the place of one value of which that holds.
    fn replace(
        &self,
        dice: &mut Dice,
        part: Part,
        kind: FindingKind,
        fits: impl Fn(&Point<'_>, &Value) -> bool,
        other: impl FnOnce(&Point<'_>, &Value) -> Value,
    ) -> Option<Damaged> {
        let document = self.document(part)?;
        let root = if matches!(part, Part::Answer) { "answer" } else { "request.body" };
        let all: Vec<_> = points(self.schema(part)?, document, root)
            .into_iter()
            .filter(|point| fits(point, document.pointer(&point.pointer).unwrap()))
            .collect();
        let point = dice.pick(if all.is_empty() { return None } else { &all });
        let mut spoilt = document.clone();
        let value = spoilt.pointer_mut(&point.pointer).unwrap();
        *value = other(point, value);
        Some(Damaged::of(self, kind, point.place.clone(), |exchange| match part {
            Part::Answer => exchange.response = Some(spoilt),
            Part::Body => exchange.request.body = Some(spoilt),
        }))
    }

    /// A value of another type in the place of one of this.
    fn retype(&self, dice: &mut Dice, part: Part, kind: &str, other: &Value) -> Option<Damaged> {
        let contract = Contract::bundled();
        let fits = |point: &Point<'_>, value: &Value| {
            !value.is_null() && contract.type_of(point.schema) == Some(kind) && !point.pointer.is_empty()
        };
        self.replace(dice, part, WrongType, fits, |_, _| other.clone())
    }

    /// A field more in an object of which that holds.
    fn add_field(&self, dice: &mut Dice, part: Part, fits: impl Fn(&Point<'_>) -> bool) -> Option<Damaged> {
        let contract = Contract::bundled();
        let declares = |point: &Point<'_>, value: &Value| {
            value.is_object() && !contract.properties(point.schema).is_empty() && fits(point)
        };
        let damaged = self.replace(dice, part, UndeclaredField, declares, |_, value| {
            let mut value = value.clone();
            value["moodOfTheDay"] = json!("calm");
            value
        });
        damaged.map(|mut damaged| {
            damaged.expected[0].1.push_str(".moodOfTheDay");
            damaged
        })
    }

    /// An object without a field that it has to have.
    fn drop_required(&self, dice: &mut Dice, part: Part, at_root: bool) -> Option<Damaged> {
        let required = |point: &Point<'_>, value: &Value| {
            let names = says(point.schema, "required").and_then(Value::as_array);
            let there = |name: &&Value| value.get(name.as_str().unwrap()).is_some();
            names.into_iter().flatten().find(there).and_then(Value::as_str).map(str::to_owned)
        };
        let fits = |point: &Point<'_>, value: &Value| {
            point.pointer.is_empty() == at_root && value.is_object() && required(point, value).is_some()
        };
        let mut dropped = String::new();
        let damaged = self.replace(dice, part, MissingField, fits, |point, value| {
            dropped = required(point, value).unwrap();
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove(&dropped);
            value
        });
        damaged.map(|mut damaged| {
            damaged.expected[0].1.push_str(&format!(".{dropped}"));
            damaged
        })
    }

    /// One query parameter with another value; it need not be there before.
    fn ask(
        &self,
        dice: &mut Dice,
        kind: FindingKind,
        fits: impl Fn(&Parameter) -> bool,
        value: impl FnOnce(&Parameter) -> (String, String),
    ) -> Option<Damaged> {
        let all: Vec<_> =
            self.operation.parameters().iter().filter(|one| !one.in_path && fits(one)).collect();
        let parameter = dice.pick(if all.is_empty() { return None } else { &all });
        let (value, below) = value(parameter);
        Some(Damaged::of(self, kind, format!("request.query.{}{below}", parameter.name), |exchange| {
            exchange.request.query.insert(parameter.name.clone(), value);
        }))
    }

    /// An answer of other bytes.
    fn reply(&self, kind: FindingKind, bytes: String) -> Damaged {
        Damaged::of(self, kind, "answer", |exchange| {
            exchange.response = None;
            exchange.response_text = Some(bytes);
        })
    }

    /// Another answer of the operation's JSON.
    fn reshape(&self, kind: FindingKind, place: &str, spoil: impl FnOnce(&mut Value)) -> Option<Damaged> {
        let mut answer = self.exchange.response.clone()?;
        spoil(&mut answer);
        Some(Damaged::of(self, kind, place, |exchange| exchange.response = Some(answer)))
    }

    /// The same as a recording, in which nothing stands that looks like a secret.
    fn recorded(&self) -> Self {
        let mut exchange = self.exchange.clone();
        exchange.provenance.kind = ProvenanceKind::Recorded;
        let exchange = Sanitizer::with_key(b"of the test").exchange(&exchange);
        assert_eq!(Contract::bundled().check_exchange(&exchange), [], "{}", self.name);
        Self { name: self.name.clone(), exchange, operation: self.operation }
    }
}

fn kind_of(schema: &Value) -> Option<&'static str> {
    ["string", "integer", "boolean", "array", "object"]
        .into_iter()
        .find(|kind| Contract::bundled().type_of(schema) == Some(kind))
}

fn item_is(schema: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    kind_of(schema) == Some("array") && Contract::bundled().items(schema).is_some_and(fits)
}

fn is_time(schema: &Value) -> bool {
    says(schema, "format").is_some_and(|format| format == "date-time")
}

fn number(schema: &Value, key: &str) -> Option<u64> {
    says(schema, key).and_then(Value::as_u64)
}

/// A text of which nothing is known but that it is one.
fn is_plain(schema: &Value) -> bool {
    let bounds = ["minLength", "maxLength"].iter().any(|key| number(schema, key).is_some());
    kind_of(schema) == Some("string") && words(schema).is_empty() && !is_time(schema) && !bounds
}

/// Whether a name could be taken for that of a secret, which would be a finding of its own.
fn tells_of_secrets(place: &str) -> bool {
    let lower = place.to_lowercase();
    ["token", "key", "password", "secret", "credential", "cookie"].iter().any(|word| lower.contains(word))
}

/// A time without the zone, as some answers have it.
const ZONELESS: &str = "2026-11-20T10:00:00";

const DAMAGES: &[(&str, Damage)] = &[
    // Types.
    ("a number for a text in an answer", |c, d| c.retype(d, Part::Answer, "string", &json!(7))),
    ("a text for a number in an answer", |c, d| c.retype(d, Part::Answer, "integer", &json!("7"))),
    ("a fraction for a whole number in an answer", |c, d| c.retype(d, Part::Answer, "integer", &json!(7.5))),
    ("a text for a flag in an answer", |c, d| c.retype(d, Part::Answer, "boolean", &json!("True"))),
    ("a number for a flag in an answer", |c, d| c.retype(d, Part::Answer, "boolean", &json!(1))),
    ("a text for a list in an answer", |c, d| c.retype(d, Part::Answer, "array", &json!("a,b"))),
    ("a map for a list in an answer", |c, d| c.retype(d, Part::Answer, "array", &json!({ "0": "a" }))),
    ("a list for an object in an answer", |c, d| c.retype(d, Part::Answer, "object", &json!([]))),
    ("a text for an object in an answer", |c, d| c.retype(d, Part::Answer, "object", &json!("x"))),
    ("a number for a text in a body", |c, d| c.retype(d, Part::Body, "string", &json!(7))),
    ("a text for a number in a body", |c, d| c.retype(d, Part::Body, "integer", &json!("7"))),
    ("a text for a flag in a body", |c, d| c.retype(d, Part::Body, "boolean", &json!("true"))),
    ("a text for a list in a body", |c, d| c.retype(d, Part::Body, "array", &json!("a"))),
    ("a list for an object in a body", |c, d| c.retype(d, Part::Body, "object", &json!([]))),
    ("a word for a number in a query", |c, d| {
        c.ask(d, WrongType, |p| kind_of(&p.schema) == Some("integer"), |_| ("ten".into(), String::new()))
    }),
    ("a number with a blank in a query", |c, d| {
        c.ask(d, WrongType, |p| kind_of(&p.schema) == Some("integer"), |_| (" 7".into(), String::new()))
    }),
    ("a capital flag in a query", |c, d| {
        c.ask(d, WrongType, |p| kind_of(&p.schema) == Some("boolean"), |_| ("True".into(), String::new()))
    }),
    // What is missing.
    ("a required field is missing in an answer", |c, d| c.drop_required(d, Part::Answer, false)),
    ("a required part of a body is missing", |c, d| c.drop_required(d, Part::Body, true)),
    ("a required field deep in a body is missing", |c, d| c.drop_required(d, Part::Body, false)),
    ("the body is missing", |c, _| {
        c.exchange.request.body.as_ref()?;
        Some(Damaged::of(c, MissingField, "request.body", |exchange| exchange.request.body = None))
    }),
    ("a required parameter of a query is missing", |c, _| {
        let required = |one: &&Parameter| one.required && !one.in_path;
        let name = &c.operation.parameters().iter().find(required)?.name;
        Some(Damaged::of(c, MissingParameter, format!("request.query.{name}"), |exchange| {
            exchange.request.query.remove(name);
        }))
    }),
    ("a parameter of a path is missing", |c, _| {
        let name = &c.operation.parameters().iter().find(|one| one.in_path)?.name;
        let mut path = c.exchange.find(Contract::bundled()).unwrap().path_values;
        path.remove(name);
        let damaged = Damaged::of(c, MissingParameter, format!("request.path.{name}"), |_| {});
        Some(Damaged { path: Some(path), ..damaged })
    }),
    // What nobody declared.
    ("a field more at the root of an answer", |c, d| {
        c.add_field(d, Part::Answer, |point| point.pointer.is_empty())
    }),
    ("a field more in a thing", |c, d| {
        c.add_field(d, Part::Answer, |point| point.pointer.matches('/').count() == 2)
    }),
    ("a field more deep in a thing", |c, d| {
        c.add_field(d, Part::Answer, |point| point.pointer.matches('/').count() > 3)
    }),
    ("a field more at the root of a body", |c, d| {
        c.add_field(d, Part::Body, |point| point.pointer.is_empty())
    }),
    ("a field more in a filter", |c, d| c.add_field(d, Part::Body, |point| point.pointer == "/filter")),
    ("a field more in data", |c, d| c.add_field(d, Part::Body, |point| point.pointer.starts_with("/data"))),
    ("a parameter more in a query", |c, _| {
        Some(Damaged::of(c, UndeclaredParameter, "request.query.moodOfTheDay", |exchange| {
            exchange.request.query.insert("moodOfTheDay".into(), "calm".into());
        }))
    }),
    ("a new word in an answer", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && !words(point.schema).is_empty();
        c.replace(d, Part::Answer, UndeclaredEnumValue, fits, |_, _| json!("a_word_of_tomorrow"))
    }),
    ("a misspelt word in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && !words(point.schema).is_empty();
        c.replace(d, Part::Body, UndeclaredEnumValue, fits, |_, value| {
            json!(format!("{}s", value.as_str().unwrap()))
        })
    }),
    ("a misspelt word in a query", |c, d| {
        let fits = |one: &Parameter| !words(&one.schema).is_empty();
        c.ask(d, UndeclaredEnumValue, fits, |_| ("creatdAt".into(), String::new()))
    }),
    ("a misspelt word in a list of a query", |c, d| {
        let fits = |one: &Parameter| item_is(&one.schema, |item| !words(item).is_empty());
        let value = |one: &Parameter| {
            let known = words(Contract::bundled().items(&one.schema).unwrap())[0].to_owned();
            (format!("{known},{known}s"), "[1]".to_owned())
        };
        c.ask(d, UndeclaredEnumValue, fits, value)
    }),
    ("a misspelt word in a path", |c, _| {
        let parameter =
            c.operation.parameters().iter().find(|one| one.in_path && !words(&one.schema).is_empty())?;
        let (before, _) = c.operation.path().split_once('{')?;
        assert!(before.ends_with('v'), "the version comes first");
        let path = c.exchange.path().rsplit_once('/').unwrap().0.to_owned();
        Some(Damaged::of(c, UndeclaredEnumValue, format!("request.path.{}", parameter.name), |exchange| {
            exchange.request.path = Some(format!("{path}/explode"));
        }))
    }),
    ("null where an answer has none", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| !value.is_null() && !point.nullable;
        c.replace(d, Part::Answer, UndeclaredNull, fits, |_, _| Value::Null)
    }),
    ("null where a body has none", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| !value.is_null() && !point.nullable;
        c.replace(d, Part::Body, UndeclaredNull, fits, |_, _| Value::Null)
    }),
    // Bounds.
    ("an empty list in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_array() && number(point.schema, "minItems").is_some_and(|least| least > 0)
        };
        c.replace(d, Part::Body, OutOfBounds, fits, |_, _| json!([]))
    }),
    ("a list that is too long in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.as_array().is_some_and(|items| !items.is_empty())
                && number(point.schema, "maxItems").is_some()
        };
        c.replace(d, Part::Body, OutOfBounds, fits, |point, value| {
            let most = usize::try_from(number(point.schema, "maxItems").unwrap()).unwrap();
            Value::Array(vec![value[0].clone(); most + 1])
        })
    }),
    ("a list that is too long in a query", |c, d| {
        let fits =
            |one: &Parameter| number(&one.schema, "maxItems").is_some() && item_is(&one.schema, is_plain);
        let value = |one: &Parameter| {
            let most = usize::try_from(number(&one.schema, "maxItems").unwrap()).unwrap();
            (vec!["xx"; most + 1].join(","), String::new())
        };
        c.ask(d, OutOfBounds, fits, value)
    }),
    ("a number that is too small in a query", |c, d| {
        let fits = |one: &Parameter| number(&one.schema, "minimum").is_some_and(|least| least > 0);
        c.ask(d, OutOfBounds, fits, |_| ("0".into(), String::new()))
    }),
    ("a number that is too large in a query", |c, d| {
        let fits = |one: &Parameter| number(&one.schema, "maximum").is_some();
        let value =
            |one: &Parameter| ((number(&one.schema, "maximum").unwrap() + 1).to_string(), String::new());
        c.ask(d, OutOfBounds, fits, value)
    }),
    ("a number that is too large in a body", |c, d| {
        let fits =
            |point: &Point<'_>, value: &Value| value.is_number() && number(point.schema, "maximum").is_some();
        c.replace(d, Part::Body, OutOfBounds, fits, |point, _| {
            json!(number(point.schema, "maximum").unwrap() + 1)
        })
    }),
    ("a text that is too short in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && number(point.schema, "minLength").is_some_and(|least| least > 0)
        };
        c.replace(d, Part::Body, OutOfBounds, fits, |_, _| json!(""))
    }),
    ("a text that is too long in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && number(point.schema, "maxLength").is_some()
        };
        c.replace(d, Part::Body, OutOfBounds, fits, |point, _| {
            json!("x".repeat(usize::try_from(number(point.schema, "maxLength").unwrap()).unwrap() + 1))
        })
    }),
    // Times.
    ("a time that is none in an answer", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, Part::Answer, WrongFormat, fits, |_, _| json!("yesterday"))
    }),
    ("a day that no month has in an answer", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, Part::Answer, WrongFormat, fits, |_, _| json!("2026-11-31T10:00:00Z"))
    }),
    ("a time without its zone in a body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, Part::Body, WrongFormat, fits, |_, _| json!(ZONELESS))
    }),
    ("a time without its zone in a query", |c, d| {
        c.ask(d, WrongFormat, |one| is_time(&one.schema), |_| (ZONELESS.into(), String::new()))
    }),
    // Forms.
    ("a parameter twice", |c, _| {
        let (name, value) = c.exchange.query().into_iter().next()?;
        let mut query = c.exchange.query();
        query.push((name.clone(), value));
        let damaged = Damaged::of(c, RepeatedParameter, format!("request.query.{name}"), |_| {});
        Some(Damaged { query: Some(query), ..damaged })
    }),
    ("a body that none is taken with", |c, _| {
        c.operation.body_schema().is_none().then(|| {
            Damaged::of(c, UndeclaredField, "request.body", |exchange| {
                exchange.request.body = Some(json!({ "filter": {} }));
            })
        })
    }),
    ("a body that is a list", |c, _| {
        c.exchange.request.body.as_ref()?;
        Some(Damaged::of(c, WrongType, "request.body", |exchange| exchange.request.body = Some(json!([]))))
    }),
    ("a status that nobody declared", |c, _| {
        Some(Damaged::of(c, UndeclaredStatus, "answer.status", |exchange| exchange.status = 418))
    }),
    ("HTML", |c, _| c.exchange.response.as_ref().map(|_| c.reply(NotJson, "<html></html>".into()))),
    ("an answer that is cut off", |c, _| {
        let text = c.exchange.response.as_ref()?.to_string();
        Some(c.reply(NotJson, text[..text.len() - 1].to_owned()))
    }),
    ("something after the answer", |c, _| {
        Some(c.reply(NotJson, format!("{}{{}}", c.exchange.response.as_ref()?)))
    }),
    ("a read that says nothing", |c, _| {
        (c.is_read() && c.exchange.response.is_some()).then(|| c.reply(NotJson, " \n".into()))
    }),
    ("an answer that is a list", |c, _| c.reshape(WrongType, "answer", |answer| *answer = json!([]))),
    ("an answer that is a text", |c, _| c.reshape(WrongType, "answer", |answer| *answer = json!("ok"))),
    ("an answer that is null", |c, _| c.reshape(UndeclaredNull, "answer", |answer| *answer = Value::Null)),
    ("a page that is an object", |c, _| {
        let is_page = c.exchange.response.as_ref()?["data"].is_array();
        let page = |answer: &mut Value| answer["data"] = json!({ "first": answer["data"][0] });
        is_page.then(|| c.reshape(WrongType, "answer.data", page))?
    }),
    ("a notice of withdrawal", |c, _| {
        let notice = |answer: &mut Value| {
            answer["deprecation_date"] = json!("2027-01-01");
            answer["sunset_date"] = json!("2027-06-01");
        };
        let damaged = c.reshape(Deprecation, "answer.deprecation_date", notice)?;
        Some(damaged.and(Deprecation, "answer.sunset_date"))
    }),
    // Operations.
    ("a path that nobody knows", |c, _| {
        Some(Damaged::of(c, UndeclaredOperation, "request.path", |exchange| {
            exchange.request.path = Some(format!("{}/of/nothing", exchange.path()));
        }))
    }),
    ("a method that the path does not take", |c, _| {
        Some(Damaged::of(c, UndeclaredOperation, "request.path", |exchange| {
            exchange.operation = exchange.operation.replacen(exchange.method(), "PATCH", 1);
        }))
    }),
    ("a version that does not have the operation", |c, _| {
        let [only] = c.operation.versions() else { return None };
        let has = format!("/v{}/", only.as_str());
        let other = if only.as_str() == "2.1" { "/v2.0/" } else { "/v2.1/" };
        let path = c.exchange.path().replacen(&has, other, 1);
        // On the other version another operation may stand there.
        let same = Contract::bundled().find(c.exchange.method(), &path)?.operation.id() == c.operation.id();
        same.then(|| {
            Damaged::of(c, UndeclaredVersion, "request.path", |exchange| exchange.request.path = Some(path))
        })
    }),
    ("a version that nobody knows", |c, _| {
        let version = format!("/v{}/", c.exchange.find(Contract::bundled())?.version?.as_str());
        // Where the version is written out, another one leads nowhere.
        c.operation.path().contains("{version}").then(|| {
            Damaged::of(c, UndeclaredVersion, "request.path", |exchange| {
                exchange.request.path = Some(exchange.path().replacen(&version, "/v9.9/", 1));
            })
        })
    }),
    // Secrets in recordings.
    ("a signed token in a recorded answer", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && is_plain(point.schema) && !tells_of_secrets(&point.place)
        };
        c.recorded().replace(d, Part::Answer, Secret, fits, |_, value| {
            json!(format!("{} Bearer {JWT}", value.as_str().unwrap()))
        })
    }),
    ("a signed token in a recorded body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && is_plain(point.schema) && !tells_of_secrets(&point.place)
        };
        c.recorded().replace(d, Part::Body, Secret, fits, |_, _| json!(JWT))
    }),
    ("a password in a recorded body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && point.place.ends_with(".password");
        c.recorded().replace(d, Part::Body, Secret, fits, |_, _| json!("Example-4711"))
    }),
    ("a signed token in a recorded query", |c, d| {
        let fits = |one: &Parameter| is_plain(&one.schema) && !tells_of_secrets(&one.name);
        c.recorded().ask(d, Secret, fits, |_| (JWT.into(), String::new()))
    }),
    ("a signed token in a recorded path", |c, _| {
        let case = c.recorded();
        let found = case.exchange.find(Contract::bundled()).unwrap();
        let parameter = c.operation.parameters().iter().find(|one| one.in_path && is_plain(&one.schema))?;
        let path = case.exchange.path().replacen(&found.path_values[&parameter.name], JWT, 1);
        // The path as a text, and the value that stands in it.
        let damaged =
            Damaged::of(&case, Secret, "request.path", |exchange| exchange.request.path = Some(path));
        Some(damaged.and(Secret, &format!("request.path.{}", parameter.name)))
    }),
    ("an authorization header in a recording", |c, _| {
        Some(Damaged::of(&c.recorded(), Secret, "answer.headers.authorization", |exchange| {
            exchange.headers.insert("authorization".into(), "ApiToken x".into());
        }))
    }),
    ("a cookie in a recording", |c, _| {
        Some(Damaged::of(&c.recorded(), Secret, "answer.headers.Set-Cookie", |exchange| {
            exchange.headers.insert("Set-Cookie".into(), "session=x".into());
        }))
    }),
    ("a signed token in another header of a recording", |c, _| {
        Some(Damaged::of(&c.recorded(), Secret, "answer.headers.x-trace", |exchange| {
            exchange.headers.insert("x-trace".into(), JWT.into());
        }))
    }),
    ("a signed token in a recorded page of HTML", |c, _| {
        c.exchange.response.as_ref()?;
        Some(c.recorded().reply(NotJson, format!("<p>{JWT}</p>")).and(Secret, "answer"))
    }),
];

/// The exchanges in which all went well: those that people wrote, and of the generated ones the full.
fn cases() -> Vec<Case> {
    let all = read_all(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    let contract = Contract::bundled();
    let cases = all.into_iter().filter(|(path, exchange)| {
        let generated = exchange.provenance.kind == ProvenanceKind::Generated;
        exchange.status < 300 && (!generated || path.ends_with("generated_full.json"))
    });
    cases
        .map(|(path, exchange)| {
            let operation = exchange.find(contract).unwrap().operation;
            let name = format!("{}/{}", operation.id(), path.file_name().unwrap().to_string_lossy());
            assert_eq!(contract.check_exchange(&exchange), [], "{name} is healthy");
            Case { name, exchange, operation }
        })
        .collect()
}

#[test]
fn every_damage_is_found_once_by_its_name_at_its_place() {
    let cases = cases();
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for (number, case) in cases.iter().enumerate() {
        let mut dice = Dice(number as u64 * 7919 + 17);
        for (name, damage) in DAMAGES {
            let Some(damaged) = damage(case, &mut dice) else { continue };
            let found = damaged.findings(case);
            let mut outline: Vec<_> =
                found.iter().map(|finding| (finding.kind, finding.place.clone())).collect();
            let mut expected = damaged.expected;
            outline.sort();
            expected.sort();
            if outline != expected {
                wrong.push(format!("{}: {name}: has to be {expected:?}, is {found:?}", case.name));
            }
            met.extend(expected.into_iter().map(|(kind, _)| kind));
            *done.entry(name).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let never: Vec<_> =
        DAMAGES.iter().map(|(name, _)| *name).filter(|name| !done.contains_key(name)).collect();
    assert!(never.is_empty(), "never done: {never:?}");
    let kinds = done.len();
    println!("{kinds} kinds of damage, {} in all: {done:#?}", done.values().sum::<usize>());
    assert_eq!(kinds, DAMAGES.len(), "two have the same name");
    assert!(kinds >= 70, "{kinds}");
    // All but a schema of the specification that cannot be used, which no exchange brings about.
    let all: BTreeSet<FindingKind> =
        FindingKind::ALL.iter().copied().filter(|kind| *kind != Violation).collect();
    assert_eq!(met, all);
}

/// What a failure says is held to its form, too.
#[test]
fn damaged_failures_are_found() {
    let all = read_all(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    let contract = Contract::bundled();
    let mut done = 0;
    for (path, exchange) in all {
        let found = exchange.find(contract).unwrap();
        let declared = found.operation.answer_schema(exchange.status).is_some();
        if exchange.status < 400 || !declared || exchange.response.is_none() {
            continue;
        }
        let spoilt = |answer: Value| {
            let mut exchange = exchange.clone();
            exchange.response = Some(answer);
            let found = contract.check_exchange(&exchange).into_iter();
            found.map(|finding| (finding.kind, finding.place)).collect::<Vec<_>>()
        };
        let entry = exchange.response.as_ref().unwrap()["errors"][0].clone();
        let with = |name: &str, value: Value| {
            let mut entry = entry.clone();
            entry[name] = value;
            json!({ "errors": [entry] })
        };
        let place = path.display();
        assert_eq!(spoilt(json!({ "errors": entry })), [(WrongType, "answer.errors".into())], "{place}");
        assert_eq!(spoilt(json!("no")), [(WrongType, "answer".into())], "{place}");
        assert_eq!(
            spoilt(with("code", json!("x"))),
            [(WrongType, "answer.errors[0].code".into())],
            "{place}"
        );
        assert_eq!(
            spoilt(with("mood", json!(1))),
            [(UndeclaredField, "answer.errors[0].mood".into())],
            "{place}"
        );
        done += 4;
    }
    assert!(done > 400, "{done}");
}
