"""An application of its own: asks for the words of each file that a JSON list names, and puts the results together."""

import json
import sys
from collections import Counter

from mutirao import Client, Task

with open(sys.argv[1], encoding="utf-8") as file:
    paths = json.load(file)
with Client() as queue:
    added = queue.bulk(Task("words", {"path": path}, name=f"words:{path}") for path in paths)
    before = sum(one.existing for one in added)
    print(f"client.py: {len(added)} tasks of kind words asked for, {before} of them were there before")
    ended = list(queue.wait_all(one.id for one in added))
results = [info.result for info in ended if info.state == "completed"]
most: Counter[str] = Counter()
for result in results:
    most.update(dict(result["most"]))
minutes = sum(result["reading_s"] for result in results) // 60
named = ", ".join(f"{word} ({times})" for word, times in most.most_common(5))
print(f"client.py: {len(results)} results: {minutes} minutes of reading, most often {named or 'nothing'}")
failed = [str(info.id) for info in ended if info.state != "completed"]
if failed:
    print(f"client.py: {len(failed)} tasks are not completed: {', '.join(failed[:5])}")
    sys.exit(20)
