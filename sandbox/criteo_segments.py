"""Criteo's audience segments and their contact lists, as its API answers. I/O."""

import time
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.account import SEGMENT_TYPES, Segment, buy_media, segments_of
from sandbox.contact_lists import ContactList
from sandbox.criteo_wire import Call, CriteoProblemError, Problem, envelope, invalid, problem, stamp
from sandbox.market import Write

MAX_IDENTIFIERS = 50_000
IDENTIFIER_TYPES = ("email", "madid", "identityLink", "gum", "phoneNumber")


def own_advertiser(call: Call, advertiser_id: Any) -> None:
    """Refuse to act for an advertiser that gave no consent."""
    if str(advertiser_id) != call.market.account.advertiser_id:
        raise CriteoProblemError(
            403, "access-control", "insufficient-advertisers-permissions", "No consent from this advertiser."
        )


def name_problem(call: Call, name: Any, taken: Mapping[str, str], itself: str = "") -> Problem | None:
    """Why a name cannot be given, if it cannot; `taken` maps ids to the names in use."""
    if not isinstance(name, str) or not name.strip():
        return problem("name-must-not-be-empty", "Segment name must not be empty", call.path)
    if any(other == name and key != itself for key, other in taken.items()):
        return problem("name-must-be-unique", f"Another Segment exists with the name: {name}", call.path)
    return None


def bulk(call: Call, done: list[Any], failed: list[Problem]) -> Response:
    """The answer to a bulk request some items of which may have failed, in the form that is switched on."""
    where = call.switches.duplicate_name
    if failed and where == "400" and not done:
        return JSONResponse({"errors": failed, "warnings": []}, 400)
    return envelope(done, [], failed) if where == "warnings" else envelope(done, failed)


def resource(segment: Segment, advertiser_id: str) -> dict[str, Any]:
    """A segment as the API shows it."""
    key = next(key for key, kind in SEGMENT_TYPES.items() if kind == segment.kind)
    return {
        "id": segment.id,
        "type": "AudienceSegment",
        "attributes": {
            "advertiserId": advertiser_id,
            "name": segment.name,
            "description": segment.description,
            "type": segment.kind,
            "createdAt": stamp(segment.created_at),
            "updatedAt": stamp(segment.updated_at),
            key: {"isReadOnly": False} if segment.contacts is not None else dict(segment.definition),
        },
    }


def create(call: Call) -> Response:
    """POST audience-segments/create."""
    account, done, failed = call.market.account, [], []
    for item in call.data():
        attributes = item.get("attributes") or {}
        own_advertiser(call, attributes.get("advertiserId"))
        kinds = [key for key in SEGMENT_TYPES if attributes.get(key) is not None]
        if len(kinds) != 1:
            failed.append(problem("segment-type-invalid", "Exactly one segment type is required", call.path))
            continue
        names = {one.id: one.name for one in account.segments.values()}
        if (why := name_problem(call, attributes.get("name"), names)) is not None:
            failed.append(why)
            continue
        segment = _new_segment(call, attributes, kinds[0])
        account.segments[segment.id] = segment
        done.append(resource(segment, account.advertiser_id))
    if call.switches.media_buyer:
        buy_media(account, call.market.clock.now())
    return bulk(call, done, failed)


def _new_segment(call: Call, attributes: Mapping[str, Any], key: str) -> Segment:
    market, now = call.market, call.market.clock.now()
    contacts = None
    if key == "contactList":
        contacts = ContactList(
            market.people.known_as,
            market.account.matchable,
            call.switches.processing == "batch",
            call.switches.reject_share,
            call.switches.samples,
        )
    return Segment(
        id=market.account.new_id(),
        name=attributes["name"],
        description=attributes.get("description"),
        kind=SEGMENT_TYPES[key],
        definition=attributes[key],
        created_at=now,
        updated_at=now,
        contacts=contacts,
        names=[attributes["name"]],
    )


def update(call: Call) -> Response:
    """PATCH audience-segments: names and descriptions; the type never changes."""
    account, done, failed = call.market.account, [], []
    for item in call.data():
        segment = account.segments.get(str(item.get("id")))
        attributes = item.get("attributes") or {}
        if segment is None:
            failed.append(problem("segment-not-found", f"No segment {item.get('id')}", call.path))
            continue
        if "name" in attributes:
            names = {one.id: one.name for one in account.segments.values()}
            if (why := name_problem(call, attributes["name"], names, segment.id)) is not None:
                failed.append(why)
                continue
            segment.name = attributes["name"]
            segment.names.append(segment.name)
        if isinstance(attributes.get("description"), dict):
            segment.description = attributes["description"].get("value")
        segment.updated_at = call.market.clock.now()
        done.append(resource(segment, account.advertiser_id))
    return bulk(call, done, failed)


def delete(call: Call) -> Response:
    """POST audience-segments/delete; a segment that an audience uses stays."""
    account, done, failed = call.market.account, [], []
    used = {one for audience in account.audiences.values() for one in segments_of(audience.algebra)}
    for item in call.data():
        segment_id = str(item.get("id"))
        if segment_id not in account.segments:
            failed.append(problem("segment-not-found", f"No segment {segment_id}", call.path))
        elif segment_id in used:
            failed.append(problem("segment-in-use", f"An audience uses segment {segment_id}", call.path))
        else:
            account.delete_segment(segment_id)
            done.append({"id": segment_id, "type": "AudienceSegment"})
    return bulk(call, done, failed)


def search(call: Call) -> Response:
    """POST audience-segments/search: filters by id, advertiser and type, all of them; none by name."""
    account, filters, (limit, offset) = call.market.account, call.attributes(), call.page()
    ids, kinds = filters.get("audienceSegmentIds"), filters.get("audienceSegmentTypes")
    advertisers = filters.get("advertiserIds")
    found = [
        segment
        for segment in account.segments.values()
        if (ids is None or segment.id in ids)
        and (kinds is None or segment.kind in kinds)
        and (advertisers is None or account.advertiser_id in advertisers)
    ]
    shown = [resource(segment, account.advertiser_id) for segment in found[offset : offset + limit]]
    return envelope(shown, [], meta={"totalItems": len(found), "limit": limit, "offset": offset})


def compute_sizes(call: Call) -> Response:
    """POST audience-segments/compute-sizes: matched people for contact lists, an error for the rest."""
    done, failed = [], []
    for item in call.data():
        segment = call.market.account.segments.get(str(item.get("id")))
        if segment is None:
            failed.append(problem("segment-not-found", f"No segment {item.get('id')}", call.path))
        elif segment.contacts is None:
            failed.append(problem("size-not-supported", f"No size for a {segment.kind} segment", call.path))
        else:
            size = segment.contacts.counts.matches if segment.contacts.counts else 0
            done.append({"id": segment.id, "type": "AudienceSegmentSize", "attributes": {"size": size}})
    return envelope(done, failed)


def _contacts(call: Call) -> tuple[Segment, ContactList]:
    segment = call.market.account.segments.get(call.parameters["segment_id"])
    if segment is None or segment.contacts is None:
        raise CriteoProblemError(
            404, "validation", call.switches.unknown_segment_code, "There is no such contact list."
        )
    segment.contacts.catch_up(call.market.clock.epoch())
    return segment, segment.contacts


def amend(call: Call) -> Response:
    """PATCH audience-segments/{id}/contact-list: add or remove up to 50,000 identifiers."""
    attributes = call.attributes()
    operation, identifiers = attributes.get("operation"), attributes.get("identifiers")
    kind = attributes.get("identifierType", "email")
    size = len(identifiers) if isinstance(identifiers, list) else 0
    segment, contacts = _contacts(call)
    market, now = call.market, call.market.clock.now()
    try:
        if call.body["data"].get("type") != "ContactlistAmendment":
            invalid("invalid-type", "data.type must be ContactlistAmendment.")
        if operation not in ("add", "remove") or not isinstance(identifiers, list):
            invalid("invalid-amendment", "operation is add or remove, identifiers a list.")
        if kind not in IDENTIFIER_TYPES or (
            kind == "gum" and not isinstance(attributes.get("gumCallerId"), int)
        ):
            invalid("invalid-identifier-type", "identifierType is unknown, or gumCallerId is missing.")
        if size > MAX_IDENTIFIERS:
            status = call.switches.too_many_identifiers_status
            invalid("too-many-identifiers", "At most 50000 identifiers in one request.", status)
        if not all(isinstance(one, str) for one in identifiers):
            invalid("invalid-identifiers", "Identifiers are strings.")
    except CriteoProblemError:
        market.writes.append(Write(now, time.monotonic(), segment.name, str(operation), size, applied=False))
        raise
    result = contacts.amend(operation, identifiers, kind)
    contacts.settle(now.timestamp(), call.switches.late_counts)
    market.writes.append(Write(now, time.monotonic(), segment.name, operation, size))
    answer = {
        "contactListId": int(segment.id),
        "operation": operation,
        "requestDate": now.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00"),
        "identifierType": kind,
        "nbValidIdentifiers": result.valid,
        "nbInvalidIdentifiers": result.invalid,
        "sampleInvalidIdentifiers": result.samples,
    }
    return envelope({"type": "ContactlistAmendment", "attributes": answer}, [])


def clear(call: Call) -> Response:
    """DELETE audience-segments/{id}/contact-list: empty it."""
    segment, contacts = _contacts(call)
    now, size = call.market.clock.now(), len(contacts.members)
    contacts.clear()
    contacts.settle(now.timestamp(), call.switches.late_counts)
    call.market.writes.append(Write(now, time.monotonic(), segment.name, "clear", size))
    return envelope(
        {"id": segment.id, "type": "AudienceContactlist", "attributes": {"name": segment.name}}, []
    )


def statistics(call: Call) -> Response:
    """GET audience-segments/{id}/contact-list/statistics: nulls until Criteo has counted."""
    segment, contacts = _contacts(call)
    counts, rate = contacts.counts, None
    if counts is not None and counts.identifiers:
        whole = 100 if call.switches.match_rate_scale == "percent" else 1
        rate = round(whole * counts.matches / counts.identifiers, 4)
    attributes = {
        "numberOfIdentifiers": counts.identifiers if counts else None,
        "numberOfMatches": counts.matches if counts else None,
        "matchRate": rate,
    }
    return envelope({"id": segment.id, "type": "ContactListStatistics", "attributes": attributes}, [])
