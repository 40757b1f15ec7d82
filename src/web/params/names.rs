//! The names of parameters, from the structs into which they are read.

use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The names of the parameters of a struct, or of several.
pub(crate) fn names_of<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut names = Vec::new();
    // Whatever is read: the names come before it.
    let _ = T::deserialize(Names(&mut names));
    names
}

struct Names<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        for name in fields {
            if !self.0.contains(name) {
                self.0.push(name);
            }
        }
        // As if nothing were sent: of several structs, the next ones are asked for as well.
        visitor.visit_map(MapDeserializer::new(std::iter::empty::<(&str, &str)>()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(NamesOfEach(self.0))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom(""))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple_struct map enum identifier ignored_any
    }
}

struct NamesOfEach<'a>(&'a mut Vec<&'static str>);

impl<'de> SeqAccess<'de> for NamesOfEach<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        seed.deserialize(Names(self.0)).map(Some)
    }
}
