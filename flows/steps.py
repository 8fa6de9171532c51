"""A step is a Prefect task inside a flow run and a plain call outside one. I/O.

So a command needs no Prefect server, and the same recipe shows its steps where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext

from experiments.errors import Retryable

P = ParamSpec("P")
R = TypeVar("R")

FIRST_PAUSE = 30.0
"""Seconds before a step is repeated; each further pause is twice as long."""


def step(name: str, *, retries: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Names a step. Live clients may be its arguments: nothing of it is cached or persisted.

    `retries` repeats the step, with growing pauses, where a remote service failed.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        as_task = task(
            name=name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=retries,
            retry_delay_seconds=[FIRST_PAUSE * 2**n for n in range(retries)],
            retry_condition_fn=is_retryable,
        )(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if FlowRunContext.get() is None:
                return function(*args, **kwargs)
            done: R = as_task(*args, **kwargs)
            return done

        return call

    return decorate


def is_retryable(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a task failed because a remote service did, so that it may be tried again."""
    return isinstance(state.data, Retryable)
