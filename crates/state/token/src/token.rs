//! One token that this process is logged in to, and its keys. Every call blocks until the token has answered.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crypto::SecretBytes;
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo};

use crate::error::{TokenError, is_forgery, is_loss};
use crate::key::{self, KeyFacts, SealedParts};
use crate::module::{Module, Presence};

/// Which token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// The PKCS#11 module: a shared library of the token's maker.
    pub module: PathBuf,
    /// The token's label.
    pub label: String,
}

/// Who the token says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its maker.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
}

/// A token that this process is logged in to.
///
/// A token that vanishes and comes back, or that forgets its sessions, is logged in to anew by the next call. A PIN that
/// it has refused is not tried again: tokens lock themselves after a few wrong ones.
pub struct Token {
    config: TokenConfig,
    pin: SecretBytes,
    module: Arc<Module>,
    identity: Identity,
    login: Mutex<Login>,
}

enum Login {
    In(Arc<Live>),
    /// The token is gone, as far as is known.
    Lost,
    /// It refused the PIN.
    Refused,
}

/// A login: its sessions and what was found in the token since.
struct Live {
    slot: Slot,
    /// Sessions that nobody uses at the moment.
    idle: Mutex<Vec<Session>>,
    handles: Mutex<HashMap<String, ObjectHandle>>,
    /// Never used for work, so that the login lasts when every other session is closed.
    _anchor: Mutex<Session>,
    // Last: the sessions are closed before it goes.
    _presence: Presence,
}

impl Token {
    /// Finds the token and logs in to it.
    ///
    /// # Errors
    /// [`TokenError`], but for those about keys.
    pub fn log_in(config: TokenConfig, pin: SecretBytes) -> Result<Self, TokenError> {
        let module = Module::load(&config.module)?;
        let (live, info) = Live::start(&module, &config.label, &pin)?;
        let identity = Identity {
            manufacturer: info.manufacturer_id().trim_end().to_owned(),
            model: info.model().trim_end().to_owned(),
            serial: info.serial_number().trim_end().to_owned(),
        };
        Ok(Self { config, pin, module, identity, login: Mutex::new(Login::In(Arc::new(live))) })
    }

    /// Whether the token is there and can do what its keys are for, without logging in to it.
    ///
    /// # Errors
    /// [`TokenError::Module`], [`TokenError::NoToken`], [`TokenError::Ambiguous`], [`TokenError::Unfit`].
    pub fn find(config: &TokenConfig) -> Result<(), TokenError> {
        Module::load(&config.module)?.enter().find(&config.label).map(drop)
    }

    /// Who the token says that it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The token's label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// Makes an AES-256 key in the token that never leaves it.
    ///
    /// # Errors
    /// [`TokenError::KeyExists`]; [`TokenError::Extractable`] when the token would let it go.
    pub fn generate_key(&self, label: &str) -> Result<(), TokenError> {
        match self.facts(label) {
            Err(TokenError::NoKey { .. }) => {}
            Ok(_) | Err(TokenError::AmbiguousKey { .. }) => {
                return Err(TokenError::KeyExists { key: label.to_owned() });
            }
            Err(other) => return Err(other),
        }
        let kept = self.work(|session, _| {
            // A first attempt may have made it before the token was lost.
            let key = match key::find(session, label)?.first() {
                Some(made) => *made,
                None => key::generate(session, label)?,
            };
            let facts = key::facts(session, key)?;
            let kept = facts.sensitive && !facts.extractable;
            if !kept {
                session.destroy_object(key)?;
            }
            Ok(kept)
        })?;
        if kept { Ok(()) } else { Err(TokenError::Extractable) }
    }

    /// Reads a key's attributes from the token.
    ///
    /// # Errors
    /// [`TokenError::NoKey`], [`TokenError::AmbiguousKey`].
    pub fn facts(&self, label: &str) -> Result<KeyFacts, TokenError> {
        self.with_key(label, key::facts)
    }

    /// Destroys a key.
    ///
    /// # Errors
    /// [`TokenError::NoKey`], [`TokenError::AmbiguousKey`].
    pub fn destroy_key(&self, label: &str) -> Result<(), TokenError> {
        self.with_key(label, |session, key| session.destroy_object(key))?;
        if let Login::In(live) = &*self.login.lock().unwrap_or_else(PoisonError::into_inner) {
            live.handles.lock().unwrap_or_else(PoisonError::into_inner).remove(label);
        }
        Ok(())
    }

    /// Seals `plaintext` with AES-256-GCM in the token, bound to `aad`.
    ///
    /// # Errors
    /// [`TokenError::NoKey`], [`TokenError::KeyUse`].
    pub fn seal(&self, label: &str, aad: &[u8], plaintext: &[u8]) -> Result<SealedParts, TokenError> {
        self.with_key(label, |session, key| key::seal(session, key, aad, plaintext))
    }

    /// Opens what [`seal`](Self::seal) made, in the token.
    ///
    /// # Errors
    /// [`TokenError::NotAuthentic`], [`TokenError::NoKey`], [`TokenError::KeyUse`].
    pub fn open(&self, label: &str, aad: &[u8], sealed: &SealedParts) -> Result<SecretBytes, TokenError> {
        self.with_key(label, |session, key| key::open(session, key, aad, sealed))
    }

    /// Random bytes from the token.
    ///
    /// # Errors
    /// [`TokenError::Failed`].
    pub fn random(&self, bytes: usize) -> Result<SecretBytes, TokenError> {
        let mut random = SecretBytes::from(vec![0; bytes]);
        self.work(|session, _| session.generate_random_slice(random.expose_mut()))?;
        Ok(random)
    }

    fn with_key<T>(
        &self,
        label: &str,
        mut work: impl FnMut(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<T, TokenError> {
        self.work(|session, live| {
            Ok(match live.key(session, label)? {
                Ok(key) => Ok(work(session, key)?),
                Err(missing) => Err(missing),
            })
        })
        .map_err(|error| match error {
            TokenError::KeyUse { .. } => TokenError::KeyUse { key: label.to_owned() },
            other => other,
        })?
    }

    /// Does some work in a session; once more after logging in anew if the login or the token turns out to be lost.
    fn work<T>(&self, mut work: impl FnMut(&Session, &Live) -> Result<T, Error>) -> Result<T, TokenError> {
        let mut again = true;
        loop {
            let live = self.live()?;
            let done = live.session(&self.module).and_then(|session| {
                let done = work(&session, &live)?;
                // A session that saw an error may have an operation open: it is closed instead of used again.
                live.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
                Ok(done)
            });
            match done {
                Ok(done) => return Ok(done),
                Err(error) if is_loss(&error) => {
                    self.forget(&live);
                    if !again {
                        return Err(TokenError::of(&error));
                    }
                    tracing::debug!(token = self.config.label, error = %crate::error::reason(&error), "logging in anew");
                    again = false;
                }
                Err(error) if is_forgery(&error) => return Err(TokenError::NotAuthentic),
                Err(Error::Pkcs11(
                    RvError::KeyFunctionNotPermitted | RvError::KeyTypeInconsistent | RvError::KeySizeRange,
                    _,
                )) => return Err(TokenError::KeyUse { key: String::new() }),
                Err(error) => return Err(TokenError::of(&error)),
            }
        }
    }

    fn live(&self) -> Result<Arc<Live>, TokenError> {
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        match &*login {
            Login::In(live) => return Ok(Arc::clone(live)),
            Login::Refused => return Err(TokenError::WrongPin { label: self.config.label.clone() }),
            Login::Lost => {}
        }
        match Live::start(&self.module, &self.config.label, &self.pin) {
            Ok((live, _)) => {
                tracing::info!(token = self.config.label, "logged in to the token again");
                let live = Arc::new(live);
                *login = Login::In(Arc::clone(&live));
                Ok(live)
            }
            Err(error) => {
                if error.is_login_refusal() {
                    *login = Login::Refused;
                }
                Err(error)
            }
        }
    }

    fn forget(&self, lost: &Arc<Live>) {
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*login, Login::In(live) if Arc::ptr_eq(live, lost)) {
            *login = Login::Lost;
        }
    }
}

impl Live {
    fn start(module: &Arc<Module>, label: &str, pin: &SecretBytes) -> Result<(Self, TokenInfo), TokenError> {
        let entering = module.enter();
        let (slot, info) = entering.find(label)?;
        let presence = entering.stay();
        let anchor = module.context.open_rw_session(slot).map_err(|error| TokenError::of(&error))?;
        module.log_in(&anchor, &info, label, pin)?;
        let (idle, handles, anchor) = (Mutex::default(), Mutex::default(), Mutex::new(anchor));
        Ok((Self { slot, idle, handles, _anchor: anchor, _presence: presence }, info))
    }

    fn session(&self, module: &Module) -> Result<Session, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| module.context.open_rw_session(self.slot), Ok)
    }

    /// The one key of this label.
    fn key(&self, session: &Session, label: &str) -> Result<Result<ObjectHandle, TokenError>, Error> {
        if let Some(known) = self.handles.lock().unwrap_or_else(PoisonError::into_inner).get(label) {
            return Ok(Ok(*known));
        }
        let found = key::find(session, label)?;
        Ok(match found.as_slice() {
            [] => Err(TokenError::NoKey { key: label.to_owned() }),
            [only] => {
                self.handles.lock().unwrap_or_else(PoisonError::into_inner).insert(label.to_owned(), *only);
                Ok(*only)
            }
            _ => Err(TokenError::AmbiguousKey { key: label.to_owned() }),
        })
    }
}
