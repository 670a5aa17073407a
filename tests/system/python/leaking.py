"""A Python worker that never closes what it opens. Knows only the installed package."""

import os

from mutirao import Worker

app = Worker()
kept = []


@app.task("opens")
def opens(files: int) -> int:
    """Its result is who did it."""
    kept.extend(open(os.devnull) for _ in range(files))
    return os.getpid()


app.run()
