"""`Client`: asks a supervisor, from code that blocks. What it says and decides is in `_client`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, List, TypeVar, cast

from ._client import answers, requests, talk
from ._client.place import Path, choose
from ._client.retry import RETRY_FOR_S
from ._client.shell import FAILURES, lost, new_name
from ._client.talk import Ask, Give, More, Open, Patience, Pause, Talk
from ._client.wire import Wire
from ._duration import Delay
from .client_types import Enqueued, LogLine, Task, TaskInfo

T = TypeVar("T")


class Client:
    """Asks the supervisor of a database. Safe for threads. Nothing is opened before the first request.

    The supervisor is found by `socket`, else by the lock file beside `db`, else by the environment (MUTIRAO_SOCKET,
    then MUTIRAO_DB), else by `./queue.db`.

    A request that finds nobody, breaks off, or is answered with "not now" is sent again for `retry_for` seconds
    (0 is never), since a supervisor may be restarting. Every task has a name, so this never adds one twice.

    All methods raise `ClientError`: `Unreachable`, `Refused` or `Unavailable`.
    """

    def __init__(
        self,
        db: Path | None = None,
        *,
        socket: Path | None = None,
        retry_for: float = RETRY_FOR_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        new_name: Callable[[], str] = new_name,
    ) -> None:
        self._place = choose(db, socket, os.environ)
        self._patience = Patience(clock, retry_for)
        self._sleep = sleep
        self._new_name = new_name
        self._wire = Wire(self._place)

    def enqueue(
        self,
        kind: str,
        args: Any = None,
        *,
        name: str | None = None,
        queue: str | None = None,
        priority: int | str | None = None,
        delay: Delay | None = None,
        timeout: Delay | None = None,
        max_attempts: int | None = None,
        max_crashes: int | None = None,
        key: str | None = None,
        cost: Mapping[str, int] | None = None,
        budget: Mapping[str, int] | None = None,
    ) -> Enqueued:
        """Adds a task; returns once it is on the disk. The fields are those of `Task`, a bare duration is in seconds.

        Under a `name` that the same task has already, nothing is added; another task's name is `Refused`.
        """
        task = Task(kind, args, name, queue, priority, delay, timeout, max_attempts, max_crashes, key, cost, budget)
        return self._run(talk.enqueue(self._patience, task, self._new_name))

    def bulk(self, tasks: Iterable[Task | Mapping[str, Any]]) -> List[Enqueued]:
        """Adds any number of tasks, in slices of at most 1,000 and 4 MiB. Each slice is all or nothing.

        An error has the `index` of the task that is at fault, and what earlier slices have `added`.
        """
        return self._run(talk.bulk(self._patience, list(tasks), self._new_name))

    def get(self, task_id: int) -> TaskInfo:
        """The task as it stands."""
        return self._run(talk.one(self._patience, requests.task(task_id), answers.read_task))

    def wait(self, task_id: int, timeout: float | None = None) -> TaskInfo:
        """The task once it has ended, however it did. Survives a restart of the supervisor.

        Raises `WaitTimeout` after `timeout` seconds.
        """
        return self._run(talk.wait(self._patience, task_id, timeout))

    def result(self, task_id: int, timeout: float | None = None) -> Any:
        """Waits, and gives the result.

        Raises `TaskFailed`, `TaskCancelled`, and `WaitTimeout` after `timeout` seconds.
        """
        return self._run(talk.result(self._patience, task_id, timeout))

    def wait_all(self, task_ids: Iterable[int], timeout: float | None = None) -> Iterator[TaskInfo]:
        """Each task once it has ended, in the order given. `timeout` seconds are for all of them together."""
        return self._each(talk.wait_all(self._patience, list(task_ids), timeout))

    def list(self, state: str | None = None, kind: str | None = None, queue: str | None = None) -> Iterator[TaskInfo]:
        """The tasks that fit, fetched page by page as they are taken."""
        return self._each(talk.each(self._patience, {"state": state, "kind": kind, "queue": queue}))

    def cancel(self, task_id: int) -> str:
        """`cancelled`; `stopping`: it is cancelled once its processes are gone; or `already` and the final state."""
        return self._run(talk.one(self._patience, requests.cancel(task_id), answers.read_outcome))

    def retry(self, task_id: int) -> None:
        """Makes a final task available again, with new budgets. One that is not final is `Refused`."""
        self._run(talk.one(self._patience, requests.retry(task_id), answers.read_outcome))

    def reprioritise(self, task_id: int, priority: int | str) -> None:
        """Gives a waiting task another priority, as if it had always had it. One that runs or has ended is `Refused`."""
        self._run(talk.one(self._patience, requests.reprioritise(task_id, priority), answers.read_object))

    def pause(self, queue: str, key: str | None = None, duration: Delay | None = None, reason: str = "") -> None:
        """Starts no further tasks of a queue, or of one key of it, for a time or until it is resumed; what runs goes on."""
        self._run(talk.one(self._patience, requests.pause(queue, key, duration, reason), answers.read_object))

    def resume(self, queue: str, key: str | None = None) -> None:
        """Starts tasks of a queue or key again, whatever closed it. Keys that are paused by themselves stay so."""
        self._run(talk.one(self._patience, requests.resume(queue, key), answers.read_object))

    def explain(self, task_id: int) -> dict[str, Any]:
        """Why a task waits: a `sentence` for people, what `holds` it, how many are `before` it, `about_ms`."""
        return self._run(talk.one(self._patience, requests.explain(task_id), answers.read_object))

    def explain_queue(self, queue: str) -> dict[str, Any]:
        """Why a queue as a whole waits: a `sentence` for people, what `holds` it, the `keys` that hold most back."""
        return self._run(talk.one(self._patience, requests.explain_queue(queue), answers.read_object))

    def stats(self) -> dict[str, Any]:
        """The counters of queues and pools, as the supervisor tells them."""
        return self._run(talk.one(self._patience, requests.stats(), answers.read_object))

    def logs(self, task_id: int, attempt: int | None = None, follow: bool = False) -> Iterator[LogLine]:
        """What the task printed and logged: in all its runs or in one. With `follow`, until the task has ended."""
        return self._each(talk.logs(self._patience, task_id, attempt, follow))

    def close(self) -> None:
        """Closes the idle connections. A later request opens a new one."""
        self._wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, conversation: Talk[T]) -> T:
        reply = None
        try:
            while True:
                reply = self._reply(conversation.send(reply))
        except StopIteration as end:
            return cast(T, end.value)

    def _each(self, conversation: Talk[None]) -> Iterator[Any]:
        reply = None
        try:
            while True:
                step = conversation.send(reply)
                if isinstance(step, Give):
                    yield step.value
                reply = self._reply(step)
        except StopIteration:
            return
        finally:
            conversation.close()

    def _reply(self, step: talk.Step) -> Any:
        try:
            if isinstance(step, Ask):
                return self._wire.ask(step.request)
            if isinstance(step, Open):
                return self._wire.follow(step.request)
            if isinstance(step, More):
                return step.stream.more()
        except FAILURES as error:
            return lost(self._place, error)
        if isinstance(step, Pause):
            self._sleep(step.seconds)
        return None
