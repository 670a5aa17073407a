"""Indexes one text: which word stands in which lines."""

import logging
import re
from pathlib import Path

from mutirao import Context, RetryAfter, Worker

log = logging.getLogger("index")
WORD = re.compile(r"[^\W\d_]+")

app = Worker()


@app.task
def index(cx: Context, path: str, letters_min: int = 4) -> dict[str, list[int]]:
    """The lines of each word, from 1. Words of fewer letters are left out."""
    if Path(f"{path}.part").exists():
        log.warning("%s is still being written", path)
        raise RetryAfter("200ms", f"{path} is still being written")
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines, start=1):
        for word in set(WORD.findall(line.lower())):
            if len(word) >= letters_min:
                found.setdefault(word, []).append(number)
        cx.progress(number, len(lines))
    log.info("%s: %d words in %d lines", path, len(found), len(lines))
    return found


if __name__ == "__main__":
    app.run()
