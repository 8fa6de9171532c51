"""Customer.io's Track API, as far as it marks people as held out: attributes in batches, manual segments. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import httpx
import msgspec
from pydantic import SecretStr

from sync.limits import Limiter
from sync.transport import Call, Patience, Service

BATCH = 1_000
"""People in one request: Customer.io's most for a segment, and far below 500 kB for attributes."""
_MEANINGS = {
    401: (
        "did not accept the pair in CUSTOMERIO_TRACK_SITE_ID and CUSTOMERIO_TRACK_API_KEY: it takes the site id and "
        "a Track API key of this workspace and region, not an App API key"
    ),
}
_REDIRECTED = (
    "redirects to another region: set CUSTOMERIO_TRACK_BASE_URL to https://track-eu.customer.io for a workspace "
    "in the EU, to https://track.customer.io for one in the US"
)


class _Refused(msgspec.Struct):
    """One item of a batch that was not taken; the message is not read, for it may quote the item."""

    reason: str = "unknown"
    field: str = ""


class _Batch(msgspec.Struct):
    errors: list[_Refused] = msgspec.field(default_factory=list)


class _Region(msgspec.Struct):
    region: str


_batch = msgspec.json.Decoder(_Batch).decode
_region = msgspec.json.Decoder(_Region).decode


class Track:
    """One workspace of Customer.io, to write to. Every request may be repeated: it says what shall be so."""

    def __init__(
        self,
        base_url: str,
        site_id: SecretStr,
        api_key: SecretStr,
        limiter: Limiter,
        *,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._service = Service(
            "Customer.io's Track API",
            base_url,
            limiter,
            auth=httpx.BasicAuth(site_id.get_secret_value(), api_key.get_secret_value()),
            meanings=_MEANINGS,
            redirected=_REDIRECTED,
            patience=patience,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"Track({self._service!r})"

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def region(self) -> str:
        """The workspace's region; Rejected where the credentials do not open it."""
        return self._service.call(Call("GET", "/api/v1/accounts/region"), _region).region

    def set_attribute(self, cio_ids: Sequence[str], name: str, value: str) -> Mapping[str, int]:
        """Gives these profiles the value, and makes none that is not there.

        Customer.io may take a batch in part (207): what it did not take is counted by reason.
        """
        refused: Counter[str] = Counter()
        for part in _parts(cio_ids):
            items = [
                {
                    "type": "person",
                    "identifiers": {"cio_id": cio_id},
                    "action": "identify",
                    "attributes": {name: value, "_update": True},
                }
                for cio_id in part
            ]
            answer = self._service.call(
                Call("POST", "/api/v2/batch", content=msgspec.json.encode({"batch": items})), _batch_or_empty
            )
            refused.update(f"{each.reason} {each.field}".strip() for each in answer.errors)
        return refused

    def add_to_segment(self, segment_id: int, cio_ids: Sequence[str]) -> None:
        """Puts these profiles into a manual segment."""
        self._change(segment_id, "add_customers", cio_ids)

    def remove_from_segment(self, segment_id: int, cio_ids: Sequence[str]) -> None:
        """Takes these profiles out of a manual segment."""
        self._change(segment_id, "remove_customers", cio_ids)

    def _change(self, segment_id: int, operation: str, cio_ids: Sequence[str]) -> None:
        for part in _parts(cio_ids):
            call = Call(
                "POST",
                f"/api/v1/segments/{{segment}}/{operation}",
                path={"segment": str(segment_id)},
                query={"id_type": "cio_id"},
                content=msgspec.json.encode({"ids": part}),
                subject=f"the manual segment {segment_id}",
            )
            self._service.call(call, bytes)


def _parts(cio_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (cio_ids[at : at + BATCH] for at in range(0, len(cio_ids), BATCH))


def _batch_or_empty(content: bytes) -> _Batch:
    """A success may have no body at all."""
    return _batch(content) if content else _Batch()
