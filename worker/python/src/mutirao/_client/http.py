"""HTTP/1.1 as bytes: a request is written whole, an answer is read from whatever pieces it comes in. Pure."""

from __future__ import annotations

from collections.abc import Generator

#: A line of the head, of a chunk's size or of a trailer, at most.
LINE_BYTES_MAX = 16 * 1024
#: Of the body that was not taken yet: the largest result, spelled out as JSON, is far below.
BODY_BYTES_MAX = 64 * 1024 * 1024
#: Lines of a head or trailer, at most.
HEAD_LINES_MAX = 100

Steps = Generator[None, None, None]


class BrokenAnswer(Exception):
    """What arrives is no HTTP answer, or ends before its end."""


def request_bytes(method: str, path: str, body: bytes | None) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n"
    if body is not None or method == "POST":
        head += f"content-length: {len(body or b'')}\r\n"
    if body is not None:
        head += "content-type: application/json\r\n"
    return head.encode("ascii") + b"\r\n" + (body or b"")


class TooLong(BrokenAnswer):
    """More than `BODY_BYTES_MAX` would have to be kept."""


class AnswerReader:
    """Reads one answer. The head stands once `status` is not 0, the whole of it once `done`."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.done = False
        #: The connection can carry another request.
        self.keeps_alive = False
        self._buffer = bytearray()
        self._at_end = False
        self._body = bytearray()
        self._steps = self._read()
        next(self._steps)

    def feed(self, data: bytes) -> None:
        """Takes what has arrived; nothing means that the other side has closed. Raises `BrokenAnswer`."""
        self._at_end = not data
        self._buffer += data
        next(self._steps, None)
        if len(self._body) > BODY_BYTES_MAX:
            raise TooLong(f"it is over {BODY_BYTES_MAX} bytes")

    def take(self) -> bytes:
        """What of the body has come since it was last taken."""
        body = bytes(self._body)
        self._body.clear()
        return body

    def _read(self) -> Steps:
        version = yield from self._head()
        length = self.headers.get("content-length")
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            yield from self._chunks()
        elif length is not None:
            yield from self._bytes(_number(length, 10))
        elif self.status not in (204, 304):
            yield from self._until_end()
        says_close = "close" in self.headers.get("connection", "").lower()
        self.keeps_alive = version == "HTTP/1.1" and not says_close and not self._at_end and not self._buffer
        self.done = True

    def _head(self) -> Generator[None, None, str]:
        line = yield from self._line()
        version, _, rest = line.partition(" ")
        if not version.startswith("HTTP/1."):
            raise BrokenAnswer("it is not HTTP")
        headers = yield from self._fields()
        self.headers, self.status = headers, _number(rest[:3], 10)
        return version

    def _fields(self) -> Generator[None, None, dict[str, str]]:
        headers: dict[str, str] = {}
        for _ in range(HEAD_LINES_MAX):
            line = yield from self._line()
            if not line:
                return headers
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raise BrokenAnswer(f"it has over {HEAD_LINES_MAX} header lines")

    def _chunks(self) -> Steps:
        while True:
            line = yield from self._line()
            size_bytes = _number(line.partition(";")[0].strip(), 16)
            if size_bytes == 0:
                yield from self._fields()
                return
            yield from self._bytes(size_bytes)
            if (yield from self._line()):
                raise BrokenAnswer("a chunk is longer than it says")

    def _bytes(self, left_bytes: int) -> Steps:
        while left_bytes:
            if not self._buffer:
                yield from self._more()
            piece = self._buffer[:left_bytes]
            del self._buffer[: len(piece)]
            self._body += piece
            left_bytes -= len(piece)

    def _until_end(self) -> Steps:
        while not self._at_end:
            self._body += self._buffer
            self._buffer.clear()
            yield

    def _line(self) -> Generator[None, None, str]:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_BYTES_MAX:
                raise BrokenAnswer(f"a line of it is over {LINE_BYTES_MAX} bytes")
            yield from self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.rstrip(b"\r").decode("latin-1")

    def _more(self) -> Steps:
        yield
        if self._at_end:
            raise BrokenAnswer("the connection was closed before its end")


def _number(text: str, base: int) -> int:
    # `int` alone takes signs, blanks and underscores as well.
    if not text.isalnum() or not text.isascii():
        raise BrokenAnswer(f"{text[:20]!r} is no number")
    try:
        return int(text, base)
    except ValueError:
        raise BrokenAnswer(f"{text[:20]!r} is no number") from None
