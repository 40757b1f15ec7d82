//! A token with n uses is used n times, also while others set its uses, add to them, and undo that.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use tessera::access::Principal;
use tessera::store::actions::{ActionRequest, ActionResult, undo};
use tessera::store::{Store, actions, tokens};
use tessera::token::action::Action;
use tessera::token::settle::{Answer, Ask, Lookup};
use tessera::token::{UNLIMITED, Uid};

use crate::support::database::Database;
use crate::support::tokens::{add, token};

/// How many times the counts are held against each other; `TESSERA_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 6;
/// How many consume at the same time.
const DOORS: usize = 4;

struct SharedToken {
    store: Store,
    uid: Uid,
}

impl SharedToken {
    /// Does an action as a page does: the moment is read before the turn comes. Says by which uid it is undone.
    async fn perform(&self, action: Action) -> Option<Uid> {
        let (wanted, now) = (ActionRequest::one(self.uid, action), self.store.now());
        let by = Principal::user("anna");
        let outcome =
            self.store.write(move |connection| actions::perform(connection, &wanted, &by, now)).await.unwrap();
        match outcome {
            ActionResult::Done(uid) => Some(uid),
            ActionResult::Nothing(_) => None,
            ActionResult::Stale(_) => panic!("there was no seal"),
        }
    }

    async fn undo(&self, action: Uid) {
        let (by, now) = (Principal::user("anna"), self.store.now());
        self.store.write(move |connection| undo::undo(connection, action, &by, now)).await.unwrap();
    }

    async fn uses(&self) -> i32 {
        let uid = self.uid;
        let found = self.store.read_inline(move |connection| Ok(tokens::by_uid(connection, uid)?)).await.unwrap();
        found.map(|(_, token)| token.usage_count).unwrap()
    }
}

/// A number below `end`, another one each time.
fn random_below(end: i32) -> i32 {
    rand::random_range(0..end)
}

fn random_action() -> Action {
    match random_below(4) {
        0 => Action::AddUses(1 + random_below(50)),
        1 => Action::AddUses(-1 - random_below(50)),
        2 => Action::SetUses(1 + random_below(5_000)),
        _ => Action::SetUses(UNLIMITED),
    }
}

#[actix_web::test]
async fn what_is_consumed_stays_consumed_whatever_is_done_and_undone_meanwhile() {
    let database = Database::new();
    let rounds = std::env::var("TESSERA_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    for round in 0..rounds {
        let had = 1_000_000 + random_below(10);
        let first = token(had);
        add(&mut database.connect(), &first);
        let shared = SharedToken { store: Store::start(&database.url).unwrap(), uid: first.uid };
        let (consumed, is_over) = (AtomicI32::new(0), AtomicBool::new(false));
        let door = || async {
            let what = Lookup { uid: Some(shared.uid), ..Lookup::default() };
            let ask = Ask::once(Principal::key("door"), what);
            while !is_over.load(Ordering::SeqCst) {
                if let Answer::Done(..) = shared.store.consume(ask.clone()).await.unwrap() {
                    consumed.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let given = AtomicI32::new(0);
        let office = async {
            for _ in 0..40 {
                let action = random_action();
                let Some(done) = shared.perform(action.clone()).await else { continue };
                match action {
                    // Some uses are given, or taken, for good, and others only until both steps are undone.
                    Action::AddUses(uses) if random_below(2) == 0 => {
                        if let Some(other) = shared.perform(Action::SetUses(random_below(9))).await {
                            // While the later one stands, this finds the token changed.
                            shared.undo(done).await;
                            shared.undo(other).await;
                        }
                        if random_below(2) == 0 {
                            shared.undo(done).await;
                        } else {
                            given.fetch_add(uses, Ordering::SeqCst);
                        }
                    }
                    _ => {
                        if random_below(2) == 0 {
                            tokio::time::sleep(Duration::from_millis(rand::random_range(0..5))).await;
                        }
                        // Twice, as two people may press it.
                        futures_util::future::join(shared.undo(done), shared.undo(done)).await;
                    }
                }
            }
            is_over.store(true, Ordering::SeqCst);
        };
        futures_util::future::join(office, futures_util::future::join_all((0..DOORS).map(|_| door()))).await;
        let consumed = consumed.load(Ordering::SeqCst);
        let had = had + given.load(Ordering::SeqCst);
        assert_eq!(shared.uses().await, had - consumed, "in round {round}, after {consumed} uses");
    }
}
