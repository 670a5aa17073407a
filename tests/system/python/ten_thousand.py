"""An application that knows only the installed package: it enqueues tasks, kills its own supervisor with SIGKILL while it
waits, and asks for the same tasks again under their names. Prints what it got."""

import json
import sys

from mutirao import Client, Supervisor, Task

COUNT, CONFIG, DB = int(sys.argv[1]), sys.argv[2], sys.argv[3]
KILL_AT = [COUNT // 4, COUNT // 2]


def tasks() -> list[Task]:
    return [Task("echo", {"n": n}, name=f"n-{n}") for n in range(COUNT)]


results: dict[int, int] = {}
ids: dict[int, int] = {}
added = 0
for life in range(len(KILL_AT) + 1):
    supervisor = Supervisor(config=CONFIG, stderr=f"life-{life}.log")
    with supervisor:
        client: Client = supervisor.client()
        enqueued = client.bulk(tasks())
        added += sum(not task.existing for task in enqueued)
        for n, task in enumerate(enqueued):
            assert ids.setdefault(n, task.id) == task.id, "a name stands for one task"
        missing = [task.id for n, task in enumerate(enqueued) if n not in results]
        number = {task.id: n for n, task in enumerate(enqueued)}
        for info in client.wait_all(missing):
            assert info.state == "completed", info
            results[number[info.id]] = info.result["n"]
            if life < len(KILL_AT) and len(results) >= KILL_AT[life]:
                supervisor.kill()
                break
        if life == len(KILL_AT):
            listed = sum(1 for _ in client.list(state="completed"))
            stats = client.stats()
print(
    json.dumps(
        {
            "added": added,
            "distinct": len(set(ids.values())),
            "right": sum(results[n] == n for n in results),
            "listed": listed,
            "completed": stats["tasks"]["completed"],
        }
    )
)
