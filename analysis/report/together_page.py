"""All audiences together, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.estimators.portfolio import SHRINK_FROM
from analysis.report.weeks import says_lift
from analysis.report.wording import Place, Said, Sentence, count_text, estimated, percent_text, signed_percent


@dataclass(frozen=True, slots=True)
class TogetherRow:
    """One experiment among all."""

    name: str
    alone: Sentence
    stands: str
    among_all: Sentence
    drawn: Sentence


@dataclass(frozen=True, slots=True)
class TogetherView:
    """The section of the report; there is none for a single experiment."""

    claims: Sentence
    shrinkage: Sentence
    programme: Sentence
    rows: tuple[TogetherRow, ...]


def together_view(root: Place) -> TogetherView | None:
    """What the audiences say as a collection; None with fewer than two, or in a report of before."""
    if len(root.value.get("together", {}).get("claims", ())) < 2:
        return None
    place = root["together"]
    return TogetherView(_claims(place), _spread(place), _programme(root), _rows(place, root))


def _claims(place: Place) -> Sentence:
    found = place.value["claims"]
    standing = [each["name"] for each in found if each["stands"]]
    many = f"{count_text(len(found))} audiences were read at once, and the more are read, the sooner one looks good by chance. "
    rule = f"(at most {percent_text(place.value['false_claims'])} of the claims that stand are false, on average)."
    if not standing:
        return (f"{many}No claim about the lift in buyers stands once that is allowed for {rule}",)
    return (f"{many}What stands once that is allowed for: {', '.join(standing)} {rule}",)


def _spread(place: Place) -> Sentence:
    if place["shrinkage"].value is None:
        waits = f"Lifts are drawn to their mean from {SHRINK_FROM} audiences with enough data on"
        return (f"{waits}; until then mind that the best of them looks better than it is.",)
    found = place["shrinkage"]
    tau = found["tau"]
    return (
        "The best of several looks better than it is, so each lift in revenue is also shown drawn to their mean, ",
        signed_percent(found["mean"]),
        " (",
        signed_percent(found["mean_interval"][0]),
        " to ",
        signed_percent(found["mean_interval"][1]),
        "); from audience to audience lifts differ with τ = ",
        Said(f"{tau.value:.2f}", tau.value, tau.pointer),
        " (log ratio). These ranges are for one look: use them to rank, not to decide.",
    )


def _programme(root: Place) -> Sentence:
    """The lift of everything together, from the people held out of everything."""
    for found in root["experiments"].each():
        if found.value["kind"] == "programme" and says_lift(found.value):
            lift = found["conversions"]
            return (
                "All audiences as one programme, from the people held out of everything: lift in buyers ",
                *estimated(lift["estimate"], lift["interval"], signed_percent),
                ".",
            )
    return ()


def _rows(place: Place, root: Place) -> tuple[TogetherRow, ...]:
    drawn = {} if place["shrinkage"].value is None else {
        each.value["name"]: each for each in place["shrinkage"]["drawn"].each()
    }  # fmt: skip
    return tuple(_row(claim, root, drawn.get(claim.value["name"])) for claim in place["claims"].each())


def _row(claim: Place, root: Place, drawn: Place | None) -> TogetherRow:
    name = claim.value["name"]
    found = next(each for each in root["experiments"].each() if each.value["name"] == name)
    says = says_lift(found.value)
    lift = found["conversions"]
    return TogetherRow(
        name=name,
        alone=estimated(lift["estimate"], lift["interval"], signed_percent) if says else ("not enough data",),
        stands="stands" if claim.value["stands"] else "does not stand",
        among_all=(
            estimated(lift["estimate"], claim["interval"], signed_percent)
            if says and claim["interval"].value is not None
            else ()
        ),
        drawn=(
            ()
            if drawn is None or not says
            else (
                signed_percent(drawn["drawn"]), " (", signed_percent(drawn["drawn_interval"][0]), " to ",
                signed_percent(drawn["drawn_interval"][1]), "), by itself ", signed_percent(drawn["lift"]),
                " (", signed_percent(drawn["interval"][0]), " to ", signed_percent(drawn["interval"][1]), ")",
            )
        ),
    )  # fmt: skip
