"""What keeps ads away from the people held out and from those who just bought, as the page tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analysis.report.wording import Place, Sentence, Way, count, hours, moment_text, percent


@dataclass(frozen=True, slots=True)
class Firewall:
    """Whether people held out can be reached: by the ledger's lists, and by Criteo's ad sets."""

    state: Literal["tight", "open", "half looked at"]
    proof: Sentence
    checked: str
    """What the nightly check saw of the ad sets, and when; that nobody looked, where nobody did."""
    open_ad_sets: tuple[tuple[str, str], ...]
    """Each ad set that can reach them: what is wrong, and what to do."""
    private: tuple[str, ...]
    """Groups whose held-out people Criteo is not told of."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One audience: how long buyers stay on its list, and what their part of the spend was."""

    audience: str
    half: Sentence
    most: Sentence
    removed: Sentence
    still_listed: Sentence
    share: Sentence
    spend: Sentence


def firewall(root: Place) -> Firewall | None:
    """None for a report from before this was told."""
    if "firewall" not in root.value:
        return None
    found = root["firewall"]
    listed = found["held_out_and_listed"]
    leaks = [listed[name] for name in listed.value if listed.value[name]]
    return Firewall(
        state="open"
        if leaks or found.value["open_ad_sets"]
        else "half looked at"
        if found.value["checked_at"] is None
        else "tight",
        proof=_proof(listed, leaks),
        checked=_checked(found),
        open_ad_sets=tuple((each["sentence"], each["what_to_do"]) for each in found.value["open_ad_sets"]),
        private=tuple(found.value["private_groups"]),
    )


def removals(root: Place, money: Way) -> tuple[Removal, ...]:
    """One row an audience, in the order of the report; empty where no list was ever kept."""
    if "suppression" not in root.value:
        return ()
    told = root["suppression"]
    return tuple(_removal(name, told[name], money) for name in told.value)


def _proof(listed: Place, leaks: list[Place]) -> Sentence:
    if not leaks:
        lists = len(listed.value)
        listed_people = (
            f"everyone on {lists} list{'' if lists == 1 else 's'} was hashed again for this report"
        )
        return (f"Nobody who is held out stands on a list that people are advertised from: {listed_people}.",)
    parts: list[Sentence] = [
        (count(each), f" on the list of {name}")
        for name, each in ((each.pointer.rsplit("/", 1)[-1], each) for each in leaks)
    ]
    joined = tuple(piece for part in parts for piece in (*part, ", "))[:-1]
    return ("People who are held out may be advertised to: ", *joined, ". Run ", "holdouts sync", " now.")


def _checked(found: Place) -> str:
    at, wrong = found.value["checked_at"], len(found.value["open_ad_sets"])
    if at is None:
        return "Nobody has looked at Criteo’s ad sets yet: run check-playbook, or holdouts audit firewall."
    when = moment_text(datetime.fromisoformat(at))
    if not wrong:
        return f"The check of {when} found no ad set of the advertiser that can reach them."
    return f"The check of {when} found {wrong} ad set{'' if wrong == 1 else 's'} of the advertiser that can reach them:"


def _removal(name: str, found: Place, money: Way) -> Removal:
    few: Sentence = ("too few removed",)
    told = found.value
    return Removal(
        audience=name,
        half=few if told["removal_p50_hours"] is None else (hours(found["removal_p50_hours"]),),
        most=few if told["removal_p95_hours"] is None else (hours(found["removal_p95_hours"]),),
        removed=(count(found["removed"]),),
        still_listed=(count(found["still_listed"]),),
        share=("not known",) if told["share"] is None else (percent(found["share"]),),
        spend=("no spend known",) if told["spend"] is None else (money(found["spend"]),),
    )
