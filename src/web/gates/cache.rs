//! The gates as of the last second.

use std::sync::Arc;

use crate::store::Store;
use crate::store::gates::{EveryGate, Gate};
use crate::token::gate::GateId;
use crate::web::brief_cache::BriefCache;
use crate::web::error::Error;

/// Caches the gates.
#[derive(Default)]
pub(crate) struct GatesCache(BriefCache<(), Arc<Vec<Gate>>>);

impl GatesCache {
    /// Every gate, by name.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Vec<Gate>>, Error> {
        let ask = async {
            let gates = store.look_up(EveryGate).await?;
            Ok::<_, Error>(Some(Arc::new(gates)))
        };
        Ok(self.0.get(&(), ask).await?.unwrap_or_default())
    }

    /// Forgets the gates, after one was saved.
    pub(crate) fn forget(&self) {
        self.0.forget_all();
    }

    /// The name of a gate.
    pub(crate) async fn name(&self, store: &Store, id: Option<GateId>) -> Result<Option<String>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.find(store, |gate| gate.id == id).await?.map(|gate| gate.name))
    }

    /// A gate. One that is not among them may have been added a moment ago on another server.
    pub(crate) async fn find(&self, store: &Store, is_it: impl Fn(&Gate) -> bool) -> Result<Option<Gate>, Error> {
        let known = self.get(store).await?.iter().find(|gate| is_it(gate)).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let gates = store.look_up(EveryGate).await?;
        Ok(gates.into_iter().find(is_it))
    }
}
