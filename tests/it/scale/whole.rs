//! The simulation as a whole. `run` itself holds the books against each other.

use std::time::Duration;

use super::simulation::outcome::{Outcome, Phase};
use super::simulation::run;
use super::simulation::scenario::{Costs, Load, Loss, Machines, Queues, Scenario, Tokens};

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Costs that are easy to reckon with.
fn costs() -> Costs {
    Costs {
        receive: micros(10),
        answer: micros(10),
        instance_transaction: micros(50),
        database_transaction: micros(100),
        database_use: micros(10),
        client: Duration::ZERO,
        statement: micros(100),
        sync: micros(500),
        log_per_second: 1e9,
        standby: Duration::ZERO,
        log_transaction: 100,
        log_use: 1_000,
    }
}

fn scenario(instances: usize, databases: usize) -> Scenario {
    Scenario {
        instances,
        databases,
        machines: Machines::Apart { instance: 4, database: 2 },
        load: Load::Open(4_000.0),
        tokens: Tokens::Tickets { count: 1_000_000, hot: 10, share: 0.1, uses: 60 },
        queues: Queues::Database,
        loss: None,
        costs: costs(),
        duration: Duration::from_secs(2),
        warm_up: Duration::from_millis(500),
        seed: 7,
    }
}

fn lost(queues: Queues, refuses: bool) -> Scenario {
    let [from, to] = [2, 8].map(Duration::from_secs);
    let loss = Some(Loss { database: 0, from, to, refuses });
    Scenario { queues, loss, load: Load::Open(1_500.0), duration: Duration::from_secs(10), ..scenario(3, 4) }
}

fn simulate(scenario: &Scenario) -> Outcome {
    run(scenario).unwrap()
}

#[test]
fn every_use_is_answered_and_the_same_seed_has_the_same_result() {
    let outcome = simulate(&scenario(3, 2));
    assert_eq!(outcome.open, 0);
    assert!((3_600.0..4_400.0).contains(&outcome.rate), "{}", outcome.rate);
    assert!(outcome.turned_down > 0, "some of the hot tokens were used up");
    assert!(outcome.skipped > 0, "and some were locked by another instance");
    assert_eq!(format!("{outcome:?}"), format!("{:?}", simulate(&scenario(3, 2))));
}

#[test]
fn a_use_alone_takes_the_sum_of_its_parts() {
    let alone = Scenario { load: Load::Closed(1), tokens: Tokens::InTurn(1_000), ..scenario(1, 1) };
    let outcome = simulate(&alone);
    let parts = 10 + 50 + 6 * 100 + 100 + 10 + 500 + 1 + 10;
    let wait = outcome.group(Phase::Before, false).quantile(500);
    assert!(wait.abs_diff(micros(parts)) < micros(5), "{wait:?}");
}

#[test]
fn a_database_gives_what_its_cores_give_and_a_second_one_as_much_again() {
    let busy = |databases| {
        let load = Load::Closed(4_000);
        let costs = Costs { database_use: micros(400), ..costs() };
        simulate(&Scenario { load, costs, tokens: Tokens::InTurn(1_000_000), ..scenario(8, databases) })
    };
    let (one, two) = (busy(1), busy(2));
    assert!((4_500.0..5_100.0).contains(&one.rate), "{}", one.rate);
    assert!(one.database_cpu > 0.95, "{}", one.database_cpu);
    assert!((1.85..2.05).contains(&(two.rate / one.rate)), "{} and {}", one.rate, two.rate);
}

#[test]
fn with_a_queue_for_each_database_a_lost_one_delays_only_its_own_tokens() {
    for refuses in [false, true] {
        let outcome = simulate(&lost(Queues::Database, refuses));
        let others = |phase| outcome.group(phase, false);
        assert_eq!(outcome.open, 0, "what was lost is asked for again");
        assert_eq!(others(Phase::During).refused + others(Phase::During).unanswered, 0);
        assert!(others(Phase::During).quantile(990) < 2 * others(Phase::Before).quantile(990));
        let own = outcome.group(Phase::During, true);
        assert!(own.refused + own.unanswered > 0);
        assert!(own.quantile(500) > Duration::from_secs(1));
    }
}

#[test]
fn with_one_queue_everybody_waits_for_a_lost_database() {
    let outcome = simulate(&lost(Queues::Instance, false));
    assert_eq!(outcome.open, 0);
    assert!(outcome.group(Phase::During, false).quantile(500) > Duration::from_secs(1));
}

#[test]
fn with_one_limit_a_lost_database_takes_everybody_s_room() {
    let outcome = simulate(&Scenario { instances: 2, load: Load::Open(8_000.0), ..lost(Queues::Shared, false) });
    assert_eq!(outcome.open, 0);
    assert!(outcome.group(Phase::During, false).refused > 0);
}

#[test]
fn an_answer_that_a_loss_swallowed_is_given_again_and_counted_once() {
    // Answers are long under way, and the loss comes at every moment of a transaction.
    let slow = Costs { statement: micros(20_000), ..costs() };
    let lost_at = |from| {
        let loss = Some(Loss { database: 0, from, to: from + Duration::from_millis(300), refuses: true });
        simulate(&Scenario { loss, load: Load::Open(1_000.0), costs: slow.clone(), ..scenario(2, 2) }).replayed
    };
    let replayed: u32 = (0..12).map(|step| lost_at(Duration::from_millis(1_000 + 10 * step))).sum();
    assert!(replayed > 0);
}
