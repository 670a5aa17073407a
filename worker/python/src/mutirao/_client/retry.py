"""What follows from one reply: it is good, it is an error, or it is asked again after a pause. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..client_errors import ClientError, Unreachable
from .answers import Answer, refusal
from .requests import Request

#: How long a request is tried again, unless the client is told otherwise.
RETRY_FOR_S = 30.0
#: The first pause; each further one is twice as long.
PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 2.0
#: More than this is not believed of a Retry-After.
RETRY_AFTER_MAX_S = 60.0
#: Overloaded, not there yet, disk full: these pass by themselves.
STATUSES_THAT_PASS = (429, 503, 507)


@dataclass(frozen=True)
class Lost:
    """No whole answer came."""

    message: str
    hint: str
    #: The request may have been heard.
    may_have_acted: bool
    #: It will not be another time, such as without the right to connect.
    is_lasting: bool = False


def after(request: Request, reply: Answer | Lost, failures: int, left_s: float) -> Answer | ClientError | float:
    """The good answer, the error to raise, or the seconds until the request is sent again.

    `failures` counts the replies of this kind before, `left_s` is the time that is left for trying.
    """
    if isinstance(reply, Answer):
        if 200 <= reply.status < 300:
            return reply
        error = refusal(reply)
        if left_s <= 0 or reply.status not in STATUSES_THAT_PASS:
            return error
        return min(_retry_after_s(reply) or _pause_s(failures), left_s)
    is_worth_it = not reply.is_lasting and (request.is_safe or not reply.may_have_acted)
    if left_s > 0 and is_worth_it:
        return min(_pause_s(failures), left_s)
    return _unreachable(request, reply)


def _unreachable(request: Request, lost: Lost) -> Unreachable:
    if request.is_safe or not lost.may_have_acted:
        return Unreachable("not_reachable", lost.message, lost.hint)
    return Unreachable("not_reachable", lost.message, "it may have taken effect: look at the task before asking again")


def _pause_s(failures: int) -> float:
    # The exponent is capped for its own sake: floats end at 2 ** 1023.
    return min(PAUSE_FIRST_S * 2.0 ** min(failures, 16), PAUSE_MAX_S)


def _retry_after_s(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() else None
