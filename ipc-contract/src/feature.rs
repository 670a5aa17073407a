//! The optional abilities of version 1: what each one allows, and when both sides have it. No order lives here.

use crate::kind::Kind;

macro_rules! features {
    ($($variant:ident $name:literal $what:literal,)+) => {
        /// An ability that one side uses only when the other named it too, in `hello` or `welcome`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $($variant,)+
        }

        impl Feature {
            /// Every feature of version 1.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What may be said with it, for the contract's printed table.
            pub fn allows(self) -> &'static str {
                match self {
                    $(Self::$variant => $what,)+
                }
            }
        }
    };
}

features! {
    Beat "beat" "`beat`",
    Note "note" "`note`, and the `ack` of one that spends",
    Enqueue "enqueue" "the field `enqueue` of `done`",
    Save "save" "`save` and its `ack`; the fields `steps` and `checkpoint` of `run`",
    Park "park" "`park`; the field `facts` of `run`",
}

impl Kind {
    /// The feature that both sides must have named before a message of this kind is sent.
    pub fn feature(self) -> Option<Feature> {
        match self {
            Self::Beat => Some(Feature::Beat),
            Self::Note => Some(Feature::Note),
            Self::Save => Some(Feature::Save),
            Self::Park => Some(Feature::Park),
            // An `ack` answers what needed a feature itself.
            Self::Ack
            | Self::Hello
            | Self::Booting
            | Self::Ready
            | Self::Log
            | Self::Done
            | Self::Fail
            | Self::Back
            | Self::Bye
            | Self::Welcome
            | Self::Reject
            | Self::Run
            | Self::Stop => None,
        }
    }
}

/// A set of features. Names that this version does not know are no part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u8);

impl Features {
    /// The known ones among these names.
    pub fn named<S: AsRef<str>>(names: &[S]) -> Self {
        let known = Feature::ALL.iter().filter(|feature| names.iter().any(|name| name.as_ref() == feature.name()));
        Self(known.fold(0, |set, feature| set | 1 << *feature as u8))
    }

    /// Those that both sides named.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn has(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_named_is_agreed() {
        let worker = Features::named(&["beat", "save", "teleport"]);
        let supervisor = Features::named(&["beat", "note"]);
        let agreed: Vec<_> = Feature::ALL.iter().filter(|feature| worker.and(supervisor).has(**feature)).collect();
        assert_eq!(agreed, [&Feature::Beat]);
        assert_eq!(Features::named::<&str>(&[]), Features::default());
    }
}
