"""The sync shell: sends requests over the Unix socket and reads the answers. Decides nothing."""

from __future__ import annotations

import os
import socket
import threading

from .answers import Answer
from .http import AnswerReader, request_bytes
from .place import Place
from .requests import ANSWER_WAIT_S, Request
from .shell import CONNECTIONS_MAX, READ_BYTES, NotConnected, has_news, silent


class Wire:
    """The connections of one client. Idle ones are kept. Safe for threads, and in a child that was forked.

    All of it may raise one of `FAILURES`.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turns = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._idle: list[socket.socket] = []
        self._owner_pid = os.getpid()

    def ask(self, request: Request) -> Answer:
        with self._turns:
            return self._open(request).whole()

    def follow(self, request: Request) -> Stream | Answer:
        """A good answer is given as it arrives. Takes no turn, since a log may last for hours."""
        stream = self._open(request)
        return stream if stream.is_good else stream.whole()

    def give_back(self, connection: socket.socket) -> None:
        if len(self._idle) < CONNECTIONS_MAX:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _open(self, request: Request) -> Stream:
        connection = self._idle_one() or self._connect()
        stream = Stream(self, connection, request.silence_s + request.wait_s)
        try:
            stream.send(request)
        except BaseException:
            stream.close()
            raise
        return stream

    def _idle_one(self) -> socket.socket | None:
        if self._owner_pid != os.getpid():
            # The parent goes on talking over those.
            self._idle, self._owner_pid = [], os.getpid()
        while self._idle:
            connection = self._idle.pop()
            if not has_news(connection.fileno()):
                return connection
            connection.close()
        return None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWER_WAIT_S)
            connection.connect(self._place.socket_path())
        except OSError as error:
            connection.close()
            raise NotConnected(error) from error
        return connection


class Stream:
    """An answer as it arrives. Its connection goes back to the wire once all of it has been read."""

    def __init__(self, wire: Wire, connection: socket.socket, wait_s: float) -> None:
        self._wire = wire
        self._connection = connection
        self._connection.settimeout(wait_s)
        self._wait_s = wait_s
        self._reader = AnswerReader()
        self._is_open = True

    @property
    def is_good(self) -> bool:
        return 200 <= self._reader.status < 300

    def send(self, request: Request) -> None:
        """Returns once the head of the answer is there."""
        try:
            self._connection.sendall(request_bytes(request.method, request.target, request.body))
        except (BrokenPipeError, ConnectionResetError):
            pass  # It may have answered before it closed: reading tells.
        while not self._reader.status:
            self._receive()

    def more(self) -> bytes:
        """What is new of the body; nothing at its end."""
        while not (data := self._reader.take()) and not self._reader.done:
            self._receive()
        return data

    def whole(self) -> Answer:
        try:
            while not self._reader.done:
                self._receive()
            return Answer(self._reader.status, self._reader.headers, self._reader.take())
        finally:
            self.close()

    def close(self) -> None:
        is_open, self._is_open = self._is_open, False
        if is_open and self._reader.keeps_alive:
            self._wire.give_back(self._connection)
        elif is_open:
            self._connection.close()

    def _receive(self) -> None:
        try:
            data = self._connection.recv(READ_BYTES)
        except TimeoutError:
            raise silent(self._wait_s) from None
        self._reader.feed(data)
