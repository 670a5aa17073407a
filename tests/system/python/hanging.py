"""A Python worker whose handlers come to no end. Knows only the installed package."""

import threading

from mutirao import Context, Worker

app = Worker()


def stand_still() -> None:
    """As code that swallows everything: it is told to stop, and goes on."""
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass


@app.task("hangs")
def hangs() -> None:
    stand_still()


@app.task("stalls")
def stalls(cx: Context) -> None:
    """Says twice how far it is, and no more."""
    cx.progress(1, 9, "first page")
    cx.progress(2, 9, "second page")
    stand_still()


@app.task("creeps")
def creeps(cx: Context, steps: int, step_ms: int) -> int:
    """Says all the time how far it is; ends at once when it is told to stop."""
    for step in range(steps):
        cx.progress(step, steps)
        cx.wait_stop(step_ms / 1_000)
        cx.check()
    return steps


app.run()
