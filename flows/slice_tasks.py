"""Sums the slices of an audience as tasks of their own, on the task runner that the settings name. I/O.

A task's arguments are phases and spans, never a person or a database URL: where it runs, the ledger is found by that
machine's own settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from sqlalchemy import Engine

from analysis.outcomes import Cells
from analysis.questions import Asking, Question, ask, ask_in_threads
from experiments.database import connect, reading
from experiments.errors import Rejected
from experiments.ledger import phases_of
from experiments.settings import Settings
from flows.session import Session
from flows.steps import FIRST_PAUSE, is_retryable
from flows.task_runner import task_runner


@task(
    name="sum slice",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[FIRST_PAUSE, 2 * FIRST_PAUSE],
    retry_condition_fn=is_retryable,
)
def sum_slice(question: Question, brand: str = "") -> Cells:
    """The sums of one slice, from the ledger that this machine's settings name, for that brand."""
    engine = connect(Settings.read_for(brand).database_url().get_secret_value())
    try:
        _same_ledger(engine, question)
        return ask(engine, question)
    finally:
        engine.dispose()


def slice_tasks(session: Session) -> Asking:
    """Asks by tasks in a flow run, and in threads of this process where there is none."""
    if FlowRunContext.get() is None:
        return ask_in_threads(session.engine)

    def asking(questions: Sequence[Question]) -> Sequence[Cells]:
        with task_runner(session.settings) as runner:
            coming = [
                runner.submit(sum_slice, {"question": each, "brand": session.settings.holdouts_brand})
                for each in questions
            ]
            return [future.result() for future in coming]

    return asking


def _same_ledger(engine: Engine, question: Question) -> None:
    """A worker with other settings would answer from an empty ledger, and nobody would see it in the report."""
    with reading(engine) as connection:
        known = phases_of(connection, sorted({phase.audience for phase in question.phases}))
    if not set(question.phases) <= set(known):
        raise Rejected(
            "a worker's HOLDOUTS_DATABASE_URL names another ledger than that of the flow; give it the same"
        )
