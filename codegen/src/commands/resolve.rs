//! Checks the declarations of commands against the operations, and completes them.

use std::collections::BTreeMap;

use heck::ToSnakeCase;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::locations::{dereference, field, item, nearest};
use super::manifest::{self, Form, Kind, Risk, TopicFile};
use super::model::{
    Argument, Command, Commands, Group, Location, Output, Request, RequestForm, Single, Source, TOPICS,
    TypeName, Values,
};
use crate::bundle::{Bundle, Operation, members, reference};
use crate::emit::{field_name, function_name};
use crate::lint::Finding;
use crate::metadata::{self, FilterRequirement, Kind as OperationKind, OperationFacts};

/// API versions, oldest first.
const VERSIONS: [&str; 2] = ["2.0", "2.1"];

/// Types that the integration documents for context paths.
const OUTPUT_TYPES: [&str; 6] = ["String", "Number", "Boolean", "Date", "Object", "Unknown"];

/// Checks and completes declarations. Problems become findings.
pub(super) struct Resolver<'a> {
    bundle: &'a Bundle,
    operations: BTreeMap<&'a str, (Operation<'a>, OperationFacts)>,
    files: &'a [(String, TopicFile)],
    findings: &'a mut Vec<Finding>,
    /// File of the current command.
    file: &'a str,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        bundle: &'a Bundle,
        files: &'a [(String, TopicFile)],
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        let facts = |operation: Operation<'a>| {
            Some((operation.id(), (operation, metadata::read_operation(operation.node).ok()?)))
        };
        let operations = bundle.operations().filter_map(facts).collect();
        Self { bundle, operations, files, findings, file: "" }
    }

    pub(super) fn resolve(mut self) -> Commands {
        let mut commands = Commands::default();
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, file) in self.files {
            self.file = path;
            if !TOPICS.iter().any(|(topic, _)| *topic == file.topic) {
                self.findings.push(Finding {
                    location: path.clone(),
                    message: format!(
                        "{:?} is not a topic; expected one of {}",
                        file.topic,
                        TOPICS.map(|(topic, _)| topic).join(", ")
                    ),
                });
            }
            for (name, group) in file.argument_groups.iter() {
                let arguments = group.arguments.iter();
                commands.groups.push(Group {
                    topic: file.topic.clone(),
                    name: name.value.clone(),
                    description: group.description.clone(),
                    arguments: arguments.map(|(name, argument)| self.single(name, argument, None)).collect(),
                });
            }
            for (name, command) in file.commands.iter() {
                if let Some(other) = names.insert(&name.value, path) {
                    self.add(name, format!("{} is declared twice, also in {other}", name.value));
                }
                let command = self.command(&file.topic, name, command);
                commands.commands.push(command);
            }
        }
        commands.commands.sort_by(|one, other| one.name.cmp(&other.name));
        commands.groups.sort_by(|one, other| one.name.cmp(&other.name));
        commands
    }

    /// Adds a finding at the position of a value.
    fn add<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        let location = format!("{}:{}", self.file, at.referenced.line());
        self.findings.push(Finding { location, message: message.into() });
    }

    /// Adds a finding for a name that is not one of `known`.
    fn unknown<'n>(&mut self, at: &Spanned<String>, what: &str, known: impl IntoIterator<Item = &'n str>) {
        let nearest = nearest(&at.value, known).map(|name| format!("; the nearest is {name}"));
        self.add(at, format!("{} is not {what}{}", at.value, nearest.unwrap_or_default()));
    }

    /// Returns an operation and its metadata.
    fn operation(&mut self, id: &Spanned<String>) -> Option<(Operation<'a>, OperationFacts)> {
        let found = self.operations.get(id.value.as_str()).cloned();
        if found.is_none() {
            let known: Vec<&str> = self.operations.keys().copied().collect();
            self.unknown(id, "an operation", known);
        }
        found
    }

    fn command(&mut self, topic: &str, name: &Spanned<String>, command: &'a manifest::Command) -> Command {
        let operations: Vec<_> = command.operations.iter().filter_map(|id| self.operation(id)).collect();
        let versions = self.versions(name, command, &operations);
        self.check_risk(name, command.risk, &operations);
        let request = self.request(command);
        let sent_to = request.as_ref().and_then(|(id, _)| self.operations.get(id.as_str()).cloned());
        let sent_to = sent_to.map(|(operation, _)| operation);
        let mut arguments = Vec::new();
        for (name, argument) in command.arguments.iter() {
            arguments.push(self.argument(name, argument, sent_to));
        }
        let names: Vec<String> =
            arguments.iter().flat_map(Argument::singles).map(|one| one.name.clone()).collect();
        let has_filter = arguments.iter().any(|one| matches!(one, Argument::Filter { .. }));
        if let Some((_, request)) = request.as_ref().filter(|(_, request)| !request.custom) {
            for (name, argument) in command.arguments.iter().filter(|(_, one)| one.sends.is_none()) {
                if argument.form != Some(Form::Limit) {
                    let what = if request.form == RequestForm::List { "list" } else { "action" };
                    self.add(name, format!("{} is not sent, although the {what} is not custom", name.value));
                }
            }
        }
        let action = command.action.as_ref().map(|action| &action.ids);
        let list = command.list.as_ref().and_then(|list| list.ids.as_ref());
        for named in command.batches.iter().chain(action).chain(list) {
            if !has_filter && !names.contains(&named.value) {
                self.unknown(named, "an argument of the command", names.iter().map(String::as_str));
            }
        }
        let lists = request.iter().map(|(id, _)| id.clone());
        let lists: Vec<String> = lists.chain(command.response.iter().map(|id| id.value.clone())).collect();
        for (name, argument) in command.arguments.iter() {
            self.check_identifiers(name, argument, &lists);
        }
        let outputs = self.outputs(command, &versions, &names);
        Command {
            name: name.value.clone(),
            full_name: command.full_name.clone().unwrap_or_else(|| format!("sentinelone-{}", name.value)),
            topic: topic.to_owned(),
            summary: command.summary.clone(),
            description: command.description.trim().to_owned(),
            example: command.example.clone(),
            versions,
            operations: command.operations.iter().map(|id| id.value.clone()).collect(),
            risk: command.risk,
            batches: command.batches.as_ref().map(|name| name.value.clone()),
            context: command.context.clone().unwrap_or_default(),
            arguments,
            outputs,
            request: request.map(|(_, request)| request),
        }
    }

    /// Checks that the items of the lists have the fields in which an argument names them.
    fn check_identifiers(&mut self, name: &Spanned<String>, argument: &manifest::Argument, lists: &[String]) {
        let mut is_declared = true;
        for path in argument.identifies.iter().flatten() {
            let is_known = lists.iter().any(|id| {
                let list = self.operations.get(id.as_str());
                let list = list.and_then(|(one, _)| item(self.bundle, *one, None).ok());
                list.is_some_and(|list| field(self.bundle, list, &path.value).is_ok())
            });
            is_declared &= is_known;
            if !is_known && argument.undeclared.is_none() {
                let message = format!("{} is not a field of the items of {}", path.value, lists.join(" or "));
                self.add(path, message);
            }
        }
        if argument.undeclared.is_some() && is_declared {
            self.add(name, "each field is declared; remove undeclared");
        }
    }

    /// Returns the API versions of a command. Each needs an operation that supports it.
    fn versions(
        &mut self,
        name: &Spanned<String>,
        command: &manifest::Command,
        operations: &[(Operation<'a>, OperationFacts)],
    ) -> Vec<String> {
        let all = VERSIONS.map(|version| (name, version));
        let declared =
            command.versions.as_ref().map(|declared| declared.iter().map(|one| (one, one.value.as_str())));
        let versions: Vec<(&Spanned<String>, &str)> =
            declared.map_or_else(|| all.to_vec(), Iterator::collect);
        for (at, version) in &versions {
            if !VERSIONS.contains(version) {
                self.unknown(at, "an API version", VERSIONS);
                continue;
            }
            let supports = |facts: &OperationFacts| facts.versions.iter().any(|one| one == version);
            let is_supported = operations.is_empty() || operations.iter().any(|(_, facts)| supports(facts));
            match (is_supported, command.without_operation.get(version)) {
                (false, None) => {
                    self.add(at, format!("{} has no operation of API {version}", name.value));
                }
                (true, Some(_)) => {
                    self.add(
                        at,
                        format!("{} has an operation of API {version}; remove without-operation", name.value),
                    );
                }
                _ => {}
            }
        }
        for (at, _) in command.without_operation.iter() {
            if !versions.iter().any(|(_, version)| *version == at.value) {
                self.unknown(
                    at,
                    "an API version of the command",
                    versions.iter().map(|(_, version)| *version),
                );
            }
        }
        versions.into_iter().map(|(_, version)| version.to_owned()).collect()
    }

    fn check_risk(
        &mut self,
        name: &Spanned<String>,
        risk: Risk,
        operations: &[(Operation<'a>, OperationFacts)],
    ) {
        for (operation, facts) in operations {
            // Starting a query is an action of the API that changes nothing.
            if risk == Risk::Read && (facts.destructive || facts.filter == FilterRequirement::Required) {
                self.add(name, format!("the risk is read, but {} changes objects", operation.id()));
            }
            if facts.destructive && risk != Risk::Destructive {
                self.add(name, format!("{} is destructive, but the risk is not", operation.id()));
            }
        }
        if risk != Risk::Read
            && !operations.is_empty()
            && operations.iter().all(|(_, facts)| facts.kind == OperationKind::Read)
        {
            self.add(name, "the risk is not read, but all operations are reads");
        }
    }

    /// Returns the ID of the operation of the request, and the request.
    fn request(&mut self, command: &manifest::Command) -> Option<(String, Request)> {
        let (id, ids, form, custom) = match (&command.list, &command.action) {
            (Some(list), _) => (&list.operation, list.ids.as_ref(), RequestForm::List, list.custom),
            (None, Some(action)) => {
                (&action.operation, Some(&action.ids), RequestForm::Action, action.custom)
            }
            (None, None) => return None,
        };
        let (operation, _) = self.operation(id)?;
        let tag = operation.node["tags"][0].as_str().unwrap_or_default().to_owned();
        let metadata = TypeName { name: function_name(operation.id(), &tag).to_uppercase(), module: tag };
        let constants = command.action.iter().flat_map(|action| action.constants.iter());
        let constants = constants
            .filter_map(|(at, value)| Some((self.location(at, operation)?.0, value.clone())))
            .collect();
        let ids = ids.map(|name| name.value.clone());
        let request = Request { metadata, ids, constants, form, custom };
        Some((id.value.clone(), request))
    }

    /// Returns a location in the request of an operation, and the schema of its values.
    fn location(&mut self, at: &Spanned<String>, operation: Operation<'a>) -> Option<(Location, &'a Value)> {
        let (part, name) = at.value.split_once('.').unwrap_or((&at.value, ""));
        if matches!(part, "query" | "path") {
            let mut found = operation.parameters_in(if part == "path" { "path" } else { "query" });
            let Some(parameter) = found.find(|one| one["name"] == name) else {
                let names = operation
                    .parameters()
                    .filter_map(|one| Some((one["in"].as_str()?, one["name"].as_str()?)));
                let names: Vec<String> = names.map(|(part, name)| format!("{part}.{name}")).collect();
                let what = format!("a parameter of {}", operation.id());
                self.unknown(at, &what, names.iter().map(String::as_str));
                return None;
            };
            let schema = &parameter["schema"];
            let is_string = dereference(self.bundle, schema)["type"] == "string";
            let name = name.to_owned();
            let location =
                if part == "path" { Location::Path(name) } else { Location::Query { name, is_string } };
            return Some((location, schema));
        }
        let body = operation.body().map(|body| dereference(self.bundle, body)).unwrap_or(&Value::Null);
        let property = |schema: &'a Value, name: &str| schema.get("properties")?.get(name);
        let found = property(body, part).and_then(|schema| match name {
            "" => Some(schema),
            name => property(dereference(self.bundle, schema), name),
        });
        if found.is_none() {
            let parts = members(body, "/properties").flat_map(|(part, schema)| {
                let schema = dereference(self.bundle, schema);
                members(schema, "/properties").map(move |(name, _)| format!("{part}.{name}"))
            });
            let names: Vec<String> = parts.collect();
            let what = format!("a field of the body of {}", operation.id());
            self.unknown(at, &what, names.iter().map(String::as_str));
        }
        found.map(|schema| (Location::Body(part.to_owned(), name.to_owned()), schema))
    }

    fn argument(
        &mut self,
        name: &Spanned<String>,
        argument: &'a manifest::Argument,
        sent_to: Option<Operation<'a>>,
    ) -> Argument {
        let rust = argument.rust.clone().unwrap_or_else(|| field_name(&name.value));
        if let Some(group) = &argument.group {
            return self.group(rust, group, argument);
        }
        match &argument.filter {
            Some(filter) if argument.kind.is_none() => {
                Argument::Filter { rust, filter: self.type_name(filter) }
            }
            _ => Argument::Single(Box::new(self.single(name, argument, sent_to))),
        }
    }

    fn group(&mut self, rust: String, name: &Spanned<String>, argument: &manifest::Argument) -> Argument {
        let files = self.files;
        let found = files.iter().find_map(|(path, file)| {
            let group = file.argument_groups.get(&name.value).map(|group| &group.arguments);
            let command = || file.commands.get(&name.value).map(|command| &command.arguments);
            group.or_else(command).map(|arguments| (path, arguments))
        });
        let Some((path, members)) = found else {
            self.add(name, format!("{} is neither an argument group nor a command", name.value));
            return Argument::Filter {
                rust,
                filter: TypeName { module: String::new(), name: String::new() },
            };
        };
        let here = std::mem::replace(&mut self.file, path);
        let mut arguments: Vec<Single> =
            members.iter().map(|(name, argument)| self.single(name, argument, None)).collect();
        self.file = here;
        for required in &argument.requires {
            match arguments.iter_mut().find(|one| one.name == required.value) {
                Some(one) => (one.required, one.is_optional_in_group) = (true, true),
                None => self.unknown(required, "an argument of the group", members.names()),
            }
        }
        for (name, description) in argument.descriptions.iter() {
            match arguments.iter_mut().find(|one| one.name == name.value) {
                Some(one) => one.description = description.clone(),
                None => self.unknown(name, "an argument of the group", members.names()),
            }
        }
        let has_secrets = arguments.iter().any(Single::is_secret);
        Argument::Group { rust, name: name.value.clone(), arguments, has_secrets }
    }

    /// Returns a generated type.
    fn type_name(&mut self, name: &Spanned<String>) -> TypeName {
        let module = self.bundle.modules.get(&name.value).cloned();
        if module.is_none() {
            let known: Vec<&str> = self.bundle.modules.keys().map(String::as_str).collect();
            self.unknown(name, "a schema", known);
        }
        TypeName { module: module.unwrap_or_default(), name: name.value.clone() }
    }

    fn single(
        &mut self,
        name: &Spanned<String>,
        argument: &manifest::Argument,
        sent_to: Option<Operation<'a>>,
    ) -> Single {
        let kind = argument.kind.unwrap_or_else(|| {
            self.add(name, format!("{} has no kind", name.value));
            Kind::String
        });
        if argument.description.as_ref().is_none_or(|text| text.trim().is_empty()) {
            self.add(name, format!("{} has no description", name.value));
        }
        let target = match (&argument.sends, sent_to) {
            (Some(at), Some(operation)) => self.location(at, operation),
            (Some(at), None) => {
                self.add(at, "the command has neither list nor action, whose operation it could be sent to");
                None
            }
            (None, _) => None,
        };
        if let (Some(at), Some((_, schema))) = (&argument.sends, &target) {
            self.check_kind(at, kind, argument.form, schema);
        }
        let (values, enum_type) = self.values(argument, target.as_ref().map(|(_, schema)| *schema));
        if argument.form == Some(Form::Limit) && (name.value != "limit" || argument.default.is_none()) {
            self.add(name, format!("{} is a limit; expected the name limit and a default", name.value));
        }
        if let Some(default) = &argument.default {
            self.check_default(default, (kind, argument), (&values, enum_type.as_ref()));
        }
        Single {
            name: name.value.clone(),
            rust: argument.rust.clone().unwrap_or_else(|| field_name(&name.value.to_snake_case())),
            kind,
            required: argument.required,
            is_optional_in_group: false,
            documented_as_optional: argument.documented_as_optional,
            default: argument.default.as_ref().map(|default| default.value.clone()),
            default_of_console: argument.default_of_console,
            values,
            enum_type,
            filter: argument.filter.as_ref().map(|filter| self.type_name(filter)),
            ignore_case: argument.ignore_case,
            range: (argument.minimum, argument.maximum),
            future: argument.future,
            form: argument.form,
            sends: target.map(|(location, _)| location),
            identifies: argument
                .identifies
                .as_ref()
                .map(|fields| fields.iter().map(|field| field.value.clone()).collect()),
            description: argument.description.clone().unwrap_or_default().trim().to_owned(),
        }
    }

    /// Checks that a default is a value that the argument accepts.
    fn check_default(
        &mut self,
        default: &Spanned<String>,
        (kind, argument): (Kind, &manifest::Argument),
        (values, enum_type): (&Values, Option<&TypeName>),
    ) {
        let text = default.value.as_str();
        let number = text.parse::<i64>().ok();
        let in_range = |number: i64| {
            argument.minimum.is_none_or(|minimum| number >= minimum)
                && argument.maximum.is_none_or(|maximum| number <= maximum)
        };
        let known = match values {
            Values::Any => Vec::new(),
            Values::These(values) => values.iter().map(String::as_str).collect(),
            Values::OfEnum => enum_type.map(|ty| self.enum_values(ty)).unwrap_or_default(),
        };
        let (is_valid, expected) = match (argument.form, kind) {
            (Some(Form::Limit | Form::Seconds), _) => {
                (number.is_some_and(|number| number > 0), "a number of at least 1")
            }
            (_, Kind::Integer) => (number.is_some_and(in_range), "an integer in the range of the argument"),
            (_, Kind::Boolean) => (matches!(text, "true" | "false"), "true or false"),
            (_, Kind::String) => (known.is_empty() || known.contains(&text), "a value of the argument"),
            (_, Kind::List | Kind::Time) => (false, "no default of a list or a time"),
        };
        if !is_valid {
            self.add(default, format!("the default {text:?} is not valid; expected {expected}"));
        }
    }

    /// Returns the values of an enum.
    fn enum_values(&self, ty: &TypeName) -> Vec<&'a str> {
        let values = self.bundle.schema(&ty.name).and_then(|schema| schema["enum"].as_array());
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Checks that a location accepts the kind of an argument.
    fn check_kind(&mut self, at: &Spanned<String>, kind: Kind, form: Option<Form>, schema: &Value) {
        let schema = dereference(self.bundle, schema);
        let ty = schema["type"].as_str().unwrap_or("object");
        let is_match = match kind {
            Kind::List => matches!(ty, "array" | "string"),
            Kind::Boolean => ty == "boolean",
            Kind::Integer => ty == "integer",
            Kind::Time => ty == "string" && schema["format"] == "date-time",
            Kind::String => ty == "string" && form != Some(Form::TimeRange),
        };
        if !is_match {
            self.add(
                at,
                format!("{} has the type {ty}, which does not match the kind of the argument", at.value),
            );
        }
    }

    /// Returns the allowed values and their type.
    fn values(
        &mut self,
        argument: &manifest::Argument,
        schema: Option<&'a Value>,
    ) -> (Values, Option<TypeName>) {
        let item = schema.map(|schema| match dereference(self.bundle, schema)["type"] == "array" {
            true => &dereference(self.bundle, schema)["items"],
            false => schema,
        });
        let sent = item
            .and_then(reference)
            .filter(|name| self.bundle.schema(name).is_some_and(|schema| schema.get("enum").is_some()));
        let enum_type = match (&argument.enum_name, sent) {
            (Some(name), _) => Some(self.type_name(name)),
            (None, Some(name)) => self
                .bundle
                .modules
                .get(name)
                .map(|module| TypeName { module: module.clone(), name: name.to_owned() }),
            (None, None) => None,
        };
        let known = enum_type.as_ref().map(|ty| self.enum_values(ty)).unwrap_or_default();
        let values = match &argument.values {
            None if enum_type.is_some() => Values::OfEnum,
            None => Values::Any,
            Some(values) if values.is_empty() => Values::Any,
            Some(values) => {
                for value in values.iter().filter(|_| enum_type.is_some()) {
                    if !known.contains(&value.value.as_str()) {
                        self.unknown(value, "a value of the enum", known.iter().copied());
                    }
                }
                Values::These(values.iter().map(|value| value.value.clone()).collect())
            }
        };
        (values, enum_type)
    }

    /// Returns the context paths: those of the group, then those of the command.
    fn outputs(
        &mut self,
        command: &'a manifest::Command,
        versions: &[String],
        arguments: &[String],
    ) -> Vec<Output> {
        let mut declared: Vec<(&Spanned<String>, &manifest::Output)> = Vec::new();
        if let Some(name) = &command.output_group {
            let found = self.files.iter().find_map(|(_, file)| file.output_groups.get(&name.value));
            match found {
                Some(group) => declared.extend(group.iter()),
                None => self.add(name, format!("{} is not a group of context paths", name.value)),
            }
        }
        declared.extend(command.outputs.iter());
        declared
            .into_iter()
            .map(|(name, output)| self.output(command, name, output, versions, arguments))
            .collect()
    }

    fn output(
        &mut self,
        command: &manifest::Command,
        name: &Spanned<String>,
        output: &manifest::Output,
        versions: &[String],
        arguments: &[String],
    ) -> Output {
        if !OUTPUT_TYPES.contains(&output.kind.value.as_str()) {
            self.unknown(&output.kind, "a type of context paths", OUTPUT_TYPES);
        }
        let fields = [("2.0", &output.v2_0), ("2.1", &output.v2_1)]
            .map(|(version, own)| (version, own.as_ref().or(output.field.as_ref())));
        let has_field = fields.iter().any(|(_, field)| field.is_some());
        let mut is_declared = true;
        for (version, field) in fields {
            if let Some(field) = field.filter(|_| versions.iter().any(|one| one == version)) {
                is_declared &= self.check_field(command, output, version, field);
            }
        }
        if output.undeclared.is_some() && is_declared {
            self.add(name, "each field is declared; remove undeclared");
        }
        if let Some(argument) = output.argument.as_ref().filter(|name| !arguments.contains(&name.value)) {
            self.unknown(argument, "an argument of the command", arguments.iter().map(String::as_str));
        }
        let text = |field: Option<&Spanned<String>>| field.map(|field| field.value.clone());
        let sources = [has_field, output.argument.is_some(), output.result.is_some(), output.computed];
        let source = match (&output.argument, output.result) {
            _ if sources.iter().filter(|is_set| **is_set).count() > 1 => {
                self.add(name, "has more than one of field, argument, result and computed");
                Source::Computed
            }
            (Some(argument), _) => Source::Argument(argument.value.clone()),
            (None, Some(form)) => Source::Result(form),
            (None, None) if has_field => Source::Field(text(fields[0].1), text(fields[1].1)),
            (None, None) if output.computed => Source::Computed,
            (None, None) => {
                if output.unavailable.is_none() {
                    self.add(name, "has none of field, argument, result, computed and unavailable");
                }
                Source::Unavailable
            }
        };
        // A path outside the context starts with a dot.
        let context = command.context.as_deref().unwrap_or_default();
        let path = match name.value.strip_prefix('.') {
            Some(path) => path.to_owned(),
            None if context.is_empty() => name.value.clone(),
            None => format!("{context}.{}", name.value),
        };
        Output {
            path,
            kind: output.kind.value.clone(),
            description: output.description.trim().to_owned(),
            source,
            unavailable: output.unavailable.clone(),
            column: output.column,
            undocumented: output.undocumented,
        }
    }

    /// Checks that the response of an operation has a field on an API version. Returns whether the operation declares it.
    fn check_field(
        &mut self,
        command: &manifest::Command,
        output: &manifest::Output,
        version: &str,
        path: &Spanned<String>,
    ) -> bool {
        let named = [&output.response, &command.response].into_iter().find(|ids| !ids.is_empty());
        let ids = named.unwrap_or(&command.operations);
        let found: Vec<_> = ids.iter().filter_map(|id| self.operation(id)).collect();
        let mut supporting =
            found.iter().filter(|(_, facts)| facts.versions.iter().any(|one| one == version));
        let (Some((operation, _)), None) = (supporting.next(), supporting.next()) else {
            let message = format!(
                "{} of API {version} is the field of no operation, or of several; set response to one operation \
                 for each API version",
                path.value
            );
            self.add(path, message);
            return true;
        };
        let of_command = command.items.as_ref().filter(|_| output.response.is_empty());
        let items = output.items.as_ref().or(of_command);
        let checked = item(self.bundle, *operation, items.map(|items| items.value.as_str()));
        let checked = checked.and_then(|item| {
            field(self.bundle, item, &path.value).map_err(|missing| missing.describe(operation.id()))
        });
        let problem = checked.err();
        let is_declared = problem.is_none();
        if let (Some(problem), None) = (problem, &output.undeclared) {
            self.add(path, problem);
        }
        is_declared
    }
}
