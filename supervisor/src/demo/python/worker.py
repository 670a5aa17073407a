"""The Python worker of the demo: the most frequent words of a text, and how long a person reads it."""

import logging
import re
from collections import Counter

from mutirao import Context, Worker

log = logging.getLogger("words")
WORD = re.compile(r"[^\W\d_]{4,}")
READ_BYTES_MAX = 4 * 1024 * 1024
WORDS_PER_MINUTE = 230

app = Worker()


@app.task
def words(cx: Context, path: str) -> dict[str, object]:
    with open(path, "rb") as file:
        lines = file.read(READ_BYTES_MAX).decode("utf-8", "replace").splitlines()
    counts: Counter[str] = Counter()
    for done, line in enumerate(lines, start=1):
        counts.update(WORD.findall(line.lower()))
        cx.progress(done, len(lines))
    count = sum(len(line.split()) for line in lines)
    log.info("%d in %s", count, path)
    return {"count": count, "reading_s": round(60 * count / WORDS_PER_MINUTE), "most": counts.most_common(10)}


if __name__ == "__main__":
    app.run()
