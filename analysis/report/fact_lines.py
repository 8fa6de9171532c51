"""One line of a list of facts on the report. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.wording import Sentence


@dataclass(frozen=True, slots=True)
class Fact:
    """The glossary's key (or nothing), a label, what is known."""

    term: str
    label: str
    said: Sentence
