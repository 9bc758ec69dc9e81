//! Pages of an administrator: people, sites and keys; webhooks, callbacks and their log; rules; plans of a rescoring; what other thresholds would change; how the last reload fared.

pub(super) mod accounts;
pub(super) mod connections;
pub(super) mod plans;
pub(super) mod rules;
pub(super) mod status;
pub(super) mod thresholds;

use super::super::auth::Caller;
use super::super::error::{ApiError, Code};
use super::super::state::State;
use crate::store::Store;
use crate::store::records::Sites;

/// The store under the caller's name, as the audit log is to have it.
fn acting<P>(state: &State, caller: &Caller<P>) -> Store {
    state.intake.store().acting_as(&caller.actor().name)
}

/// What concerns every site is for those who see every site.
fn sees_all<P>(caller: &Caller<P>) -> Result<(), ApiError> {
    match caller.sites() {
        Sites::All => Ok(()),
        Sites::Only(_) => Err(ApiError::new(
            Code::Forbidden,
            "this concerns every site: somebody who sees them all can do it",
        )),
    }
}

/// Sites that a caller sees, by id.
async fn site_ids<P>(state: &State, caller: &Caller<P>) -> Result<Vec<String>, ApiError> {
    let sites = state.intake.store().sites().await?.into_iter().map(|site| site.id);
    Ok(sites.filter(|id| caller.sites().contains(id)).collect())
}
