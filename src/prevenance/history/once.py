"""Questions that several ask of the same history: answered once, because its rows stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from prevenance.history.history import History

P = ParamSpec("P")
R = TypeVar("R")


def asked_once(ask: Callable[Concatenate[History, P], R]) -> Callable[Concatenate[History, P], R]:
    """Return ``ask`` with its answers kept in ``History.answers``; nobody may change what is answered."""

    @wraps(ask)
    def answer(history: History, *given: P.args, **named: P.kwargs) -> R:
        key = (ask, repr((given, named)))
        if key not in history.answers:
            history.answers[key] = ask(history, *given, **named)
        return cast(R, history.answers[key])

    return answer
