//! The tasks that a handler wants to be when it has ended well: collected, counted, checked. Pure.

use ipc_contract::limits::{FOLLOW_UPS, FOLLOW_UPS_BYTES};
use ipc_contract::{ContractError, TaskSpec};

/// Bounded: the first mistake ends the collection, since nothing of it can be sent any more.
#[derive(Debug, Default)]
pub(crate) struct FollowUps {
    tasks: Vec<TaskSpec>,
    args_bytes: usize,
    mistake: Option<ContractError>,
}

impl FollowUps {
    pub(crate) fn add(&mut self, task: TaskSpec) {
        if self.mistake.is_some() {
            return;
        }
        self.args_bytes += task.args.0.len();
        let checked = task
            .validate()
            .and_then(|()| FOLLOW_UPS.check(self.tasks.len() + 1))
            .and_then(|()| FOLLOW_UPS_BYTES.check(self.args_bytes));
        match checked {
            Ok(()) => self.tasks.push(task),
            Err(error) => (self.tasks, self.mistake) = (Vec::new(), Some(error)),
        }
    }

    /// What is to be sent along with the result; a sentence when it cannot be.
    pub(crate) fn finish(self, may_enqueue: bool) -> Result<Vec<TaskSpec>, String> {
        match self.mistake {
            Some(error) => Err(format!("a follow-up task is refused: {error}")),
            None if !may_enqueue && !self.tasks.is_empty() => Err(
                "this supervisor takes no follow-up tasks; upgrade it, or enqueue them with a client before the end"
                    .to_owned(),
            ),
            None => Ok(self.tasks),
        }
    }
}

#[cfg(test)]
mod tests {
    use ipc_contract::Payload;

    use super::*;

    fn task(args_bytes: usize) -> TaskSpec {
        const BINARY_HEADER_BYTES: usize = 5;
        let args = Payload::of(serde_bytes::Bytes::new(&vec![0; args_bytes - BINARY_HEADER_BYTES])).unwrap();
        TaskSpec { kind: "k".into(), args, ..TaskSpec::default() }
    }

    fn finish(tasks: impl IntoIterator<Item = TaskSpec>) -> Result<usize, String> {
        let mut all = FollowUps::default();
        tasks.into_iter().for_each(|task| all.add(task));
        assert!(all.tasks.len() <= 1_000);
        all.finish(true).map(|tasks| tasks.len())
    }

    #[test]
    fn each_limit_is_exact_and_told() {
        const MIB: usize = 1 << 20;
        let plain = || TaskSpec { kind: "k".into(), ..TaskSpec::default() };
        assert_eq!(finish([]), Ok(0));
        assert_eq!(finish((0..1_000).map(|_| plain())), Ok(1_000));
        assert_eq!(finish([task(MIB)]), Ok(1));
        for (tasks, told) in [
            ((0..1_001).map(|_| plain()).collect(), "follow_ups has 1001 items"),
            (vec![task(MIB), plain(), task(70_000)], "follow_ups_args has 1118576 bytes"),
            (vec![TaskSpec { kind: "No Name".into(), ..TaskSpec::default() }, plain()], "kind \"No Name\" is no name"),
            (vec![TaskSpec { max_attempts: Some(0), ..plain() }], "max_attempts is 0"),
        ] as [(Vec<TaskSpec>, &str); 4]
        {
            let error = finish(tasks).unwrap_err();
            assert!(error.starts_with("a follow-up task is refused: ") && error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_supervisor_that_takes_none_is_named() {
        let mut one = FollowUps::default();
        assert_eq!(FollowUps::default().finish(false), Ok(vec![]));
        one.add(task(10));
        assert!(one.finish(false).unwrap_err().contains("takes no follow-up tasks"));
    }
}
