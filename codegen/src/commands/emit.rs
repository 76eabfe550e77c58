//! Emits the module `commands` of the generated crate.

mod arguments;
mod request;

use std::collections::BTreeMap;

use heck::ToUpperCamelCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::manifest::{ResultForm, Risk};
use super::model::{Command, Commands, Output, RequestForm, Source};
use crate::files::Files;
use crate::{Error, Result, emit};

use arguments::{option, structure};

/// Returns the files of the module: one per topic, and the list of all commands.
pub(crate) fn files(commands: &Commands) -> Result<Files> {
    let mut files = Files::new();
    if commands.commands.is_empty() {
        return Ok(files);
    }
    let mut topics: BTreeMap<&str, TokenStream> = BTreeMap::new();
    for group in &commands.groups {
        let tokens = arguments::group(group);
        topics.entry(&group.topic).or_default().extend(tokens);
    }
    for command in &commands.commands {
        topics.entry(&command.topic).or_default().extend(items(command));
    }
    let mut modules = String::new();
    for (topic, tokens) in topics {
        let file: syn::File = syn::parse2(tokens)
            .map_err(|error| Error::Generator(format!("commands of the topic {topic}: {error}")))?;
        let body = emit::separate_items(&prettyplease::unparse(&file));
        let header = emit::header("//", &format!("spec/commands/{topic}.yaml"));
        let module = topic.replace('-', "_");
        files.insert(
            format!("src/commands/{module}.rs"),
            format!(
                "{header}\n//! Commands of the topic `{topic}`.\n\n#[allow(\n    clippy::wildcard_imports,\n    \
                 reason = \"each command uses a part of the support code\"\n)]\nuse crate::runtime::commands::*;\n\n{body}"
            ),
        );
        modules.push_str(&format!("mod {module};\npub use {module}::*;\n\n"));
    }
    files.insert("src/commands/mod.rs".into(), module_file(commands, &modules));
    Ok(files)
}

/// Returns the file with the modules and the lists of commands.
fn module_file(commands: &Commands, modules: &str) -> String {
    let names = |filter: &dyn Fn(&Command) -> bool| -> String {
        let names = commands.commands.iter().filter(|command| filter(command));
        names.map(|command| format!("            {}\n", command.name.to_upper_camel_case())).collect()
    };
    let is_shared = |form: RequestForm| {
        move |command: &Command| {
            command.request.as_ref().is_some_and(|request| request.form == form && !request.custom)
        }
    };
    let list = |name: &str, doc: &str, names: String| {
        format!(
            "/// Calls a macro with {doc}.\n#[doc(hidden)]\n#[macro_export]\nmacro_rules! {name} {{\n    \
             ($callback:ident) => {{\n        $callback! {{\n{names}        }}\n    }};\n}}\n\n"
        )
    };
    format!(
        "{}\n//! The commands of the published integrations: their arguments, context paths and metadata.\n\n\
         {modules}{}{}{}",
        emit::header("//", "spec/commands"),
        list("for_each_command", "the types of all commands, in alphabetical order", names(&|_| true)),
        list(
            "for_each_list_command",
            "the types of the commands that only read a list",
            names(&is_shared(RequestForm::List))
        ),
        list(
            "for_each_action_command",
            "the types of the commands that only apply an action to IDs",
            names(&is_shared(RequestForm::Action))
        ),
    )
    .trim_end()
    .to_owned()
        + "\n"
}

/// Returns the struct of a command and its implementations.
fn items(command: &Command) -> TokenStream {
    let name = format_ident!("{}", command.name.to_upper_camel_case());
    let structure = structure(&name, command);
    let info = info(command);
    let outputs = command.outputs.iter().map(output);
    let arguments = arguments::list(command);
    let reading = arguments::reading(command);
    let checks = arguments::checks(command);
    let parameter = if command.arguments.is_empty() { quote!(_) } else { quote!(arguments) };
    let request = command.request.as_ref().map(|one| request::implementations(&name, command, one));
    quote! {
        #structure

        impl CommandDeclaration for #name {
            const INFO: CommandInfo = #info;

            const OUTPUTS: &'static [ContextPath] = &[#(#outputs),*];

            fn arguments() -> Vec<Argument> {
                #arguments
            }

            fn from_arguments(#parameter: &mut Arguments) -> Result<Self, ArgumentError> {
                #reading
            }

            fn check(&self) -> Result<(), ArgumentError> {
                #checks
                Ok(())
            }
        }

        #request
    }
}

fn info(command: &Command) -> TokenStream {
    let Command { name, full_name, summary, description, example, operations, context, .. } = command;
    let topic = format_ident!("{}", command.topic.to_upper_camel_case());
    let versions = command.versions.iter().map(|one| version(one));
    let is_action = command.risk != Risk::Read;
    let destructive = command.risk == Risk::Destructive;
    let requires_confirmation = matches!(command.risk, Risk::Confirm | Risk::Destructive);
    let batches = option(command.batches.as_ref().map(|name| quote!(#name)));
    quote! {
        CommandInfo {
            name: #name,
            full_name: #full_name,
            topic: Topic::#topic,
            summary: #summary,
            description: #description,
            example: #example,
            versions: &[#(#versions),*],
            is_action: #is_action,
            destructive: #destructive,
            requires_confirmation: #requires_confirmation,
            operations: &[#(#operations),*],
            context: #context,
            batch_argument: #batches,
        }
    }
}

fn version(version: &str) -> TokenStream {
    let variant = format_ident!("V{}", version.replace('.', "_"));
    quote!(crate::runtime::ApiVersion::#variant)
}

fn output(output: &Output) -> TokenStream {
    let Output { path, kind, description, unavailable, .. } = output;
    let text = |field: &Option<String>| option(field.as_ref().map(|field| quote!(#field)));
    let source = match &output.source {
        Source::Field(v2_0, v2_1) => {
            let (v2_0, v2_1) = (text(v2_0), text(v2_1));
            quote!(ContextSource::Field { v2_0: #v2_0, v2_1: #v2_1 })
        }
        Source::Argument(name) => quote!(ContextSource::Argument(#name)),
        Source::Result(ResultForm::Success) => quote!(ContextSource::Result(ResultValue::Success)),
        Source::Result(ResultForm::Word) => quote!(ContextSource::Result(ResultValue::Word)),
        Source::Computed => quote!(ContextSource::Computed),
        Source::Unavailable => quote!(ContextSource::Unavailable),
    };
    let mut changes = Vec::new();
    if output.undocumented {
        changes.push(quote!(undocumented: true));
    }
    if !output.column {
        changes.push(quote!(column: false));
    }
    if let Some(reason) = unavailable {
        let on = match &output.source {
            Source::Field(None, Some(_)) => Some(version("2.0")),
            Source::Field(Some(_), None) => Some(version("2.1")),
            _ => None,
        };
        changes.push(match on {
            Some(version) => quote!(unavailable_on: Some((#version, #reason))),
            None => quote!(unavailable: Some(#reason)),
        });
    }
    let new = quote!(ContextPath::new(#path, #kind, #description, #source));
    if changes.is_empty() { new } else { quote!(ContextPath { #(#changes,)* ..#new }) }
}
