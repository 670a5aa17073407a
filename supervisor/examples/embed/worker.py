"""What the application leaves to other processes: counting primes, and a call into native code that goes wrong."""

import os
import signal

from mutirao import Context, Worker

app = Worker()


@app.task
def count(cx: Context, start: int, end: int) -> int:
    """Of the numbers from start to end - 1, those that are prime."""
    primes = 0
    for number in range(max(start, 2), end):
        primes += all(number % divisor for divisor in range(2, int(number**0.5) + 1))
        if number % 1000 == 0:
            cx.progress(number - start, end - start)
    return primes


@app.task
def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


if __name__ == "__main__":
    app.run()
