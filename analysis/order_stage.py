"""Keeps what a source gave in a private file until all of it is there, so that no ledger waits for a shop. I/O.

The file holds digests and cents, never an e-mail, can be read by its owner only, and is gone at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from analysis.order_rows import OrderRow
from experiments.digests import SIZE
from experiments.errors import Retryable

_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("unit", pa.binary(SIZE)),
        ("at", pa.int64()),
        ("cents", pa.int64()),
        ("currency", pa.string()),
        ("rate", pa.float64()),
    ]
)


@contextmanager
def staged(chunks: Iterable[list[OrderRow]]) -> Iterator[Iterator[list[OrderRow]]]:
    """The same chunks once more, after the last of them has come; one at a time is in memory.

    Raises Retryable where this machine has no room for the file.
    """
    with tempfile.TemporaryDirectory(prefix="holdouts-orders-") as folder:
        file = Path(folder) / "orders.arrow"
        try:
            _write(file, chunks)
        except OSError as error:
            raise Retryable(f"orders cannot be kept in {folder} ({error.strerror or 'no room'})") from error
        yield _read(file)


def _write(file: Path, chunks: Iterable[list[OrderRow]]) -> None:
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, _SCHEMA) as writer:
        for chunk in chunks:
            rows = ((row.order_id, row.unit, row.at, row.cents, row.currency, row.rate) for row in chunk)
            columns = zip(*rows, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=False)]
            if arrays:
                writer.write_batch(pa.record_batch(arrays, schema=_SCHEMA))


def _read(file: Path) -> Iterator[list[OrderRow]]:
    with pa.OSFile(str(file), "rb") as source, pa.ipc.open_stream(source) as batches:
        for batch in batches:
            columns = (column.to_pylist() for column in batch.columns)
            yield [OrderRow(*row) for row in zip(*columns, strict=True)]
