"""What syncs, loads and reports ask of the vendors and of the ledger, counted: no figure here depends on the machine.

Whoever makes the product ask more changes a formula here, and says so. No formula has the number of people in a
count of requests or statements: none may be made for each person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from counted_story import EXCLUDED, MOVED, Size, Story, live, shop, sync_in_requests_of
from counted_work import Work, kind_of
from postgres import fresh_database

SMALL, LARGE = Size(2, 600), Size(4, 1_200)
IDENTIFIER = 67
"""Bytes of one identifier in a request: 64 digits, two quotes and a comma."""
ENVELOPE = 200
"""Bytes around the identifiers of a request, or of a request without any, at most."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("sqlite", SMALL), id="sqlite-small"),
        pytest.param(("sqlite", LARGE), id="sqlite-large"),
        pytest.param(("postgresql", LARGE), id="postgresql-large", marks=pytest.mark.postgres),
    ],
)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    database, size = request.param
    folder = tmp_path_factory.mktemp("counted")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'holdouts.sqlite'}"
        if database == "postgresql":
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
        yield live(stack.enter_context(shop(folder)), url, folder, size)


def grown(found: Counter[str], expected: Mapping[str, int]) -> list[str]:
    """Each kind of work that is not what it should be, in words."""
    return [
        f"{kind}: {found[kind]:,}, not {expected.get(kind, 0):,}"
        for kind in sorted({*found, *expected})
        if found[kind] != expected.get(kind, 0)
    ]


def assert_counts(
    work: Work, *, requests: Mapping[str, int], statements: Mapping[str, int], rows: Mapping[str, int]
) -> None:
    changed = grown(work.requests, requests) + grown(work.statements, statements) + grown(work.rows, rows)
    assert not changed, "counted work has changed:\n" + "\n".join(changed)


def asked_of_customerio(audiences: int) -> dict[str, int]:
    """Each segment once: its state before and after, its size, and one page of its members."""
    segments = audiences + 1
    return {
        "customerio GET segments": 2 * segments,
        "customerio GET membership": segments,
        "customerio GET customer_count": segments,
    }


def lists_of(audiences: int) -> int:
    """One for each audience, one for the people held out of it; one for the excluded, one for the universal holdout."""
    return 2 * audiences + 2


def test_a_first_sync_asks_for_each_segment_and_each_list_once(story: Story) -> None:
    n, people = story.size.audiences, story.size.people
    lists = lists_of(n)
    assert_counts(
        story.first,
        requests={
            **asked_of_customerio(n),
            "criteo POST token": 1,
            "criteo POST search": lists,
            "criteo POST create": lists,
            "criteo PATCH contact-list": lists,
            "criteo GET statistics": 2 * lists,  # once when a list is opened, once for its counts
        },
        statements={
            "insert entrants": n,
            "insert holdout_changes": n + 1,
            "insert lists": lists,
            "insert owners": 1,
            "insert phases": n,
            "insert requests": lists,
            "insert syncs": lists,
            "read approvals": 1,
            "read entrants": 2 * n,
            "read erasures": 2,
            "read holdout_changes": 7 + 4 * n,
            "read identifiers": 6 + 5 * n,
            "read list_counts": 1,
            "read lists": 4 + 3 * n,
            "read owners": 2,
            "read phases": 4 * n,
            "read rejections": 1,
            "read requests": 2 + 3 * n,
            "read requests and snapshots": lists,
            "read secrets": 2,
            "read snapshots": 2 + 3 * n,
            "read syncs": 4,
            "update approvals": lists,
            "update requests": lists,
        },
        rows={
            "insert entrants": n * people,
            "insert holdout_changes": n + 1,
            "insert lists": lists,
            "insert owners": 1,
            "insert phases": n,
            "insert requests": lists,
            "insert syncs": lists,
            "update requests": lists,
        },
    )
    assert story.first.commits == 26 + 17 * n


def test_a_sync_with_churn_writes_only_who_moved(story: Story) -> None:
    n = story.size.audiences
    lists = lists_of(n)
    sent = 4 * n  # a remove and an add for each audience's list, and for its list of people held out
    assert_counts(
        story.churn,
        requests={
            **asked_of_customerio(n),
            "criteo POST token": 1,
            "criteo PATCH contact-list": sent,
            "criteo GET statistics": lists,
        },
        statements={
            "read owners": 1,
            "insert entrants": n,
            "insert requests": sent,
            "insert syncs": lists,
            "read approvals": 1,
            "read entrants": 5 * n,
            "read erasures": 2,
            "read holdout_changes": 3 + 2 * n,
            "read identifiers": 2 + 7 * n,
            "read list_counts": 1,
            "read lists": 2 + n,
            "read phases": 4 * n,
            "read rejections": 1,
            "read requests": 4 + 5 * n,
            "read requests and snapshots": sent,
            "read secrets": 2,
            "read snapshots": 4 + 5 * n,
            "read syncs": 4,
            "update approvals": lists,
            "update requests": sent,
        },
        rows={
            "insert entrants": n * sum(MOVED.values()),
            "insert requests": sent,
            "insert syncs": lists,
            "update requests": sent,
        },
    )
    assert story.churn.commits == 11 + 21 * n


def test_an_idle_sync_writes_one_row_a_list_and_sends_nothing(story: Story) -> None:
    n = story.size.audiences
    lists = lists_of(n)
    assert_counts(
        story.idle,
        requests={
            **asked_of_customerio(n),
            "criteo POST token": 1,
            "criteo GET statistics": lists,
        },
        statements={
            "read owners": 1,
            "insert entrants": n,
            "insert syncs": lists,
            "read approvals": 1,
            "read entrants": 5 * n,
            "read erasures": 2,
            "read holdout_changes": 3,
            "read identifiers": 2 + n,
            "read list_counts": 1,
            "read lists": 2 + n,
            "read phases": 3 * n,
            "read rejections": 1,
            "read requests": 4 + 5 * n,
            "read secrets": 2,
            "read snapshots": 4 + 5 * n,
            "read syncs": 4,
            "update approvals": lists,
        },
        rows={"insert syncs": lists},
    )
    assert story.idle.commits == 11 + 3 * n


def test_the_bytes_that_are_sent_are_those_of_the_identifiers(story: Story) -> None:
    n, people = story.size.audiences, story.size.people
    held_out = n * people - story.treated
    # Whoever is held out of everything counts in each audience, and stands in one list.
    identifiers = range(story.treated + EXCLUDED, story.treated + EXCLUDED + held_out + 1)
    enveloped = ENVELOPE * sum(count for kind, count in story.first.requests.items() if "criteo" in kind)
    assert IDENTIFIER * identifiers[0] < story.first.bytes_sent < IDENTIFIER * identifiers[-1] + enveloped
    moved = 2 * n * sum(MOVED.values())
    enveloped = ENVELOPE * story.churn.requests["criteo PATCH contact-list"]
    assert IDENTIFIER * moved < story.churn.bytes_sent < IDENTIFIER * moved + enveloped
    assert story.idle.bytes_sent < ENVELOPE


def test_a_load_of_orders_inserts_each_of_them_by_one_statement(story: Story) -> None:
    assert story.accepted > 1_000
    assert_counts(
        story.orders,
        requests={},
        statements={
            "read owners": 1,
            "delete orders": 1,
            "insert order_loads": 1,
            "insert orders": 1,
            "read erasures": 1,
            "read order_loads": 2,
            "read orders": 1,
            "read refunds": 1,
            "read secrets": 1,
        },
        rows={"insert order_loads": 1, "insert orders": story.accepted},
    )
    assert story.orders.commits == 5


def report_statements(audiences: int) -> dict[str, int]:
    """Every report's; one statement sums the orders of each experiment, and none is asked for a person."""
    experiments = audiences + 1
    return {
        "insert measurements": 1,
        "read claims": experiments,
        "read entrants": 2 + 4 * audiences,
        "read entrants and orders": experiments,
        "read holdout_changes": 2 + audiences,
        "read identifiers": 1 + 2 * audiences,
        "read list_counts": 1,
        "read lists": 1 + 2 * audiences,
        "read looks": experiments,
        "read measurements": 1,
        "read order_caps": 1 + experiments,
        "read order_loads": 1,
        "read phases": 3 + 4 * audiences,
        "read pipeline_audits": 1,
        "read planned_ends": experiments,
        "read playbook_checks": 1,
        "read requests": 3 * audiences,
        "read snapshots": 2 * audiences,
        "read spend": 1 + 2 * audiences,
        "read syncs": 5 + 4 * audiences,
        "read tunings": experiments,
    }


def test_a_first_report_asks_the_orders_once_for_each_experiment(story: Story) -> None:
    experiments = story.size.audiences + 1
    assert_counts(
        story.first_report,
        requests={},
        statements={
            "read owners": 1,
            **report_statements(story.size.audiences),
            "read orders": 3,
            "insert tunings": experiments,
        },
        rows={"insert measurements": 1, "insert tunings": experiments},
    )
    assert story.first_report.commits == 25 + 14 * story.size.audiences


def test_a_later_report_also_asks_for_late_orders_and_refunds_and_writes_itself_alone(story: Story) -> None:
    assert_counts(
        story.second_report,
        requests={},
        statements={
            "read owners": 1,
            **report_statements(story.size.audiences),
            "read orders": 4,
            "read orders and refunds": 1,
        },
        rows={"insert measurements": 1},
    )
    assert story.second_report.commits == 25 + 13 * story.size.audiences


def test_another_request_of_a_list_costs_two_rows_and_a_last_look_at_the_holdout(tmp_path: Path) -> None:
    """Of two lists with some 530 people each, 500 of them in further requests of 100; the others fit into one."""
    works = {}
    for chunk in (50_000, 100):
        folder = tmp_path / str(chunk)
        folder.mkdir()
        with shop(folder) as box:
            works[chunk] = sync_in_requests_of(chunk, box, f"sqlite:///{folder / 'holdouts.sqlite'}", folder)
    further = 2 * 5
    more = works[100].statements - works[50_000].statements
    assert more == {
        "insert requests": further,
        "update requests": further,
        "read phases": further,
        "read holdout_changes": 2 * further,
    }
    assert not works[50_000].statements - works[100].statements
    assert works[100].requests - works[50_000].requests == {"criteo PATCH contact-list": further}
    assert works[100].rows - works[50_000].rows == {"insert requests": further, "update requests": further}


def test_what_grew_is_named_with_both_counts() -> None:
    found = Counter({"read syncs": 5, "insert entrants": 1_200})
    assert grown(found, {"read syncs": 5, "read lists": 2}) == [
        "insert entrants: 1,200, not 0",
        "read lists: 0, not 2",
    ]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT e.unit FROM entrants AS e JOIN orders ON orders.unit = e.unit", "read entrants and orders"),
        ("WITH x AS (SELECT unit FROM entrants) SELECT * FROM x", "read entrants"),
        ("COPY entrants (phase_id, unit) FROM STDIN", "insert entrants"),
        ("INSERT INTO syncs (audience, identifiers) VALUES (?, ?)", "insert syncs"),
        ("UPDATE requests SET state = ?", "update requests"),
        ("DELETE FROM syncs WHERE syncs.id IN (SELECT max(id) FROM lists)", "delete syncs"),
        ("SELECT count(*) FROM counted_rows", None),
        ("BEGIN IMMEDIATE", None),
        ("PRAGMA synchronous=FULL", None),
    ],
)
def test_a_statement_is_known_by_what_it_does_to_which_table(statement: str, kind: str | None) -> None:
    assert kind_of(statement) == kind
