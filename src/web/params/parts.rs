//! Parameters that several pages have in common: each is read with those of the page.

use serde::{Deserialize, Deserializer};
use validator::{Validate, ValidationErrors};

/// No parameters.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub(crate) struct NoParams {}

/// Several structs of one form or address, each with names of its own or shared ones. All but the last can do without any.
#[derive(Debug, Deserialize)]
pub(crate) struct Parts<T>(pub(crate) T);

macro_rules! parts {
    ($($part:ident $place:tt),*) => {
        impl<$($part: Validate),*> Validate for Parts<($($part,)*)> {
            fn validate(&self) -> Result<(), ValidationErrors> {
                $(self.0.$place.validate()?;)*
                Ok(())
            }
        }
    };
}

parts!(A 0, B 1);
parts!(A 0, B 1, C 2);
parts!(A 0, B 1, C 2, D 3);
parts!(A 0, B 1, C 2, D 3, E 4);

/// A text without white space at its ends, as it was meant.
pub(crate) fn trimmed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(String::deserialize(deserializer)?.trim().to_owned())
}
