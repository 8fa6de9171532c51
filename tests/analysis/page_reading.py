"""Reads a report's HTML as strictly as it was meant: balanced, unique ids, every reference there. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_APART = {"td", "th", "dt", "dd", "p", "h1", "h2", "h3", "text", "figcaption"}
_VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Read:
    """What was found."""

    ids: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found = Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        last = self.open.pop() if self.open else None
        assert last == tag, f"</{tag}> closes <{last}> at {self.getpos()}"
        if tag in _APART:
            self.found.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.found.text.append(data)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if "id" in have:
            self.found.ids.append(have["id"])
        self.found.references += [
            have[key] for key in ("aria-labelledby", "popovertarget", "aria-describedby") if key in have
        ]
        for key in ("href", "xlink:href", "src"):
            if key in have:
                target = have[key]
                (self.found.references if target.startswith("#") else self.found.addresses).append(
                    target.removeprefix("#")
                )
        if "data-json" in have:
            self.found.numbers.append((have["data-json"], have["value"]))


def read_page(html: str) -> Read:
    """Raises AssertionError for a tag that closes another, or one left open."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return reader.found


def text_of(html: str) -> str:
    """The words, white space made single."""
    return " ".join("".join(read_page(html).text).split())


def at_pointer(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901)."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document
