"""Each public estimator says what it assumes, in what unit it answers, when it raises and where it comes from."""

import ast
import re
from pathlib import Path

import pytest

import analysis.estimators

FOLDER = Path(analysis.estimators.__file__).parent
CONSTRUCTORS = {"not_estimable", "normal_estimate", "student_estimate"}
"""They put an answer together that an estimator found."""
ANSWERS = {"Estimate", "Interval", "Adjusted", "StratifiedAdjustment", "AlwaysValid", "Increment"}
SAYS = {
    "a unit": r"[Uu]nit|[Ss]hare|[Cc]urrency",
    "an assumption": r"[Aa]ssum",
    "when it raises": r"[Rr]ais",
    "a source": r"\b(19|20)\d\d\b|[Ss]tatistics note",
}


def estimators() -> dict[str, str]:
    found = {}
    for file in sorted(FOLDER.glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if (
                not isinstance(node, ast.FunctionDef)
                or node.name.startswith("_")
                or node.name in CONSTRUCTORS
            ):
                continue
            answers = "" if node.returns is None else ast.unparse(node.returns)
            if answers.removesuffix(" | None") in ANSWERS:
                found[f"{file.stem}.{node.name}"] = ast.get_docstring(node) or ""
    return found


@pytest.mark.parametrize("name", estimators())
def test_it_says_all_that_an_analyst_asks(name: str) -> None:
    docstring = estimators()[name]
    missing = [what for what, words in SAYS.items() if not re.search(words, docstring)]
    assert not missing, f"{name} does not say {missing}"


def test_the_estimators_are_found() -> None:
    assert {"difference.welch", "ratio.fieller", "score.lift_set", "strata.post_stratified"} <= set(
        estimators()
    )
