//! PKCS#11 modules: each is loaded and initialised once in a process, and shared by all its tokens.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::{SecretBytes, constant_time_eq};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;

use crate::error::{TokenError, reason};

/// The modules of this process, and for ever: unloading one under a library's own threads is not safe.
static MODULES: Mutex<Vec<Arc<Module>>> = Mutex::new(Vec::new());

/// Mechanisms that a token must have, with PKCS#11's names.
const NEEDED: [(MechanismType, &str); 2] =
    [(MechanismType::AES_KEY_GEN, "CKM_AES_KEY_GEN"), (MechanismType::AES_GCM, "CKM_AES_GCM")];

/// A module that is ready for use.
pub(crate) struct Module {
    path: PathBuf,
    pub(crate) context: Pkcs11,
    /// The PINs that tokens were logged in with, by serial number. A token has one login per process and does not check
    /// the PIN of a second, so it is compared here.
    logins: Mutex<Vec<(String, SecretBytes)>>,
    /// Held while somebody looks for a token and logs in to it.
    entrance: Mutex<()>,
    /// How many logins there are.
    present: AtomicUsize,
}

/// Somebody who is looking for a token, alone.
pub(crate) struct Entering<'a> {
    module: &'a Arc<Module>,
    _alone: MutexGuard<'a, ()>,
}

/// Somebody whose sessions would not outlast a restart of the module.
pub(crate) struct Presence(Arc<Module>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Module {
    /// The module at `path`, loaded and initialised.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, TokenError> {
        let failed = |reason: String| TokenError::Module { path: path.to_owned(), reason };
        let path = path.canonicalize().map_err(|error| failed(error.to_string()))?;
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = modules.iter().find(|module| module.path == path) {
            return Ok(Arc::clone(known));
        }
        let context = Pkcs11::new(&path).map_err(|error| failed(reason(&error)))?;
        initialize(&context).map_err(|error| failed(reason(&error)))?;
        let (logins, entrance, present) = (Mutex::default(), Mutex::default(), AtomicUsize::default());
        let module = Arc::new(Self { path, context, logins, entrance, present });
        modules.push(Arc::clone(&module));
        Ok(module)
    }

    /// Waits until nobody else is looking for a token.
    pub(crate) fn enter(self: &Arc<Self>) -> Entering<'_> {
        Entering { module: self, _alone: self.entrance.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// The slot of the one initialised token with this label, as the module sees it now.
    fn find(&self, label: &str) -> Result<(Slot, TokenInfo), TokenError> {
        let slots = self.context.get_slots_with_token().map_err(|error| TokenError::of(&error))?;
        // A slot whose token goes away meanwhile is none with this label.
        let tokens = slots.into_iter().filter_map(|slot| Some((slot, self.context.get_token_info(slot).ok()?)));
        let mut found: Vec<_> =
            tokens.filter(|(_, info)| info.token_initialized() && info.label().trim_end() == label).collect();
        match (found.pop(), found.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(TokenError::NoToken { label: label.to_owned() }),
            (Some(_), others) => Err(TokenError::Ambiguous { label: label.to_owned(), count: others + 1 }),
        }
    }

    /// Whether a token can do what its keys are for.
    fn check(&self, slot: Slot, label: &str) -> Result<(), TokenError> {
        let has = self.context.get_mechanism_list(slot).map_err(|error| TokenError::of(&error))?;
        match NEEDED.into_iter().find(|(needed, _)| !has.contains(needed)) {
            Some((_, mechanism)) => Err(TokenError::Unfit { label: label.to_owned(), mechanism }),
            None => Ok(()),
        }
    }

    /// Logs the process in to the token of `session`.
    pub(crate) fn log_in(
        &self,
        session: &Session,
        info: &TokenInfo,
        label: &str,
        pin: &SecretBytes,
    ) -> Result<(), TokenError> {
        // Locked over the login, so that of two users who log in at once the second finds the PIN of the first.
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let label = || label.to_owned();
        let serial = info.serial_number();
        let raw = RawAuthPin::new(Box::new(pin.expose().to_vec()));
        match session.login_with_raw(UserType::User, &raw) {
            Ok(()) => {
                logins.retain(|(known, _)| known != serial);
                logins.push((serial.to_owned(), SecretBytes::from(pin.expose())));
                Ok(())
            }
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                let known = logins.iter().find(|(known, _)| known == serial);
                match known {
                    Some((_, known)) if constant_time_eq(known.expose(), pin.expose()) => Ok(()),
                    _ => Err(TokenError::WrongPin { label: label() }),
                }
            }
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                Err(TokenError::WrongPin { label: label() })
            }
            Err(Error::Pkcs11(RvError::PinLocked | RvError::PinExpired, _)) => {
                Err(TokenError::PinLocked { label: label() })
            }
            Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) => Err(TokenError::NoUser { label: label() }),
            Err(error) => Err(TokenError::of(&error)),
        }
    }
}

impl Entering<'_> {
    /// Finds the token with this label, one that can do what its keys are for.
    ///
    /// Some modules look for tokens only when they start: one that does not find it is started anew, unless somebody is
    /// logged in through it.
    pub(crate) fn find(&self, label: &str) -> Result<(Slot, TokenInfo), TokenError> {
        let (slot, info) = self.look_for(label)?;
        self.module.check(slot, label)?;
        Ok((slot, info))
    }

    fn look_for(&self, label: &str) -> Result<(Slot, TokenInfo), TokenError> {
        let module = self.module;
        let failed = |error: Error| TokenError::Module { path: module.path.clone(), reason: reason(&error) };
        // It is not running when the last attempt to start it failed.
        initialize(&module.context).map_err(failed)?;
        let found = module.find(label);
        if !matches!(found, Err(TokenError::NoToken { .. })) || module.present.load(Ordering::Acquire) > 0 {
            return found;
        }
        match module.context.clone().finalize() {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {}
            Err(error) => return Err(failed(error)),
        }
        initialize(&module.context).map_err(failed)?;
        module.find(label)
    }

    /// Stays, so that the module is not started anew meanwhile.
    pub(crate) fn stay(&self) -> Presence {
        self.module.present.fetch_add(1, Ordering::AcqRel);
        Presence(Arc::clone(self.module))
    }
}

fn initialize(context: &Pkcs11) -> Result<(), Error> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(error),
    }
}
