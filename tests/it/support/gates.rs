//! Gates, as managers add and close them.

use tessera::access::Principal;
use tessera::store::connection::transaction;
use tessera::store::gates;
use tessera::token::gate::GateRules;
use tessera::token::{Micros, Uid};

use crate::support::app::App;

/// Adds a gate, and returns its uid.
pub fn add_gate(app: &App, name: &str, rules: &GateRules) -> Uid {
    let uid = Uid::random();
    let by = Principal::shell("test");
    let add = |connection: &mut _| gates::add(connection, (uid, name, rules), &by, Micros::now());
    transaction(&mut app.connection(), add).unwrap()
}

/// Closes a gate.
pub fn close_gate(app: &App, uid: Uid, name: &str) {
    change_gate(app, (uid, name, &GateRules::default(), false));
}

/// Gives a gate another name and other rules, and opens or closes it.
pub fn change_gate(app: &App, what: (Uid, &str, &GateRules, bool)) {
    let by = Principal::shell("test");
    transaction(&mut app.connection(), |connection| gates::change(connection, what, &by, Micros::now())).unwrap();
}
