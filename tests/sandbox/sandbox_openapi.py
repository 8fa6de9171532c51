"""The part of Criteo's published OpenAPI that the product touches, as a judge of answers. I/O."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30ReadValidator

OPENAPI = Path(__file__).parents[2].parent / "shared" / "reference" / "criteo-openapi-2026-07.json"


@cache
def _document() -> dict[str, Any]:
    return json.loads(OPENAPI.read_text(encoding="utf-8"))


@cache
def _addresses() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    fixed_first = sorted(_document()["paths"].items(), key=lambda item: item[0].count("{"))
    return tuple(
        (re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), operations)
        for path, operations in fixed_first
    )


def complaints(method: str, path: str, status: int, body: Any) -> list[str]:
    """What the specification says is wrong with a JSON answer; an address it does not know is wrong too."""
    path = path.replace("/2027-01/", "/2026-07/")
    for pattern, operations in _addresses():
        if pattern.fullmatch(path) and method.lower() in operations:
            answer = operations[method.lower()]["responses"].get(str(status))
            if answer is None:
                return [f"{status} is not declared"]
            schema = answer["content"]["application/json"].get("schema", {"format": "binary"})
            if schema.get("format") == "binary":
                return []
            root = {"allOf": [schema], "components": _document()["components"]}
            return [
                f"{list(error.path)}: {error.message}" for error in OAS30ReadValidator(root).iter_errors(body)
            ]
    return [f"{method} {path} is in no specification"]
