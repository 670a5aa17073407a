//! How much of the contract the transcripts visit: every legal pair of state and message, by whom it is played, and why it
//! is not where it cannot be. Nothing is played here but the pure session.

use crate::error::ContractError;
use crate::kind::Kind;
use crate::session::{State, next};
use crate::transcript::{Player, Transcript};

/// A legal pair, and who visits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub state: State,
    pub kind: Kind,
    /// Transcripts that visit it, played to the pure session.
    pub session: usize,
    pub worker: Visited,
    pub supervisor: Visited,
}

/// Whether a real program comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visited {
    /// Surely, in so many transcripts.
    In(usize),
    /// Never, and why.
    Never(&'static str),
}

const BY_STARTER: &str = "the supervisor's starter says it, and no worker";
const BEFORE_READY: &str = "no sample is slow or wrong enough before `ready`";
const NOT_NEEDED: &str = "a worker that was told to stop need not say it";
const LATE_LOG: &str = "no sample logs after a stop";
const STARTED_AT_ONCE: &str = "a sample starts each run at once and has none to give back";
const LATER: &str = "the supervisor does not name the feature yet";
const NO_HANDLER: &str = "no sample does it while the supervisor does not name the feature";
const STOPPED_ONCE: &str = "the supervisor says it once, and then kills";
const CROSSES: &str = "only the end that has said `bye` sees it, and ignores it";

/// Every pair that a player cannot be made to visit, with the reason.
const NEVER: &[(State, Kind, Player, &str)] = &[
    (State::Starting, Kind::Bye, Player::Worker, BY_STARTER),
    (State::Welcomed, Kind::Beat, Player::Worker, BEFORE_READY),
    (State::Welcomed, Kind::Bye, Player::Worker, BEFORE_READY),
    (State::Ready, Kind::Save, Player::Worker, NO_HANDLER),
    (State::Ready, Kind::Park, Player::Worker, NO_HANDLER),
    (State::Ready, Kind::Back, Player::Worker, STARTED_AT_ONCE),
    (State::Draining, Kind::Booting, Player::Worker, NOT_NEEDED),
    (State::Draining, Kind::Ready, Player::Worker, NOT_NEEDED),
    (State::Draining, Kind::Log, Player::Worker, LATE_LOG),
    (State::Draining, Kind::Save, Player::Worker, NO_HANDLER),
    (State::Draining, Kind::Park, Player::Worker, NO_HANDLER),
    (State::Draining, Kind::Back, Player::Worker, STARTED_AT_ONCE),
    (State::Closed, Kind::Run, Player::Worker, CROSSES),
    (State::Closed, Kind::Stop, Player::Worker, CROSSES),
    (State::Closed, Kind::Ack, Player::Worker, CROSSES),
    (State::Ready, Kind::Save, Player::Supervisor, LATER),
    (State::Ready, Kind::Park, Player::Supervisor, LATER),
    (State::Draining, Kind::Save, Player::Supervisor, LATER),
    (State::Draining, Kind::Park, Player::Supervisor, LATER),
    (State::Draining, Kind::Stop, Player::Supervisor, STOPPED_ONCE),
    (State::Closed, Kind::Run, Player::Supervisor, CROSSES),
    (State::Closed, Kind::Stop, Player::Supervisor, CROSSES),
    (State::Closed, Kind::Ack, Player::Supervisor, CROSSES),
];

/// What these transcripts visit of the whole legal table, in the order of its columns and rows.
///
/// # Errors
/// `Value`: a step that is not legal; a pair that nobody visits, or a player does not and [`NEVER`] does not say why; a
/// reason for a pair that is visited.
pub fn coverage(transcripts: &[(&str, Transcript)]) -> Result<Vec<Pair>, ContractError> {
    let mut plays = Vec::new();
    for (name, transcript) in transcripts {
        let visits = |transcript: &Transcript| {
            transcript.visits().map_err(|(step, violation)| {
                ContractError::value(*name, format!("transcript {name}, step {step}: {violation}"))
            })
        };
        plays.push((None, visits(transcript)?));
        for player in &transcript.players {
            plays.push((Some(*player), visits(&transcript.least(*player))?));
        }
    }
    let count = |by: Option<Player>, pair: (State, Kind)| {
        plays.iter().filter(|(player, visits)| *player == by && visits.contains(&pair)).count()
    };
    legal()
        .map(|(state, kind)| {
            let visited = |player| visited(state, kind, player, count(Some(player), (state, kind)));
            let session = count(None, (state, kind));
            if session == 0 {
                return Err(wrong(state, kind, "no transcript visits it; write one"));
            }
            let (worker, supervisor) = (visited(Player::Worker)?, visited(Player::Supervisor)?);
            Ok(Pair { state, kind, session, worker, supervisor })
        })
        .collect()
}

/// The legal table as a list.
fn legal() -> impl Iterator<Item = (State, Kind)> {
    let pairs = State::ALL.iter().flat_map(|&state| Kind::ALL.iter().map(move |&kind| (state, kind)));
    pairs.filter(|&(state, kind)| next(state, kind).is_some())
}

fn visited(state: State, kind: Kind, player: Player, count: usize) -> Result<Visited, ContractError> {
    let reason = NEVER.iter().find(|(at, of, by, _)| (*at, *of, *by) == (state, kind, player));
    match (count, reason) {
        (0, Some((.., reason))) => Ok(Visited::Never(reason)),
        (0, None) => {
            let sentence = format!("no transcript has the {} visit it; write one, or say why", player.name());
            Err(wrong(state, kind, &sentence))
        }
        (_, Some((.., reason))) => {
            let sentence = format!("the {} visits it, against the reason \"{reason}\"; remove that", player.name());
            Err(wrong(state, kind, &sentence))
        }
        (count, None) => Ok(Visited::In(count)),
    }
}

fn wrong(state: State, kind: Kind, sentence: &str) -> ContractError {
    let (kind, state) = (kind.name(), state.name());
    ContractError::value(format!("{state}/{kind}"), format!("{kind} while {state}: {sentence}"))
}
