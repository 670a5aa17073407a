"""The parameters of a handler against the args of a task. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ._hints import Mismatch, describe, fit, hints_of
from .context import Context
from .errors import WorkerError


class BadArguments(Exception):
    """The args of a task do not fit its handler; one sentence that names the argument."""


class Call(NamedTuple):
    """What the handler is to be called with."""

    positional: list[Any]
    named: dict[str, Any]


class Arguments:
    """What a handler takes: its parameters by name, without the one for the context. ``whole``: there is one, and it
    takes the args as they are, map or not.

    Raises ``WorkerError`` for parameters that args cannot reach.
    """

    def __init__(self, kind: str, function: Callable[..., Any], whole: bool = False) -> None:
        self._kind = kind
        self._function = function
        self._whole = whole
        try:
            self._parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise WorkerError(
                f"the parameters of the handler of {kind} cannot be read: {error}; wrap it in a def"
            ) from None
        if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in self._parameters):
            raise WorkerError(
                f"the handler of {kind} has *args; arguments come by name, so name each, or take **kwargs"
            )
        kinds = [parameter.kind for parameter in self._parameters]
        if whole and (not 1 <= len(kinds) <= 2 or inspect.Parameter.VAR_KEYWORD in kinds):
            raise WorkerError(
                f"the handler of {kind} takes its args whole: give it the context, if any, and one parameter"
            )

    @cached_property
    def _hints(self) -> dict[str, Any]:
        # Not before the first use: a hint may name a class that is defined further down.
        function = self._function
        return hints_of(function if inspect.isroutine(function) else getattr(function, "func", type(function).__call__))

    @cached_property
    def _context_name(self) -> str:
        """The parameter that gets the context, or nothing."""
        for parameter in self._parameters:
            if self._hints.get(parameter.name) is Context:
                return parameter.name
        first = self._parameters[0].name if self._parameters else ""
        return first if first == "cx" else ""

    @cached_property
    def _named(self) -> dict[str, inspect.Parameter]:
        return {
            parameter.name: parameter
            for parameter in self._parameters
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name != self._context_name
        }

    @cached_property
    def _rest(self) -> list[str]:
        """The name of ``**kwargs``, if there is one."""
        return [parameter.name for parameter in self._parameters if parameter.kind is parameter.VAR_KEYWORD]

    def given(self, args: Mapping[str, Any]) -> Any:
        """The args of a task from those that a person has named: one that takes them whole may be named as well."""
        name = self._parameters[-1].name if self._whole else ""
        return args[name] if list(args) == [name] else args

    def bind(self, args: Any, context: Context) -> Call:
        """Checks the args and builds the call. Raises ``BadArguments``."""
        if self._whole:
            args = {self._parameters[-1].name: args}
        elif args is None:
            args = {}
        if not isinstance(args, Mapping) or not all(isinstance(name, str) for name in args):
            raise BadArguments(f"{self._kind}: args must be a map from argument names to values; {self._known()}")
        for name, parameter in self._named.items():
            if name not in args and parameter.default is parameter.empty:
                raise BadArguments(f"{self._kind}: argument {name} is missing; {self._known()}")
        values = {name: self._fit(name, value) for name, value in args.items()}
        if self._context_name:
            values[self._context_name] = context
        positional = []
        for parameter in self._parameters:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(values.pop(parameter.name, parameter.default))
        return Call(positional, values)

    def _fit(self, name: str, value: Any) -> Any:
        hint = self._hints.get(name if name in self._named else "".join(self._rest), Any)
        if name not in self._named and (not self._rest or name == self._context_name):
            raise BadArguments(f"{self._kind}: argument {name} is not known; {self._known()}")
        try:
            return fit(hint, value)
        except Mismatch as mismatch:
            if self._whole and value is None:
                # Nothing, where fields are expected, is a map without entries.
                return self._fit(name, {})
            what = "args" if self._whole else f"argument {name}"
            raise BadArguments(f"{self._kind}: {what}{mismatch.path}: {mismatch.problem}; {self._known()}") from None

    def _known(self) -> str:
        if self._whole:
            return "args are one value here"
        if self._rest:
            return "any argument is taken"
        return f"known arguments are {', '.join(self._named)}" if self._named else "there are no arguments"

    def describe(self) -> str:
        """The arguments as a person would write them: ``path: str, width: int = 640``."""
        parts = []
        for name, parameter in self._named.items():
            hint = f": {describe(self._hints[name])}" if name in self._hints else ""
            default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
            parts.append(name + hint + default)
        return ", ".join(parts + ["any others"] * bool(self._rest))

    def needed(self) -> list[tuple[str, bool]]:
        """The arguments without a default, and whether text will do for each."""
        if self._whole:
            return []
        return [
            (name, self._hints.get(name, str) is str)
            for name, parameter in self._named.items()
            if parameter.default is parameter.empty
        ]
