"""The fields of the forms in Prefect's UI: audiences as a choice, bounds, a reason. I/O.

A form is drawn from the parameter schema that `prefect deploy` sends, so the names in it are those of
the audiences file at that moment. The flows check every value again when they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from experiments.audience_file import read_programme
from experiments.audiences import Programme
from experiments.errors import HoldoutsError
from experiments.ledger import UNIVERSAL
from experiments.percent import LARGEST_HOLDOUT
from experiments.settings import Settings


@dataclass(frozen=True, slots=True)
class NameOf:
    """Draws a text field as a choice of the programme's names; as plain text where no file can be read."""

    names: Callable[[Programme], Iterable[str]]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of the text, with the names where there are any."""
        schema = handler(core_schema)
        names = self._read()
        return {**schema, "enum": names} if names else schema

    def _read(self) -> list[str]:
        try:
            return list(self.names(read_programme(Settings.read().audiences)))
        except (HoldoutsError, ValidationError):
            return []


def _may_be_held_out_of(programme: Programme) -> Iterable[str]:
    return (*(each.name for each in programme.includes), UNIVERSAL)


def _may_be_refused(programme: Programme) -> Iterable[str]:
    return (each.name for each in programme.audiences)


def _planned_together(programme: Programme) -> Iterable[str]:
    return programme.groups


HoldoutGroup = Annotated[str, NameOf(_planned_together)]
"""A holdout group of the include audiences."""
HeldOutAudience = Annotated[str, NameOf(_may_be_held_out_of)]
"""An include audience, or `universal`."""
SyncedAudience = Annotated[str, NameOf(_may_be_refused)]
"""An audience whose plan a fuse can refuse."""
Percent = Annotated[float, Field(ge=0, le=LARGEST_HOLDOUT / 10_000)]
PlanHash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Reason = Annotated[str, Field(min_length=3)]
