"""What a worker does between `welcome` and `ready`. How far it is, a named pipe says."""

from __future__ import annotations

import os
import signal
import tempfile
import unittest

from .fake_supervisor import CHANNELS, HANDLERS, FakeSupervisor


class Start(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fifo = os.path.join(folder.name, "fifo")
        os.mkfifo(self.fifo)

    def slow(self) -> FakeSupervisor:
        """A worker that is preparing itself until `go_on`."""
        return FakeSupervisor(HANDLERS, PREPARE="slowly", FIFO=self.fifo).welcome(beat_ms=10)

    def go_on(self) -> None:
        with open(self.fifo, "w"):
            pass

    def test_what_is_sync_and_what_is_async_runs_before_the_first_task(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel), FakeSupervisor(HANDLERS, channel).greet() as supervisor:
                supervisor.run(1, "prepared")
                self.assertEqual(supervisor.result(1), [["sync", True], ["mutirao-loop", False]])
                names = [message.name for message in supervisor.heard]
                self.assertEqual(names, ["booting", "hello", "ready", "log", "done"], "later, booting says nothing")

    def test_it_says_that_it_goes_on_and_beats(self) -> None:
        with self.slow() as supervisor:
            self.assertEqual(supervisor.expect("booting", "ready").name, "booting")
            log = supervisor.expect("log", "ready").body
            self.assertEqual((log["run"], log["level"], len(log["message"])), (None, "warn", 8 * 1024))
            for _ in range(3):
                self.assertEqual(supervisor.expect("beat", "ready").name, "beat")
            self.go_on()
            supervisor.expect("ready")
            self.assertEqual(supervisor.drain(), 0)

    def test_a_stop_meanwhile_ends_it(self) -> None:
        for by_signal in (False, True):
            with self.subTest(by_signal=by_signal), self.slow() as supervisor:
                supervisor.expect("log")
                if by_signal:
                    supervisor.process.send_signal(signal.SIGTERM)
                else:
                    supervisor.stop(reason="shutdown")
                self.go_on()
                self.assertEqual(supervisor.end(), 0)
                # Whether it still says `ready` depends on which of the two it notices first.
                names = [message.name for message in supervisor.heard if message.name not in ("beat", "ready")]
                self.assertEqual(names, ["booting", "hello", "booting", "log", "bye"])

    def test_what_it_raises_ends_the_worker(self) -> None:
        for how, code, sentence in (("wrongly", 1, "LookupError: no model"), ("for good", 78, "")):
            with self.subTest(how), FakeSupervisor(HANDLERS, PREPARE=how).welcome() as supervisor:
                self.assertEqual(supervisor.end(), code)
                self.assertIn(sentence, supervisor.printed_at_end())
                self.assertEqual([message.name for message in supervisor.heard], ["booting", "hello"])
