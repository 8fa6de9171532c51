"""The key `identifier` of `audiences.yaml`: what Criteo's lists are filled with. Pure."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic.functional_validators import BeforeValidator

from experiments.audience_values import Entry
from experiments.identifiers import Form
from experiments.identity import Format

_MOST = 2


class _OfAttribute(Entry):
    """An identifier that is no e-mail: its type and the profile attribute that holds it."""

    type: Literal["madid", "identityLink", "gum"]
    attribute: Annotated[str, Field(min_length=1)]
    caller_id: Annotated[int, Field(ge=1, strict=True)] | None = None

    @model_validator(mode="after")
    def _check_caller(self) -> _OfAttribute:
        if (self.type == "gum") != (self.caller_id is not None):
            raise ValueError("caller_id goes with the type gum, which needs it, and with no other")
        return self


def _forms(value: object) -> tuple[Form, ...]:
    entries = value if isinstance(value, list) else [value]
    forms = tuple(_form(entry) for entry in entries)
    if not 0 < len(forms) <= _MOST:
        raise ValueError(f"give one identifier, or two to send side by side, not {len(forms)}")
    if len({form.name for form in forms}) < len(forms):
        raise ValueError(f"{forms[0].name} stands there twice")
    return forms


def _form(entry: object) -> Form:
    if isinstance(entry, dict):
        try:
            given = _OfAttribute.model_validate(entry)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = "".join(f"{part}: " for part in first["loc"])
            raise ValueError(where + first["msg"].removeprefix("Value error, ")) from None
        name = given.type if given.caller_id is None else f"{given.type}:{given.caller_id}"
        return Form(name, given.attribute)
    if entry not in get_args(Format):
        raise ValueError(
            f"{entry!r} is no form of an e-mail; write one of {', '.join(get_args(Format))}, or a mapping "
            "with type (madid, identityLink or gum) and attribute"
        )
    return Form(str(entry))


Forms = Annotated[tuple[Form, ...], BeforeValidator(_forms)]
