//! Work on many at once, of which one may be at fault.

use super::error::Error;

/// Does `work` for all items at once. When the database rejects a statement, halves them until the one at fault is alone: it
/// must not spoil the others, and a statement for each of them would take everybody's time.
pub(super) fn in_halves<I, T>(
    items: &[I],
    work: &mut impl FnMut(&[I]) -> Result<Vec<T>, Error>,
) -> Vec<Result<T, Error>> {
    match work(items) {
        Ok(done) => done.into_iter().map(Ok).collect(),
        Err(Error::Failed(_)) if items.len() > 1 => {
            let (first, second) = items.split_at(items.len() / 2);
            let mut done = in_halves(first, work);
            done.append(&mut in_halves(second, work));
            done
        }
        Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
    }
}
