//! The rules: what can change, and what each change means to a program that uses this client.
//!
//! One table. A rule has a class for what is sent, one for what is read, and one for the operation itself; `-`
//! where it cannot occur. The last column says why, in one sentence.

use serde::{Serialize, Serializer};

/// What a change means to a program that uses this client, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It does not compile any more, or its requests are refused.
    BreaksCallers,
    /// An answer does not fit, or what it read is gone.
    BreaksDecoding,
    /// It runs on and means something else.
    BehavesDifferently,
    /// It can do more than before.
    New,
    /// It sees nothing of it.
    TextOnly,
}

impl Class {
    /// All of them, worst first.
    pub const ALL: [Self; 5] =
        [Self::BreaksCallers, Self::BreaksDecoding, Self::BehavesDifferently, Self::New, Self::TextOnly];

    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BreaksCallers => "breaks callers",
            Self::BreaksDecoding => "breaks decoding",
            Self::BehavesDifferently => "behaves differently",
            Self::New => "new",
            Self::TextOnly => "text only",
        }
    }

    /// As a word for the command line and for machines.
    pub fn slug(self) -> &'static str {
        match self {
            Self::BreaksCallers => "breaks-callers",
            Self::BreaksDecoding => "breaks-decoding",
            Self::BehavesDifferently => "behaves-differently",
            Self::New => "new",
            Self::TextOnly => "text-only",
        }
    }

    /// Whether a program has to be changed.
    pub fn breaks(self) -> bool {
        matches!(self, Self::BreaksCallers | Self::BreaksDecoding)
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.slug())
    }
}

/// Which way the changed thing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Neither: it is the operation.
    Operation,
    /// What a program sends.
    Send,
    /// What a program reads.
    Read,
}

impl Direction {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Send => "send",
            Self::Read => "read",
        }
    }
}

macro_rules! class {
    (callers) => {
        Some(Class::BreaksCallers)
    };
    (decoding) => {
        Some(Class::BreaksDecoding)
    };
    (behaves) => {
        Some(Class::BehavesDifferently)
    };
    (new) => {
        Some(Class::New)
    };
    (text) => {
        Some(Class::TextOnly)
    };
    (-) => {
        None
    };
}

macro_rules! rules {
    ($($rule:ident $name:literal: $send:tt $read:tt $operation:tt, mirror $($mirror:ident)+; $reason:literal)+) => {
        /// What changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = concat!("`", $name, "`. ", $reason)] $rule,)+
        }

        impl Rule {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// In kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)+ }
            }

            /// Why its class is what it is.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$rule => $reason,)+ }
            }

            /// Its class in a direction; none where it cannot occur.
            pub fn class(self, direction: Direction) -> Option<Class> {
                let [send, read, operation] = match self {
                    $(Self::$rule => [class!($send), class!($read), class!($operation)],)+
                };
                match direction {
                    Direction::Send => send,
                    Direction::Read => read,
                    Direction::Operation => operation,
                }
            }

            /// What the same change is when the two documents are swapped.
            pub fn mirror(self) -> &'static [Self] {
                match self { $(Self::$rule => &[$(Self::$mirror),+],)+ }
            }
        }
    };
}

//   rule, its name: send read operation, what it is the other way round; why
rules! {
    OperationRemoved "operation-removed": - - callers, mirror OperationAdded;
        "Its function goes, and the console refuses the call."
    OperationAdded "operation-added": - - new, mirror OperationRemoved;
        "Nobody calls it yet."
    OperationMoved "operation-moved": - - behaves, mirror OperationMoved;
        "The function keeps its name and asks at another path; an older client asks where nothing is."
    OperationReshaped "operation-reshaped": - - callers, mirror OperationReshaped;
        "It moved to a path with other parameters, so that its function takes other arguments."
    OperationRenamed "operation-renamed": - - callers, mirror OperationRenamed;
        "The function is named after the identifier."
    OperationRelabelled "operation-relabelled": - - text, mirror OperationRelabelled;
        "An identifier of a document that no function is named after."
    PathParameterRenamed "path-parameter-renamed": - - text, mirror PathParameterRenamed;
        "What stands in a path has a place there and no name on the wire; Rust passes it by place too."
    SecurityAdded "security-added": - - callers, mirror SecurityRemoved;
        "A call without a token is refused."
    SecurityChanged "security-changed": - - callers, mirror SecurityChanged;
        "The token is sent in a way that the console does not take any more."
    SecurityRemoved "security-removed": - - behaves, mirror SecurityAdded;
        "The token is sent and nobody asks for it."
    VersionRemoved "version-removed": - - callers, mirror VersionAdded;
        "On that version of the API the client refuses the call."
    VersionAdded "version-added": - - new, mirror VersionRemoved;
        "It can be called where it could not."
    FilterMandatory "filter-mandatory": - - callers, mirror FilterChanged;
        "What was sent with an empty filter is refused."
    FilterChanged "filter-changed": - - behaves, mirror FilterMandatory FilterChanged;
        "An empty filter means something else than it did."
    KindChanged "kind-changed": - - behaves, mirror KindChanged;
        "Reads are repeated and actions are not."
    IdempotenceChanged "idempotence-changed": - - behaves, mirror IdempotenceChanged;
        "What is known of a second call decides what a caller may do after a failure."
    DestructivenessChanged "destructiveness-changed": - - behaves, mirror DestructivenessChanged;
        "A person is asked before it, or is not."
    RateChanged "rate-changed": - - behaves, mirror RateChanged;
        "Calls wait for longer or shorter."
    PermissionChanged "permission-changed": - - behaves, mirror PermissionChanged;
        "The same token may be refused, or taken."
    PagingChanged "paging-changed": - - callers, mirror PagingChanged;
        "Whether a list can be walked is a matter of types."
    ListMemberChanged "list-member-changed": - - callers, mirror ListMemberChanged;
        "The type of the answer follows from where its list stands."
    ParameterRemoved "parameter-removed": callers - -, mirror ParameterAdded RequiredParameterAdded;
        "Its field goes from the query, and the console does not know it."
    ParameterAdded "parameter-added": new - -, mirror ParameterRemoved;
        "It can be left out."
    RequiredParameterAdded "required-parameter-added": callers - -, mirror ParameterRemoved;
        "A request without it is refused."
    BodyRemoved "body-removed": callers - -, mirror BodyAdded RequiredBodyAdded;
        "Its argument goes from the function."
    BodyAdded "body-added": new - -, mirror BodyRemoved;
        "It can be left out on the wire."
    RequiredBodyAdded "required-body-added": callers - -, mirror BodyRemoved;
        "A request without it is refused."
    FieldRemoved "field-removed": callers decoding -, mirror FieldAdded RequiredFieldAdded;
        "What a program sets or reads is gone."
    FieldAdded "field-added": new new -, mirror FieldRemoved;
        "It can be left out of a request; in an answer it is kept in the raw body by those who do not know it."
    RequiredFieldAdded "required-field-added": callers - -, mirror FieldRemoved;
        "A body without it is refused."
    BecameRequired "became-required": callers new -, mirror BecameOptional;
        "What leaves it out is refused; who reads can rely on it."
    BecameOptional "became-optional": new decoding -, mirror BecameRequired;
        "It can be left out; who reads may find nothing."
    TypeChanged "type-changed": callers decoding -, mirror TypeChanged;
        "The Rust type is another one, and so is the value on the wire."
    FormatChanged "format-changed": callers decoding -, mirror FormatChanged;
        "The text or the number is written or bounded another way; a time is a Rust type of its own."
    StructureChanged "structure-changed": callers decoding -, mirror StructureChanged;
        "An object, a list or a choice is put together in another way, so that the Rust type is another one."
    MapChanged "map-changed": callers decoding -, mirror MapChanged;
        "Whether an object takes members of any name decides between a struct and a map."
    MediaTypeChanged "media-type-changed": callers decoding -, mirror MediaTypeChanged;
        "The body is written in another form."
    EnumValueRemoved "enum-value-removed": callers callers -, mirror EnumValueAdded;
        "Its variant goes, for those who match it as for those who send it."
    EnumValueAdded "enum-value-added": new behaves -, mirror EnumValueRemoved;
        "It can be sent; in an answer it arrives as a value that the types do not know until they are written anew."
    EnumImposed "enum-imposed": callers decoding -, mirror EnumLifted;
        "A text becomes an enum, which is another Rust type."
    EnumLifted "enum-lifted": callers decoding -, mirror EnumImposed;
        "An enum becomes a text, which is another Rust type."
    BoundNarrowed "bound-narrowed": callers text -, mirror BoundWidened BoundNarrowed;
        "A value that was taken is refused; the client holds answers to no bounds."
    BoundWidened "bound-widened": new text -, mirror BoundNarrowed;
        "A value that was refused is taken; the client holds answers to no bounds."
    PatternAdded "pattern-added": callers text -, mirror PatternRemoved;
        "A text that was taken may be refused; the client holds answers to no pattern."
    PatternChanged "pattern-changed": callers text -, mirror PatternChanged;
        "Whether one pattern takes all that another takes cannot be told in general."
    PatternRemoved "pattern-removed": new text -, mirror PatternAdded;
        "Any text is taken; the client holds answers to no pattern."
    BecameNullable "became-nullable": new decoding -, mirror NoLongerNullable;
        "Null may be sent; in an answer this client takes null for everything, and strict readers do not."
    NoLongerNullable "no-longer-nullable": callers new -, mirror BecameNullable;
        "A null that was taken is refused; who reads can rely on a value."
    DefaultChanged "default-changed": behaves text -, mirror DefaultChanged;
        "Whoever leaves it out gets something else; an answer says its value anyway."
    StyleChanged "style-changed": behaves behaves -, mirror StyleChanged;
        "The same values are written another way."
    ExplodeChanged "explode-changed": behaves behaves -, mirror ExplodeChanged;
        "The same list is written another way."
    AccessChanged "access-changed": behaves text -, mirror AccessChanged;
        "What is only for reading is not looked at in a request."
    SecretChanged "secret-changed": callers callers -, mirror SecretChanged;
        "A secret has a Rust type of its own."
    SelectsChanged "selects-changed": behaves text -, mirror SelectsChanged;
        "A filter that holds nothing else counts as empty, or does not any more."
    SuccessStatusAdded "success-status-added": - decoding -, mirror SuccessStatusRemoved;
        "An answer comes in a form that nobody reads."
    SuccessStatusRemoved "success-status-removed": - decoding -, mirror SuccessStatusAdded;
        "The answer that is read does not come any more."
    SuccessStatusChanged "success-status-changed": - decoding -, mirror SuccessStatusChanged;
        "Strict readers look for the status that was."
    ErrorStatusAdded "error-status-added": - new -, mirror ErrorStatusRemoved;
        "A failure is told apart that was one before."
    ErrorStatusRemoved "error-status-removed": - text -, mirror ErrorStatusAdded;
        "A failure that does not come is missed by nobody."
    Deprecated "deprecated": text text text, mirror Undeprecated;
        "It goes on working; people are told to use something else."
    Undeprecated "undeprecated": text text text, mirror Deprecated;
        "It went on working all the time."
    TextChanged "text-changed": text text text, mirror TextChanged;
        "Only people read it."
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(self.name())
    }
}
