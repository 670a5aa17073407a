//! What a worker's process is to do to itself before it becomes the worker: one value, made by the supervisor and read by
//! the shim. Values only.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Channel, Identity, UMASK_DEFAULT};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Whose death ends it.
    pub parent: u32,
    #[serde(with = "by_name")]
    pub channel: Channel,
    /// The folder of its cgroup.
    pub cgroup: Option<PathBuf>,
    /// Which it would have had without us.
    pub open_files: u64,
    pub open_files_max: Option<u64>,
    /// Of its user, all workers of that user together.
    pub processes: Option<u64>,
    pub file_size_bytes: Option<u64>,
    pub nice: Option<i32>,
    pub umask: u32,
    /// Whom it becomes; absent: it stays who the supervisor is.
    pub identity: Option<Identity>,
    /// It must be able to use this folder.
    pub temp: Option<PathBuf>,
}

impl Plan {
    /// A child of this process with nothing but this limit of open files.
    pub fn plain(channel: Channel, open_files: u64) -> Plan {
        Plan {
            parent: std::process::id(),
            channel,
            cgroup: None,
            open_files,
            open_files_max: None,
            processes: None,
            file_size_bytes: None,
            nice: None,
            umask: UMASK_DEFAULT,
            identity: None,
            temp: None,
        }
    }
}

/// A channel as the contract calls it.
mod by_name {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::config::Channel;

    pub(super) fn serialize<S: Serializer>(channel: &Channel, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(channel.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Channel, D::Error> {
        let name = String::deserialize(deserializer)?;
        Channel::named(&name).ok_or_else(|| D::Error::custom("no such channel"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_arrives_as_it_was_made() {
        let identity = Identity { name: "me".into(), uid: 7, gid: 8, groups: vec![8, 9] };
        let full = Plan {
            cgroup: Some("/c".into()),
            processes: Some(1),
            file_size_bytes: Some(2),
            nice: Some(-3),
            identity: Some(identity),
            temp: Some("/t".into()),
            ..Plan::plain(Channel::Fd3, 9)
        };
        for plan in [Plan::plain(Channel::Stdio, 5), full] {
            assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(), plan);
        }
        let text = serde_json::to_string(&Plan::plain(Channel::Stdio, 5)).unwrap();
        for (from, to) in [("stdio", "studio"), ("\"umask\"", "\"mask\"")] {
            assert!(serde_json::from_str::<Plan>(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
