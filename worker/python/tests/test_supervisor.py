"""The embedded supervisor: against a program that only pretends, and, where there is a real one, end to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from mutirao.client import Client
from mutirao.client_errors import SupervisorFailed
from mutirao.client_types import Task
from mutirao.supervisor import Supervisor, find_binary, read_ready

from .fake_door import Clock

#: Does what the text of its config says.
PRETENDER = f"""#!{sys.executable}
import json, os, signal, sys, time
mode = open(sys.argv[sys.argv.index("--config") + 1]).read()
ready_file = sys.argv[sys.argv.index("--ready-file") + 1]
print("to stdout", flush=True)
if mode == "held":
    print("the supervisor with pid 7 holds it", file=sys.stderr)
    sys.exit(75)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
if mode != "silent":
    ready = {{"socket": "/the/socket", "pid": os.getpid(), "argv": sys.argv[1:]}}
    if mode == "strange":
        ready = [ready]
    with open(ready_file + ".new", "w") as file:
        json.dump(ready, file)
    os.rename(ready_file + ".new", ready_file)
while True:
    signal.pause()
"""

REAL = os.environ.get("MUTIRAO_SUPERVISOR")


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Pretended(Folder):
    def supervisor(self, mode: str, **options: object) -> Supervisor:
        binary, config = self.folder / "pretender", self.folder / mode
        binary.write_text(PRETENDER)
        binary.chmod(0o755)
        config.write_text(mode)
        log = self.folder / "log"
        return Supervisor(config=config, binary=binary, stderr=log, **options)  # type: ignore[arg-type]

    def test_it_lives_as_long_as_the_block(self) -> None:
        supervisor = self.supervisor("good")
        with mock.patch("mutirao.supervisor.read_ready", wraps=read_ready) as read:
            with supervisor:
                pid = supervisor.pid
                os.kill(pid, 0)
                self.assertEqual(supervisor.socket, "/the/socket")
                self.assertEqual(supervisor.start().pid, pid, "it is there already")
        ready_file = read.call_args.args[0]
        self.assertFalse(os.path.exists(os.path.dirname(ready_file)), "nothing is left behind")
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertEqual(supervisor.stop(), 3, "SIGTERM, and not SIGKILL")
        self.assertEqual((self.folder / "log").read_text(), "to stdout\n")
        with supervisor:
            self.assertNotEqual(supervisor.pid, pid, "it may be started again")

    def test_the_command_line(self) -> None:
        with mock.patch("subprocess.Popen", wraps=subprocess.Popen) as popen, self.supervisor("good"):
            argv = popen.call_args.args[0]
        self.assertEqual(argv[1:4], ["run", "--config", str(self.folder / "good")])
        self.assertEqual(argv[4:6], [f"--die-with-parent={os.getpid()}", "--ready-file"])
        self.assertTrue(popen.call_args.kwargs["start_new_session"], "Ctrl-C is not for it")
        for wrong in ({}, {"config": "a", "db": "b"}):
            with self.assertRaisesRegex(SupervisorFailed, "give one of config=... and db=..."):
                Supervisor(**wrong)  # type: ignore[arg-type]

    def test_one_that_does_not_stop_is_killed(self) -> None:
        with self.supervisor("stubborn") as supervisor:
            self.assertEqual(supervisor.stop(timeout=0), -signal.SIGKILL)

    def test_it_is_told_to_stop_only_once(self) -> None:
        with self.supervisor("stubborn") as supervisor:
            with mock.patch.object(subprocess.Popen, "send_signal", autospec=True) as told:
                with mock.patch.object(subprocess.Popen, "wait", side_effect=KeyboardInterrupt):
                    self.assertRaises(KeyboardInterrupt, supervisor.stop)
                    self.assertRaises(KeyboardInterrupt, supervisor.stop)
            self.assertEqual([call.args[1] for call in told.call_args_list], [signal.SIGTERM])
            supervisor.kill()

    def test_a_start_that_fails_says_why(self) -> None:
        with self.assertRaisesRegex(
            SupervisorFailed, r"another supervisor holds.*Client\(.*\n?.*pid 7 holds it"
        ) as caught:
            self.supervisor("held").start()
        self.assertEqual((caught.exception.code, caught.exception.exit_code), ("held", 75))
        clock = Clock()
        silent = self.supervisor("silent", clock=clock, sleep=clock.sleep, start_timeout=5)
        with self.assertRaisesRegex(SupervisorFailed, "was not ready after 5 s"):
            silent.start()
        self.assertAlmostEqual(sum(clock.sleeps), 5, delta=0.1)
        self.assertEqual(silent.stop(), -signal.SIGKILL, "it was not left running")
        with self.assertRaisesRegex(SupervisorFailed, "the ready file cannot be read"):
            self.supervisor("strange").start()
        with self.assertRaises(SupervisorFailed) as caught:
            self.supervisor("held").start()
        self.assertEqual(str(caught.exception).count("pid 7"), 1, "nothing of the starts before")
        with self.assertRaisesRegex(SupervisorFailed, r"(?s)ended with 1 before it was ready; .*FileNotFoundError"):
            binary = self.folder / "pretender"
            Supervisor(config=self.folder / "nothing", binary=binary, stderr=self.folder / "log").start()
        with self.assertRaisesRegex(SupervisorFailed, "was not started"):
            self.supervisor("good").client()


class Binary(Folder):
    def test_the_order_is_argument_environment_path(self) -> None:
        for name in ("supervisor", "mine"):
            (self.folder / name).write_text("#!/bin/true\n")
            (self.folder / name).chmod(0o755)
        mine, on_path = str(self.folder / "mine"), str(self.folder / "supervisor")
        path = {"PATH": str(self.folder)}
        self.assertEqual(find_binary(mine, {"MUTIRAO_SUPERVISOR": on_path, **path}), mine)
        self.assertEqual(find_binary(None, {"MUTIRAO_SUPERVISOR": mine, **path}), mine)
        self.assertEqual(find_binary(None, path), on_path)
        for given, environ in [
            ("/none", path),
            (None, {"PATH": "/none"}),
            (None, {"MUTIRAO_SUPERVISOR": "/none", **path}),
        ]:
            with self.assertRaisesRegex(SupervisorFailed, "there is no program .*; install it with `cargo install"):
                find_binary(given, environ)


@unittest.skipUnless(REAL, "MUTIRAO_SUPERVISOR does not name a real one")
class Real(Folder):
    TASKS = 200

    def test_kills_while_waiting_lose_nothing_and_double_nothing(self) -> None:
        config = self.folder / "supervisor.toml"
        config.write_text('db = "queue.db"\n[kinds.say]\nrun = ["echo", "{word}"]\n')
        with Supervisor(config=config, stderr=self.folder / "log") as supervisor:
            client = Client(db=self.folder / "queue.db")
            self.addCleanup(client.close)
            tasks = [Task("say", {"word": str(n)}, name=f"say-{n}") for n in range(self.TASKS)]
            first = [client.enqueue(task.kind, task.args, name=task.name) for task in tasks]
            self.assertEqual(len({one.id for one in first}), self.TASKS)
            results: list[str] = []
            enough = [threading.Event(), threading.Event()]
            waiter = threading.Thread(target=self.wait_for, args=(client, [one.id for one in first], results, enough))
            waiter.start()
            for event in enough:
                event.wait()
                supervisor.kill()
                supervisor.start()
            again = [client.enqueue(task.kind, task.args, name=task.name) for task in tasks]
            self.assertEqual([(one.id, one.existing) for one in again], [(one.id, True) for one in first])
            waiter.join()
            self.assertEqual(results, [f"{n}\n" for n in range(self.TASKS)])

    def wait_for(self, client: Client, ids: list[int], results: list[str], enough: list[threading.Event]) -> None:
        for info in client.wait_all(ids):
            results.append(info.result)
            if len(results) in (self.TASKS // 10, self.TASKS // 2):
                enough[len(results) == self.TASKS // 2].set()

    def test_two_of_one_database(self) -> None:
        db = self.folder / "queue.db"
        with Supervisor(db=db, stderr=self.folder / "log") as supervisor:
            self.assertEqual(json.loads((self.folder / "queue.db.lock").read_text())["pid"], supervisor.pid)
            with self.assertRaisesRegex(SupervisorFailed, f"pid {supervisor.pid}") as caught:
                Supervisor(db=db, stderr=self.folder / "other").start()
            self.assertEqual(caught.exception.code, "held")
            self.assertEqual(supervisor.stop(), 0)


if __name__ == "__main__":
    unittest.main()
