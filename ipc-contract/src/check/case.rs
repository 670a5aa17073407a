//! What a case is: a rule, what the worker must have for it, and how it is played. Pure; the rules are in `cases/`.

use std::borrow::Cow;

use super::{Channel, Profile, Stage, Verdict};
use crate::feature::Feature;

type Play = Box<dyn Fn(&Stage<'_>) -> Verdict + Send + Sync>;

/// One rule of the contract, and the play that shows whether a worker keeps it.
pub struct Case {
    /// `AREA/name`.
    pub name: Cow<'static, str>,
    /// The section of SPEC.md.
    pub section: Cow<'static, str>,
    /// The rule, in a sentence.
    pub rule: Cow<'static, str>,
    pub needs: Vec<Need>,
    /// True when a slow machine can make a good worker fail: then it is played once more, alone.
    pub is_timed: bool,
    play: Play,
}

/// What a worker must have for a case; without it the case is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A handler of the second table of section 9.
    Kind(Cow<'static, str>),
    Feature(Feature),
    /// A variable of section 9 that the worker heeds.
    Variable(Cow<'static, str>),
    Channel(Channel),
    /// It says `hello`.
    Greeting,
}

/// A case that needs a worker which says `hello`.
pub(super) fn case(
    name: impl Into<Cow<'static, str>>,
    section: impl Into<Cow<'static, str>>,
    rule: impl Into<Cow<'static, str>>,
    play: impl Fn(&Stage<'_>) -> Verdict + Send + Sync + 'static,
) -> Case {
    Case {
        name: name.into(),
        section: section.into(),
        rule: rule.into(),
        needs: vec![Need::Greeting],
        is_timed: false,
        play: Box::new(play),
    }
}

impl Case {
    /// Also needs this.
    pub(super) fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// Needs this optional handler.
    pub(super) fn kind(self, kind: &'static str) -> Self {
        self.needs(Need::Kind(kind.into()))
    }

    pub(super) fn feature(self, feature: Feature) -> Self {
        self.needs(Need::Feature(feature))
    }

    pub(super) fn variable(self, name: &'static str) -> Self {
        self.needs(Need::Variable(name.into()))
    }

    pub(super) fn channel(self, channel: Channel) -> Self {
        self.needs(Need::Channel(channel))
    }

    /// Can be played with a worker that says nothing.
    pub(super) fn without_greeting(mut self) -> Self {
        self.needs.retain(|need| *need != Need::Greeting);
        self
    }

    pub(super) fn timed(mut self) -> Self {
        self.is_timed = true;
        self
    }

    /// Plays it.
    ///
    /// # Errors
    /// How the rule is broken.
    pub fn play(&self, stage: &Stage<'_>) -> Verdict {
        (self.play)(stage)
    }

    /// Why this worker cannot be tested for it, if it cannot.
    pub fn skip_reason(&self, profile: &Profile) -> Option<String> {
        self.needs.iter().find_map(|need| need.unmet(profile))
    }
}

impl Need {
    fn unmet(&self, profile: &Profile) -> Option<String> {
        let hello = profile.hello.as_ref();
        match self {
            Self::Greeting => hello.is_none().then(|| "the worker says no hello: see HELLO/first".to_owned()),
            Self::Kind(kind) => hello
                .is_none_or(|hello| !hello.kinds.iter().any(|name| name == kind))
                .then(|| format!("the worker has no handler `{kind}`")),
            Self::Feature(feature) => hello
                .is_none_or(|hello| !hello.features.iter().any(|name| name == feature.name()))
                .then(|| format!("the worker does not name the feature `{}`", feature.name())),
            Self::Variable(name) => (!profile.variables.iter().any(|known| known == name))
                .then(|| format!("the worker does not know the variable {name}")),
            Self::Channel(channel) => {
                (profile.channel != *channel).then(|| format!("the rule is about the channel {}", channel.name()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Hello;

    #[test]
    fn what_a_worker_does_not_have_is_a_reason() {
        let hello = Hello { kinds: vec!["echo".to_owned()], features: vec!["beat".to_owned()], ..Hello::default() };
        let variables = vec!["SAMPLE_BOOTING".into()];
        let good = Profile { channel: Channel::Stdio, hello: Some(hello), variables };
        let mute = Profile { channel: Channel::Stdio, hello: None, variables: Vec::new() };
        let table = [
            (Need::Greeting, None),
            (Need::Kind("echo".into()), None),
            (Need::Kind("busy".into()), Some("the worker has no handler `busy`")),
            (Need::Feature(Feature::Beat), None),
            (Need::Feature(Feature::Note), Some("the worker does not name the feature `note`")),
            (Need::Variable("SAMPLE_BOOTING".into()), None),
            (Need::Variable("SAMPLE_X".into()), Some("the worker does not know the variable SAMPLE_X")),
            (Need::Channel(Channel::Stdio), None),
            (Need::Channel(Channel::Fd3), Some("the rule is about the channel fd3")),
        ];
        for (need, reason) in table {
            assert_eq!(need.unmet(&good).as_deref(), reason, "{need:?}");
            assert!(need.unmet(&mute).is_some() || matches!(need, Need::Channel(Channel::Stdio)), "{need:?}");
        }
    }
}
