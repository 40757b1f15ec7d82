//! What is described is what there is.

use std::collections::BTreeSet;

use reqwest::Method;
use tessera::access::Role;
use tessera::web::route::Kind;
use tessera::web::routes::table;

use crate::support::app::{App, send};
use crate::support::described::{DESCRIPTION, operations, validator};
use crate::support::process::Place;

#[test]
fn every_view_of_the_route_table_is_described_and_nothing_else() {
    let mut routes = BTreeSet::new();
    for route in table().iter().filter(|route| route.info().kind == Kind::View) {
        for (method, names) in &route.info().parameters {
            routes.insert((route.info().path.to_owned(), method.as_str().to_lowercase(), names.clone()));
        }
    }
    let views = operations().into_iter();
    let described = views.map(|view| (view.path.to_owned(), view.method.to_owned(), view.parameters()));
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_parameter_has_a_description_and_stands_in_each_place() {
    for view in operations() {
        let body = &view.description["requestBody"]["content"];
        for name in view.parameters() {
            let in_query =
                view.description["parameters"].as_array().unwrap().iter().find(|other| other["name"] == name);
            let in_body = &body["application/json"]["schema"]["properties"][name];
            let text = in_query.map_or(&in_body["description"], |parameter| &parameter["description"]);
            assert!(text.as_str().is_some_and(|text| text.ends_with('.')), "{} {}: {name}", view.method, view.path);
            let in_form = &body["application/x-www-form-urlencoded"]["schema"]["properties"][name];
            assert_eq!(in_body.is_null(), in_form.is_null(), "{}: {name}", view.path);
        }
        assert!(view.description["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{}", view.path);
    }
}

#[test]
fn every_example_is_as_it_is_described() {
    for view in operations() {
        for (kind, media) in view.description["requestBody"]["content"].as_object().into_iter().flatten() {
            let Some(example) = media.get("example") else { continue };
            let errors: Vec<_> = validator(&media["schema"]).iter_errors(example).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{} {kind}: {errors:?} in {example}", view.path);
        }
        for status in view.description["responses"].as_object().unwrap().keys() {
            let response = view.response(status.parse().unwrap()).unwrap();
            for media in response["content"].as_object().into_iter().flat_map(|content| content.values()) {
                let examples = media["examples"].as_object().unwrap();
                assert!(!examples.is_empty(), "{} {status} has no example", view.path);
                let validator = validator(&media["schema"]);
                for (name, example) in examples {
                    let errors: Vec<_> = validator.iter_errors(&example["value"]).map(|e| e.to_string()).collect();
                    assert!(errors.is_empty(), "{} {status} {name}: {errors:?}", view.path);
                }
            }
        }
    }
}

#[test]
fn the_words_that_say_what_is_wrong_stay() {
    let variants = DESCRIPTION["components"]["schemas"]["Problem"]["oneOf"].as_array().unwrap();
    let words = variants.iter().map(|variant| {
        assert!(variant["description"].as_str().is_some_and(|text| text.ends_with('.')), "{variant}");
        variant["properties"]["reason"]["const"].as_str().unwrap()
    });
    assert_eq!(words.collect::<Vec<_>>().join(" "), WORDS);
}

/// Programs look at them: one may be added, but none goes or changes.
const WORDS: &str = "empty too_long control_characters invisible_characters not_ascii outer_white_space not_an_integer out_of_range \
    not_a_time no_such_local_time time_out_of_range not_a_uid not_one_of wrong_type too_many_items listed_twice too_many_values not_unique \
    uid_used names_another_token not_later not_earlier before not_together only_together contradicts unlimited uses_left_out_of_range \
    nothing_to_change no_such_gate gate_closed foreign_cursor lost_cursor key_reused key_undone no_such_use already_undone \
    too_late_to_undo malformed_number unreadable_photo photo_too_large search_too_slow no_tokens_named nothing_to_print \
    too_many_tokens voided_not_printed no_such_sheet no_such_printer not_millimetres too_many_labels \
    not_printable refused unreadable added_before missing missing_one_of unknown_parameter given_twice \
    too_many_parameters unreadable_body invalid_json not_an_object body_too_large unsupported_body";

#[actix_web::test]
async fn it_is_open_and_names_the_server() {
    let app = App::start_as("https://tickets.example.org/tickets").await;
    let answer = send(app.anonymous(Method::GET, "/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.body["servers"][0]["url"], "https://tickets.example.org/tickets");
    assert_eq!(answer.body["paths"], DESCRIPTION["paths"]);
    assert_eq!(answer.body["openapi"], "3.1.1");
}

#[test]
fn the_command_prints_it() {
    let printed = Place::new().works(&["openapi"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), *DESCRIPTION);
}

#[actix_web::test]
async fn the_roles_that_are_described_may_ask_and_no_others() {
    let app = App::start().await;
    for view in operations() {
        let method: Method = view.method.to_uppercase().parse().unwrap();
        let path = view.path.replace("{uid}", "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f");
        for role in Role::ALL {
            let may = view.description["x-roles"].as_array().unwrap().iter().any(|name| name == role.word());
            // Whoever may enter learns that a parameter is unknown, and nothing is done.
            let path = format!("{path}?no-such-parameter=1");
            let answer = send(app.request(role, method.clone(), &path)).await;
            assert_eq!(answer.status == 403, !may, "{} {path} as {}: {answer:?}", view.method, role.word());
        }
    }
}
