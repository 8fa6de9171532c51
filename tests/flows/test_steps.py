from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import (
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    temporary_settings,
)
from prefect_server import PrefectServer

from experiments.errors import Rejected, Retryable
from flows.steps import step

pytestmark = pytest.mark.server


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.steps.FIRST_PAUSE", 0.0)


@dataclass
class Live:
    """Something like a session: it can neither be hashed nor pickled."""

    __hash__ = None  # type: ignore[assignment]  # that is the point

    def __reduce__(self) -> str:
        raise TypeError("a live client cannot be stored")


def test_a_step_outside_of_a_flow_run_is_a_plain_call() -> None:
    @step("double", retries=2)
    def double(n: int) -> int:
        return 2 * n

    assert double(21) == 42


def test_a_step_is_repeated_where_a_remote_service_failed(in_process: PrefectServer) -> None:
    calls = []

    @step("ask", retries=2)
    def ask() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise Retryable("criteo.example did not answer")
        return "answered"

    @flow(name="asking")
    def asking() -> str:
        return ask()

    assert asking() == "answered"
    assert len(calls) == 3


def test_a_step_gives_up_after_its_retries_with_the_sentence_of_the_last(in_process: PrefectServer) -> None:
    calls = []

    @step("ask", retries=2)
    def ask() -> None:
        calls.append(1)
        raise Retryable("criteo.example did not answer")

    @flow(name="asking")
    def asking() -> None:
        ask()

    with pytest.raises(Retryable, match=r"criteo\.example did not answer"):
        asking()
    assert len(calls) == 3


def test_a_step_is_not_repeated_where_we_have_to_mend_something(in_process: PrefectServer) -> None:
    calls = []

    @step("ask", retries=2)
    def ask() -> None:
        calls.append(1)
        raise Rejected("the key is wrong")

    @flow(name="asking")
    def asking() -> None:
        ask()

    with pytest.raises(Rejected, match="the key is wrong"):
        asking()
    assert len(calls) == 1


def test_neither_arguments_nor_results_of_a_step_are_stored(
    in_process: PrefectServer, tmp_path: Path
) -> None:
    """Even where Prefect is told to persist results by default."""

    @step("hold")
    def hold(live: Live, _people: list[str]) -> list[str]:
        assert isinstance(live, Live)
        return ["somebody@example.com"]

    @flow(name="holding", persist_result=False)
    def holding() -> int:
        return len(hold(Live(), ["somebody@example.com"]))

    stored = {PREFECT_RESULTS_PERSIST_BY_DEFAULT: True, PREFECT_LOCAL_STORAGE_PATH: tmp_path / "storage"}
    with temporary_settings(stored):
        assert holding() == 1
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]
