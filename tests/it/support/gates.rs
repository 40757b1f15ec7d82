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
    let by = Principal::shell("test");
    let rules = GateRules::default();
    let close = |connection: &mut _| gates::change(connection, (uid, name, &rules, false), &by, Micros::now());
    transaction(&mut app.connection(), close).unwrap();
}
