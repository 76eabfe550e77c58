//! Mutation tests of the contract checks. Each mutation of a valid exchange yields exactly the expected finding, with
//! rule and location.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sentinelone::raw::runtime::OperationKind;
use sentinelone_contract::ContractRule::{self, *};
use sentinelone_contract::fixture::{Exchange, ProvenanceKind, read_dir};
use sentinelone_contract::{Contract, Finding, OperationSpec, Parameter, Sanitizer};
use serde_json::{Value, json};

use super::is_curated;
use super::points::{Point, points};
use super::schemas::{SeededRng, enum_values, keyword};

/// An example of a signed token.
const JWT: &str = "eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0";

/// A valid exchange.
struct Case {
    name: String,
    exchange: Exchange,
    operation: &'static OperationSpec,
}

/// A mutated exchange with the expected findings. `query` and `path` hold values that a file cannot represent.
struct MutatedExchange {
    exchange: Exchange,
    query: Option<Vec<(String, String)>>,
    path: Option<BTreeMap<String, String>>,
    expected: Vec<(ContractRule, String)>,
}

type Mutation = fn(&Case, &mut SeededRng) -> Option<MutatedExchange>;

impl MutatedExchange {
    fn new(
        case: &Case,
        rule: ContractRule,
        location: impl Into<String>,
        mutate: impl FnOnce(&mut Exchange),
    ) -> Self {
        let mut exchange = case.exchange.clone();
        mutate(&mut exchange);
        Self { exchange, query: None, path: None, expected: vec![(rule, location.into())] }
    }

    fn and(mut self, rule: ContractRule, location: &str) -> Self {
        self.expected.push((rule, location.to_owned()));
        self
    }

    fn findings(&self, case: &Case) -> Vec<Finding> {
        let contract = Contract::bundled();
        if self.query.is_none() && self.path.is_none() {
            return contract.check_exchange(&self.exchange);
        }
        let found = self.exchange.match_operation(contract).unwrap();
        let path = self.path.as_ref().unwrap_or(&found.path_values);
        let query = self.query.clone().unwrap_or_else(|| self.exchange.query());
        contract.check_request(case.operation, path, &query, self.exchange.request.body.as_ref())
    }
}

/// The mutated part of an exchange.
#[derive(Clone, Copy)]
enum MutatedPart {
    Response,
    Request,
}

impl Case {
    fn schema(&self, part: MutatedPart) -> Option<&'static Value> {
        match part {
            MutatedPart::Response => self.operation.response_schema(self.exchange.status),
            MutatedPart::Request => self.operation.body_schema(),
        }
    }

    fn document(&self, part: MutatedPart) -> Option<&Value> {
        match part {
            MutatedPart::Response => self.exchange.response.as_ref(),
            MutatedPart::Request => self.exchange.request.body.as_ref(),
        }
    }

    fn is_read(&self) -> bool {
        self.operation.kind() == OperationKind::Read
    }

    /// Replaces a value that satisfies `fits`.
    fn replace(
        &self,
        rng: &mut SeededRng,
        part: MutatedPart,
        rule: ContractRule,
        fits: impl Fn(&Point<'_>, &Value) -> bool,
        other: impl FnOnce(&Point<'_>, &Value) -> Value,
    ) -> Option<MutatedExchange> {
        let document = self.document(part)?;
        let root = if matches!(part, MutatedPart::Response) { "response.body" } else { "request.body" };
        let all: Vec<_> = points(self.schema(part)?, document, root)
            .into_iter()
            .filter(|point| fits(point, document.pointer(&point.pointer).unwrap()))
            .collect();
        let point = rng.pick(if all.is_empty() { return None } else { &all });
        let mut mutated = document.clone();
        let value = mutated.pointer_mut(&point.pointer).unwrap();
        *value = other(point, value);
        Some(MutatedExchange::new(self, rule, point.location.clone(), |exchange| match part {
            MutatedPart::Response => exchange.response = Some(mutated),
            MutatedPart::Request => exchange.request.body = Some(mutated),
        }))
    }

    /// Replaces a value of the type `kind` by a value of another type.
    fn retype(
        &self,
        rng: &mut SeededRng,
        part: MutatedPart,
        kind: &str,
        other: &Value,
    ) -> Option<MutatedExchange> {
        let contract = Contract::bundled();
        let fits = |point: &Point<'_>, value: &Value| {
            !value.is_null() && contract.type_of(point.schema) == Some(kind) && !point.pointer.is_empty()
        };
        self.replace(rng, part, TypeMismatch, fits, |_, _| other.clone())
    }

    /// Adds an undeclared field to an object that satisfies `fits`.
    fn add_field(
        &self,
        rng: &mut SeededRng,
        part: MutatedPart,
        fits: impl Fn(&Point<'_>) -> bool,
    ) -> Option<MutatedExchange> {
        let contract = Contract::bundled();
        let declares = |point: &Point<'_>, value: &Value| {
            value.is_object() && !contract.properties(point.schema).is_empty() && fits(point)
        };
        let mutated = self.replace(rng, part, UndeclaredField, declares, |_, value| {
            let mut value = value.clone();
            value["moodOfTheDay"] = json!("calm");
            value
        });
        mutated.map(|mut mutated| {
            mutated.expected[0].1.push_str(".moodOfTheDay");
            mutated
        })
    }

    /// Removes a required field of an object.
    fn drop_required(
        &self,
        rng: &mut SeededRng,
        part: MutatedPart,
        at_root: bool,
    ) -> Option<MutatedExchange> {
        let required = |point: &Point<'_>, value: &Value| {
            let names = keyword(point.schema, "required").and_then(Value::as_array);
            let is_present = |name: &&Value| value.get(name.as_str().unwrap()).is_some();
            names.into_iter().flatten().find(is_present).and_then(Value::as_str).map(str::to_owned)
        };
        let fits = |point: &Point<'_>, value: &Value| {
            point.pointer.is_empty() == at_root && value.is_object() && required(point, value).is_some()
        };
        let mut dropped = String::new();
        let mutated = self.replace(rng, part, MissingField, fits, |point, value| {
            dropped = required(point, value).unwrap();
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove(&dropped);
            value
        });
        mutated.map(|mut mutated| {
            mutated.expected[0].1.push_str(&format!(".{dropped}"));
            mutated
        })
    }

    /// Sets a query parameter that satisfies `fits`. It does not have to be present before.
    fn set_query_param(
        &self,
        rng: &mut SeededRng,
        rule: ContractRule,
        fits: impl Fn(&Parameter) -> bool,
        value: impl FnOnce(&Parameter) -> (String, String),
    ) -> Option<MutatedExchange> {
        let all: Vec<_> =
            self.operation.parameters().iter().filter(|one| one.is_in_query() && fits(one)).collect();
        let parameter = rng.pick(if all.is_empty() { return None } else { &all });
        let (value, below) = value(parameter);
        Some(MutatedExchange::new(
            self,
            rule,
            format!("request.query.{}{below}", parameter.name),
            |exchange| {
                exchange.request.query.insert(parameter.name.clone(), value);
            },
        ))
    }

    /// Replaces the response body by other bytes.
    fn replace_response(&self, rule: ContractRule, bytes: String) -> MutatedExchange {
        MutatedExchange::new(self, rule, "response.body", |exchange| {
            exchange.response = None;
            exchange.response_text = Some(bytes);
        })
    }

    /// Changes the JSON of the response body.
    fn change_response(
        &self,
        rule: ContractRule,
        location: &str,
        mutate: impl FnOnce(&mut Value),
    ) -> Option<MutatedExchange> {
        let mut body = self.exchange.response.clone()?;
        mutate(&mut body);
        Some(MutatedExchange::new(self, rule, location, |exchange| exchange.response = Some(body)))
    }

    /// Returns the exchange as a recording without secrets.
    fn as_recording(&self) -> Self {
        let mut exchange = self.exchange.clone();
        exchange.provenance.kind = ProvenanceKind::Recorded;
        let exchange = Sanitizer::with_key(b"of the test").exchange(&exchange);
        assert_eq!(Contract::bundled().check_exchange(&exchange), [], "{}", self.name);
        Self { name: self.name.clone(), exchange, operation: self.operation }
    }
}

fn type_name(schema: &Value) -> Option<&'static str> {
    ["string", "integer", "boolean", "array", "object"]
        .into_iter()
        .find(|kind| Contract::bundled().type_of(schema) == Some(kind))
}

fn item_is(schema: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    type_name(schema) == Some("array") && Contract::bundled().items(schema).is_some_and(fits)
}

fn is_time(schema: &Value) -> bool {
    keyword(schema, "format").is_some_and(|format| format == "date-time")
}

fn number(schema: &Value, key: &str) -> Option<u64> {
    keyword(schema, key).and_then(Value::as_u64)
}

/// Returns whether a schema is a string without enum, format and length bounds.
fn is_plain(schema: &Value) -> bool {
    let bounds = ["minLength", "maxLength"].iter().any(|key| number(schema, key).is_some());
    type_name(schema) == Some("string") && enum_values(schema).is_empty() && !is_time(schema) && !bounds
}

/// Returns whether a name suggests a secret, which would be another finding.
fn is_secret_like(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["token", "key", "password", "secret", "credential", "cookie"].iter().any(|part| lower.contains(part))
}

/// A time without time zone, as in some responses.
const ZONELESS: &str = "2026-11-20T10:00:00";

const MUTATIONS: &[(&str, Mutation)] = &[
    // Types.
    ("response: number instead of string", |c, d| c.retype(d, MutatedPart::Response, "string", &json!(7))),
    ("response: string instead of integer", |c, d| {
        c.retype(d, MutatedPart::Response, "integer", &json!("7"))
    }),
    ("response: fraction instead of integer", |c, d| {
        c.retype(d, MutatedPart::Response, "integer", &json!(7.5))
    }),
    ("response: string instead of boolean", |c, d| {
        c.retype(d, MutatedPart::Response, "boolean", &json!("True"))
    }),
    ("response: number instead of boolean", |c, d| c.retype(d, MutatedPart::Response, "boolean", &json!(1))),
    ("response: string instead of array", |c, d| c.retype(d, MutatedPart::Response, "array", &json!("a,b"))),
    ("response: object instead of array", |c, d| {
        c.retype(d, MutatedPart::Response, "array", &json!({ "0": "a" }))
    }),
    ("response: array instead of object", |c, d| c.retype(d, MutatedPart::Response, "object", &json!([]))),
    ("response: string instead of object", |c, d| c.retype(d, MutatedPart::Response, "object", &json!("x"))),
    ("request body: number instead of string", |c, d| c.retype(d, MutatedPart::Request, "string", &json!(7))),
    ("request body: string instead of integer", |c, d| {
        c.retype(d, MutatedPart::Request, "integer", &json!("7"))
    }),
    ("request body: string instead of boolean", |c, d| {
        c.retype(d, MutatedPart::Request, "boolean", &json!("yes"))
    }),
    ("request body: object instead of array", |c, d| {
        c.retype(d, MutatedPart::Request, "array", &json!({ "0": "a" }))
    }),
    // Tolerated forms.
    ("request body: boolean as a string", |c, d| {
        let fits = |_: &Point<'_>, value: &Value| value.is_boolean();
        c.replace(d, MutatedPart::Request, ToleratedForm, fits, |_, value| json!(value.to_string()))
    }),
    ("request body: list as a string", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            let items =
                value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string));
            items && type_name(point.schema) == Some("array")
        };
        c.replace(d, MutatedPart::Request, ToleratedForm, fits, |_, value| {
            let items: Vec<&str> = value.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            json!(items.join(","))
        })
    }),
    ("request body: empty object", |c, _| {
        c.operation.body_schema().is_none().then(|| {
            MutatedExchange::new(c, ToleratedForm, "request.body", |exchange| {
                exchange.request.body = Some(json!({}));
            })
        })
    }),
    ("request body: null", |c, _| {
        let is_declared = c.operation.body_schema().is_some();
        let rule = if is_declared { UndeclaredNull } else { ToleratedForm };
        Some(MutatedExchange::new(c, rule, "request.body", |exchange| {
            exchange.request.body = Some(Value::Null)
        }))
    }),
    ("request body: array instead of object", |c, d| c.retype(d, MutatedPart::Request, "object", &json!([]))),
    ("query: letters instead of integer", |c, d| {
        c.set_query_param(
            d,
            TypeMismatch,
            |p| type_name(&p.schema) == Some("integer"),
            |_| ("ten".into(), String::new()),
        )
    }),
    ("query: integer with a space", |c, d| {
        c.set_query_param(
            d,
            TypeMismatch,
            |p| type_name(&p.schema) == Some("integer"),
            |_| (" 7".into(), String::new()),
        )
    }),
    ("query: boolean in title case", |c, d| {
        c.set_query_param(
            d,
            ToleratedForm,
            |p| type_name(&p.schema) == Some("boolean"),
            |_| ("True".into(), String::new()),
        )
    }),
    // Missing values.
    ("response: missing required field", |c, d| c.drop_required(d, MutatedPart::Response, false)),
    ("request body: missing required field at the root", |c, d| {
        c.drop_required(d, MutatedPart::Request, true)
    }),
    ("request body: missing required nested field", |c, d| c.drop_required(d, MutatedPart::Request, false)),
    ("request body: missing", |c, _| {
        c.exchange.request.body.as_ref()?;
        Some(MutatedExchange::new(c, MissingField, "request.body", |exchange| exchange.request.body = None))
    }),
    ("query: missing required parameter", |c, _| {
        let required = |one: &&Parameter| one.required && one.is_in_query();
        let name = &c.operation.parameters().iter().find(required)?.name;
        Some(MutatedExchange::new(c, MissingParameter, format!("request.query.{name}"), |exchange| {
            exchange.request.query.remove(name);
        }))
    }),
    ("path: missing parameter", |c, _| {
        let name = &c.operation.parameters().iter().find(|one| one.is_in_path())?.name;
        let mut path = c.exchange.match_operation(Contract::bundled()).unwrap().path_values;
        path.remove(name);
        let mutated = MutatedExchange::new(c, MissingParameter, format!("request.path.{name}"), |_| {});
        Some(MutatedExchange { path: Some(path), ..mutated })
    }),
    // Undeclared values.
    ("response: undeclared field at the root", |c, d| {
        c.add_field(d, MutatedPart::Response, |point| point.pointer.is_empty())
    }),
    ("response: undeclared field of an item", |c, d| {
        c.add_field(d, MutatedPart::Response, |point| point.pointer.matches('/').count() == 2)
    }),
    ("response: undeclared nested field", |c, d| {
        c.add_field(d, MutatedPart::Response, |point| point.pointer.matches('/').count() > 3)
    }),
    ("request body: undeclared field at the root", |c, d| {
        c.add_field(d, MutatedPart::Request, |point| point.pointer.is_empty())
    }),
    ("request body: undeclared field in filter", |c, d| {
        c.add_field(d, MutatedPart::Request, |point| point.pointer == "/filter")
    }),
    ("request body: undeclared field in data", |c, d| {
        c.add_field(d, MutatedPart::Request, |point| point.pointer.starts_with("/data"))
    }),
    ("query: undeclared parameter", |c, _| {
        Some(MutatedExchange::new(c, UndeclaredParameter, "request.query.moodOfTheDay", |exchange| {
            exchange.request.query.insert("moodOfTheDay".into(), "calm".into());
        }))
    }),
    ("response: undeclared enum value", |c, d| {
        let fits =
            |point: &Point<'_>, value: &Value| value.is_string() && !enum_values(point.schema).is_empty();
        c.replace(d, MutatedPart::Response, UndeclaredEnumValue, fits, |_, _| json!("undeclared_value"))
    }),
    ("request body: undeclared enum value", |c, d| {
        let fits =
            |point: &Point<'_>, value: &Value| value.is_string() && !enum_values(point.schema).is_empty();
        c.replace(d, MutatedPart::Request, UndeclaredEnumValue, fits, |_, value| {
            json!(format!("{}s", value.as_str().unwrap()))
        })
    }),
    ("query: undeclared enum value", |c, d| {
        let fits = |one: &Parameter| !enum_values(&one.schema).is_empty();
        c.set_query_param(d, UndeclaredEnumValue, fits, |_| ("creatdAt".into(), String::new()))
    }),
    ("query: undeclared enum value in a list", |c, d| {
        let fits = |one: &Parameter| item_is(&one.schema, |item| !enum_values(item).is_empty());
        let value = |one: &Parameter| {
            let declared = enum_values(Contract::bundled().items(&one.schema).unwrap())[0].to_owned();
            (format!("{declared},{declared}s"), "[1]".to_owned())
        };
        c.set_query_param(d, UndeclaredEnumValue, fits, value)
    }),
    ("path: undeclared enum value", |c, _| {
        let parameter = c
            .operation
            .parameters()
            .iter()
            .find(|one| one.is_in_path() && !enum_values(&one.schema).is_empty())?;
        let (before, _) = c.operation.path().split_once('{')?;
        assert!(before.ends_with('v'), "the first parameter is the version");
        let path = c.exchange.path().rsplit_once('/').unwrap().0.to_owned();
        Some(MutatedExchange::new(
            c,
            UndeclaredEnumValue,
            format!("request.path.{}", parameter.name),
            |exchange| {
                exchange.request.path = Some(format!("{path}/explode"));
            },
        ))
    }),
    ("response: undeclared null", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| !value.is_null() && !point.nullable;
        c.replace(d, MutatedPart::Response, UndeclaredNull, fits, |_, _| Value::Null)
    }),
    ("request body: undeclared null", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| !value.is_null() && !point.nullable;
        c.replace(d, MutatedPart::Request, UndeclaredNull, fits, |_, _| Value::Null)
    }),
    // Bounds.
    ("request body: empty array", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_array() && number(point.schema, "minItems").is_some_and(|min| min > 0)
        };
        c.replace(d, MutatedPart::Request, OutOfBounds, fits, |_, _| json!([]))
    }),
    ("request body: too many items", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.as_array().is_some_and(|items| !items.is_empty())
                && number(point.schema, "maxItems").is_some()
        };
        c.replace(d, MutatedPart::Request, OutOfBounds, fits, |point, value| {
            let max = usize::try_from(number(point.schema, "maxItems").unwrap()).unwrap();
            Value::Array(vec![value[0].clone(); max + 1])
        })
    }),
    ("query: too many items", |c, d| {
        let fits =
            |one: &Parameter| number(&one.schema, "maxItems").is_some() && item_is(&one.schema, is_plain);
        let value = |one: &Parameter| {
            let max = usize::try_from(number(&one.schema, "maxItems").unwrap()).unwrap();
            (vec!["xx"; max + 1].join(","), String::new())
        };
        c.set_query_param(d, OutOfBounds, fits, value)
    }),
    ("query: number below the minimum", |c, d| {
        let fits = |one: &Parameter| number(&one.schema, "minimum").is_some_and(|min| min > 0);
        c.set_query_param(d, OutOfBounds, fits, |_| ("0".into(), String::new()))
    }),
    ("query: number above the maximum", |c, d| {
        let fits = |one: &Parameter| number(&one.schema, "maximum").is_some();
        let value =
            |one: &Parameter| ((number(&one.schema, "maximum").unwrap() + 1).to_string(), String::new());
        c.set_query_param(d, OutOfBounds, fits, value)
    }),
    ("request body: number above the maximum", |c, d| {
        let fits =
            |point: &Point<'_>, value: &Value| value.is_number() && number(point.schema, "maximum").is_some();
        c.replace(d, MutatedPart::Request, OutOfBounds, fits, |point, _| {
            json!(number(point.schema, "maximum").unwrap() + 1)
        })
    }),
    ("request body: string too short", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && number(point.schema, "minLength").is_some_and(|min| min > 0)
        };
        c.replace(d, MutatedPart::Request, OutOfBounds, fits, |_, _| json!(""))
    }),
    ("request body: string too long", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && number(point.schema, "maxLength").is_some()
        };
        c.replace(d, MutatedPart::Request, OutOfBounds, fits, |point, _| {
            json!("x".repeat(usize::try_from(number(point.schema, "maxLength").unwrap()).unwrap() + 1))
        })
    }),
    // Times.
    ("response: invalid date-time", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, MutatedPart::Response, FormatMismatch, fits, |_, _| json!("yesterday"))
    }),
    ("response: date-time with an invalid day", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, MutatedPart::Response, FormatMismatch, fits, |_, _| json!("2026-11-31T10:00:00Z"))
    }),
    ("request body: date-time without time zone", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, MutatedPart::Request, ToleratedForm, fits, |_, _| json!(ZONELESS))
    }),
    ("query: date-time without time zone", |c, d| {
        c.set_query_param(d, ToleratedForm, |one| is_time(&one.schema), |_| (ZONELESS.into(), String::new()))
    }),
    ("request body: date-time in epoch milliseconds", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, MutatedPart::Request, ToleratedForm, fits, |_, _| json!(1_795_168_800_000_u64))
    }),
    ("request body: date-time in words", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| value.is_string() && is_time(point.schema);
        c.replace(d, MutatedPart::Request, FormatMismatch, fits, |_, _| json!("yesterday"))
    }),
    ("query: date-time in words", |c, d| {
        c.set_query_param(
            d,
            FormatMismatch,
            |one| is_time(&one.schema),
            |_| ("yesterday".into(), String::new()),
        )
    }),
    // Parameters, bodies and status codes.
    ("query: repeated parameter", |c, _| {
        let (name, value) = c.exchange.query().into_iter().next()?;
        let mut query = c.exchange.query();
        query.push((name.clone(), value));
        let is_list =
            c.operation.query_parameter(&name).is_some_and(|one| type_name(&one.schema) == Some("array"));
        let rule = if is_list { ToleratedForm } else { DuplicateParameter };
        let mutated = MutatedExchange::new(c, rule, format!("request.query.{name}"), |_| {});
        Some(MutatedExchange { query: Some(query), ..mutated })
    }),
    ("request body: undeclared", |c, _| {
        c.operation.body_schema().is_none().then(|| {
            MutatedExchange::new(c, UndeclaredField, "request.body", |exchange| {
                exchange.request.body = Some(json!({ "filter": {} }));
            })
        })
    }),
    ("request body: array at the root", |c, _| {
        c.exchange.request.body.as_ref()?;
        Some(MutatedExchange::new(c, TypeMismatch, "request.body", |exchange| {
            exchange.request.body = Some(json!([]))
        }))
    }),
    ("response: undeclared status code", |c, _| {
        Some(MutatedExchange::new(c, UndeclaredStatus, "response.status", |exchange| exchange.status = 418))
    }),
    ("response: HTML", |c, _| {
        c.exchange.response.as_ref().map(|_| c.replace_response(InvalidJson, "<html></html>".into()))
    }),
    ("response: truncated JSON", |c, _| {
        let text = c.exchange.response.as_ref()?.to_string();
        Some(c.replace_response(InvalidJson, text[..text.len() - 1].to_owned()))
    }),
    ("response: data after the JSON", |c, _| {
        Some(c.replace_response(InvalidJson, format!("{}{{}}", c.exchange.response.as_ref()?)))
    }),
    ("response: empty body of a read", |c, _| {
        (c.is_read() && c.exchange.response.is_some()).then(|| c.replace_response(InvalidJson, " \n".into()))
    }),
    ("response: array at the root", |c, _| {
        c.change_response(TypeMismatch, "response.body", |body| *body = json!([]))
    }),
    ("response: string at the root", |c, _| {
        c.change_response(TypeMismatch, "response.body", |body| *body = json!("ok"))
    }),
    ("response: null at the root", |c, _| {
        c.change_response(UndeclaredNull, "response.body", |body| *body = Value::Null)
    }),
    ("response: object instead of the items of a page", |c, _| {
        let is_page = c.exchange.response.as_ref()?["data"].is_array();
        let page = |body: &mut Value| body["data"] = json!({ "first": body["data"][0] });
        is_page.then(|| c.change_response(TypeMismatch, "response.body.data", page))?
    }),
    ("response: deprecation notice", |c, _| {
        let notice = |body: &mut Value| {
            body["deprecation_date"] = json!("2027-01-01");
            body["sunset_date"] = json!("2027-06-01");
        };
        let mutated = c.change_response(Deprecation, "response.body.deprecation_date", notice)?;
        Some(mutated.and(Deprecation, "response.body.sunset_date"))
    }),
    // Operations.
    ("path: undeclared", |c, _| {
        Some(MutatedExchange::new(c, UndeclaredOperation, "request.path", |exchange| {
            exchange.request.path = Some(format!("{}/undeclared/path", exchange.path()));
        }))
    }),
    ("method: undeclared", |c, _| {
        Some(MutatedExchange::new(c, UndeclaredOperation, "request.path", |exchange| {
            exchange.operation = exchange.operation.replacen(exchange.method(), "PATCH", 1);
        }))
    }),
    ("path: API version without the operation", |c, _| {
        let [only] = c.operation.versions() else { return None };
        // A path of the data lake has no version of the API.
        if !c.operation.path().contains("{version}") {
            return None;
        }
        let has = format!("/v{}/", only.as_str());
        let other = if only.as_str() == "2.1" { "/v2.0/" } else { "/v2.1/" };
        let path = c.exchange.path().replacen(&has, other, 1);
        // The path can belong to another operation in the other version.
        let same = Contract::bundled().match_operation(c.exchange.method(), &path)?.operation.id()
            == c.operation.id();
        same.then(|| {
            MutatedExchange::new(c, UndeclaredVersion, "request.path", |exchange| {
                exchange.request.path = Some(path)
            })
        })
    }),
    ("path: undeclared API version", |c, _| {
        let version = format!("/v{}/", c.exchange.match_operation(Contract::bundled())?.version?.as_str());
        // A path with a literal version matches no operation with another version.
        c.operation.path().contains("{version}").then(|| {
            MutatedExchange::new(c, UndeclaredVersion, "request.path", |exchange| {
                exchange.request.path = Some(exchange.path().replacen(&version, "/v9.9/", 1));
            })
        })
    }),
    // Secrets in recordings.
    ("recording: signed token in the response", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            value.is_string() && is_plain(point.schema) && !is_secret_like(&point.location)
        };
        c.as_recording().replace(d, MutatedPart::Response, UnredactedSecret, fits, |_, value| {
            json!(format!("{} Bearer {JWT}", value.as_str().unwrap()))
        })
    }),
    ("recording: signed token in the request body", |c, d| {
        let fits = |point: &Point<'_>, value: &Value| {
            let secret = is_secret_like(&point.location) || point.schema["x-s1"]["secret"] == true;
            value.is_string() && is_plain(point.schema) && !secret
        };
        c.as_recording().replace(d, MutatedPart::Request, UnredactedSecret, fits, |_, _| json!(JWT))
    }),
    ("recording: password in the request body", |c, d| {
        let fits =
            |point: &Point<'_>, value: &Value| value.is_string() && point.location.ends_with(".password");
        c.as_recording()
            .replace(d, MutatedPart::Request, UnredactedSecret, fits, |_, _| json!("Example-4711"))
    }),
    ("recording: signed token in the query", |c, d| {
        let fits = |one: &Parameter| is_plain(&one.schema) && !is_secret_like(&one.name);
        c.as_recording().set_query_param(d, UnredactedSecret, fits, |_| (JWT.into(), String::new()))
    }),
    ("recording: signed token in the path", |c, _| {
        let case = c.as_recording();
        let found = case.exchange.match_operation(Contract::bundled()).unwrap();
        let parameter =
            c.operation.parameters().iter().find(|one| one.is_in_path() && is_plain(&one.schema))?;
        let path = case.exchange.path().replacen(&found.path_values[&parameter.name], JWT, 1);
        // One finding for the path, and one for the parameter.
        let mutated = MutatedExchange::new(&case, UnredactedSecret, "request.path", |exchange| {
            exchange.request.path = Some(path)
        });
        Some(mutated.and(UnredactedSecret, &format!("request.path.{}", parameter.name)))
    }),
    ("recording: authorization header", |c, _| {
        Some(MutatedExchange::new(
            &c.as_recording(),
            UnredactedSecret,
            "response.headers.authorization",
            |exchange| {
                exchange.headers.insert("authorization".into(), "ApiToken x".into());
            },
        ))
    }),
    ("recording: cookie", |c, _| {
        Some(MutatedExchange::new(
            &c.as_recording(),
            UnredactedSecret,
            "response.headers.Set-Cookie",
            |exchange| {
                exchange.headers.insert("Set-Cookie".into(), "session=x".into());
            },
        ))
    }),
    ("recording: signed token in another header", |c, _| {
        Some(MutatedExchange::new(
            &c.as_recording(),
            UnredactedSecret,
            "response.headers.x-trace",
            |exchange| {
                exchange.headers.insert("x-trace".into(), JWT.into());
            },
        ))
    }),
    ("recording: signed token in HTML", |c, _| {
        c.exchange.response.as_ref()?;
        Some(
            c.as_recording()
                .replace_response(InvalidJson, format!("<p>{JWT}</p>"))
                .and(UnredactedSecret, "response.body"),
        )
    }),
];

/// Returns the fixtures with a successful response: those composed by hand, and the full generated ones.
fn cases() -> Vec<Case> {
    let all = read_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("fixtures")).unwrap();
    let contract = Contract::bundled();
    let cases = all.into_iter().filter(|(path, exchange)| {
        let generated = exchange.provenance.kind == ProvenanceKind::Generated;
        let operation = exchange.match_operation(contract).unwrap().operation;
        is_curated(operation)
            && exchange.status < 300
            && (!generated || path.ends_with("generated_full.json"))
    });
    cases
        .map(|(path, exchange)| {
            let operation = exchange.match_operation(contract).unwrap().operation;
            let name = format!("{}/{}", operation.id(), path.file_name().unwrap().to_string_lossy());
            assert_eq!(contract.check_exchange(&exchange), [], "{name} is valid");
            Case { name, exchange, operation }
        })
        .collect()
}

#[test]
fn contract_mutation_yields_one_finding() {
    let cases = cases();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    let mut rules = BTreeSet::new();
    for (number, case) in cases.iter().enumerate() {
        let mut rng = SeededRng(number as u64 * 7919 + 17);
        for (name, mutate) in MUTATIONS {
            let Some(mutated) = mutate(case, &mut rng) else { continue };
            let found = mutated.findings(case);
            let mut outline: Vec<_> =
                found.iter().map(|finding| (finding.rule, finding.location.clone())).collect();
            let mut expected = mutated.expected;
            outline.sort();
            expected.sort();
            if outline != expected {
                failures.push(format!("{}: {name}: expected {expected:?}, found {found:?}", case.name));
            }
            rules.extend(expected.into_iter().map(|(rule, _)| rule));
            *counts.entry(name).or_default() += 1;
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let unused: Vec<_> =
        MUTATIONS.iter().map(|(name, _)| *name).filter(|name| !counts.contains_key(name)).collect();
    assert!(unused.is_empty(), "mutations without a matching fixture: {unused:?}");
    println!("{} mutations, {} in total: {counts:#?}", counts.len(), counts.values().sum::<usize>());
    assert_eq!(counts.len(), MUTATIONS.len(), "names of mutations are unique");
    assert!(counts.len() >= 70, "{}", counts.len());
    // No exchange yields a schema violation: that requires an unusable schema in the specification.
    let all: BTreeSet<ContractRule> =
        ContractRule::ALL.iter().copied().filter(|rule| *rule != SchemaViolation).collect();
    assert_eq!(rules, all);
}

/// Error responses are validated, too.
#[test]
fn mutated_error_responses_yield_findings() {
    let all = read_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("fixtures")).unwrap();
    let contract = Contract::bundled();
    let mut count = 0;
    for (path, exchange) in all {
        let found = exchange.match_operation(contract).unwrap();
        let schema = found.operation.response_schema(exchange.status);
        let declared = schema.is_some_and(|schema| contract.properties(schema).contains_key("errors"));
        if exchange.status < 400 || !declared || exchange.response.is_none() {
            continue;
        }
        let mutated = |body: Value| {
            let mut exchange = exchange.clone();
            exchange.response = Some(body);
            let found = contract.check_exchange(&exchange).into_iter();
            found.map(|finding| (finding.rule, finding.location)).collect::<Vec<_>>()
        };
        let entry = exchange.response.as_ref().unwrap()["errors"][0].clone();
        let with = |name: &str, value: Value| {
            let mut entry = entry.clone();
            entry[name] = value;
            json!({ "errors": [entry] })
        };
        let file = path.display();
        assert_eq!(
            mutated(json!({ "errors": entry })),
            [(TypeMismatch, "response.body.errors".into())],
            "{file}"
        );
        assert_eq!(mutated(json!("no")), [(TypeMismatch, "response.body".into())], "{file}");
        assert_eq!(
            mutated(with("code", json!("x"))),
            [(TypeMismatch, "response.body.errors[0].code".into())],
            "{file}"
        );
        assert_eq!(
            mutated(with("mood", json!(1))),
            [(UndeclaredField, "response.body.errors[0].mood".into())],
            "{file}"
        );
        count += 4;
    }
    assert!(count > 400, "{count}");
}
