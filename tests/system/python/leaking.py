"""A Python worker that never closes what it opens. Knows only the installed package."""

import os
import resource

from mutirao import Worker

app = Worker()
kept = []


@app.task("opens")
def opens(files: int) -> int:
    """Takes as many as it may have, as Node and Go do by themselves. Its result is who did it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept.extend(open(os.devnull) for _ in range(files))
    return os.getpid()


app.run()
