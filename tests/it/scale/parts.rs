//! The parts of the simulation.

use super::simulation::agenda::Time;
use super::simulation::cpu::Cpu;
use super::simulation::ledger::{Ledger, TokenNumber, UseNumber, Verdict, Wanted};
use super::simulation::outcome::Group;
use super::simulation::random::uid;
use super::simulation::shards::ShardMap;
use super::simulation::wal::Wal;

#[test]
fn two_cores_do_three_jobs_in_the_time_of_two() {
    let mut cpu = Cpu::new(2);
    let second = Time::from_secs(1);
    let ends = [0, 0, 0].map(|now| cpu.run(Time::from_secs(now), second));
    assert_eq!(ends, [1, 1, 2].map(Time::from_secs));
    assert!((cpu.load(2 * second) - 0.75).abs() < 1e-9);
}

#[test]
fn what_commits_during_a_flush_shares_the_next_one() {
    let at = Time::from_millis;
    let mut wal = Wal::new(at(1), 1_000_000.0);
    assert_eq!(wal.commit(1, 1_000, at(0)), Some(at(2)));
    assert_eq!(wal.commit(2, 500, at(1)), None);
    assert_eq!(wal.commit(3, 500, at(1)), None);
    assert_eq!(wal.flushed(at(2)), (vec![1], Some(at(4))));
    assert_eq!(wal.flushed(at(4)), (vec![2, 3], None));
    assert_eq!(wal.flushes, 2);
}

#[test]
fn tokens_are_divided_evenly() {
    for databases in [2, 4, 8] {
        let map = ShardMap::even(databases);
        let mut counts = vec![0; databases];
        for number in 0..16_000 {
            counts[map.database(uid(number).unwrap())] += 1;
        }
        let even = 16_000 / databases;
        assert!(counts.iter().all(|count| *count > even * 9 / 10 && *count < even * 11 / 10), "{counts:?}");
    }
}

#[test]
fn uids_that_somebody_counts_up_are_divided_as_well() {
    let map = ShardMap::even(4);
    let uids = (0..4_000).map(|number| format!("00000000-0000-4000-8000-{number:012}").parse().unwrap());
    let first = uids.filter(|uid| map.database(*uid) == 0).count();
    assert!((850..1_150).contains(&first), "{first}");
}

fn wanted(number: UseNumber, token: TokenNumber) -> Wanted {
    Wanted { number, token, uid: uid(token).unwrap(), made_with: 2 }
}

#[test]
fn a_use_counts_once_however_often_it_is_asked_for() {
    let mut ledger = Ledger::default();
    let asked = [wanted(1, 7), wanted(1, 7), wanted(2, 7), wanted(3, 7)];
    let mut settle = |wanted: &[Wanted]| {
        let mut held = ledger.hold(wanted);
        ledger.keep(wanted, &mut held, Time::from_secs(1))
    };
    let verdicts = settle(&asked);
    assert_eq!(verdicts, [Verdict::Done, Verdict::Replayed, Verdict::Done, Verdict::Refused]);
    assert_eq!(settle(&[wanted(2, 7)]), [Verdict::Replayed]);
    assert_eq!(ledger.tokens().collect::<Vec<_>>(), [(7, 2, 0)]);
}

#[test]
fn quantiles() {
    let mut group = Group::default();
    (1..=100).rev().for_each(|n| group.add(Time::from_millis(n)));
    assert_eq!([500, 990, 1_000].map(|rank| group.quantile(rank)), [50, 99, 100].map(Time::from_millis));
    assert_eq!(Group::default().quantile(990), Time::ZERO);
}
