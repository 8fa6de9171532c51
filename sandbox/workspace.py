"""A Customer.io workspace: profiles, segments with their building states, and who is in which. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sandbox.export import Export
from sandbox.market import Market
from sandbox.mistakes import segments
from sandbox.people import Profile
from sandbox.shop import Mask

FIRST_SEGMENT_ID = 7
_STAGES = ("build_queued", "build", "events_queued", "events")


@dataclass(slots=True)
class Segment:
    """A segment; `polls_left` of `polls` looks at it remain until it is finished."""

    id: int
    name: str
    description: str
    created_at: int
    updated_at: int
    manual: Mask | None = None
    polls: int = 0
    polls_left: int = 0

    @property
    def done(self) -> float:
        """How much of the segment is built, from 0 to 1."""
        return 1.0 if self.polls == 0 else 1 - self.polls_left / self.polls

    def shown(self) -> dict[str, Any]:
        """The segment object of the API."""
        building = self.polls_left > 0
        return {
            "id": self.id,
            "deduplicate_id": f"{self.id}:{self.updated_at}",
            "name": self.name,
            "description": self.description,
            "state": _STAGES[int(self.done * len(_STAGES))] if building else "finished",
            "progress": int(self.done * 100) if building else None,
            "type": "dynamic" if self.manual is None else "manual",
            "tags": None,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    def look(self) -> None:
        """Somebody looked at the state: the building goes on by one step."""
        self.polls_left = max(0, self.polls_left - 1)


class InvalidFilterError(ValueError):
    """The filter is not exactly one of and, or, not, segment, attribute."""


@dataclass(slots=True)
class Workspace:
    """What Customer.io knows; membership is computed when asked, at the shop's now."""

    market: Market
    segments: dict[int, Segment] = field(default_factory=dict)
    attributes: dict[int, dict[str, str]] = field(default_factory=dict)
    exports: dict[int, Export] = field(default_factory=dict)
    identifier_json: list[bytes] = field(init=False)
    id_json: list[bytes] = field(init=False)
    by_cio_id: dict[str, int] = field(init=False)
    by_id: dict[str, int] = field(init=False)
    by_email: dict[str, list[int]] = field(init=False)
    unsubscribed: Mask = field(init=False)
    _first_profile: dict[int, int] = field(init=False)
    _last_id: int = FIRST_SEGMENT_ID - 1

    def __post_init__(self) -> None:
        profiles = self.profiles
        self.identifier_json = [
            json.dumps(self.identifiers(one), ensure_ascii=False).encode() for one in profiles
        ]
        self.id_json = [json.dumps(profile.id or "").encode() for profile in profiles]
        self.by_cio_id = {profile.cio_id: index for index, profile in enumerate(profiles)}
        self.by_id = {profile.id: index for index, profile in enumerate(profiles) if profile.id is not None}
        self.by_email = {}
        for index, profile in enumerate(profiles):
            if profile.email:
                self.by_email.setdefault(profile.email.lower(), []).append(index)
        devices = self.market.people.devices
        self.attributes = {
            index: {"advertising_id": devices[one.person]}
            for index, one in enumerate(profiles)
            if one.person in devices
        }
        self._first_profile = {
            profile.person: index for index, profile in reversed(list(enumerate(profiles)))
        }
        self.unsubscribed = np.arange(len(profiles)) % 29 == 11
        now = int(self.market.clock.epoch())
        for name, (description, _) in segments(self.market.switches.mistakes).items():
            segment = self.add_segment(name, description, now - 86_400)
            self.rebuild(segment.id, self.market.switches.building_polls)

    @property
    def profiles(self) -> Sequence[Profile]:
        """Every profile, in the order in which pages list them."""
        return self.market.people.profiles

    @property
    def by_id_only(self) -> bool:
        """Whether the workspace identifies people by id alone, so that membership has no e-mail."""
        return self.market.switches.workspace == "id_only"

    def identifiers(self, profile: Profile) -> dict[str, str | None]:
        """The identifiers object of a profile; without an e-mail key in a workspace that knows ids only."""
        if self.by_id_only:
            return {"id": profile.id or profile.cio_id, "cio_id": profile.cio_id}
        return {"email": profile.email, "id": profile.id, "cio_id": profile.cio_id}

    def add_segment(self, name: str, description: str, at: int, *, manual: bool = False) -> Segment:
        """A new segment; a manual one is empty."""
        self._last_id += 1
        mask = np.zeros(len(self.profiles), dtype=np.bool_) if manual else None
        segment = Segment(self._last_id, name, description, at, at, mask)
        self.segments[segment.id] = segment
        return segment

    def rebuild(self, segment_id: int, polls: int) -> None:
        """Start building a segment again: finished after so many looks, partly filled until then."""
        segment = self.segments[segment_id]
        segment.polls = segment.polls_left = polls

    def in_segment(self, segment: Segment) -> Mask:
        """Which profiles are in a segment now, all of them, however far it is built."""
        if segment.manual is not None:
            return segment.manual
        return np.asarray(self.market.members(segment.name)[self.market.people.person_of])

    def members(self, segment: Segment) -> NDArray[np.int64]:
        """The profiles that membership shows: all, or the first part of them while the segment is building."""
        everybody = np.flatnonzero(self.in_segment(segment))
        return everybody[: int(len(everybody) * segment.done)]

    def profile_of(self, person: int) -> int:
        """The first profile of a person."""
        return self._first_profile[person]

    def find(self, value: str, id_type: str) -> int | None:
        """The profile that an identifier of a type names."""
        if id_type == "cio_id":
            return self.by_cio_id.get(value.removeprefix("cio_"))
        if id_type == "email":
            return next(iter(self.by_email.get(value.lower(), ())), None)
        return self.by_id.get(value) if id_type == "id" else None

    def customer(self, index: int) -> dict[str, Any]:
        """The customer object: all attribute values are strings, preferences a string of JSON."""
        profile = self.profiles[index]
        created = 1_766_000_000 + index
        topics = json.dumps({"topics": {"topic_7": index % 5 != 0}}, separators=(",", ":"))
        attributes = {
            "cio_id": profile.cio_id,
            "created_at": str(created),
            "_cio_subscription_preferences_computed": topics,
            **({"id": profile.id} if profile.id is not None else {}),
            **({"email": profile.email} if profile.email is not None else {}),
            **({"unsubscribed": "true"} if self.unsubscribed[index] else {}),
            **self._noted(index),
            **self.attributes.get(index, {}),
        }
        return {
            "customer": {
                "id": profile.id or "",
                "identifiers": self.identifiers(profile),
                "attributes": attributes,
                "timestamps": dict.fromkeys(attributes, created),
                "unsubscribed": bool(self.unsubscribed[index]),
                "devices": [],
            }
        }

    def _noted(self, index: int) -> dict[str, str]:
        """What the cart journey wrote down of the offer that it gave to this person."""
        offer = self.market.switches.mistakes.noted_offer
        if offer is None or not self.market.members("cart-2-7d")[self.profiles[index].person]:
            return {}
        return {"last_offer": offer}

    def matching(self, condition: Any) -> Mask:
        """Which profiles a filter holds: exactly one of and, or, not, segment, attribute."""
        if not isinstance(condition, Mapping) or len(condition) != 1:
            raise InvalidFilterError("a filter has exactly one of and, or, not, segment, attribute")
        (kind, value), *_ = condition.items()
        if kind in ("and", "or") and isinstance(value, list) and value:
            masks = [self.matching(part) for part in value]
            combine = np.logical_and if kind == "and" else np.logical_or
            return np.asarray(combine.reduce(masks), dtype=np.bool_)
        if kind == "not":
            others: Mask = ~self.matching(value)
            return others
        if kind == "segment" and isinstance(value, Mapping):
            segment = self.segments.get(value.get("id", 0))
            return np.zeros(len(self.profiles), np.bool_) if segment is None else self.in_segment(segment)
        if kind == "attribute" and isinstance(value, Mapping):
            return self._with_attribute(value)
        raise InvalidFilterError(f"cannot read {kind}")

    def _with_attribute(self, condition: Mapping[str, Any]) -> Mask:
        name, operator = condition.get("field"), condition.get("operator")
        if operator not in ("eq", "exists") or not isinstance(name, str):
            raise InvalidFilterError("an attribute has a field and the operator eq or exists")
        wanted = condition.get("value")
        text = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
        found = np.zeros(len(self.profiles), dtype=np.bool_)
        for index in range(len(self.profiles)):
            value = self._attribute(index, name)
            found[index] = value is not None and (operator == "exists" or value == text)
        return found

    def _attribute(self, index: int, name: str) -> str | None:
        profile = self.profiles[index]
        if name == "unsubscribed":
            return "true" if self.unsubscribed[index] else None
        if name in ("id", "email", "cio_id"):
            value: str | None = getattr(profile, name)
            return value
        return self.attributes.get(index, {}).get(name)
