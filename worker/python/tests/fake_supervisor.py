"""The other side of the channel: starts a worker, speaks frames with it, and keeps what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from mutirao._codec import decode as unpack
from mutirao._codec import encode as pack
from mutirao._frames import FrameDecoder
from mutirao._messages import FROM_WORKER, Message, decode, encode

from . import SOURCE

SAMPLES = ["-m", "mutirao.samples"]
HANDLERS = [str(Path(__file__).with_name("handlers.py"))]

COOKIE = "a cookie"
FEATURES = ["beat", "note", "enqueue"]

CHANNELS = {
    "stdio": [],
    # As a supervisor does it: what would be stdin and stdout is beside the three standard descriptors.
    "fd3": ["sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null 1>&2', "sh"],
}


class FakeSupervisor:
    """Reads block until the worker says something or is gone: a worker that is silent for ever hangs the test, which is
    how the test fails.
    """

    def __init__(self, program: list[str], channel: str = "stdio", **env: str) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{SOURCE}:{SOURCE.parent}", "MUTIRAO_COOKIE": COOKIE, **env}
        if channel != "stdio":
            environment["MUTIRAO_CHANNEL"] = channel
        self.process = subprocess.Popen(
            [*CHANNELS.get(channel, []), sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._to_worker = self.process.stdin
        self._from_worker = self.process.stdout
        self._decoder = FrameDecoder()
        self._printed = bytearray()
        self._listener = threading.Thread(target=self._listen, args=(self.process.stderr,))
        self._listener.start()
        #: Every message, in the order of arrival.
        self.heard: list[Message] = []

    def __enter__(self) -> FakeSupervisor:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    def _listen(self, stderr: Any) -> None:
        while piece := os.read(stderr.fileno(), 65_536):
            self._printed += piece

    # Speaking.

    def send_bytes(self, data: bytes) -> None:
        self._to_worker.write(data)
        self._to_worker.flush()

    def send(self, name: str, **body: Any) -> None:
        self.send_bytes(encode(Message(name, body)))

    def run(self, task: int, kind: str, args: Any = None, **more: Any) -> None:
        packed = {} if args is None else {"args": pack(args)}
        self.send("run", task=task, epoch=1, kind=kind, **packed, **more)

    def stop(self, task: Optional[int] = None, reason: str = "cancel") -> None:
        run = None if task is None else {"task": task, "epoch": 1}
        self.send("stop", run=run, reason=reason, grace_ms=60_000)

    def ack(self, note: Message) -> None:
        self.send("ack", task=note.body["task"], epoch=1, seq=note.body["seq"])

    def close(self) -> None:
        self._to_worker.close()

    # Listening.

    def next(self) -> Optional[Message]:
        """The next message; None at the end of the channel, which must not be within a frame."""
        while (payload := self._decoder.next_frame()) is None:
            piece = os.read(self._from_worker.fileno(), 65_536)
            if not piece:
                assert not self._decoder.is_partial()
                return None
            self._decoder.push(piece)
        message = decode(payload, FROM_WORKER)
        self.heard.append(message)
        return message

    def expect(self, *names: str) -> Message:
        """The next message of one of these names, whatever comes before."""
        while message := self.next():
            if message.name in names:
                return message
        raise AssertionError(f"the worker ended without {names}: {self.printed_at_end()}")

    def expect_log(self, text: str) -> Message:
        """The log line with this text: the named signal by which a handler says how far it is."""
        while (log := self.expect("log")).body["message"] != text:
            pass
        return log

    def result(self, task: int) -> Any:
        """What the run of this task returned."""
        answer = self.answer(task)
        assert answer.name == "done", answer
        return unpack(answer.body["result"]) if answer.body["result"] else None

    def failure(self, task: int) -> tuple[str, Any]:
        """Why the run of this task failed, and its wish for another."""
        answer = self.answer(task)
        assert answer.name == "fail", answer
        return answer.body["error"], answer.body["retry"]

    def answer(self, task: int) -> Message:
        while (answer := self.expect("done", "fail", "back")).body["task"] != task:
            pass
        return answer

    def welcome(self, features: Optional[list[str]] = None, beat_ms: int = 60_000) -> FakeSupervisor:
        """From the start to `welcome`."""
        hello = self.expect("hello")
        assert hello.body["cookie"] == COOKIE
        self.send("welcome", protocol=1, features=FEATURES if features is None else features, beat_ms=beat_ms)
        return self

    def greet(self, features: Optional[list[str]] = None, beat_ms: int = 60_000) -> FakeSupervisor:
        """From the start to `ready`."""
        self.welcome(features, beat_ms).expect("ready")
        return self

    def end(self) -> int:
        """The exit code, when the worker has ended by itself."""
        while self.next():
            pass
        return self.process.wait()

    def printed_at_end(self) -> str:
        """All that the worker has printed, when it has ended."""
        self.process.wait()
        self._listener.join()
        return self._printed.decode("utf-8", "replace")

    def drain(self) -> int:
        """Tells the worker to stop and waits for its end."""
        self.stop(reason="shutdown")
        self.expect("bye")
        return self.end()
