//! Whom the workers of a pool run as: from the name of a user to the numbers that the system knows.

use std::ffi::CString;

use nix::unistd::{User, geteuid, getgrouplist};
use serde::{Deserialize, Serialize};

/// A user with all of its groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

impl Identity {
    /// Looks a user up.
    ///
    /// # Errors
    /// There is none of this name, or the system cannot tell; a sentence.
    pub fn of(name: &str) -> Result<Identity, String> {
        let cannot = |why: &str| format!("the user {name:?} cannot be looked up: {why}; see `getent passwd`");
        let user = User::from_name(name).map_err(|error| cannot(error.desc()))?;
        let user = user.ok_or_else(|| format!("there is no user {name:?} here; make it, or name another"))?;
        let groups = CString::new(name).map_err(|error| cannot(&error.to_string()))?;
        let groups = getgrouplist(&groups, user.gid).map_err(|error| cannot(error.desc()))?;
        let groups = groups.into_iter().map(|group| group.as_raw()).collect();
        Ok(Identity { name: name.to_owned(), uid: user.uid.as_raw(), gid: user.gid.as_raw(), groups })
    }

    /// The user to become; nothing when that is who this process is, and is to stay.
    ///
    /// # Errors
    /// Those of [`Identity::of`]; only root may start workers as somebody else.
    pub fn to_become(name: &str) -> Result<Option<Identity>, String> {
        let (identity, own) = (Identity::of(name)?, geteuid());
        match (own.is_root(), identity.uid == own.as_raw()) {
            (true, _) => Ok(Some(identity)),
            (false, true) => Ok(None),
            (false, false) => Err(format!(
                "only root may start workers as {name:?}; start the supervisor as root, or as {name} without this key"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_its_name_or_a_sentence_says_that_it_is_not() {
        let root = Identity::of("root").unwrap();
        assert_eq!((root.uid, root.gid, root.groups.contains(&0)), (0, 0, true));
        for unknown in ["no-such-user-5be7", "", "a\0b"] {
            let told = Identity::of(unknown).unwrap_err();
            assert!(told.contains("there is no user") || told.contains("cannot be looked up"), "{told}");
        }
    }

    #[test]
    fn only_root_becomes_somebody_else() {
        let become_root = Identity::to_become("root");
        match geteuid().is_root() {
            true => {
                assert_eq!(become_root.unwrap().unwrap().uid, 0);
                assert_ne!(Identity::to_become("nobody").unwrap().unwrap().uid, 0);
            }
            false => assert!(become_root.unwrap_err().contains("only root may")),
        }
    }
}
