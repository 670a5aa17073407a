//! The names of all messages of version 1, and the way each one travels. No bodies live here.

use serde::{Serialize, de::DeserializeOwned};

use crate::message::{FromWorker, ToWorker};

/// Which side sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    FromWorker,
    ToWorker,
}

impl Direction {
    /// `from_worker` or `to_worker`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FromWorker => "from_worker",
            Self::ToWorker => "to_worker",
        }
    }
}

/// One line per message: enum, list and names come from it, so that none can miss one.
macro_rules! kinds {
    ($($variant:ident $name:literal $direction:ident,)+) => {
        /// A message without its body.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($variant,)+
        }

        impl Kind {
            /// Every message of version 1.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The side that sends it.
            pub fn direction(self) -> Direction {
                match self {
                    $(Self::$variant => Direction::$direction,)+
                }
            }
        }
    };
}

kinds! {
    Hello "hello" FromWorker,
    Booting "booting" FromWorker,
    Ready "ready" FromWorker,
    Beat "beat" FromWorker,
    Log "log" FromWorker,
    Note "note" FromWorker,
    Save "save" FromWorker,
    Done "done" FromWorker,
    Fail "fail" FromWorker,
    Park "park" FromWorker,
    Back "back" FromWorker,
    Bye "bye" FromWorker,
    Welcome "welcome" ToWorker,
    Reject "reject" ToWorker,
    Run "run" ToWorker,
    Stop "stop" ToWorker,
    Ack "ack" ToWorker,
}

impl Kind {
    /// The kind of this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// What travels in a frame: [`FromWorker`] or [`ToWorker`], and nothing else.
pub trait Message: Serialize + DeserializeOwned + sealed::Sealed {
    const DIRECTION: Direction;
    fn kind(&self) -> Kind;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::message::FromWorker {}
    impl Sealed for crate::message::ToWorker {}
}

impl Message for FromWorker {
    const DIRECTION: Direction = Direction::FromWorker;

    fn kind(&self) -> Kind {
        FromWorker::kind(self)
    }
}

impl Message for ToWorker {
    const DIRECTION: Direction = Direction::ToWorker;

    fn kind(&self) -> Kind {
        ToWorker::kind(self)
    }
}

impl FromWorker {
    /// What this message is, without its body.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Booting(_) => Kind::Booting,
            Self::Ready(_) => Kind::Ready,
            Self::Beat(_) => Kind::Beat,
            Self::Log(_) => Kind::Log,
            Self::Note(_) => Kind::Note,
            Self::Save(_) => Kind::Save,
            Self::Done(_) => Kind::Done,
            Self::Fail(_) => Kind::Fail,
            Self::Park(_) => Kind::Park,
            Self::Back(_) => Kind::Back,
            Self::Bye(_) => Kind::Bye,
        }
    }
}

impl ToWorker {
    /// What this message is, without its body.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Welcome(_) => Kind::Welcome,
            Self::Reject(_) => Kind::Reject,
            Self::Run(_) => Kind::Run,
            Self::Stop(_) => Kind::Stop,
            Self::Ack(_) => Kind::Ack,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_kind() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("Run"), None);
        assert_eq!(Kind::from_name(""), None);
    }
}
