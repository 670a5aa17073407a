"""What a client and an embedded supervisor raise: one base, `ClientError`. Nothing here asks or decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client_types import Enqueued, TaskInfo


class ClientError(Exception):
    """Something asked for was not had. `str(error)` is "message; hint".

    `code` is for programs. `hint` is the way out. `status` is that of HTTP, or None when there was no answer.
    """

    #: The task of a bulk that was refused: its place in the whole list, from 0.
    index: int | None = None
    #: The task that is in the way, such as the owner of a name that is taken.
    task_id: int | None = None
    #: What the earlier slices of a bulk have added, in the order of the list.
    added: tuple[Enqueued, ...] = ()

    def __init__(self, code: str, message: str, hint: str = "", status: int | None = None) -> None:
        super().__init__(code, message, hint, status)
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class Unreachable(ClientError):
    """No supervisor answered, or the answer broke off. With a name, asking again is safe."""


class Refused(ClientError):
    """The request makes no sense as it is: the supervisor's own sentence, or that of the client before it asks."""


class Unavailable(ClientError):
    """The supervisor cannot do it now (429, 503, 507), or has failed itself (500)."""


class _Ended(ClientError):
    """Carries the task as it was seen last."""

    def __init__(self, code: str, message: str, hint: str, info: TaskInfo) -> None:
        super().__init__(code, message, hint)
        self.info = info


class TaskFailed(_Ended):
    """The task whose result was wanted has failed for good; `info` tells every attempt."""


class TaskCancelled(_Ended):
    """The task whose result was wanted was cancelled."""


class WaitTimeout(_Ended):
    """The time to wait is over. The task goes on; `info` is how it was seen last."""


class SupervisorFailed(ClientError):
    """The embedded supervisor is not there, did not start, or ended by itself."""

    def __init__(self, code: str, message: str, hint: str, exit_code: int | None = None) -> None:
        super().__init__(code, message, hint)
        #: What the process ended with; below 0 it is the signal.
        self.exit_code = exit_code
