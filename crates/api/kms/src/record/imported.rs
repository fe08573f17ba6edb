//! Imported material in a key's record: what is here, what expires, what waits for a rotation, and what that makes of
//! the key's state.

use serde::{Deserialize, Serialize};
use wire::Timestamp;

use crate::record::{KeyRecord, KeyState, MaterialId, MaterialRecord, Origin};

wire::text_enum! {
    /// Whether imported material expires.
    pub(crate) enum ExpirationModel {
        Expires = "KEY_MATERIAL_EXPIRES",
        DoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
}

/// Attributes of imported material.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) description: Option<String>,
    /// When it expires, if it does.
    pub(crate) valid_to: Option<Timestamp>,
}

impl MaterialRecord {
    /// Whether the material itself is here.
    pub(crate) const fn is_here(&self) -> bool {
        self.wrapped.is_some()
    }

    /// The same at `now`: expired material counts as removed.
    pub(crate) fn is_here_at(&self, now: Timestamp) -> bool {
        self.is_here() && self.expires().is_none_or(|at| at > now)
    }

    /// When it expires, if it is here and does.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.import.as_ref().filter(|_| self.is_here())?.valid_to
    }

    /// Whether it expires, if it is here.
    pub(crate) fn expiration_model(&self) -> Option<ExpirationModel> {
        let import = self.import.as_ref().filter(|_| self.is_here())?;
        Some(import.valid_to.map_or(ExpirationModel::DoesNotExpire, |_| ExpirationModel::Expires))
    }

    /// Takes the material away, and leaves all that is known of it.
    pub(crate) fn remove(&mut self) {
        self.wrapped = None;
    }

    /// The same without the material, as a key in another Region knows it before it is imported there.
    pub(crate) fn without_material(&self) -> Self {
        Self { wrapped: None, import: Some(Import::default()), ..self.clone() }
    }
}

impl KeyRecord {
    /// The versions that are the key's for good. Material that waits for a rotation is not.
    fn permanent(&self) -> impl Iterator<Item = &MaterialRecord> {
        self.materials.iter().filter(|material| self.pending != Some(material.id))
    }

    /// The material with this id.
    pub(crate) fn material_mut(&mut self, id: MaterialId) -> Option<&mut MaterialRecord> {
        self.materials.iter_mut().find(|material| material.id == id)
    }

    /// Whether material that waits for a rotation is here.
    pub(crate) fn has_pending(&self) -> bool {
        self.materials.iter().any(|material| self.pending == Some(material.id) && material.is_here())
    }

    /// Brings state and expiry in line with imported material that came, went or was taken up.
    pub(crate) fn settle(&mut self) {
        if self.origin != Origin::External {
            return;
        }
        self.expires = self.permanent().filter_map(MaterialRecord::expires).min();
        let complete = self.current.is_some() && self.permanent().all(MaterialRecord::is_here);
        self.state = match self.state {
            KeyState::Enabled | KeyState::Disabled if !complete => KeyState::PendingImport,
            KeyState::PendingImport if complete => KeyState::Enabled,
            state => state,
        };
    }

    /// The state that it is in at `now`: imported material that has expired is missing, whether or not it has been
    /// removed yet.
    pub(crate) fn state_at(&self, now: Timestamp) -> KeyState {
        match self.state {
            KeyState::Enabled | KeyState::Disabled if self.expires.is_some_and(|at| at <= now) => {
                KeyState::PendingImport
            }
            state => state,
        }
    }

    /// Removes imported material that has expired by `now`. Returns whether there was any.
    pub(crate) fn remove_expired(&mut self, now: Timestamp) -> bool {
        let mut removed = false;
        for material in &mut self.materials {
            if material.expires().is_some_and(|at| at <= now) {
                material.remove();
                removed = true;
            }
        }
        self.settle();
        removed
    }

    /// When imported material expires next.
    pub(crate) fn next_expiry(&self) -> Option<Timestamp> {
        self.materials.iter().filter_map(MaterialRecord::expires).min()
    }
}
