"""All benchmarks at a tiny size: every process of them runs, and the page comes out whole."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=250)


def test_a_tiny_run_goes_to_its_end_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = bench("2e3", "--databases", "sqlite")
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines() if "2,000" in line]
    script = "the straightforward script"
    syncs = ["first sync", *(f"re-sync, {share} % churn" for share in ("0.1", "1", "10"))]
    assert rows == [*syncs, script, "all estimates", script, "the whole report"]
    assert "= hash 0." in done.stdout
    assert "| scan 0." in done.stdout
    assert "first sync" in done.stderr  # progress
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_out_is_said() -> None:
    done = bench("2e3", "--only", "report", "--databases", "sqlite", "--script-up-to", "1e3")
    assert done.returncode == 0, done.stderr
    assert "The straightforward scripts were left out at 2,000, as was asked." in done.stdout
    assert "the straightforward script |" not in done.stdout


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    done = bench("2e3", "--only", "magic")
    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'magic'" in done.stderr


@pytest.mark.parametrize("size", ["many", "1e2", "nan"])
def test_a_size_that_tells_nothing_is_refused(size: str) -> None:
    done = bench(size)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{size} is no size; write a number from 2,000 on, such as 1e5" in done.stderr
