"""Mutirao for Python: workers that run tasks, clients that add them, and the supervisor embedded in a program.

Importing this package in a program that a supervisor has started takes stdin and stdout for the conversation with it: from
then on, what is printed becomes the log of the task, and reading stdin finds its end. So import it first.
"""

from . import _channel

_channel.claim()

from ._notes import Progress  # noqa: E402
from ._stop import StopRequest  # noqa: E402
from ._version import VERSION as __version__  # noqa: E402
from .async_client import AsyncClient  # noqa: E402
from .client import Client  # noqa: E402
from .client_errors import (  # noqa: E402
    ClientError,
    Refused,
    SupervisorFailed,
    TaskCancelled,
    TaskFailed,
    Unavailable,
    Unreachable,
    WaitTimeout,
)
from .client_types import Attempt, Enqueued, LogLine, Task, TaskInfo, TaskProgress  # noqa: E402
from .context import Context, Receipt, current  # noqa: E402
from .errors import Fail, Retry, RetryAfter, Stopped, WorkerError  # noqa: E402
from .startup import Startup  # noqa: E402
from .supervisor import Supervisor  # noqa: E402
from .worker import Worker  # noqa: E402

__all__ = [
    "AsyncClient",
    "Attempt",
    "Client",
    "ClientError",
    "Context",
    "Enqueued",
    "Fail",
    "LogLine",
    "Progress",
    "Receipt",
    "Refused",
    "Retry",
    "RetryAfter",
    "Startup",
    "StopRequest",
    "Stopped",
    "Supervisor",
    "SupervisorFailed",
    "Task",
    "TaskCancelled",
    "TaskFailed",
    "TaskInfo",
    "TaskProgress",
    "Unavailable",
    "Unreachable",
    "WaitTimeout",
    "Worker",
    "WorkerError",
    "__version__",
    "current",
]
