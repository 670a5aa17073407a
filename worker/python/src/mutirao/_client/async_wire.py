"""The async shell: the same as `wire`, over streams of asyncio. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .answers import Answer
from .http import AnswerReader, request_bytes
from .place import Place
from .requests import ANSWER_WAIT_S, Request
from .shell import CONNECTIONS_MAX, READ_BYTES, NotConnected, has_news, silent

T = TypeVar("T")
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AsyncWire:
    """The connections of one client, within one event loop. Idle ones are kept.

    All of it may raise one of `FAILURES`.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX)
        self._idle: list[Connection] = []

    async def ask(self, request: Request) -> Answer:
        async with self._turns:
            return await (await self._open(request)).whole()

    async def follow(self, request: Request) -> AsyncStream | Answer:
        """A good answer is given as it arrives. Takes no turn, since a log may last for hours."""
        stream = await self._open(request)
        return stream if stream.is_good else await stream.whole()

    def give_back(self, connection: Connection) -> None:
        if len(self._idle) < CONNECTIONS_MAX:
            self._idle.append(connection)
        else:
            connection[1].close()

    async def close(self) -> None:
        while self._idle:
            writer = self._idle.pop()[1]
            writer.close()
            # How it closed changes nothing any more.
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _open(self, request: Request) -> AsyncStream:
        connection = self._idle_one() or await self._connect()
        stream = AsyncStream(self, connection, request.silence_s + request.wait_s)
        try:
            await stream.send(request)
        except BaseException:
            stream.close()
            raise
        return stream

    def _idle_one(self) -> Connection | None:
        while self._idle:
            reader, writer = self._idle.pop()
            if not writer.is_closing() and not has_news(writer.get_extra_info("socket").fileno()):
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> Connection:
        try:
            return await _within(ANSWER_WAIT_S, asyncio.open_unix_connection(self._place.socket_path()))
        except OSError as error:
            raise NotConnected(error) from error


async def _within(wait_s: float, work: Coroutine[Any, Any, T]) -> T:
    try:
        return await asyncio.wait_for(work, wait_s)
    except asyncio.TimeoutError:
        # Before Python 3.11 this is not the built-in one.
        raise silent(wait_s) from None


class AsyncStream:
    """An answer as it arrives. Its connection goes back to the wire once all of it has been read."""

    def __init__(self, wire: AsyncWire, connection: Connection, wait_s: float) -> None:
        self._wire = wire
        self._connection = connection
        self._wait_s = wait_s
        self._reader = AnswerReader()
        self._is_open = True

    @property
    def is_good(self) -> bool:
        return 200 <= self._reader.status < 300

    async def send(self, request: Request) -> None:
        """Returns once the head of the answer is there."""
        writer = self._connection[1]
        try:
            writer.write(request_bytes(request.method, request.target, request.body))
            await _within(self._wait_s, writer.drain())
        except (BrokenPipeError, ConnectionResetError):
            pass  # It may have answered before it closed: reading tells.
        while not self._reader.status:
            await self._receive()

    async def more(self) -> bytes:
        """What is new of the body; nothing at its end."""
        while not (data := self._reader.take()) and not self._reader.done:
            await self._receive()
        return data

    async def whole(self) -> Answer:
        try:
            while not self._reader.done:
                await self._receive()
            return Answer(self._reader.status, self._reader.headers, self._reader.take())
        finally:
            self.close()

    def close(self) -> None:
        is_open, self._is_open = self._is_open, False
        if is_open and self._reader.keeps_alive:
            self._wire.give_back(self._connection)
        elif is_open:
            self._connection[1].close()

    async def _receive(self) -> None:
        self._reader.feed(await _within(self._wait_s, self._connection[0].read(READ_BYTES)))
