//! The named entries of the language: each kind has one list, in which planned entries stand beside
//! built ones.

use crate::signature::Signature;

/// A name of the language.
#[derive(Debug)]
pub struct Entry<T: 'static> {
    /// The name, and the parameters.
    pub signature: Signature,
    /// What it stands for; `None` where this version does not compile it yet.
    pub built: Option<T>,
}

impl<T> Entry<T> {
    /// What has no parameters.
    pub const fn plain(name: &'static str, about: &'static str, built: T) -> Entry<T> {
        Entry {
            signature: Signature { name, about, positional: 0, params: &[] },
            built: Some(built),
        }
    }

    /// What is part of the language, but not of this version.
    pub const fn planned(name: &'static str) -> Entry<T> {
        Entry { signature: Signature { name, about: "", positional: 0, params: &[] }, built: None }
    }

    /// What it is called by.
    pub fn name(&self) -> &'static str {
        self.signature.name
    }
}

/// The entry of a name.
pub fn find<T: 'static>(
    entries: impl IntoIterator<Item = &'static Entry<T>>,
    name: &str,
) -> Option<&'static Entry<T>> {
    entries.into_iter().find(|entry| entry.name() == name)
}

/// The names of what is built.
pub fn built<T: 'static>(
    entries: impl IntoIterator<Item = &'static Entry<T>>,
) -> impl Iterator<Item = &'static str> {
    entries.into_iter().filter(|entry| entry.built.is_some()).map(Entry::name)
}
