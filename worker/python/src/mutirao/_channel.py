"""The only place that touches the channel to the supervisor, and the environment that describes it."""

from __future__ import annotations

import fcntl
import io
import os
import select
import sys

from .errors import ChannelError

COOKIE_VARIABLE = "MUTIRAO_COOKIE"
"""Set by the supervisor, echoed in ``hello``: its absence means that the program was started by hand."""

CHANNEL_VARIABLE = "MUTIRAO_CHANNEL"
"""Where the channel is: ``stdio``, also when it is not set, or ``fd3``."""

READ_CHUNK_BYTES = 64 * 1024

# Above the three standard descriptors, so that no later redirection hits the channel.
_PRIVATE_DESCRIPTOR_MIN = 3


class Channel:
    """Both ends of the conversation with the supervisor, on descriptors that no other program inherits."""

    def __init__(self, reader: int, writer: int, cookie: str) -> None:
        self._reader = reader
        self._writer = writer
        self.cookie = cookie
        self.is_open = True
        os.register_at_fork(after_in_child=self._forget)

    def wait(self, other: int) -> bool:
        """Waits for bytes here or on ``other``. True when there are some here, or the end of the channel."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.register(other, select.POLLIN)
        return self._reader in (ready for ready, _ in poll.poll())

    def read(self) -> bytes:
        """The next bytes; none when the channel has ended. Raises ``ChannelError``."""
        try:
            return os.read(self._reader, READ_CHUNK_BYTES)
        except OSError as error:
            raise ChannelError(f"cannot read from the supervisor: {error}") from None

    def write(self, data: bytes) -> None:
        """Writes it all; one caller at a time. Raises ``ChannelError``."""
        rest = memoryview(data)
        try:
            while rest and self.is_open:
                rest = rest[os.write(self._writer, rest) :]
        except OSError as error:
            raise ChannelError(f"cannot write to the supervisor: {error}") from None

    def _forget(self) -> None:
        """A process that was forked from this one is no worker: a frame from it would split one of ours."""
        if self.is_open:
            self.is_open = False
            os.close(self._reader)
            os.close(self._writer)


def _take() -> Channel | None:
    """Takes the channel away from the rest of the process: reading stdin finds nothing, printing goes to the log of the
    task. None when there is no supervisor, and then nothing is changed.

    The cookie leaves the environment, so that a program started from here does not take its own descriptors for a
    channel. Raises ``ChannelError`` for a channel that this package does not know, or without open descriptors.
    """
    cookie = os.environ.pop(COOKIE_VARIABLE, None)
    channel = os.environ.pop(CHANNEL_VARIABLE, "stdio")
    if cookie is None:
        return None
    take = {"stdio": _move_descriptors, "fd3": _keep_descriptors}.get(channel)
    if take is None:
        raise ChannelError(f"the channel {channel!r} is not known; let the pool say `stdio` or `fd3`")
    try:
        reader, writer = take()
    except OSError as error:
        raise ChannelError(
            f"cannot take over the channel {channel}: {error}; start the worker from a supervisor"
        ) from None
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A pipe is buffered in blocks: the last words of a crash would be lost.
        sys.stdout.reconfigure(line_buffering=True)
    return Channel(reader, writer, cookie)


def _keep_descriptors() -> tuple[int, int]:
    """Those that are beside the three standard ones, which are no channel then."""
    reader, writer = _PRIVATE_DESCRIPTOR_MIN, _PRIVATE_DESCRIPTOR_MIN + 1
    for descriptor in (reader, writer):
        os.set_inheritable(descriptor, False)
    return reader, writer


def _move_descriptors() -> tuple[int, int]:
    """Stdin and stdout become private; in their place are the null device and stderr."""
    reader = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_DESCRIPTOR_MIN)
    writer = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_DESCRIPTOR_MIN)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return reader, writer


_claimed: Channel | ChannelError | None = None


def claim() -> None:
    """Takes the channel, once, when the package is imported. What goes wrong is told by ``claimed``."""
    global _claimed
    try:
        _claimed = _take()
    except ChannelError as error:
        _claimed = error


def claimed() -> Channel | None:
    """The channel of this process; None without a supervisor. Raises ``ChannelError``."""
    if isinstance(_claimed, ChannelError):
        raise _claimed
    return _claimed
