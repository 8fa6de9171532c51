"""What goes into one request: identifiers of one form, whom they stand for, and how they are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from experiments.digests import DigestSet
from experiments.identifiers import SHA256, Identifiers

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Identifiers of one form, few enough for one request."""

    form: str
    keys: DigestSet
    people: DigestSet
    """Whom the ledger says they stand for."""
    texts: Sequence[str] = field(default=(), repr=False)
    """As they are sent; empty for SHA-256, which is written from the keys."""

    def keys_of(self, samples: Iterable[str]) -> DigestSet:
        """The keys of identifiers that an answer quotes; what was not in the parcel is passed over."""
        if self.texts:
            keys = dict(zip(self.texts, self.keys, strict=True))
            return DigestSet.of(keys[text] for text in samples if text in keys)
        hashes = (text for text in samples if _DIGEST.fullmatch(text))
        return self.keys & DigestSet.of(bytes.fromhex(text) for text in hashes)


def parcels(keys: DigestSet, sent: Identifiers, size: int) -> Iterator[Parcel]:
    """The keys in parcels of at most `size`; one that `sent` does not list is the SHA-256 of an e-mail."""
    named = sent.of_keys(keys)
    digests = keys - named.keys() if named else keys
    for chunk in digests.chunks(size):
        yield Parcel(SHA256.name, chunk, chunk)
    for form, entries in named.by_form.items():
        texts = {key.tobytes(): text for key, text in zip(entries.keys, entries.texts, strict=True)}
        for chunk in entries.key_set().chunks(size):
            yield Parcel(form, chunk, sent.people(chunk), [texts[key] for key in chunk])
