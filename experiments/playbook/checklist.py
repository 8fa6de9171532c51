"""The implementation on one page: what is done, what is not, what nobody knows, each with its evidence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.playbook.facts import DAY, Snapshot, stay_of
from experiments.playbook.finding import Finding
from experiments.playbook.roles import Purpose, can_hold_recent_buyers, exclusions, purchase_memory
from experiments.playbook.timing import THIN, windows

State = Literal["done", "not done", "unknown"]
Answer = tuple[State, str]
FRESH = 2 * DAY
REPORTED = 8 * DAY


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the page."""

    title: str
    state: State
    evidence: str

    def document(self) -> dict[str, str]:
        """For machines."""
        return {"title": self.title, "state": self.state, "evidence": self.evidence}


def checklist(snapshot: Snapshot, found: Sequence[Finding]) -> tuple[Item, ...]:
    """The page, from the first credential to the weekly habit."""
    return (
        *(Item(title, *look(snapshot)) for title, look in _ITEMS),
        Item("No severe finding is open", *_severe(found)),
    )


def _lists(snapshot: Snapshot) -> Answer:
    return _each(
        {each.name: _positive(snapshot.of(each).on_list) for each in snapshot.programme.includes},
        "people are on every list",
    )


def _synced(snapshot: Snapshot) -> Answer:
    if not snapshot.syncs:
        return "not done", "no sync has run in two weeks"
    hours = (snapshot.now - snapshot.syncs[-1]) / 3_600
    late = snapshot.now - snapshot.syncs[-1] > snapshot.promise
    return (
        "not done" if late else "done",
        f"the last sync is {hours:.0f} h old, one every {snapshot.interval / 3_600:g} h",
    )


def _bounded(snapshot: Snapshot) -> Answer:
    return _each(
        {each.name: stay_of(each) is not None for each in snapshot.programme.includes},
        "every include audience says from when to when people are in it",
    )


def _reachable(snapshot: Snapshot) -> Answer:
    table = windows(snapshot)
    if not table:
        return "unknown", "no audience says from when to when people are in it"
    return _each(
        {each.audience: each.reached >= THIN for each in table}, "ads arrive in time in every window"
    )


def _purchasers(snapshot: Snapshot) -> Answer:
    guards = {each.name for each in exclusions(snapshot, "purchasers")}
    if not guards:
        return "not done", "no exclude audience looks like recent purchasers"
    memory = purchase_memory(snapshot)
    asked = [each for each in snapshot.programme.includes if can_hold_recent_buyers(each, memory)]
    return _each(
        {each.name: bool(guards & set(each.exclude)) for each in asked},
        f"{', '.join(sorted(guards))} is excluded wherever recent purchasers could be",
    )


def _excluded(purpose: Purpose) -> Callable[[Snapshot], Answer]:
    def look(snapshot: Snapshot) -> Answer:
        names = [each.name for each in exclusions(snapshot, purpose)]
        used = {name for each in snapshot.programme.includes for name in each.exclude}
        if not names:
            return "not done", "no exclude audience looks like it"
        return _each({name: name in used for name in names}, f"{', '.join(names)}")

    return look


def _vips(snapshot: Snapshot) -> Answer:
    discounted = [each for each in snapshot.programme.includes if snapshot.programme.offer(each.offer)]
    guards = {each.name for each in exclusions(snapshot, "vips")}
    if not discounted:
        return "done", "no audience names an offer"
    if not guards:
        return "not done", "no exclude audience looks like VIPs"
    return _each(
        {each.name: bool(guards & set(each.exclude)) for each in discounted},
        f"{', '.join(sorted(guards))} is excluded wherever there is an offer",
    )


def _offers(snapshot: Snapshot) -> Answer:
    if not snapshot.programme.offers:
        return "unknown", "audiences.yaml lists no offers; if there are none anywhere, nothing is missing"
    if snapshot.campaigns is None:
        return "unknown", "the journeys of Customer.io were not read"
    tagged = sum(bool(each.offers) for each in snapshot.campaigns)
    attribute = snapshot.programme.offer_attribute
    noted = "" if attribute is None else f", and noted for people in {attribute!r}"
    return (
        "done",
        f"{len(snapshot.programme.offers)} offers, named by {tagged} of {len(snapshot.campaigns)} running journeys{noted}",
    )


def _held_out(snapshot: Snapshot) -> Answer:
    def ppm(name: str, asked: int) -> int:
        known = snapshot.of(name).holdout_ppm
        return asked if known is None else known

    return _each(
        {each.name: ppm(each.name, each.holdout_ppm) > 0 for each in snapshot.programme.includes},
        "somebody is held out of every include audience",
    )


def _universal(snapshot: Snapshot) -> Answer:
    share = snapshot.programme.universal_holdout_ppm / 10_000
    return (
        ("done", f"{share:g} % are held out of everything")
        if share
        else ("not done", "nobody is held out of everything")
    )


def _subtracted(snapshot: Snapshot) -> Answer:
    if snapshot.ad_sets is None:
        return "unknown", "the ad sets of Criteo were not read"
    running = {each.name: not each.open_to for each in snapshot.ad_sets if each.delivers}
    return _each(running, "every ad set that delivers subtracts the people held out")


def _criteo_tests(snapshot: Snapshot) -> Answer:
    tests = snapshot.programme.criteo_tests
    if not tests:
        return "unknown", "Criteo's API shows no tests: ask there, and write them in audiences.yaml"
    running = [each for each in tests if each.starts <= snapshot.today <= each.ends]
    ours = {ad_set for each in snapshot.programme.includes for ad_set in each.ad_sets}
    return _each(
        {each.name: not ours & set(each.ad_sets) for each in running}, f"{len(tests)} tests are written down"
    )


def _ad_sets(snapshot: Snapshot) -> Answer:
    return _each(
        {each.name: bool(each.ad_sets) for each in snapshot.programme.includes},
        "every audience names its ad sets",
    )


def _fresh(at: Callable[[Snapshot], int | None], within: int) -> Callable[[Snapshot], Answer]:
    def look(snapshot: Snapshot) -> Answer:
        when = at(snapshot)
        if when is None:
            return "not done", "never"
        age = snapshot.now - when
        return "done" if age <= within else "not done", f"{age / DAY:.1f} days ago"

    return look


def _severe(found: Sequence[Finding]) -> Answer:
    severe = [each for each in found if each.severity == "high" and each.is_open]
    if not severe:
        return "done", "none"
    return "not done", ", ".join(dict.fromkeys(each.code for each in severe))


def _positive(count: int | None) -> bool | None:
    return None if count is None else count > 0


def _each(claims: dict[str, bool] | dict[str, bool | None], evidence: str) -> Answer:
    """Done where each claim holds; else the names of those for which it does not, or is not known."""
    wrong = _names(name for name, holds in claims.items() if holds is False)
    if wrong:
        return "not done", f"not for {wrong}"
    dark = _names(name for name, holds in claims.items() if holds is None)
    return ("unknown", f"not known for {dark}") if dark else ("done", evidence)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


_ITEMS: tuple[tuple[str, Callable[[Snapshot], Answer]], ...] = (
    ("Criteo's lists are filled", _lists),
    ("Syncs run on schedule", _synced),
    ("Audiences are bounded by time", _bounded),
    ("Windows leave time for an ad", _reachable),
    ("Recent purchasers are kept out", _purchasers),
    ("Refund risk is kept out", _excluded("refunds")),
    ("VIPs are kept out of discounts", _vips),
    ("Suppressed people and support cases are kept out", _excluded("suppressed")),
    ("New subscribers are left to the welcome journey", _excluded("subscribers")),
    ("Offers stand in one place", _offers),
    ("Every audience has a holdout", _held_out),
    ("A universal holdout measures the whole programme", _universal),
    ("Ad sets cannot reach people held out", _subtracted),
    ("No test of Criteo's own runs on these ad sets", _criteo_tests),
    ("Every audience names its ad sets", _ad_sets),
    ("Orders are loaded daily", _fresh(lambda snapshot: snapshot.loads.orders, FRESH)),
    ("Spend is loaded daily", _fresh(lambda snapshot: snapshot.loads.spend, FRESH)),
    ("The report is written weekly", _fresh(lambda snapshot: snapshot.loads.report, REPORTED)),
)
