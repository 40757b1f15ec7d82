//! Raw parameters, read by serde into a struct. The struct's fields are all that there is: from them come which parameters
//! are known, in which order their errors are told, and (by schemars) how they are described.

use std::borrow::Cow;
use std::fmt::Display;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::body::{Fields, TICKED, object};
use super::raw::{List, Raw, text};
use crate::token::{LIST_MAX, Problem, TokenError, Uid, WrittenTime, shown};
use crate::web::error::Error;

/// What is wrong with a parameter: serde knows what, and whoever reads its name.
#[derive(Debug, thiserror::Error)]
#[error("{problem:?}")]
pub(super) struct ReadError {
    name: Option<String>,
    problem: Problem,
    /// It is about the request, and not about a value.
    is_api: bool,
    /// The list and the place in it of the item in which the name is.
    item: Option<(&'static str, usize)>,
}

impl ReadError {
    fn value(problem: Problem) -> Self {
        Self { name: None, problem, is_api: false, item: None }
    }

    fn api(name: &str, problem: Problem) -> Self {
        Self { name: Some(shown(name)), problem, is_api: true, item: None }
    }

    fn at(self, name: &str) -> Self {
        if self.item.is_some() {
            return self;
        }
        Self { name: self.name.or_else(|| Some(shown(name))), ..self }
    }
}

impl From<ReadError> for TokenError {
    fn from(error: ReadError) -> Self {
        let ReadError { name, problem, is_api, item } = error;
        let plain = match name {
            name if is_api => Self::Api { param: name, problem },
            Some(name) => Self::value(name, problem),
            None => Self::value(if item.is_some() { Self::ITEM } else { "" }, problem),
        };
        match item {
            Some((list, place)) => plain.in_list(list, place),
            None => plain,
        }
    }
}

impl serde::de::Error for ReadError {
    fn custom<T: Display>(_: T) -> Self {
        Self::value(Problem::Unreadable)
    }

    /// Types of this crate say what they expect in words that are known here: serde carries no more than text.
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let value = match unexpected {
            Unexpected::Str(text) => shown(text),
            // It does not fit into the type of the field.
            Unexpected::Signed(number) => {
                return Self::value(Problem::NotAnInteger { value: number.to_string(), min: None, max: None });
            }
            other => other.to_string(),
        };
        Self::value(match expected.to_string().as_str() {
            Uid::EXPECTED => Problem::NotAUid { value },
            WrittenTime::EXPECTED => Problem::NotATime { value },
            _ => Problem::Unreadable,
        })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::value(Problem::not_one_of(variant, expected.iter().copied()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::api(field, Problem::Missing { may_be_empty: false, unless: None })
    }
}

/// Reads the parameters of a struct. Others are refused by name if it `is_strict`; where there are several structs, by whoever
/// knows the names of all.
pub(super) fn read<T: DeserializeOwned>(fields: &Fields, is_strict: bool) -> Result<T, ReadError> {
    T::deserialize(Reader { fields, is_strict })
}

/// Holds that there is no parameter but these, unless it begins with `_`: one that is written wrong must not be passed over.
pub(super) fn check_known(fields: &Fields, known: &[&'static str]) -> Result<(), ReadError> {
    let is_known = |name: &str| known.iter().any(|known| means(known, name));
    let unknown = fields.keys().find(|name| !name.starts_with('_') && !is_known(name));
    let Some(name) = unknown else { return Ok(()) };
    let known = known.iter().map(|name| (*name).into()).collect();
    Err(ReadError::api(name, Problem::UnknownParameter { known }))
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    fields: &'a Fields,
    is_strict: bool,
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if self.is_strict {
            check_known(self.fields, known)?;
        }
        // In the order of the struct, which is that of its errors.
        let fields = self.fields;
        let present = known.iter().filter_map(|name| match name.strip_suffix('*') {
            Some(prefix) => Some((*name, Source::Group(Group { prefix, fields }))),
            None => Some((*name, Source::One(fields.get(*name)?))),
        });
        visitor.visit_map(Present { rest: present, value: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_seq(Each(Self { is_strict: false, ..self }))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple_struct map enum identifier ignored_any
    }
}

/// Several structs, of the same parameters.
struct Each<'a>(Reader<'a>);

impl<'de> SeqAccess<'de> for Each<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        seed.deserialize(self.0).map(Some)
    }
}

/// Whether a field of a struct means a parameter: that of its name, or with a `*` at its end each that begins so.
fn means(field: &str, name: &str) -> bool {
    field.strip_suffix('*').map_or(field == name, |prefix| name.starts_with(prefix))
}

/// What a field of a struct is read from.
enum Source<'a> {
    One(&'a Raw),
    Group(Group<'a>),
}

/// Parameters whose names begin alike, as in `name-1` and `name-2`: a map by what comes behind.
struct Group<'a> {
    prefix: &'static str,
    fields: &'a Fields,
}

impl<'de> Deserializer<'de> for Group<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let prefix = self.prefix;
        let own = self.fields.iter().filter_map(|(name, raw)| Some((name.strip_prefix(prefix)?, raw)));
        let texts = own.map(|(name, raw)| Ok((name, Parameter { name: prefix, raw }.text()?)));
        let texts: Result<Vec<_>, ReadError> = texts.collect();
        visitor.visit_map(MapDeserializer::new(texts?.into_iter()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Present<'a, I> {
    rest: I,
    value: Option<(&'static str, Source<'a>)>,
}

impl<'de, 'a, I: Iterator<Item = (&'static str, Source<'a>)>> MapAccess<'de> for Present<'a, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        self.value = self.rest.next();
        self.value.as_ref().map(|(name, _)| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        match self.value.take() {
            None => Err(ReadError::custom("no key")),
            Some((_, Source::Group(group))) => seed.deserialize(group),
            Some((name, Source::One(raw))) => seed.deserialize(Parameter { name, raw }).map_err(|error| error.at(name)),
        }
    }
}

/// One parameter.
struct Parameter<'a> {
    name: &'static str,
    raw: &'a Raw,
}

impl<'a> Parameter<'a> {
    fn text(&self) -> Result<&'a str, ReadError> {
        let wrong = || ReadError::value(Problem::WrongType { expected: "a text or a number".into() });
        self.raw.text().ok_or_else(wrong)
    }

    fn integer(&self) -> Result<i64, ReadError> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(ReadError::value(Problem::Empty));
        }
        let none = || Problem::NotAnInteger { value: shown(text), min: None, max: None };
        self.raw.integer().ok_or_else(|| ReadError::value(none()))
    }

    fn list(&self) -> Result<Cow<'a, List>, ReadError> {
        let wrong = || ReadError::value(Problem::WrongType { expected: "a JSON list".into() });
        let list = match self.raw {
            Raw::List(list) => Cow::Borrowed(list),
            Raw::Text(text) | Raw::Number(text) if self.name == TICKED => {
                let mut list = List::default();
                list.push(text.clone());
                Cow::Owned(list)
            }
            // A form or a query string holds it as text.
            Raw::Text(text) => Cow::Owned(List::read(text).map_err(|_| wrong())?),
            Raw::Number(_) | Raw::Other => return Err(wrong()),
        };
        if list.length > LIST_MAX {
            let too_many = Problem::TooManyItems { count: list.length as u64, max: LIST_MAX as u64 };
            return Err(ReadError::value(too_many));
        }
        Ok(list)
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.visit_i64(self.integer()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameter<'_> {
    type Error = ReadError;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.text()?)
    }

    /// A box of a form is ticked if it is sent.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bool(!self.text()?.is_empty())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.raw {
            Raw::Text(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let list = self.list()?;
        let items = if list.json.is_some() {
            list.items().into_iter().map(Item::read).collect()
        } else {
            list.texts.iter().map(|text| Item::Text(Cow::Borrowed(text))).collect::<Vec<_>>()
        };
        visitor.visit_seq(Items { list: self.name, items: items.into_iter().enumerate() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_enum(StrDeserializer::new(self.text()?))
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// The items of a list.
struct Items<'a> {
    list: &'static str,
    items: std::iter::Enumerate<std::vec::IntoIter<Item<'a>>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some((place, item)) = self.items.next() else { return Ok(None) };
        // Boxes of a form have no places that people know.
        let item_of = (self.list != TICKED).then_some((self.list, place));
        seed.deserialize(item).map(Some).map_err(|error| ReadError { item: item_of, ..error })
    }
}

/// An item of a list: a text, or anything else in JSON.
enum Item<'a> {
    Text(Cow<'a, str>),
    Json(&'a RawValue),
}

impl<'a> Item<'a> {
    fn read(json: &'a RawValue) -> Self {
        text(json.get()).map_or(Self::Json(json), |text| Self::Text(Cow::Owned(text)))
    }
}

impl<'de> Deserializer<'de> for Item<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self {
            Self::Text(text) => visitor.visit_str(&text),
            Self::Json(_) => Err(ReadError::value(Problem::WrongType { expected: "a text".into() })),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let wrong = || ReadError::value(Problem::WrongType { expected: "a JSON object".into() });
        let Self::Json(json) = self else { return Err(wrong()) };
        let json = Some(json.get()).filter(|json| json.starts_with('{')).ok_or_else(wrong)?;
        let fields = object(json).map_err(|problem| match problem {
            Error::Token(TokenError::Api { param, problem }) => {
                ReadError { name: param, ..ReadError::api("", problem) }
            }
            _ => wrong(),
        })?;
        Reader { fields: &fields, is_strict: true }.deserialize_struct(name, known, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
