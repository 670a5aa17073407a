//! What follows from one reply: it is good, it is an error, or it is asked again after a pause. Pure.

use std::time::Duration;

use super::answer::{Answer, refusal};
use super::error::{ClientError, ClientErrorKind};
use super::request::Request;

/// How long a request is tried again, unless the client is told otherwise.
pub(super) const RETRY_FOR: Duration = Duration::from_secs(30);
/// The first pause; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// More than this is not believed of a Retry-After.
const RETRY_AFTER_MAX_S: u64 = 60;
/// Overloaded, not there yet, disk full: these pass by themselves.
const STATUSES_THAT_PASS: [u16; 3] = [429, 503, 507];

/// No whole answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) message: String,
    pub(super) hint: String,
    /// The request may have been heard.
    pub(super) may_have_acted: bool,
    /// It will not be another time, such as without the right to connect.
    pub(super) is_lasting: bool,
}

/// The pause before the request that got no good answer is sent again, or the error to give. `failures` counts those before,
/// `left` is the time that is left for trying.
pub(super) fn after(
    request: &Request,
    reply: Result<&Answer, &Lost>,
    failures: u32,
    left: Duration,
) -> Result<Duration, ClientError> {
    let pause = PAUSE_FIRST.saturating_mul(1 << failures.min(16)).min(PAUSE_MAX);
    match reply {
        Ok(answer) if left.is_zero() || !STATUSES_THAT_PASS.contains(&answer.status) => Err(refusal(answer)),
        Ok(answer) => {
            let asked = answer.retry_after_s.filter(|&seconds| seconds > 0);
            Ok(asked.map_or(pause, |seconds| Duration::from_secs(seconds.min(RETRY_AFTER_MAX_S))).min(left))
        }
        Err(lost) if left.is_zero() || lost.is_lasting || (lost.may_have_acted && !request.is_safe) => {
            Err(unreachable(request, lost))
        }
        Err(_) => Ok(pause.min(left)),
    }
}

pub(super) fn unreachable(request: &Request, lost: &Lost) -> ClientError {
    let hint = if lost.may_have_acted && !request.is_safe {
        "it may have taken effect: look at the task before asking again"
    } else {
        &lost.hint
    };
    ClientError::new(ClientErrorKind::Unreachable, "not_reachable", lost.message.as_str(), hint)
}

#[cfg(test)]
mod tests {
    use super::super::request;
    use super::*;

    fn answer(status: u16, retry_after_s: Option<u64>) -> Answer {
        Answer { status, retry_after_s, body: b"{}".to_vec() }
    }

    fn lost(may_have_acted: bool, is_lasting: bool) -> Lost {
        Lost { message: "gone".into(), hint: "look".into(), may_have_acted, is_lasting }
    }

    #[test]
    fn what_passes_by_itself_is_asked_again() {
        const MINUTE: Duration = Duration::from_secs(60);
        let (safe, once) = (request::cancel(1), request::retry(1));
        let ms = |pause_ms| Some(Duration::from_millis(pause_ms));
        let table = [
            (&safe, Ok(answer(503, None)), 0, MINUTE, ms(50)),
            (&safe, Ok(answer(429, None)), 3, MINUTE, ms(400)),
            (&safe, Ok(answer(507, None)), 99, MINUTE, ms(2_000)),
            (&once, Ok(answer(503, Some(1))), 0, MINUTE, ms(1_000)),
            (&safe, Ok(answer(503, Some(7_000))), 0, MINUTE * 2, ms(60_000)),
            (&safe, Ok(answer(503, Some(1))), 0, Duration::from_millis(9), ms(9)),
            (&safe, Ok(answer(503, None)), 0, Duration::ZERO, None),
            (&safe, Ok(answer(500, None)), 0, MINUTE, None),
            (&safe, Ok(answer(409, None)), 0, MINUTE, None),
            (&safe, Err(lost(true, false)), 1, MINUTE, ms(100)),
            (&once, Err(lost(false, false)), 1, MINUTE, ms(100)),
            (&once, Err(lost(true, false)), 1, MINUTE, None),
            (&safe, Err(lost(false, true)), 1, MINUTE, None),
            (&safe, Err(lost(false, false)), 1, Duration::ZERO, None),
        ];
        for (request, reply, failures, left, expected) in table {
            let decided = after(request, reply.as_ref(), failures, left);
            assert_eq!(decided.ok(), expected, "{reply:?} after {failures}");
        }
    }

    #[test]
    fn a_request_that_may_have_acted_says_so() {
        let hint = |request: &Request| unreachable(request, &lost(true, false)).hint;
        assert!(hint(&request::retry(1)).contains("it may have taken effect"));
        assert_eq!(hint(&request::cancel(1)), "look");
    }
}
