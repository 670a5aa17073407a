"""A Python worker whose handlers do what careless code does. Knows only the installed package."""

import asyncio
import ctypes
import logging
import os
import subprocess
import sys
import threading

from mutirao import Context, Fail, RetryAfter, Worker

app = Worker()
libc = ctypes.CDLL(None)


@app.task("chatter")
def chatter(cx: Context, n: int) -> str:
    """Prints from Python, from C, from a child and from a thread, while the library logs."""
    noise = threading.Thread(target=lambda: [print(f"thread {n} {i}") for i in range(50)])
    noise.start()
    print(f"python {n}")
    os.write(1, f"descriptor {n}\n".encode())
    libc.puts(f"native {n}".encode())
    libc.fflush(None)
    subprocess.run(["sh", "-c", f"echo child {n}; echo child error {n} >&2"], check=True)
    logging.getLogger("careless").info("logged %d", n)
    noise.join()
    sys.stdout.flush()
    return "x" * 10_000 + str(n)


@app.task("reads_stdin")
def reads_stdin() -> str:
    return sys.stdin.read()


@app.task("leaks")
def leaks(tell: str) -> None:
    """Leaves a daemon behind, and fails."""
    child = subprocess.Popen(["setsid", "sleep", "1000"], stdin=subprocess.DEVNULL)
    with open(tell, "w", encoding="utf-8") as fifo:
        print(child.pid, file=fifo)
    raise RuntimeError("left something behind")


@app.task("resize")
def resize(path: str, width: int = 640) -> str:
    return f"{path}@{width}"


@app.task("says")
def says(cx: Context, how: str) -> int:
    if how == "later" and cx.attempt == 1:
        raise RetryAfter(0.001, "not yet")
    if how == "never":
        raise Fail("of no use")
    if how == "exits":
        sys.exit(3)
    if how == "dies":
        os._exit(3)
    return cx.attempt


@app.task("spends")
async def spends(cx: Context, tell: str, gate: str) -> None:
    """Says how far it is and what it spends, and waits in between."""
    for done in range(1, 4):
        cx.progress(done, 3, f"page {done}")
        await cx.spend("tokens", 1_000)
        await cx.spend("cents", 1)
    with open(tell, "w", encoding="utf-8") as fifo:
        print("spent", file=fifo)
    await asyncio.to_thread(lambda: open(gate, encoding="utf-8").readline())


@app.task("waits")
def waits(cx: Context, tell: str) -> str:
    """Says that it runs, waits to be stopped, and obeys."""
    with open(tell, "w", encoding="utf-8") as fifo:
        print("runs", file=fifo)
    cx.wait_stop(None)
    cx.check()
    return "never told"


app.run()
