"""The threads of a worker: one reads, one beats, the main one dispatches runs and sends their answers, in order.

Where handlers execute: at concurrency 1 sync ones on the main thread, else on a pool; async ones on one event loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from functools import partial
from typing import Any

from . import _output
from ._channel import Channel
from ._desk import EXIT_IO, EXIT_PROTOCOL, FEATURES, Desk, Ended, Prepare, Send, Start
from ._frames import FrameDecoder
from ._handler import Failed, Handler, Outcome, is_async, unknown_kind
from ._messages import PROTOCOL, TO_WORKER, Message, RunRef, decode
from ._output import leave
from ._post import Post
from ._running import Running, settled
from ._version import SDK
from .client_types import Task
from .context import Context, Facts, Level
from .errors import ChannelError, ContractError
from .startup import Preparation, Startup

EXIT_CHANNEL_ENDED = 1


class RunOutlet:
    """What one run tells, on its way to the supervisor."""

    def __init__(self, post: Post, ref: RunRef) -> None:
        self._post = post
        self._ref = ref

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        self._post.say(self._ref, lambda running: running.notes.progress(done, total, message))

    def note(self, message: str) -> None:
        self._post.say(self._ref, lambda running: running.notes.say(message))

    def spend(self, unit: str, amount: int) -> Future[bool]:
        return self._post.say(self._ref, lambda running: running.spend(unit, amount)) or settled(False)

    def log(self, level: Level, text: str) -> None:
        self._post.log(self._ref, level, text)

    def enqueue(self, task: Task, body: dict[str, Any]) -> None:
        self._post.say(self._ref, lambda running: running.follow_ups.add(body))

    def retire(self) -> None:
        self._post.say(self._ref, Running.retire)


class Runtime:
    """Plays a whole worker, from ``hello`` to its end. Made and run on the main thread."""

    def __init__(
        self,
        channel: Channel,
        handlers: Mapping[str, Handler],
        preparations: Sequence[Preparation],
        concurrency: int,
    ) -> None:
        self._channel = channel
        self._handlers = handlers
        self._preparations = preparations
        self._concurrency = concurrency
        self.post = Post(channel, Desk(concurrency))
        self._pool = ThreadPoolExecutor(concurrency, "mutirao-run") if concurrency > 1 else None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> Ended:
        """Returns when the worker was told to stop and everything is answered, or when it was refused. Raises what its
        preparation raises.
        """
        self.post.interrupts.install()
        hello = {
            "protocol_min": PROTOCOL,
            "protocol_max": PROTOCOL,
            "cookie": self._channel.cookie,
            "sdk": SDK,
            "kinds": sorted(self._handlers),
            "concurrency": self._concurrency,
            "features": FEATURES,
        }
        # The greeting leaves before anything else can: the other threads do not exist yet.
        self.post.send(Message("hello", hello))
        threading.Thread(target=self._read, name="mutirao-reader", daemon=True).start()
        threading.Thread(target=self.post.attend, name="mutirao-beat", daemon=True).start()
        while True:
            what = self.post.next()
            if isinstance(what, Send):
                self.post.send(*what.messages)
            elif isinstance(what, Start):
                self._start(what)
            elif isinstance(what, Prepare):
                self._prepare()
            else:
                return what

    def _read(self) -> None:
        decoder = FrameDecoder()
        try:
            while data := self.post.read():
                decoder.push(data)
                while (payload := decoder.next_frame()) is not None:
                    self.post.received(decode(payload, TO_WORKER))
        except ContractError as error:
            leave(EXIT_PROTOCOL, f"the supervisor broke the contract: {error}")
        except ChannelError as error:
            leave(EXIT_IO, str(error))
        if decoder.is_partial():
            leave(EXIT_PROTOCOL, "the supervisor's last frame is cut off")
        if not self.post.change(lambda desk: desk.may_lose_channel):
            leave(EXIT_CHANNEL_ENDED, "the supervisor is gone")
        self.post.lost()
        while True:
            self.post.terminated()

    def _prepare(self) -> None:
        startup = Startup(self.post)
        for preparation in self._preparations:
            if is_async(preparation):
                asyncio.run_coroutine_threadsafe(preparation(startup), self._serving()).result()
            else:
                preparation(startup)
        _output.flush()
        self.post.change(Desk.prepared)

    def _serving(self) -> asyncio.AbstractEventLoop:
        """The loop of all that is async, from its first use on."""
        self._loop = self._loop or _serve_loop()
        return self._loop

    def _start(self, start: Start) -> None:
        body = start.run.body
        left_ms = body["time_left_ms"]
        deadline = None if left_ms is None else time.monotonic() + left_ms / 1_000
        facts = Facts(*start.ref, body["kind"], body["attempt"], body["effect_key"], deadline)
        context = Context(facts, start.sign, RunOutlet(self.post, start.ref))
        handler = self._handlers.get(body["kind"])
        if handler is None:
            self._finish(start.ref, unknown_kind(body["kind"], sorted(self._handlers)))
        elif handler.is_async:
            self._start_async(start, handler, context)
        elif self._pool is not None:
            self._pool.submit(lambda: self._finish(start.ref, _run(handler, context, body["args"], nullcontext())))
        else:
            self._finish(start.ref, _run(handler, context, body["args"], self.post.interrupts.armed(context)))

    def _finish(self, ref: RunRef, outcome: Outcome) -> None:
        _output.flush()
        if not self._channel.is_open:
            # A process that the handler has forked came out of it. It is no worker, and has nothing to come back to.
            leave(*((1, outcome.error) if isinstance(outcome, Failed) else (0, "")))
        self.post.change(lambda desk: desk.finished(ref, outcome))

    def _start_async(self, start: Start, handler: Handler, context: Context) -> None:
        args, ended = start.run.body["args"], partial(self._finish, start.ref)
        self._serving().call_soon_threadsafe(handler.start, context, args, start.sign, ended)


def _run(handler: Handler, context: Context, args: bytes, guard: AbstractContextManager[None]) -> Outcome:
    try:
        with guard:
            return copy_context().run(handler.run, context, args)
    except BaseException as error:
        # Above all a signal that came when the handler had just ended.
        return handler.failed(error, context)


def _serve_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        while True:
            try:
                loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # Of a task that a handler has started: the end of that task, not of all others.
                continue

    threading.Thread(target=serve, name="mutirao-loop", daemon=True).start()
    return loop
