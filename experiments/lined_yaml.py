"""Reads a file that a team edits, and names the line of whatever is wrong in it. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from experiments.errors import Rejected

Place = tuple[str | int, ...]
"""Where a value stands: keys and positions, from the top."""
Refuse = Callable[[Place, str], Rejected]
"""Makes the error that names the file and the line of a place."""
Entries = TypeVar("Entries", bound=BaseModel)


def read_text(path: Path, variable: str) -> str:
    """The file's text; raises Rejected, with the variable that names the file where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Rejected(f"{path} does not exist; name the file in {variable} or write one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"{path} cannot be read: {type(error).__name__}") from error


def read_lined(text: str, source: str, shape: type[Entries]) -> tuple[Entries, Refuse]:
    """The text as entries of that shape, and what refuses a place in it; raises Rejected with line and reason."""
    lines: dict[Place, int] = {}

    def refuse(at: Place, reason: str) -> Rejected:
        while at not in lines and at:
            at = at[:-1]
        return Rejected(f"{source}, line {lines.get(at, 1)}: {reason}")

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "this is no YAML"
        raise Rejected(f"{source}, line {line}: {problem}") from error
    for at, line in _lines(root, ()):
        if at in lines:
            raise Rejected(f"{source}, line {line}: the key {at[-1]!r} stands here twice")
        lines[at] = line
    try:
        return shape.model_validate(yaml.safe_load(text)), refuse
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        at = tuple(part for part in first["loc"] if isinstance(part, str | int))
        raise refuse(at, _reason(at, first["type"], first["msg"])) from error


def _lines(node: yaml.Node | None, at: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(value, (*at, index))


def _reason(at: Place, kind: str, message: str) -> str:
    key = next((part for part in reversed(at) if isinstance(part, str)), "the file")
    if kind == "extra_forbidden":
        return f"unknown key {key!r}"
    if kind == "missing":
        return f"the key {key!r} is missing"
    return f"{key}: {message.removeprefix('Value error, ')}"
