"""Asks for the index of each text in a folder, and prints them as one. Usage: index.py FOLDER"""

import sys
from collections import defaultdict
from pathlib import Path

from mutirao import Client, Task, TaskFailed


def main(folder: Path) -> None:
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        sys.exit(f"there is no .txt file in {folder}; name another folder")
    part = Path(f"{paths[0]}.part")
    part.touch()
    with Client(db="queue.db") as queue:
        tasks = queue.bulk(Task("index", {"path": str(path)}, name=f"index:{path}") for path in paths)
        for line in queue.logs(tasks[0].id, follow=True):
            print(f"log of task {tasks[0].id}: {line.text}")
            # Now the text is whole; the next try finds it so.
            part.unlink(missing_ok=True)
        merged = merge({path: queue.result(task.id) for path, task in zip(paths, tasks)})
        try:
            queue.result(queue.enqueue("index", {"path": 7}).id)
            sys.exit("a path that is a number was taken")
        except TaskFailed as error:
            print(error.info.attempts[-1].detail)
    check(merged)
    for word, places in sorted(merged.items()):
        if len(places) > 2:
            print(f"{word}: {', '.join(f'{path.name}:{number}' for path, number in places)}")
    print(f"{len(merged)} words of {len(paths)} texts")


def merge(found: dict[Path, dict[str, list[int]]]) -> dict[str, list[tuple[Path, int]]]:
    merged = defaultdict(list)
    for path, words in found.items():
        for word, numbers in words.items():
            merged[word] += [(path, number) for number in numbers]
    return dict(merged)


def check(merged: dict[str, list[tuple[Path, int]]]) -> None:
    """Every place must have its word, and the word of this product must be found in every text."""
    for word, places in merged.items():
        for path, number in places:
            assert word in path.read_text(encoding="utf-8").lower().splitlines()[number - 1], (word, path, number)
    assert len({path for path, _ in merged["mutirão"]}) == 3, merged["mutirão"]


main(Path(sys.argv[1]))
