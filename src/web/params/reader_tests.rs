use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::token::Given;
use crate::web::params::body::{object, pairs};
use crate::web::params::names::names_of;

#[derive(Debug, Default, Deserialize, PartialEq)]
struct Read {
    count: u32,
    #[serde(default)]
    value: Given<String>,
    token: Option<Uid>,
    #[serde(default)]
    is_open: bool,
    #[serde(default, rename = "name-*")]
    names: BTreeMap<String, String>,
}

fn read_form(text: &str) -> Result<Read, TokenError> {
    Ok(read(&pairs(text, "form").unwrap(), true)?)
}

#[test]
fn a_struct_is_read_from_a_form_and_from_json() {
    let uid = "1F0E6C1A-54F7-4B1C-9D5E-0A3B7C2D4E6F";
    let form = read_form(&format!("count=+7+&value=&token={uid}&is_open=on&name-1=a&name-x=b&_=free")).unwrap();
    let names = [("1", "a"), ("x", "b")].map(|(place, name)| (place.to_owned(), name.to_owned()));
    let wanted = Read { count: 7, value: Given::Empty, token: uid.parse().ok(), is_open: true, names: names.into() };
    assert_eq!(form, wanted);
    let json = object(r#"{"count": 7, "value": null, "token": null, "is_open": ""}"#).unwrap();
    assert_eq!(read::<Read>(&json, true).unwrap(), Read { count: 7, value: Given::Empty, ..Read::default() });
    assert_eq!(read_form("count=7").unwrap(), Read { count: 7, ..Read::default() });
    assert_eq!(names_of::<Read>(), ["count", "value", "token", "is_open", "name-*"]);
}

#[test]
fn what_is_wrong_is_named_in_the_order_of_the_struct() {
    let refused = |text: &str| {
        let error = read_form(text).unwrap_err();
        (error.param().unwrap_or_default().to_owned(), error.problem().map(Problem::reason).unwrap_or_default())
    };
    for (text, param, reason) in [
        ("value=1", "count", "missing"),
        ("count=many", "count", "not_an_integer"),
        ("count=", "count", "empty"),
        ("count=-1", "count", "not_an_integer"),
        ("count=1&token=17", "token", "not_a_uid"),
        ("count=1&Value=1", "Value", "unknown_parameter"),
        ("count=x&token=17", "count", "not_an_integer"),
    ] {
        assert_eq!(refused(text), (param.to_owned(), reason.to_owned()), "{text}");
    }
}
