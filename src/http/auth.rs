//! Who calls: an API key in `Authorization: Bearer`, looked up by its hash. A handler that takes a [`Caller`] with a scope cannot be
//! reached without it.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::{ApiError, Code};
use super::state::State;
use crate::access::hash_key;
use crate::store::records::{Key, Scope};

/// How long a key that was found is believed without asking again.
const BELIEVED: Duration = Duration::from_secs(5);
/// The most keys that are remembered.
const MOST_REMEMBERED: usize = 1000;

/// Keys that were found lately.
#[derive(Default)]
pub struct KeyCache(Mutex<HashMap<[u8; 32], (Key, Instant)>>);

impl State {
    /// The live key with this text, if it has the scope.
    ///
    /// # Errors
    /// `unauthorized` for an unknown key, `forbidden` for one without the scope.
    pub async fn key(&self, text: &str, scope: Scope) -> Result<Key, ApiError> {
        let hash = hash_key(text);
        let remembered = {
            let keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
            keys.get(&hash).filter(|(_, at)| at.elapsed() < BELIEVED).map(|(key, _)| key.clone())
        };
        let key = if let Some(key) = remembered {
            key
        } else {
            let found = self.intake.store().key(hash).await?;
            let key = found
                .ok_or_else(|| ApiError::new(Code::Unauthorized, "the key is not known, or was revoked"))?;
            let mut keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.len() >= MOST_REMEMBERED {
                keys.clear();
            }
            keys.insert(hash, (key.clone(), Instant::now()));
            key
        };
        if key.scopes.contains(&scope) {
            Ok(key)
        } else {
            Err(ApiError::new(
                Code::Forbidden,
                format!("the key has no scope `{}`", format!("{scope:?}").to_lowercase()),
            ))
        }
    }
}

/// A scope as a type.
pub trait Permission {
    /// The scope.
    const SCOPE: Scope;
}

/// See [`Scope::Score`].
pub struct CanScore;
impl Permission for CanScore {
    const SCOPE: Scope = Scope::Score;
}

/// See [`Scope::Review`].
pub struct CanReview;
impl Permission for CanReview {
    const SCOPE: Scope = Scope::Review;
}

/// Somebody with a key that has the scope.
pub struct Caller<P> {
    /// The key.
    pub key: Key,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// The key's site; a request that names another is refused.
    ///
    /// # Errors
    /// `forbidden` when `named` is another site.
    pub fn site(&self, named: Option<&str>) -> Result<String, ApiError> {
        match named {
            Some(site) if site != self.key.site => Err(ApiError::new(
                Code::Forbidden,
                format!("the key is for site `{}`, not `{site}`", self.key.site),
            )),
            _ => Ok(self.key.site.clone()),
        }
    }

    /// Who is written down as the actor.
    pub fn actor(&self) -> String {
        format!("key:{}", self.key.id)
    }
}

impl<P: Permission> FromRequest for Caller<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<State>>().cloned();
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            header.and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
        Box::pin(async move {
            let token = token.ok_or_else(|| {
                ApiError::new(
                    Code::Unauthorized,
                    "send the header `Authorization: Bearer KEY`; `claque keys create` makes a key",
                )
            })?;
            let state = state.ok_or_else(|| ApiError::new(Code::StoreUnavailable, "not ready"))?;
            Ok(Self { key: state.key(&token, P::SCOPE).await?, permission: PhantomData })
        })
    }
}
