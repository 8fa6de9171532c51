"""A Criteo in memory, as far as contact lists go: behind a fake transport, with failures at chosen requests."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from sync.criteo import Criteo
from sync.limits import Unlimited
from sync.transport import Patience

ADVERTISER = "12345"
_ONCE = Patience(attempts=1)

Fault = str
"""`drop-before`, `drop-after`, `503-before`, `503-after`, `429`, or `""` for none."""


class Crash(BaseException):
    """The process dies here; nothing may catch it."""


@dataclass
class TinyCriteo:
    """Keeps lists by id and everything that ever stood in them; `fault` decides each request's fate."""

    lists: dict[str, set[str]] = field(default_factory=dict)
    ever: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    audiences: dict[str, dict[str, object]] = field(default_factory=dict)
    algebra: list[tuple[str, object]] = field(default_factory=list)
    log: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    """Each amendment that was carried out: name, operation, identifiers."""
    fault: Callable[[httpx.Request], Fault] = lambda _: ""
    refuses: set[str] = field(default_factory=set)
    """Identifiers that are called invalid."""
    seeds: dict[str, str] = field(default_factory=dict)
    """By the id of a lookalike segment, the list that it grows from."""
    matches: float = 0.5
    """The share of a list's identifiers that is recognised."""
    forbidden: bool = False
    """Statistics are answered with 403."""
    uncounted: bool = False
    """Criteo has counted no list yet."""
    samples: int = 0
    gone: set[str] = field(default_factory=set)
    """Ids that answer 404."""
    after: Callable[[], None] | None = None
    """Called once, when the next request was carried out and before it is answered."""

    def client(self, patience: Patience = _ONCE) -> Criteo:
        transport = httpx.MockTransport(self._handle)
        return Criteo(
            "http://criteo.test",
            "id",
            SecretStr("secret"),
            Unlimited(),
            Unlimited(),
            patience=patience,
            transport=transport,
        )

    def make(self, name: str, members: set[str] | None = None) -> str:
        number = str(7000 + len(self.ever))
        self.names[number] = name
        self.lists[number], self.ever[number] = set(members or ()), set(members or ())
        return number

    def named(self, name: str) -> set[str]:
        return {
            each for number, called in self.names.items() if called == name for each in self.lists[number]
        }

    def ever_named(self, name: str) -> set[str]:
        return {each for number, called in self.names.items() if called == name for each in self.ever[number]}

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 900})
        fault = self.fault(request)
        if fault == "429":
            return httpx.Response(429, headers={"retry-after": "0"})
        if fault == "503-before":
            return httpx.Response(503)
        if fault == "drop-before":
            raise httpx.ReadError("dropped", request=request)
        answer = self._act(request)
        if (after := self.after) is not None:
            self.after = None
            after()
        if fault == "503-after":
            return httpx.Response(503)
        if fault == "drop-after":
            raise httpx.ReadError("dropped", request=request)
        return answer

    def _act(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 - one return a route
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        if match := re.search(r"/audience-segments/(\w+)/contact-list(/statistics)?$", path):
            number = match[1]
            if number not in self.lists or number in self.gone:
                return _problem(404, "segment-not-found")
            return self._statistics(number) if match[2] else self._amend(number, body["data"]["attributes"])
        if path.endswith("/audience-segments/create"):
            return self._create(body["data"][0]["attributes"]["name"])
        if path.endswith("/audience-segments/search"):
            wanted = body["data"]["attributes"].get("audienceSegmentIds", list(self.names))
            return _found(
                [self._segment(one) for one in wanted if one in self.names and one not in self.gone]
            )
        if path.endswith("/audience-segments/delete"):
            return self._delete([one["id"] for one in body["data"]])
        if path.endswith("/audience-segments"):
            return self._rename(body["data"][0])
        if path.endswith("/audiences/search"):
            return _found(list(self.audiences.values()))
        if path.endswith("/audiences"):
            return self._update(body["data"][0])
        raise AssertionError(path)

    def _segment(self, number: str) -> dict[str, object]:
        attributes: dict[str, object] = {"advertiserId": ADVERTISER, "name": self.names[number]}
        seed = self.seeds.get(number)
        if seed is None:
            attributes |= {"type": "ContactList", "contactList": {"isReadOnly": False}}
        else:
            attributes |= {"type": "Lookalike", "lookalike": {"seedSegmentId": seed}}
        return {"id": number, "type": "AudienceSegment", "attributes": attributes}

    def _create(self, name: str) -> httpx.Response:
        if name in self.names.values():
            return _problem(200, "name-must-be-unique")
        return _found([self._segment(self.make(name))])

    def _rename(self, entity: dict[str, object]) -> httpx.Response:
        number, name = str(entity["id"]), str(dict(entity["attributes"])["name"])  # type: ignore[call-overload]
        if number not in self.names or number in self.gone:
            return _problem(200, "segment-not-found")
        others = {called for other, called in self.names.items() if other not in {number, *self.gone}}
        if name in others:
            return _problem(200, "name-must-be-unique")
        self.names[number] = name
        return _found([self._segment(number)])

    def _delete(self, numbers: list[str]) -> httpx.Response:
        """A list that an audience is made of stays."""
        if any(f'"{number}"' in json.dumps(self.audiences) for number in numbers):
            return _problem(200, "segment-in-use")
        for number in numbers:
            self.lists.pop(number, None)
            self.names.pop(number, None)
        return _found([{"id": number, "type": "AudienceSegment"} for number in numbers])

    def _update(self, entity: dict[str, object]) -> httpx.Response:
        number = str(entity["id"])
        attributes = {**dict(self.audiences[number]["attributes"]), **dict(entity["attributes"])}  # type: ignore[call-overload]
        self.audiences[number] = {**self.audiences[number], "attributes": attributes}
        self.algebra.append((number, attributes["algebra"]))
        return _found([self.audiences[number]])

    def _amend(self, number: str, wanted: dict[str, object]) -> httpx.Response:
        identifiers = frozenset(wanted["identifiers"])  # type: ignore[call-overload]
        bad = sorted(identifiers & self.refuses)
        operation = str(wanted["operation"])
        if operation == "add":
            self.lists[number] |= identifiers - self.refuses
            self.ever[number] |= identifiers - self.refuses
        else:
            self.lists[number] -= identifiers
        self.log.append((self.names[number], operation, identifiers))
        attributes = {
            "contactListId": int(number),
            "operation": operation,
            "requestDate": "2026-11-24T10:00:50.0000000+00:00",
            "identifierType": "email",
            "nbValidIdentifiers": len(identifiers) - len(bad),
            "nbInvalidIdentifiers": len(bad),
            "sampleInvalidIdentifiers": bad[: self.samples],
        }
        data = {"type": "ContactlistAmendment", "attributes": attributes}
        return httpx.Response(200, json={"data": data, "errors": [], "warnings": []})

    def _statistics(self, number: str) -> httpx.Response:
        if self.forbidden:
            return _problem(403, "access-denied")
        count = None if self.uncounted else len(self.lists[number])
        attributes = {
            "numberOfIdentifiers": count,
            "numberOfMatches": None if count is None else int(count * self.matches),
            "matchRate": 100 * self.matches,
        }
        data = {"id": number, "type": "ContactListStatistics", "attributes": attributes}
        return httpx.Response(200, json={"data": data, "errors": [], "warnings": []})


def _found(entities: list[dict[str, object]]) -> httpx.Response:
    return httpx.Response(200, json={"data": entities, "errors": [], "warnings": []})


def _problem(status: int, code: str) -> httpx.Response:
    problem = {"type": "validation", "code": code, "title": "no", "instance": "/x", "traceId": "t"}
    return httpx.Response(status, json={"data": None, "errors": [problem], "warnings": []})
