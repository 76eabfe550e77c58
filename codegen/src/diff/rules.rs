//! Table of the diff rules: each kind of change, with its effect on a program that uses this client.
//!
//! Each rule has a class for requests, for responses and for the operation itself; `-` means that the rule does not
//! apply. The last column is the reason.

use serde::{Serialize, Serializer};

/// Effect of a change on a program that uses this client, most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The program does not compile, or its requests are rejected.
    Breaking,
    /// A response does not fit the types, or a field that the program reads is gone.
    BreakingDecode,
    /// The program compiles and decodes responses, but its behavior changes.
    BehaviorChange,
    /// More requests or more response fields are available.
    New,
    /// No effect.
    DocsOnly,
}

impl Class {
    /// All classes, most severe first.
    pub const ALL: [Self; 5] =
        [Self::Breaking, Self::BreakingDecode, Self::BehaviorChange, Self::New, Self::DocsOnly];

    /// Returns the name for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::BreakingDecode => "breaking decode",
            Self::BehaviorChange => "behavior change",
            Self::New => "new",
            Self::DocsOnly => "docs only",
        }
    }

    /// Returns the name for command lines and JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::BreakingDecode => "breaking-decode",
            Self::BehaviorChange => "behavior-change",
            Self::New => "new",
            Self::DocsOnly => "docs-only",
        }
    }

    /// Returns whether a program may need changes.
    pub fn breaks(self) -> bool {
        matches!(self, Self::Breaking | Self::BreakingDecode)
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.slug())
    }
}

/// Part of an operation that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The operation as a whole.
    Operation,
    /// The request.
    Request,
    /// The response.
    Response,
}

impl Direction {
    /// Returns the name for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

macro_rules! class {
    (breaking) => {
        Some(Class::Breaking)
    };
    (decode) => {
        Some(Class::BreakingDecode)
    };
    (behavior) => {
        Some(Class::BehaviorChange)
    };
    (new) => {
        Some(Class::New)
    };
    (docs) => {
        Some(Class::DocsOnly)
    };
    (-) => {
        None
    };
}

macro_rules! rules {
    ($($rule:ident $name:literal: $request:tt $response:tt $operation:tt, mirror $($mirror:ident)+; $reason:literal)+) => {
        /// A kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = concat!("`", $name, "`. ", $reason)] $rule,)+
        }

        impl Rule {
            /// All rules, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// Returns the name, in kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)+ }
            }

            /// Returns whether the constructor of a type takes another argument.
            pub fn changes_constructor(self) -> bool {
                matches!(self, Self::RequiredParameterAdded | Self::RequiredFieldAdded | Self::BecameRequired)
            }

            /// Returns the reason for the class.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$rule => $reason,)+ }
            }

            /// Returns the class in `direction`, or `None` if the rule does not apply to it.
            pub fn class(self, direction: Direction) -> Option<Class> {
                let [request, response, operation] = match self {
                    $(Self::$rule => [class!($request), class!($response), class!($operation)],)+
                };
                match direction {
                    Direction::Request => request,
                    Direction::Response => response,
                    Direction::Operation => operation,
                }
            }

            /// Returns the rules of the same change with the two documents swapped.
            pub fn mirror(self) -> &'static [Self] {
                match self { $(Self::$rule => &[$(Self::$mirror),+],)+ }
            }
        }
    };
}

//   rule, name: request response operation, rule with the documents swapped; reason
rules! {
    OperationRemoved "operation-removed": - - breaking, mirror OperationAdded;
        "Its function is removed, and the console rejects the call."
    OperationAdded "operation-added": - - new, mirror OperationRemoved;
        "No program calls it yet."
    OperationMoved "operation-moved": - - breaking, mirror OperationMoved;
        "The function keeps its name and uses another path; a client with the old path calls one that does not exist."
    OperationReshaped "operation-reshaped": - - breaking, mirror OperationReshaped;
        "The new path has other parameters, so the arguments of the function change."
    OperationRenamed "operation-renamed": - - breaking, mirror OperationRenamed;
        "The name of the function is derived from the operation ID."
    OperationIdChanged "operation-id-changed": - - docs, mirror OperationIdChanged;
        "No function name is derived from the operation IDs of such a document."
    PathParameterRenamed "path-parameter-renamed": - - docs, mirror PathParameterRenamed;
        "A path parameter has no name on the wire, and its Rust argument is positional."
    SecurityAdded "security-added": - - breaking, mirror SecurityRemoved;
        "A call without a token is rejected."
    SecurityChanged "security-changed": - - breaking, mirror SecurityChanged;
        "The console no longer accepts the way in which the token is sent."
    SecurityRemoved "security-removed": - - behavior, mirror SecurityAdded;
        "The token is sent, but not required."
    VersionRemoved "version-removed": - - breaking, mirror VersionAdded;
        "The client rejects the call for that API version."
    VersionAdded "version-added": - - new, mirror VersionRemoved;
        "It can be called on another API version."
    FilterRequired "filter-required": - - breaking, mirror FilterChanged;
        "A request with an empty filter is rejected."
    FilterChanged "filter-changed": - - behavior, mirror FilterRequired FilterChanged;
        "The meaning of an empty filter changes."
    KindChanged "kind-changed": - - behavior, mirror KindChanged;
        "Reads are retried, actions are not."
    IdempotenceChanged "idempotence-changed": - - behavior, mirror IdempotenceChanged;
        "It determines whether a caller may repeat the call after a failure."
    DestructivenessChanged "destructiveness-changed": - - behavior, mirror DestructivenessChanged;
        "It determines whether a confirmation is required."
    RateLimitChanged "rate-limit-changed": - - behavior, mirror RateLimitChanged;
        "The delay between calls changes."
    PermissionChanged "permission-changed": - - behavior, mirror PermissionChanged;
        "The same token may be rejected or accepted."
    PagingChanged "paging-changed": - - breaking, mirror PagingChanged;
        "The types determine whether a list has pagination."
    ListMemberChanged "list-member-changed": - - breaking, mirror ListMemberChanged;
        "The response type depends on the location of the list."
    ParameterRemoved "parameter-removed": breaking - -, mirror ParameterAdded RequiredParameterAdded;
        "Its field is removed from the query type, and the console does not accept it."
    ParameterAdded "parameter-added": new - -, mirror ParameterRemoved;
        "It is optional."
    RequiredParameterAdded "required-parameter-added": breaking - -, mirror ParameterRemoved;
        "A request without it is rejected."
    BodyRemoved "body-removed": breaking - -, mirror BodyAdded RequiredBodyAdded;
        "Its argument is removed from the function."
    BodyAdded "body-added": new - -, mirror BodyRemoved;
        "It is optional on the wire."
    RequiredBodyAdded "required-body-added": breaking - -, mirror BodyRemoved;
        "A request without it is rejected."
    FieldRemoved "field-removed": breaking decode -, mirror FieldAdded RequiredFieldAdded;
        "A field that a program sets or reads is gone."
    FieldAdded "field-added": new new -, mirror FieldRemoved;
        "It is optional in a request; in a response, an older client keeps it in the raw body."
    RequiredFieldAdded "required-field-added": breaking - -, mirror FieldRemoved;
        "A body without it is rejected."
    ParameterRenamed "parameter-renamed": breaking - -, mirror ParameterRenamed;
        "The console does not accept the old name, and the field of the query type has the new one."
    FieldRenamed "field-renamed": breaking decode -, mirror FieldRenamed;
        "A field that a program sets or reads has another name, on the wire and in Rust."
    BecameRequired "became-required": breaking new -, mirror BecameOptional;
        "A request without it is rejected; a response always has it."
    BecameOptional "became-optional": breaking behavior -, mirror BecameRequired;
        "The constructor of the request type loses an argument; in a response it may be missing, which this client accepts and strict clients do not."
    TypeChanged "type-changed": breaking decode -, mirror TypeChanged;
        "The Rust type and the value on the wire change."
    FormatChanged "format-changed": breaking decode -, mirror FormatChanged;
        "The string or number has another format or range; a timestamp has its own Rust type."
    StructureChanged "structure-changed": breaking decode -, mirror StructureChanged;
        "The structure of an object, a list or a choice changes, and the Rust type with it."
    AdditionalPropertiesChanged "additional-properties-changed": breaking decode -, mirror AdditionalPropertiesChanged;
        "Additional properties determine whether the Rust type is a struct or a map."
    MediaTypeChanged "media-type-changed": breaking decode -, mirror MediaTypeChanged;
        "The body has another format."
    EnumValueRemoved "enum-value-removed": breaking breaking -, mirror EnumValueAdded;
        "Its variant is removed, which affects code that matches or sends it."
    EnumValueAdded "enum-value-added": new behavior -, mirror EnumValueRemoved;
        "It can be sent; in a response it is an unrecognized value until the types are regenerated."
    EnumAdded "enum-added": breaking decode -, mirror EnumRemoved;
        "A string becomes an enum, which is another Rust type."
    EnumRemoved "enum-removed": breaking decode -, mirror EnumAdded;
        "An enum becomes a string, which is another Rust type."
    BoundNarrowed "bound-narrowed": breaking docs -, mirror BoundWidened BoundNarrowed;
        "A value that was valid is rejected; the client does not check the bounds of responses."
    BoundWidened "bound-widened": new docs -, mirror BoundNarrowed;
        "A value that was invalid is accepted; the client does not check the bounds of responses."
    PatternAdded "pattern-added": breaking docs -, mirror PatternRemoved;
        "A string that was valid may be rejected; the client does not check the patterns of responses."
    PatternChanged "pattern-changed": breaking docs -, mirror PatternChanged;
        "In general, it is undecidable whether one pattern includes another."
    PatternRemoved "pattern-removed": new docs -, mirror PatternAdded;
        "Any string is accepted; the client does not check the patterns of responses."
    BecameNullable "became-nullable": new behavior -, mirror NoLongerNullable;
        "Null may be sent; a response may have null, which this client accepts and strict clients do not."
    NoLongerNullable "no-longer-nullable": breaking new -, mirror BecameNullable;
        "A null that was valid is rejected; a response always has a value."
    DefaultChanged "default-changed": behavior docs -, mirror DefaultChanged;
        "A request without it has another effect; a response has its value."
    StyleChanged "style-changed": behavior behavior -, mirror StyleChanged;
        "The same values have another serialization."
    ExplodeChanged "explode-changed": behavior behavior -, mirror ExplodeChanged;
        "The same list has another serialization."
    ReadOnlyChanged "read-only-changed": behavior docs -, mirror ReadOnlyChanged;
        "A read-only field of a request is ignored."
    SecretChanged "secret-changed": breaking breaking -, mirror SecretChanged;
        "A secret has its own Rust type."
    SelectiveChanged "selective-changed": behavior docs -, mirror SelectiveChanged;
        "It determines whether a filter with only this field counts as empty."
    SuccessStatusAdded "success-status-added": - decode -, mirror SuccessStatusRemoved;
        "The client does not decode the new response."
    SuccessStatusRemoved "success-status-removed": - decode -, mirror SuccessStatusAdded;
        "The response that the client decodes is no longer sent."
    SuccessStatusChanged "success-status-changed": - decode -, mirror SuccessStatusChanged;
        "Strict clients expect the old status code."
    ErrorStatusAdded "error-status-added": - new -, mirror ErrorStatusRemoved;
        "A failure has its own status code."
    ErrorStatusRemoved "error-status-removed": - docs -, mirror ErrorStatusAdded;
        "No program depends on a failure that no longer occurs."
    Deprecated "deprecated": docs docs docs, mirror Undeprecated;
        "It still works; the documentation recommends a replacement."
    Undeprecated "undeprecated": docs docs docs, mirror Deprecated;
        "It worked before, too."
    DescriptionChanged "description-changed": docs docs docs, mirror DescriptionChanged;
        "It is documentation only."
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.name())
    }
}
