//! What a form or an address says, as names and values: for hidden fields and links.

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};

/// The fields of a struct that say something, in its order, by the names under which it is read. A list has its name once
/// for each item, a box that is ticked is 1, and structs within are read as if their fields were the outer one's. Maps are
/// left out: their keys are not known here.
pub(crate) fn pairs_of(fields: &impl Serialize) -> Vec<(&'static str, String)> {
    all_pairs_of(fields).into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// The same, with fields that are empty: what they say is that there was nothing.
pub(crate) fn all_pairs_of(fields: &impl Serialize) -> Vec<(&'static str, String)> {
    let mut pairs = Pairs::default();
    let written = fields.serialize(&mut pairs);
    debug_assert!(written.is_ok(), "not a struct of texts, numbers, boxes and lists");
    pairs.found
}

#[derive(Default)]
struct Pairs {
    found: Vec<(&'static str, String)>,
    name: &'static str,
}

impl Pairs {
    fn push(&mut self, text: String) {
        self.found.push((self.name, text));
    }
}

/// The struct has a field that no form can have.
#[derive(Debug)]
struct NoField;

impl Display for NoField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field that no form has")
    }
}

impl std::error::Error for NoField {}

impl ser::Error for NoField {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

macro_rules! numbers {
    ($($name:ident $type:ty),*) => {$(
        fn $name(self, value: $type) -> Result<(), NoField> {
            self.push(value.to_string());
            Ok(())
        }
    )*};
}

impl Serializer for &mut Pairs {
    type Ok = ();
    type Error = NoField;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeStruct = Self;
    type SerializeTupleStruct = Impossible<(), NoField>;
    type SerializeTupleVariant = Impossible<(), NoField>;
    type SerializeMap = Skipped;
    type SerializeStructVariant = Impossible<(), NoField>;

    numbers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8, serialize_u16 u16,
        serialize_u32 u32, serialize_u64 u64, serialize_f32 f32, serialize_f64 f64, serialize_char char,
        serialize_str &str
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoField> {
        if value {
            self.push("1".into());
        }
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NoField> {
        Err(NoField)
    }

    fn serialize_none(self) -> Result<(), NoField> {
        self.push(String::new());
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoField> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoField> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoField> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoField> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NoField> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoField> {
        Err(NoField)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NoField> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NoField> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NoField> {
        Err(NoField)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoField> {
        Err(NoField)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Skipped, NoField> {
        Ok(Skipped)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoField> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoField> {
        Err(NoField)
    }
}

impl SerializeStruct for &mut Pairs {
    type Ok = ();
    type Error = NoField;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), NoField> {
        self.name = name;
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), NoField> {
        Ok(())
    }
}

impl SerializeSeq for &mut Pairs {
    type Ok = ();
    type Error = NoField;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoField> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), NoField> {
        Ok(())
    }
}

impl SerializeTuple for &mut Pairs {
    type Ok = ();
    type Error = NoField;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoField> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), NoField> {
        Ok(())
    }
}

/// A map, which is left out.
struct Skipped;

impl ser::SerializeMap for Skipped {
    type Ok = ();
    type Error = NoField;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), NoField> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), NoField> {
        Ok(())
    }

    fn end(self) -> Result<(), NoField> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Unit {
        BigHours,
    }

    #[derive(Serialize)]
    struct Part {
        sort: &'static str,
    }

    #[derive(Serialize)]
    struct Fields {
        q: String,
        label: &'static str,
        #[serde(rename = "do")]
        action: Option<i32>,
        uid: Vec<&'static str>,
        all: bool,
        outline: bool,
        unit: Unit,
        part: Part,
        #[serde(rename = "name-*")]
        names: BTreeMap<&'static str, &'static str>,
        last: Option<&'static str>,
    }

    #[test]
    fn what_says_something_is_there_in_the_order_of_the_struct() {
        let fields = Fields {
            q: "a b".into(),
            label: "",
            action: Some(7),
            uid: vec!["x", "", "y"],
            all: true,
            outline: false,
            unit: Unit::BigHours,
            part: Part { sort: "label" },
            names: [("1", "left out")].into(),
            last: None,
        };
        let wanted = [
            ("q", "a b"),
            ("do", "7"),
            ("uid", "x"),
            ("uid", "y"),
            ("all", "1"),
            ("unit", "big_hours"),
            ("sort", "label"),
        ];
        assert_eq!(pairs_of(&fields), wanted.map(|(name, value)| (name, value.to_owned())));
        let nothing = (Option::<i32>::None, [""; 0], false);
        assert_eq!(all_pairs_of(&nothing), [("", String::new())], "only what has a value has none");
        let both = (Part { sort: "a" }, Part { sort: "b" });
        assert_eq!(pairs_of(&both), [("sort", "a".to_owned()), ("sort", "b".to_owned())]);
    }
}
