"""`AsyncClient`: the same as `Client`, for asyncio. What it says and decides is in `_client`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, List, TypeVar, cast

from ._client import answers, requests, talk
from ._client.async_wire import AsyncWire
from ._client.place import Path, choose
from ._client.retry import RETRY_FOR_S
from ._client.shell import FAILURES, lost, new_name
from ._client.talk import Ask, Give, More, Open, Patience, Pause, Talk
from ._duration import Delay
from .client_types import Enqueued, LogLine, Task, TaskInfo

T = TypeVar("T")


class AsyncClient:
    """As `Client`, within one event loop. At most 32 requests are under way at once; the others wait for their turn."""

    def __init__(
        self,
        db: Path | None = None,
        *,
        socket: Path | None = None,
        retry_for: float = RETRY_FOR_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        new_name: Callable[[], str] = new_name,
    ) -> None:
        self._place = choose(db, socket, os.environ)
        self._patience = Patience(clock, retry_for)
        self._sleep = sleep
        self._new_name = new_name
        self._wire = AsyncWire(self._place)

    async def enqueue(
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
        """As `Client.enqueue`."""
        task = Task(kind, args, name, queue, priority, delay, timeout, max_attempts, max_crashes, key, cost, budget)
        return await self._run(talk.enqueue(self._patience, task, self._new_name))

    async def bulk(self, tasks: Iterable[Task | Mapping[str, Any]]) -> List[Enqueued]:
        """As `Client.bulk`."""
        return await self._run(talk.bulk(self._patience, list(tasks), self._new_name))

    async def get(self, task_id: int) -> TaskInfo:
        """As `Client.get`."""
        return await self._run(talk.one(self._patience, requests.task(task_id), answers.read_task))

    async def wait(self, task_id: int, timeout: float | None = None) -> TaskInfo:
        """As `Client.wait`."""
        return await self._run(talk.wait(self._patience, task_id, timeout))

    async def result(self, task_id: int, timeout: float | None = None) -> Any:
        """As `Client.result`."""
        return await self._run(talk.result(self._patience, task_id, timeout))

    def wait_all(self, task_ids: Iterable[int], timeout: float | None = None) -> AsyncIterator[TaskInfo]:
        """As `Client.wait_all`."""
        return self._each(talk.wait_all(self._patience, list(task_ids), timeout))

    def list(
        self, state: str | None = None, kind: str | None = None, queue: str | None = None
    ) -> AsyncIterator[TaskInfo]:
        """As `Client.list`."""
        return self._each(talk.each(self._patience, {"state": state, "kind": kind, "queue": queue}))

    async def cancel(self, task_id: int) -> str:
        """As `Client.cancel`."""
        return await self._run(talk.one(self._patience, requests.cancel(task_id), answers.read_outcome))

    async def retry(self, task_id: int) -> None:
        """As `Client.retry`."""
        await self._run(talk.one(self._patience, requests.retry(task_id), answers.read_outcome))

    async def reprioritise(self, task_id: int, priority: int | str) -> None:
        """As `Client.reprioritise`."""
        await self._run(talk.one(self._patience, requests.reprioritise(task_id, priority), answers.read_object))

    async def pause(self, queue: str, key: str | None = None, duration: Delay | None = None, reason: str = "") -> None:
        """As `Client.pause`."""
        await self._run(talk.one(self._patience, requests.pause(queue, key, duration, reason), answers.read_object))

    async def resume(self, queue: str, key: str | None = None) -> None:
        """As `Client.resume`."""
        await self._run(talk.one(self._patience, requests.resume(queue, key), answers.read_object))

    async def explain(self, task_id: int) -> dict[str, Any]:
        """As `Client.explain`."""
        return await self._run(talk.one(self._patience, requests.explain(task_id), answers.read_object))

    async def explain_queue(self, queue: str) -> dict[str, Any]:
        """As `Client.explain_queue`."""
        return await self._run(talk.one(self._patience, requests.explain_queue(queue), answers.read_object))

    async def stats(self) -> dict[str, Any]:
        """As `Client.stats`."""
        return await self._run(talk.one(self._patience, requests.stats(), answers.read_object))

    def logs(self, task_id: int, attempt: int | None = None, follow: bool = False) -> AsyncIterator[LogLine]:
        """As `Client.logs`."""
        return self._each(talk.logs(self._patience, task_id, attempt, follow))

    async def close(self) -> None:
        """Closes the idle connections. A later request opens a new one."""
        await self._wire.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, conversation: Talk[T]) -> T:
        reply = None
        try:
            while True:
                reply = await self._reply(conversation.send(reply))
        except StopIteration as end:
            return cast(T, end.value)

    async def _each(self, conversation: Talk[None]) -> AsyncGenerator[Any, None]:
        reply = None
        try:
            while True:
                step = conversation.send(reply)
                if isinstance(step, Give):
                    yield step.value
                reply = await self._reply(step)
        except StopIteration:
            return
        finally:
            conversation.close()

    async def _reply(self, step: talk.Step) -> Any:
        try:
            if isinstance(step, Ask):
                return await self._wire.ask(step.request)
            if isinstance(step, Open):
                return await self._wire.follow(step.request)
            if isinstance(step, More):
                return await step.stream.more()
        except FAILURES as error:
            return lost(self._place, error)
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
        return None
