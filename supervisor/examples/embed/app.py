"""Counts primes by a supervisor of its own. Usage: app.py [FOLDER]"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mutirao import Supervisor, Task, TaskFailed

HERE = Path(__file__).resolve().parent
SLICE = 5_000
SLICES = 10


def main(folder: Path) -> None:
    for name in ("supervisor.toml", "worker.py"):
        shutil.copy(HERE / name, folder)
    log = folder / "supervisor.log"
    with Supervisor(config=folder / "supervisor.toml", binary=os.environ.get("SUPERVISOR"), stderr=log) as supervisor:
        with supervisor.client() as queue:
            broken = queue.enqueue("crash")
            starts = range(0, SLICE * SLICES, SLICE)
            tasks = queue.bulk(Task("count", {"start": start, "end": start + SLICE}) for start in starts)
            primes = sum(info.result for info in queue.wait_all(task.id for task in tasks))
            print(f"{primes} primes below {SLICE * SLICES}, counted in {len(tasks)} tasks")
            try:
                queue.result(broken.id)
            except TaskFailed as error:
                print(error)
        pid = supervisor.pid
    assert primes == 5133, primes
    assert not Path(f"/proc/{pid}").exists(), "the supervisor outlived its application"
    print("the supervisor has ended with the application")


if len(sys.argv) > 1:
    main(Path(sys.argv[1]))
else:
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
