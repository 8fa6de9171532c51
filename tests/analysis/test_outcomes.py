"""The one statement that sums outcomes, against the same answer by pandas, unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from postgres import fresh_database
from sqlalchemy import Engine, insert

from analysis.estimators.balance import Covariates
from analysis.estimators.sums import ArmSums
from analysis.facts import SpanOutcomes
from analysis.outcomes import HISTORY, Outcomes, Strata, sum_outcomes
from analysis.timeline import Span
from experiments.database import connect, writing
from experiments.schema import entrants, orders, phases

DAY = 86_400
FIRST = 1_700_000_000
BUCKETS = 2**32

CAP = 12_000

Naive = dict[bool, tuple[ArmSums, ArmSums, ArmSums, ArmSums, Covariates]]


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def _phase(engine: Engine, number: int) -> int:
    with writing(engine) as connection:
        key = connection.execute(
            insert(phases).values(
                audience="cart",
                number=number,
                holdout_group="cart",
                salt="s",
                ppm=100_000,
                universal_salt="u",
                universal_ppm=20_000,
                opened_at=FIRST,
            )
        ).inserted_primary_key
    assert key is not None
    return int(key[0])


def _world(engine: Engine, seed: int, people: int = 400) -> tuple[list[int], pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    ids = [_phase(engine, 1), _phase(engine, 2)]
    units = [bytes(rng.bytes(32)) for _ in range(people)]
    rows = []
    for unit in units:
        bucket, universal = (int(value) for value in rng.integers(0, BUCKETS, 2))
        for phase in rng.choice(ids, size=rng.integers(1, 3), replace=False):
            at = FIRST + int(rng.integers(0, 40 * DAY))
            rows.append((int(phase), unit, bucket, universal, 0, at))
    entered = pd.DataFrame(rows, columns=[column.name for column in entrants.columns])
    bought = pd.DataFrame(
        {
            "order_id": [f"o{n}" for n in range(2_000)],
            "unit": [units[n] for n in rng.integers(0, people, 2_000)],
            "ordered_at": FIRST + rng.integers(-40 * DAY, 70 * DAY, 2_000),
            "revenue": rng.integers(100, 20_000, 2_000),
            "refunded": np.where(rng.random(2_000) < 0.1, 5_000, 0),
            "loaded_at": FIRST,
        }
    )
    with writing(engine) as connection:
        connection.execute(insert(entrants), entered.to_dict("records"))
        connection.execute(insert(orders), bought.to_dict("records"))
    return ids, entered, bought


def _naive(
    entered: pd.DataFrame, bought: pd.DataFrame, span: Span, window: int | None, watermark: int
) -> Naive:
    first = entered.groupby("unit", as_index=False).agg(
        entered_at=("entered_at", "min"),
        bucket=("bucket", "min"),
        universal_bucket=("universal_bucket", "min"),
    )
    first = first[(first.entered_at >= span.entered_from) & (first.entered_at < span.entered_until)]
    first = first[(first.bucket < span.control_below) | (first.bucket >= span.treated_from)]
    first = first[first.universal_bucket >= span.universal_from]
    if window is not None:
        first = first[first.entered_at + window <= watermark]
    found = {}
    for held_out, arm in first.groupby(first.bucket < span.control_below):
        y, x, k, c, was = [], [], [], [], []
        for person in arm.itertuples():
            own = bought[bought.unit == person.unit]
            net = (own.revenue - own.refunded) / 100
            until = watermark if window is None else person.entered_at + window
            after = (own.ordered_at >= person.entered_at) & (own.ordered_at < until)
            before = (own.ordered_at >= person.entered_at - HISTORY) & (own.ordered_at < person.entered_at)
            y.append(net[after].sum())
            x.append(net[before].sum())
            last = own.ordered_at[before].max() if before.any() else person.entered_at - HISTORY
            was.append((x[-1], float(before.sum()), (last - person.entered_at + HISTORY) / DAY))
            k.append(float((net[after] > 0).any()))
            c.append(np.clip(net[after], 0, CAP / 100).sum())
        history = np.array(x)
        found[bool(held_out)] = (
            ArmSums.from_values(np.array(y), covariate=history),
            ArmSums.from_values(np.array(k), covariate=history),
            ArmSums.from_values(history),
            ArmSums.from_values(np.array(c)),
            Covariates.from_matrix(np.array(was)),
        )
    return found


def _agree(ours: ArmSums, theirs: ArmSums) -> None:
    for name in ("n", "conversions", "negatives"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("mean", "m2", "m3", "x_mean", "x_m2", "xy_m2"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-9, abs=1e-6), name


def _check(found: tuple[SpanOutcomes, ...], naive: Callable[[Span], Naive]) -> None:
    for outcome in found:
        right = naive(outcome.span)
        for held_out, arm in ((True, outcome.holdout), (False, outcome.treatment)):
            revenue, conversions, before, capped, history = right[held_out]
            _agree(arm.revenue, revenue)
            _agree(arm.conversions, conversions)
            _agree(arm.before, before)
            _agree(arm.capped, capped)
            if arm.history is not None:
                assert arm.history.n == history.n
                assert arm.history.mean == pytest.approx(history.mean, rel=1e-9)
                assert arm.history.scatter == pytest.approx(history.scatter, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("phases_used", [1, 2])
def test_one_statement_gives_what_a_loop_over_people_gives(ledger: Engine, phases_used: int) -> None:
    ids, entered, bought = _world(ledger, seed=3)
    ids = ids[:phases_used]
    entered = entered[entered.phase_id.isin(ids)]
    watermark, middle, window = FIRST + 45 * DAY, FIRST + 20 * DAY, 14 * DAY
    matured = (
        Span(FIRST, middle - DAY, BUCKETS // 10, BUCKETS // 5, BUCKETS // 50),
        Span(middle, watermark, BUCKETS // 5, BUCKETS // 5, 0),
    )
    since = (Span(FIRST + DAY, watermark, BUCKETS // 4, BUCKETS // 3, 0),)
    found = sum_outcomes(ledger, ids, Strata(matured, since, window), watermark=watermark, cap=CAP)
    _check(found.matured, lambda span: _naive(entered, bought, span, window, watermark))
    _check(found.since_entry, lambda span: _naive(entered, bought, span, None, watermark))
    assert all(each.holdout.history is None for each in found.matured)
    assert all(each.holdout.history is not None for each in found.since_entry)


def test_the_universal_level_reads_the_universal_bucket(ledger: Engine) -> None:
    ids, entered, bought = _world(ledger, seed=4)
    watermark = FIRST + 45 * DAY
    spans = (Span(FIRST, watermark, BUCKETS // 4, BUCKETS // 4, 0),)
    found = sum_outcomes(
        ledger, ids, Strata((), spans, 14 * DAY), watermark=watermark, level="universal", cap=CAP
    )
    swapped = entered.assign(bucket=entered.universal_bucket)
    _check(found.since_entry, lambda span: _naive(swapped, bought, span, None, watermark))


def test_without_a_cap_nothing_is_summed_under_it(ledger: Engine) -> None:
    ids, *_ = _world(ledger, seed=6, people=30)
    spans = (Span(FIRST, FIRST + 90 * DAY, 0, 0, 0),)
    found = sum_outcomes(ledger, ids, Strata(spans, spans, DAY), watermark=FIRST + 90 * DAY)
    assert found.since_entry[0].treatment.revenue.n == 30
    assert found.since_entry[0].treatment.capped == ArmSums.empty()


def test_without_spans_or_phases_there_is_nothing_to_sum(ledger: Engine) -> None:
    spans = (Span(0, 1, 1, 1, 0),)
    assert sum_outcomes(ledger, [], Strata(spans, spans, 1), watermark=1) == Outcomes((), ())
    assert sum_outcomes(ledger, [1], Strata((), (), 1), watermark=1) == Outcomes((), ())


def test_an_arm_without_people_is_empty_and_not_missing(ledger: Engine) -> None:
    ids, *_ = _world(ledger, seed=5, people=30)
    spans = (Span(FIRST, FIRST + 90 * DAY, 0, 0, 0),)
    found = sum_outcomes(ledger, ids, Strata((), spans, DAY), watermark=FIRST + 90 * DAY)
    assert found.since_entry[0].holdout.revenue.n == 0
    assert found.since_entry[0].treatment.revenue.n == 30


@pytest.mark.postgres
def test_both_databases_give_the_same_sums_to_the_last_digit(postgres_server: str, tmp_path: Path) -> None:
    strata = Strata(
        (Span(FIRST, FIRST + 20 * DAY, BUCKETS // 10, BUCKETS // 5, BUCKETS // 50),),
        (Span(FIRST, FIRST + 40 * DAY, BUCKETS // 4, BUCKETS // 4, 0),),
        14 * DAY,
    )
    found = []
    with fresh_database(postgres_server) as url:
        for each in (f"sqlite:///{tmp_path / 'ledger.sqlite'}", url):
            engine = connect(each)
            ids, *_ = _world(engine, seed=6)
            found.append(sum_outcomes(engine, ids, strata, watermark=FIRST + 45 * DAY))
            engine.dispose()
    assert found[0] == found[1]
    assert found[0].since_entry[0].holdout.revenue.conversions > 50
