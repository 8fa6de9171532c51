"""The lift of an experiment that was run elsewhere, from its table. I/O."""

from pathlib import Path

from analysis.lift_document import Document, Reading, lift_document
from analysis.lift_text import render_lift
from analysis.table import Columns, read_table
from experiments.errors import Rejected

__all__ = ["Document", "Reading", "analyse_table", "lift_document", "render_lift"]


def analyse_table(
    path: Path | str,
    *,
    arm: str,
    control: str,
    treatment: str,
    outcome: str,
    covariate: str | None = None,
    stratum: str | None = None,
    weight: str | None = None,
    capacity: float | None = None,
    alpha: float = 0.05,
) -> Document:
    """The document of `holdouts lift`: `read_table`, then `lift_document`.

    Raises Rejected for a table that cannot be used, α outside 0 to 1 or a capacity that is not positive.
    """
    if not 0.0 < alpha < 1.0:
        raise Rejected(f"alpha is {alpha}; it must lie between 0 and 1")
    if capacity is not None and not capacity > 0.0:
        raise Rejected(f"capacity is {capacity}; it must be a positive number of units")
    columns = Columns(
        arm=arm,
        control=control,
        treatment=treatment,
        outcome=outcome,
        covariate=covariate,
        stratum=stratum,
        weight=weight,
    )
    found = read_table(Path(path), columns)
    reading = Reading(alpha=alpha, capacity=capacity, adjust=covariate is not None)
    document = lift_document(found.strata, reading)
    if found.other_rows:
        document["warnings"].append(f"{found.other_rows:,} rows belong to other arms and were left out")
    return document
