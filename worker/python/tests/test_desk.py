"""The desk and its notes, in tables: what is said when, without a thread, a clock or a byte."""

from __future__ import annotations

import random
import unittest
from typing import Any, Union

from mutirao._desk import FEATURES, Desk, Ended, Prepare, Send, Start
from mutirao._handler import Done, Failed
from mutirao._messages import TO_WORKER, Message, RunRef, decode, encode
from mutirao._notes import AMOUNT_MAX, PROGRESS_INTERVAL_MS, UNSENT_MAX_NOTES, Notes
from mutirao._running import Running
from mutirao.errors import ContractError


def run(task: int, epoch: int = 1, **more: Any) -> Message:
    return decode(encode(Message("run", {"task": task, "epoch": epoch, "kind": "k", **more}))[4:], TO_WORKER)


def stop(task: Union[int, None], reason: str = "cancel") -> Message:
    ref = None if task is None else {"task": task, "epoch": 1}
    return Message("stop", {"run": ref, "reason": reason, "grace_ms": 100})


def ack(task: int, seq: int) -> Message:
    return Message("ack", {"task": task, "epoch": 1, "seq": seq})


def welcome(features: list[str] = FEATURES, protocol: int = 1) -> Message:
    return Message("welcome", {"protocol": protocol, "worker": 1, "features": features, "beat_ms": BEAT_MS})


BEAT_MS = 100
REJECT = Message("reject", {"reason": "no"})


def ready(concurrency: int = 3, features: list[str] = FEATURES) -> Desk:
    desk = Desk(concurrency)
    assert desk.next(0) is None, "not before the welcome"
    desk.received(welcome(features), 0.0)
    assert step(desk) == "prepare"
    desk.prepared()
    assert step(desk) == "ready"
    return desk


def step(desk: Desk) -> str:
    what = desk.next(0)
    if isinstance(what, Send):
        return ", ".join(
            " ".join([message.name, *map(str, [message.body["task"]] if "task" in message.body else [])])
            for message in what.messages
        )
    if isinstance(what, Start):
        return f"run {what.ref.task}"
    if isinstance(what, Ended):
        return f"end {what.code}"
    return "prepare" if isinstance(what, Prepare) else "wait"


def started(desk: Desk, task: int = 1) -> Running:
    """A run that has just been started."""
    desk.received(run(task), 0.0)
    assert step(desk) == f"run {task}"
    running = desk.speaking(RunRef(task, 1))
    assert running is not None
    return running


class Conversation(unittest.TestCase):
    def test_each_order_of_the_supervisor_has_its_consequence(self) -> None:
        table: list[tuple[int, list[Message], list[str]]] = [
            (3, [run(2), run(1)], ["run 2", "run 1", "wait"]),
            (1, [run(2)], ["run 2", "wait"]),
            (3, [run(1), run(2), stop(1)], ["back 1", "run 2", "wait"]),
            (3, [run(1), run(2), stop(1, "recall")], ["back 1", "run 2", "wait"]),
            (3, [run(1), stop(9)], ["run 1", "wait"]),
            (3, [run(1), run(2), stop(None)], ["back 1", "back 2", "bye", "end 0", "end 0"]),
            (3, [stop(None), stop(None)], ["bye", "end 0"]),
            (3, [ack(9, 1)], ["wait"]),
            (3, [], ["wait"]),
        ]
        for concurrency, messages, steps in table:
            desk = ready(concurrency)
            for message in messages:
                desk.received(message, 0.0)
            self.assertEqual([step(desk) for _ in steps], steps, messages)

    def test_what_is_out_of_order_is_refused(self) -> None:
        first, other = RunRef(1, 1), Message("run", {**run(1).body, "epoch": 2})
        table: list[tuple[str, Any, list[Message]]] = [
            ("run while greeted", Desk(1), [run(1)]),
            ("stop while greeted", Desk(1), [stop(None)]),
            ("protocol 2", Desk(1), [welcome(protocol=2)]),
            ("run while welcomed", Desk(1), [welcome(), run(1)]),
            ("stop while welcomed", Desk(1), [welcome(), stop(1)]),
            ("welcome while ready", ready(), [welcome()]),
            ("reject while ready", ready(), [REJECT]),
            ("all 1 credits", ready(1), [run(1), run(2)]),
            ("already runs", ready(), [run(1), other]),
            ("run while draining", ready(), [stop(None), run(1)]),
            ("no note 1", ready(), [run(1), ack(1, 1)]),
            ("steps needs a feature", ready(), [run(1, steps={"a": b""})]),
            ("checkpoint needs a feature", ready(), [run(1, checkpoint=b"\x01")]),
            ("facts needs a feature", ready(features=[*FEATURES, "save", "park"]), [run(1, facts={"a": b""})]),
        ]
        for sentence, desk, messages in table:
            with self.subTest(sentence), self.assertRaisesRegex(ContractError, sentence):
                for message in messages:
                    desk.received(message, 0.0)
        self.assertEqual(first.task, 1)

    def test_after_the_bye_what_crosses_it_is_ignored(self) -> None:
        desk = ready()
        desk.received(stop(None), 0.0)
        self.assertEqual(step(desk), "bye")
        for message in (run(1), stop(None), stop(1), ack(1, 1)):
            desk.received(message, 0.0)
        self.assertEqual(step(desk), "end 0")

    def test_a_refusal_is_the_end(self) -> None:
        desk = Desk(1)
        desk.received(REJECT, 0.0)
        self.assertEqual(desk.next(0), Ended(78, "the supervisor refused this worker: no"))

    def test_a_stop_before_ready_ends_it(self) -> None:
        for prepares in (False, True):
            desk = Desk(1)
            self.assertFalse(desk.may_boot)
            desk.received(welcome(), 0.0)
            if prepares:
                self.assertEqual(step(desk), "prepare")
            desk.received(stop(None), 0.0)
            if prepares:
                self.assertTrue(desk.may_boot, "it crosses the stop")
                desk.prepared()
            self.assertEqual([step(desk), step(desk)], ["bye", "end 0"])

    def test_booting_ends_with_ready(self) -> None:
        desk = Desk(1)
        desk.received(welcome(), 0.0)
        self.assertTrue(desk.may_boot)
        desk.prepared()
        self.assertFalse(desk.may_boot)

    def test_beats_come_as_often_as_the_welcome_says_until_the_end(self) -> None:
        desk = ready()
        self.assertEqual((desk.due_at_ms(0), desk.take_due(BEAT_MS - 1)), (BEAT_MS, None))
        self.assertEqual(desk.take_due(BEAT_MS + 1), Message("beat", {}))
        self.assertEqual((desk.take_due(BEAT_MS + 1), desk.due_at_ms(BEAT_MS + 1)), (None, 2 * BEAT_MS + 1))
        started(desk).notes.progress(1, None, None)
        self.assertEqual(desk.due_at_ms(BEAT_MS + 2), BEAT_MS + 2, "a note that is due goes first")
        desk.finished(RunRef(1, 1), Done(b""))
        desk.received(stop(None), 0.0)
        self.assertEqual(step(desk), "note 1, done 1, bye")
        self.assertEqual((desk.take_due(10 * BEAT_MS), desk.due_at_ms(10 * BEAT_MS)), (None, None))
        silent = ready(features=["note"])
        self.assertEqual((silent.take_due(10 * BEAT_MS), silent.due_at_ms(10 * BEAT_MS)), (None, None))

    def test_follow_ups_go_with_the_result_or_not_at_all(self) -> None:
        done, fail = Done(b"\x01"), Failed("no")
        table: list[tuple[list[str], int, Any, str, Any]] = [
            (FEATURES, 2, done, "done", [{"kind": "mail", "args": b""}] * 2),
            (FEATURES, 0, done, "done", None),
            (FEATURES, 2, fail, "fail", None),
            ([], 0, done, "done", None),
            ([], 1, fail, "fail", None),
            (["note"], 1, done, "fail", None),
        ]
        for features, count, outcome, name, enqueue in table:
            desk = ready(features=features)
            running = started(desk)
            for _ in range(count):
                running.follow_ups.add({"kind": "mail", "args": b""})
            desk.finished(RunRef(1, 1), outcome)
            what = desk.next(0)
            assert isinstance(what, Send)
            (answer,) = what.messages
            self.assertEqual((answer.name, answer.body.get("enqueue")), (name, enqueue), (features, count))
            if isinstance(outcome, Done) and name == "fail":
                self.assertEqual(answer.body["retry"], "never")
                self.assertIn("takes no follow-up tasks", answer.body["error"])

    def test_a_run_that_retires_its_worker_is_the_last_to_start(self) -> None:
        for outcome, name in ((Done(b""), "done"), (Failed("no"), "fail")):
            desk = ready()
            started(desk, 1).retire()
            other = started(desk, 2)
            desk.received(run(3), 0.0)
            desk.finished(RunRef(1, 1), outcome)
            self.assertEqual([step(desk) for _ in range(3)], [f"{name} 1", "back 3", "wait"])
            self.assertIsNone(other.sign.order)
            self.assertFalse(desk.may_lose_channel)
            desk.received(run(4), 0.0)
            self.assertEqual(step(desk), "back 4", "it crossed the wish to leave")
            desk.finished(RunRef(2, 1), Done(b""))
            self.assertEqual([step(desk), step(desk)], ["done 2, bye", "end 0"])
            waited_for = ready()
            started(waited_for).retire()
            waited_for.received(run(2), 0.0)
            waited_for.finished(RunRef(1, 1), outcome)
            self.assertEqual([step(waited_for) for _ in range(3)], [f"{name} 1", "back 2", "bye"])
            alone = ready(1)
            started(alone).retire()
            alone.finished(RunRef(1, 1), outcome)
            self.assertEqual([step(alone), step(alone)], [f"{name} 1, bye", "end 0"])

    def test_only_the_run_that_is_named_is_stopped(self) -> None:
        desk = ready()
        for task in (1, 2):
            desk.received(run(task), 0.0)
        first, second = desk.next(0), desk.next(0)
        assert isinstance(first, Start) and isinstance(second, Start)
        desk.received(stop(None, "shutdown"), 0.0)
        desk.received(stop(2, "recall"), 5.0)
        self.assertEqual((first.sign.order, second.sign.order), (None, None), "a stopping worker finishes what runs")
        desk.received(stop(2, "timeout"), 5.0)
        desk.received(stop(2, "cancel"), 6.0)
        self.assertIsNone(first.sign.order)
        self.assertEqual(second.sign.order, ("timeout", 5.1), "the first order counts")

    def test_answers_wait_for_what_was_spent_and_nothing_follows_them(self) -> None:
        desk = ready()
        ref = RunRef(1, 1)
        desk.received(run(1), 0.0)
        self.assertEqual(step(desk), "run 1")
        running = desk.speaking(ref)
        assert running is not None
        receipt, same = running.spend("tokens", 1), running.spend("tokens", 2)
        running.notes.progress(1, None, None)
        note = desk.take_note(0)
        assert note is not None
        self.assertEqual((note.body["spend"], note.body["seq"], note.body["done"]), ({"tokens": 3}, 1, 1))
        later = running.spend("tokens", 4)
        running.notes.progress(2, None, None)
        self.assertIsNone(desk.take_note(1), "one note that spends at a time, and progress not at once")
        desk.finished(ref, Done(b"\xc0"))
        self.assertIsNone(desk.speaking(ref))
        self.assertEqual(step(desk), "wait")
        self.assertEqual(desk.received(ack(1, 1), 0.0), [receipt])
        self.assertIs(receipt, same)
        self.assertEqual(step(desk), "wait")
        self.assertIsNotNone(desk.take_note(2))
        self.assertEqual(desk.received(ack(1, 2), 0.0), [later])
        self.assertEqual(step(desk), "done 1")
        with self.assertRaises(KeyError):
            desk.finished(ref, Done(b""))

    def test_the_last_progress_goes_with_the_answer(self) -> None:
        desk = ready()
        desk.received(run(1), 0.0)
        step(desk)
        running = desk.speaking(RunRef(1, 1))
        assert running is not None
        running.notes.progress(1, 2, "a")
        self.assertIsNotNone(desk.take_note(0))
        running.notes.progress(2, 2, None)
        desk.finished(RunRef(1, 1), Failed("no", {"after_ms": 5}))
        what = desk.next(1)
        assert isinstance(what, Send)
        note, fail = what.messages
        self.assertEqual((note.body["done"], note.body["message"]), (2, "a"))
        self.assertEqual(fail, Message("fail", {"task": 1, "epoch": 1, "error": "no", "retry": {"after_ms": 5}, "scope": "task"}))

    def test_features_need_both_sides(self) -> None:
        for features in ([], ["beat"], ["note"], ["park", "beat", "note"]):
            desk = ready(features=features)
            running = started(desk)
            self.assertEqual(desk.beats, "beat" in features)
            receipt = running.spend("tokens", 1)
            running.notes.progress(1, None, None)
            self.assertEqual(receipt.done(), "note" not in features)
            self.assertEqual(desk.take_note(0) is not None, "note" in features)

    def test_when_the_channel_has_ended_nobody_waits_for_an_ack(self) -> None:
        desk = ready()
        desk.received(run(1), 0.0)
        step(desk)
        running = desk.speaking(RunRef(1, 1))
        assert running is not None
        receipt = running.spend("tokens", 1)
        desk.finished(RunRef(1, 1), Done(b""))
        self.assertEqual(step(desk), "wait")
        self.assertEqual(desk.abandoned(), [receipt])
        self.assertIs(running.spend("tokens", 1).result(), False)
        self.assertEqual(step(desk), "done 1")

    def test_a_signal_means_the_run_that_is_being_stopped_or_else_the_worker(self) -> None:
        desk = ready()
        for task in (1, 2):
            desk.received(run(task), 0.0)
        first, second = desk.next(0), desk.next(0)
        assert isinstance(first, Start) and isinstance(second, Start)
        desk.received(stop(1, "timeout"), 0.0)
        desk.interrupt(1.0)
        self.assertIsNone(second.sign.order)
        desk.finished(first.ref, Done(b""))
        self.assertEqual(step(desk), "done 1")
        desk.interrupt(2.0)
        self.assertIsNone(second.sign.order, "it may finish")
        self.assertFalse(desk.may_lose_channel, "nobody has told it to stop")
        desk.received(run(3), 0.0)
        self.assertEqual(step(desk), "back 3", "the supervisor does not know yet")
        self.assertEqual(step(desk), "wait")
        desk.interrupt(3.0)
        self.assertEqual(second.sign.order, ("terminated", 3.0))
        greeted = Desk(1)
        greeted.interrupt(0.0)
        self.assertEqual(step(greeted), "end 143")

    def test_a_signal_stops_what_runs_only_when_the_worker_knows_that_it_is_to_end(self) -> None:
        # What comes (None is SIGTERM), and with which order the run is then stopped.
        table: list[tuple[list[Union[Message, None]], Any]] = [
            ([None], None),
            ([None, None], ("terminated", 1.0)),
            ([stop(None, "shutdown")], None),
            ([stop(None, "shutdown"), None], ("shutdown", 1.0)),
            ([None, stop(None, "shutdown")], None),
            ([None, stop(None, "shutdown"), None], ("shutdown", 2.0)),
            ([None, stop(1, "timeout")], ("timeout", 1.1)),
            ([stop(1, "timeout"), None, None], ("timeout", 0.1)),
        ]
        for arriving, order in table:
            desk = ready()
            desk.received(run(1), 0.0)
            started = desk.next(0)
            assert isinstance(started, Start)
            for at, what in enumerate(arriving):
                desk.received(what, float(at)) if what else desk.interrupt(float(at))
            self.assertEqual(started.sign.order, order, arriving)


class Noting(unittest.TestCase):
    def test_progress_is_told_ten_times_a_second_at_most(self) -> None:
        notes = Notes(RunRef(1, 1))
        self.assertIsNone(notes.due_at_ms(0))
        sent = []
        for at_ms in range(1_000):
            notes.progress(at_ms, None, None)
            if notes.take(at_ms):
                sent.append(at_ms)
        self.assertEqual(sent, list(range(0, 1_000, PROGRESS_INTERVAL_MS)))
        self.assertEqual(notes.due_at_ms(1_000), 1_000)
        self.assertEqual(Notes(RunRef(1, 1)).take_last(0), None)

    def test_a_message_stays_until_the_next_and_a_note_leaves_the_numbers(self) -> None:
        notes = Notes(RunRef(1, 1))
        notes.progress(1, 2, "a")
        notes.progress(2, None, None)
        notes.say("é" * 1_000)
        body = notes.take_last(0)
        assert body is not None
        self.assertEqual(body.body, {"task": 1, "epoch": 1, "done": 2, "message": "é" * 512})

    def test_a_note_that_only_spends_leaves_the_progress_as_it_is(self) -> None:
        notes = Notes(RunRef(1, 1))
        notes.progress(1, 2, "a")
        notes.take(0)
        notes.spend("t", 1)
        note = notes.take(1)
        assert note is not None
        self.assertEqual(note.body, {"task": 1, "epoch": 1, "spend": {"t": 1}, "seq": 1})

    def test_notes_stay_within_their_limits(self) -> None:
        notes = Notes(RunRef(1, 1))
        self.assertEqual(notes.spend("nothing", 0), 0)
        self.assertTrue(notes.is_settled())
        numbers = [notes.spend(f"unit{number}", 1) for number in range(16 * UNSENT_MAX_NOTES)]
        self.assertEqual((numbers[0], numbers[15], numbers[16], numbers[-1]), (1, 1, 2, UNSENT_MAX_NOTES))
        with self.assertRaisesRegex(OverflowError, "wait for a receipt"):
            notes.spend("one more", 1)
        large = Notes(RunRef(1, 1))
        self.assertEqual([large.spend("t", AMOUNT_MAX), large.spend("t", 1)], [1, 2])

    def test_whatever_the_order_of_acks_nothing_is_lost_or_told_twice(self) -> None:
        for seed in range(200):
            source = random.Random(seed)
            notes, spent, told, unacked = Notes(RunRef(1, 1)), 0, 0, 0
            for at_ms in range(200):
                if source.random() < 0.5:
                    amount = source.randrange(5)
                    notes.spend(source.choice("ab"), amount)
                    spent += amount
                if source.random() < 0.3 and unacked:
                    self.assertTrue(notes.acked(unacked))
                    self.assertFalse(notes.acked(unacked), "an ack counts once")
                    unacked = 0
                if (note := notes.take(at_ms)) is not None:
                    self.assertEqual(unacked, 0)
                    unacked = note.body["seq"]
                    told += sum(note.body["spend"].values())
            while not notes.is_settled():
                notes.acked(unacked)
                if (note := notes.take(1_000)) is not None:
                    unacked = note.body["seq"]
                    told += sum(note.body["spend"].values())
            self.assertEqual(told, spent)
