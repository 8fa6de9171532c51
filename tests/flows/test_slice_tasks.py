"""The slices of an audience are tasks on the runner that the settings name, with equal answers on each."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from notices import wait_for
from prefect_server import PrefectServer

from analysis.measuring import experiments_of, inquire
from analysis.questions import Question, ask_in_threads
from experiments.errors import Rejected
from experiments.settings import Settings
from flows.load_orders import load_orders_flow
from flows.measure_lift import measure_lift
from flows.session import open_session
from flows.slice_tasks import slice_tasks, sum_slice
from flows.sync_audiences import sync_audiences
from flows.task_runner import task_runner
from sandbox.world import Sandbox

SLICE = "150"


@pytest.fixture
def measured(folder: Path, box: Sandbox) -> Sandbox:
    """A shop that has been synced for some weeks and whose orders are in the ledger."""
    for days in (2, 5, 15):
        sync_audiences.fn(now=box.clock.now())
        box.advance(24 * days)
    load_orders_flow.fn(now=box.clock.now())
    return box


def _experiments(box: Sandbox, monkeypatch: pytest.MonkeyPatch, runner: str, size: str) -> Any:
    monkeypatch.setenv("HOLDOUTS_TASK_RUNNER", runner)
    monkeypatch.setenv("HOLDOUTS_SLICE_SIZE", size)
    return measure_lift(now=box.clock.now(), report_folder=f"report-{runner}-{size}")["document"][
        "experiments"
    ]


@pytest.mark.server
@pytest.mark.timeout(600)
def test_threads_and_a_local_dask_cluster_tell_the_same_to_the_last_digit(
    measured: Sandbox, in_process: PrefectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _experiments(measured, monkeypatch, "threads", "1000000")
    threads = _experiments(measured, monkeypatch, "threads", SLICE)
    dask = _experiments(measured, monkeypatch, "dask", SLICE)
    assert dask == threads
    # The server writes task runs down from events, a moment after they ended.
    wait_for(lambda: {each["state_type"] for each in _slices(in_process)} == {"COMPLETED"})
    runs = _slices(in_process)
    assert len(runs) > 2 * len(whole), "each experiment's slices should be tasks of their own"
    names = [each["name"] for each in whole]
    assert [each["name"] for each in threads] == names
    for one, many in zip(whole, threads, strict=True):
        assert many["verdict"] == one["verdict"]


@pytest.mark.soak
@pytest.mark.server
@pytest.mark.timeout(900)
def test_a_local_ray_tells_the_same_to_the_last_digit(
    measured: Sandbox, in_process: PrefectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("prefect_ray", reason="the extra `ray` is not installed here")
    threads = _experiments(measured, monkeypatch, "threads", SLICE)
    before = len(_slices(in_process))
    assert _experiments(measured, monkeypatch, "ray", SLICE) == threads
    wait_for(lambda: len(_slices(in_process)) == 2 * before)
    wait_for(lambda: {each["state_type"] for each in _slices(in_process)} == {"COMPLETED"})


def _slices(server: PrefectServer) -> Any:
    return server.post("/task_runs/filter", {"task_runs": {"name": {"like_": "sum slice"}}})


def _questions() -> tuple[Question, ...]:
    with open_session() as session:
        found = experiments_of(session.programme)
        inquiries = [inquire(session.engine, each, 2_000_000_000, slice_size=100) for each in found]
    return tuple(question for each in inquiries for question in each.questions)


def test_outside_of_a_flow_run_the_slices_are_summed_in_this_process(measured: Sandbox) -> None:
    with open_session() as session:
        questions = _questions()
        assert slice_tasks(session)(questions) == ask_in_threads(session.engine)(questions)


def test_a_worker_that_finds_another_ledger_refuses_to_answer(
    measured: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = _questions()[0]
    assert sum_slice.fn(question)
    monkeypatch.setenv("HOLDOUTS_DATABASE_URL", f"sqlite:///{folder / 'other.sqlite'}")
    with pytest.raises(Rejected, match="names another ledger"):
        sum_slice.fn(question)


@pytest.mark.skipif(importlib.util.find_spec("prefect_ray") is not None, reason="the extra is installed here")
def test_a_runner_whose_extra_is_missing_is_rejected_with_the_words_that_install_it() -> None:
    with pytest.raises(Rejected, match=r"pip install 'criteo-holdouts\[ray\]'"):
        task_runner(Settings.read({"HOLDOUTS_TASK_RUNNER": "ray"}))


def test_a_cluster_of_other_machines_cannot_read_an_sqlite_file() -> None:
    words = {"HOLDOUTS_TASK_RUNNER": "dask", "HOLDOUTS_CLUSTER": "tcp://10.0.0.1:8786"}
    with pytest.raises(Rejected, match="use PostgreSQL"):
        task_runner(Settings.read(words))
    shared = task_runner(Settings.read({**words, "HOLDOUTS_DATABASE_URL": "postgresql://db/holdouts"}))
    assert shared.name == "dask"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("HOLDOUTS_TASK_RUNNER", "spark", "one of threads, dask, ray"),
        ("HOLDOUTS_AT_ONCE", "0", "a whole number of at least 1"),
        ("HOLDOUTS_SLICE_SIZE", "-5", "a whole number of at least 1"),
        ("HOLDOUTS_SLICE_SIZE", "1e6", "a whole number of at least 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_rejected_by_its_name(variable: str, value: str, words: str) -> None:
    with pytest.raises(Rejected, match=f"{variable} must be {words}"):
        Settings.read({variable: value})
