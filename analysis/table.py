"""Any unit-level table, CSV or Parquet, summed by stratum and arm. I/O."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.sums import ArmSums, Floats, Strata, Stratum
from experiments.errors import Rejected

_SHOWN_VALUES = 10
_PARQUET = {".parquet", ".pq"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the table means what, and which values of the arm's column are compared."""

    arm: str
    control: str
    treatment: str
    outcome: str
    covariate: str | None = None
    stratum: str | None = None
    weight: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is read, once."""
        given = (self.arm, self.outcome, self.covariate, self.stratum, self.weight)
        return tuple(dict.fromkeys(name for name in given if name is not None))


@dataclass(frozen=True, slots=True)
class TableSums:
    """The sums of both arms per stratum, and how many rows belong to other arms."""

    strata: Strata
    other_rows: int


def read_table(path: Path, columns: Columns) -> TableSums:
    """Sums per stratum of the rows whose arm is the control's or the treatment's value.

    A row stands for one unit, or for as many as its weight says. Raises Rejected for a missing file or
    column, a value that no row's arm has, and an outcome, covariate or weight that is empty, not a finite
    number or (weight) not a whole number of units. Messages name columns and counts, never a row's content.
    """
    if columns.control == columns.treatment:
        raise Rejected("the control's and the treatment's value are the same")
    table = _read(path, columns)
    arms, codes = _coded(table.column(columns.arm))
    for value in (columns.control, columns.treatment):
        if value not in arms:
            raise Rejected(f"no row has {value!r} in column {columns.arm!r}{_values_hint(arms)}")
    is_control, is_treatment = codes == arms.index(columns.control), codes == arms.index(columns.treatment)
    used = is_control | is_treatment
    return TableSums(_strata(table, columns, used, is_treatment), int((~used).sum()))


def _strata(
    table: Any,
    columns: Columns,
    used: NDArray[np.bool_],
    is_treatment: NDArray[np.bool_],
) -> Strata:
    y = _numbers(table, columns.outcome, used)
    x = None if columns.covariate is None else _numbers(table, columns.covariate, used)
    w = None if columns.weight is None else _weights(table, columns.weight, used)
    labels, codes = _labels(table, columns.stratum, used)
    cells = 2 * codes + is_treatment[used]
    order = np.argsort(cells, kind="stable")
    ends = np.cumsum(np.bincount(cells, minlength=2 * len(labels)))
    sums = [
        ArmSums.from_values(
            y[rows], covariate=None if x is None else x[rows], weights=None if w is None else w[rows]
        )
        for rows in np.split(order, ends[:-1])
    ]
    return tuple(
        Stratum(holdout=sums[2 * k], treatment=sums[2 * k + 1], label=label) for k, label in enumerate(labels)
    )


def _read(path: Path, columns: Columns) -> Any:
    import pyarrow as pa

    if not path.is_file():
        raise Rejected(f"there is no file {path}")
    is_parquet = path.suffix in _PARQUET
    try:
        return _read_parquet(path, columns) if is_parquet else _read_csv(path, columns)
    except pa.ArrowInvalid as error:
        kind = "Parquet" if is_parquet else "CSV"
        raise Rejected(f"{path} cannot be read as {kind}") from error


def _read_parquet(path: Path, columns: Columns) -> Any:
    from pyarrow import parquet

    _check_columns(path, columns, parquet.read_schema(path).names)
    return parquet.read_table(path, columns=list(columns.named))


def _read_csv(path: Path, columns: Columns) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    parsing = csv.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ",")
    with csv.open_csv(path, parse_options=parsing) as reader:
        _check_columns(path, columns, reader.schema.names)
    converting = csv.ConvertOptions(
        include_columns=list(columns.named),
        column_types=dict.fromkeys(columns.named, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return csv.read_csv(path, parse_options=parsing, convert_options=converting)


def _check_columns(path: Path, columns: Columns, present: list[str]) -> None:
    for name in columns.named:
        if name not in present:
            raise Rejected(f"{path} has no column {name!r}; it has {', '.join(map(repr, present))}")
        if present.count(name) > 1:
            raise Rejected(f"{path} has more than one column {name!r}")


def _coded(column: Any) -> tuple[list[str], NDArray[np.int64]]:
    """The different values of a column as text, and each row's position among them; −1 where it is empty."""
    import pyarrow as pa

    coded = column.cast(pa.string()).dictionary_encode().combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return coded.dictionary.to_pylist(), codes


def _numbers(table: Any, name: str, used: NDArray[np.bool_]) -> Floats:
    import pyarrow as pa

    column = table.column(name).filter(pa.array(used))
    if column.null_count:
        raise Rejected(f"column {name!r} is empty in {column.null_count} of the rows that are compared")
    try:
        numbers = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        numbers = _truths(column, name)
    values: Floats = numbers.to_numpy(zero_copy_only=False)
    if not np.isfinite(values).all():
        raise Rejected(
            f"column {name!r} holds {int((~np.isfinite(values)).sum())} values that are not finite"
        )
    return values


def _truths(column: Any, name: str) -> Any:
    import pyarrow as pa

    try:
        return column.cast(pa.bool_()).cast(pa.int8()).cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Rejected(f"column {name!r} holds something that is not a number") from error


def _weights(table: Any, name: str, used: NDArray[np.bool_]) -> Floats:
    weights = _numbers(table, name, used)
    if (weights < 0).any() or (weights != np.floor(weights)).any():
        raise Rejected(f"weights in column {name!r} must be whole numbers of units, none below zero")
    return weights


def _labels(table: Any, name: str | None, used: NDArray[np.bool_]) -> tuple[list[str], NDArray[np.int64]]:
    if name is None:
        return ["all"], np.zeros(int(used.sum()), dtype=np.int64)
    values, codes = _coded(table.column(name))
    codes = codes[used]
    missing = int((codes < 0).sum())
    if missing:
        raise Rejected(f"column {name!r} is empty in {missing} of the rows that are compared")
    present, codes = np.unique(codes, return_inverse=True)
    return [values[k] for k in present], codes


def _values_hint(values: list[str]) -> str:
    """The values that the column has, unless they are so many that they may be people."""
    if len(values) > _SHOWN_VALUES:
        return f", which has {len(values)} different values"
    return f"; it has {', '.join(map(repr, sorted(values)))}"
