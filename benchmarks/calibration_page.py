"""The calibration as a page: what was promised, what came out, and every case that misses. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analysis.estimators.simulation import Conclusions
from benchmarks.calibration_cases import Found

ONE_LOOK_LIMIT = 0.03
YEAR_LIMIT = 0.025
COVERAGE = (0.935, 0.97)
ERRORS = "False positive / false negative lift, %."


@dataclass(frozen=True, slots=True)
class Check:
    """One promised bound with what was found."""

    what: str
    bound: str
    found: float
    holds: bool


def page(found: Sequence[Found], seed: int) -> str:
    """The whole document in Markdown."""
    parts = [
        _opening(found, seed),
        _required(found),
        _grid(_of(found, "grid")),
        _sweep(_of(found, "sweep")),
        _years(_of(found, "years")),
        _changes(_of(found, "changes")),
        _conversions(_of(found, "conversions")),
        _baskets(_of(found, "baskets")),
        _missed(found),
    ]
    return "\n\n".join(parts) + "\n"


def checks(found: Sequence[Found]) -> list[Check]:
    """The promises of the product at 5 % holdout, 1 % conversion, σ = 1.2 and 50 control conversions."""
    (once,) = _where(_of(found, "sweep"), buyers=50, sigma=1.2)
    years = _where(_of(found, "years"), share=0.05, sigma=1.2)
    worst = max(f.no_effect["score"].above for f in years)
    covered = _where(_of(found, "conversions"), buyers=50, share=0.05, rate=0.01)
    (changed,) = _where(_of(found, "changes"), sigma=1.2, lift=0.0)
    binary = _where(_of(found, "changes"), sigma=0.0)
    return [
        _at_most("false positive lift at one look", once.no_effect["score"].above, ONE_LOOK_LIMIT),
        _at_most("false positive lift over 52 weekly looks", worst, YEAR_LIMIT),
        *(_within(f"conversions cover {_lift(f)} at one look", f.truth["score"].covered) for f in covered),
        _at_most("5 → 20 → 10 %: at one look", changed.no_effect["score, last look"].above, ONE_LOOK_LIMIT),
        _at_most("5 → 20 → 10 %: over 52 looks", changed.no_effect["score"].above, YEAR_LIMIT),
        *(
            _within(f"5 → 20 → 10 %: conversions cover {_lift(f)}", f.truth["score, last look"].covered)
            for f in binary
        ),
    ]


def misses(found: Sequence[Found]) -> list[str]:
    """Every case beyond the bounds of `checks`, in words."""
    said = [f"promised, not kept: {c.what}, {c.found:.1%} ({c.bound})" for c in checks(found) if not c.holds]
    for f in found:
        said.extend(f"{_words(f)}: {miss}" for miss in _misses(f))
    return said


def _misses(f: Found) -> Iterable[str]:
    score = f.no_effect.get("score")
    has_effect = f.case.stated.get("lift", 0.0) != 0.0
    if score is not None and not has_effect:
        limit = ONE_LOOK_LIMIT if f.case.kind == "one look" else YEAR_LIMIT
        if score.above > limit:
            yield f"false positive lift {score.above:.1%}, above {limit:.1%}"
    if f.case.table == "conversions" and not COVERAGE[0] <= f.truth["score"].covered <= COVERAGE[1]:
        yield f"coverage {f.truth['score'].covered:.1%}, outside {COVERAGE[0]:.1%} to {COVERAGE[1]:.1%}"
    if f.case.table == "baskets" and not COVERAGE[0] <= f.truth["as served"].covered <= COVERAGE[1]:
        yield f"coverage {f.truth['as served'].covered:.1%}, outside {COVERAGE[0]:.1%} to {COVERAGE[1]:.1%}"


def _opening(found: Sequence[Found], seed: int) -> str:
    experiments = sum(f.case.experiments for f in found)
    return f"""# How often the lift errs

Written by `make calibrate` (seed {seed}; {len(found)} cases, {experiments:,} simulated programmes). Every
programme is drawn order by order: entrants, holdout by share, buyers binomial, order values log-normal with
log-sd σ; all methods read the same draws. *False positive lift*: the method says that the ads added sales
when they added nothing; 2.5 % is what a 95 % interval promises. The Monte Carlo error of a rate of 2.5 % is
0.11 points from 20,000 programmes, 0.16 from 10,000, 0.25 from 4,000.

"Welch, Fieller" stands for both: Fieller's set excludes no lift exactly when the z test of the difference
rejects. "Plain sequence" is the asymptotic confidence sequence that other tools use, tuned to week 13 (at
one look: tuned to that look). Other tools pool phases; "stratified sequence" does not.

![False positive lift by number of held-out buyers, by week, and under a changed percentage](calibration.svg)"""


def _required(found: Sequence[Found]) -> str:
    rows = [(c.what, c.bound, f"{c.found:.1%}", "yes" if c.holds else "**no**") for c in checks(found)]
    note = (
        "At 5 % holdout, 1 % conversion, σ = 1.2 and 50 held-out buyers; the weekly reading is the worst of 50, "
        "200 and 1,000 held-out buyers by the end of the year."
    )
    return _section("What is promised", note, ("promise", "bound", "found", "kept"), rows)


def _grid(found: Sequence[Found]) -> str:
    rows = []
    for share, sigma in dict.fromkeys((f.case.stated["share"], f.case.stated["sigma"]) for f in found):
        here = _where(found, share=share, sigma=sigma)
        ours = [_pair(f.no_effect["score"]) for f in here]
        (one,) = _where(here, rate=0.01)
        others = (_pair(one.no_effect["Welch, Fieller"]), _pair(one.no_effect["plain sequence"]))
        rows.append((f"{share:.0%}", f"{sigma}", *ours, *others))
    others_head = ("Welch, Fieller, 1 %", "plain sequence, 1 %")
    head = ("holdout", "σ", "score, 0.3 % buy", "1 % buy", "5 % buy", *others_head)
    return _section("One look, no effect, 50 held-out buyers expected", ERRORS, head, rows)


def _sweep(found: Sequence[Found]) -> str:
    head = ("held-out buyers", "σ", "score", "Welch, Fieller", "plain sequence")
    rows = [
        (f"{f.case.buyers:.0f}", f"{f.case.stated['sigma']}", *map(_pair, f.no_effect.values()))
        for f in found
    ]
    return _section("One look, no effect, 5 % holdout, 1 % buy", ERRORS, head, rows)


def _years(found: Sequence[Found]) -> str:
    head = ("holdout", "σ", "held-out buyers in the year", "score", "Welch, Fieller", "plain sequence")
    rows = [
        (
            f"{f.case.stated['share']:.0%}",
            f"{f.case.stated['sigma']}",
            f"{f.case.buyers:.0f}",
            *(_pair(f.no_effect[m]) for m in ("score", "Welch, Fieller", "plain sequence")),
        )
        for f in found
    ]
    note = f"At any of 52 looks: {ERRORS} The score says nothing before 20 held-out buyers."
    return _section("Read every week for a year, no effect, 1 % buy", note, head, rows)


def _changes(found: Sequence[Found]) -> str:
    methods = ("score", "stratified sequence", "plain sequence", "Welch, Fieller")
    head = (
        "outcome",
        "true lift",
        *(f"{m}, 52 looks" for m in methods),
        "score, last look",
        "covers truth, last",
    )
    rows = [
        (
            _outcome(f),
            _lift(f),
            *(_pair(f.no_effect[m]) for m in (*methods, "score, last look")),
            f"{f.truth['score, last look'].covered:.1%}",
        )
        for f in found
    ]
    note = (
        "10,000 entrants a week for a year. Claims that the ads added / took away sales, %: errors where the "
        "true lift is 0, power where it is +20 %."
    )
    title = "The percentage changes: 5 → 20 → 10 % while the base rate goes 0.8 → 1.6 → 1.0 %"
    return _section(title, note, head, rows)


def _conversions(found: Sequence[Found]) -> str:
    head = (
        "holdout",
        "buy",
        "held-out buyers",
        "true lift",
        "score covers",
        "Fieller covers",
        "score claims lift",
        "Welch claims lift",
        "plain sequence claims lift",
    )
    rows = [
        (
            f"{f.case.stated['share']:.0%}",
            f"{f.case.stated['rate']:.1%}",
            f"{f.case.buyers:.0f}",
            _lift(f),
            f"{f.truth['score'].covered:.1%}",
            f"{f.truth['Welch, Fieller'].covered:.1%}",
            *(f"{f.no_effect[m].above:.1%}" for m in ("score", "Welch, Fieller", "plain sequence")),
        )
        for f in found
    ]
    note = "Where there is no lift, a claim is an error: the power of a method counts only beside its error."
    return _section("Conversions at one look: coverage and power", note, head, rows)


def _baskets(found: Sequence[Found]) -> str:
    head = (
        "held-out buyers",
        "true effect",
        "pooled covers",
        "too high / too low",
        "as served covers",
        "too high / too low",
    )
    rows = [
        (
            f"{f.case.buyers:.0f}",
            _effect(f),
            f"{f.truth['pooled'].covered:.1%}",
            _pair(f.truth["pooled"]),
            f"{f.truth['as served'].covered:.1%}",
            _pair(f.truth["as served"]),
        )
        for f in found
    ]
    note = (
        "5 % holdout, 1 % buy, σ = 1.2. The pooled interval assumes equal baskets in both arms; from 200 "
        "held-out buyers the hybrid one is served."
    )
    return _section("Revenue with an effect: what the interval covers", note, head, rows)


def _missed(found: Sequence[Found]) -> str:
    said = misses(found)
    lines = "\n".join(f"- {line}" for line in said) if said else "None."
    return (
        "## Where a case misses\n\nEvery case with more than 3 % false positive lift at one look, more than 2.5 % "
        f"over 52, or a coverage outside 93.5–97 %:\n\n{lines}"
    )


def _at_most(what: str, value: float, limit: float) -> Check:
    return Check(what, f"at most {limit:.1%}", value, value <= limit)


def _within(what: str, value: float) -> Check:
    low, high = COVERAGE
    return Check(what, f"{low:.1%} to {high:.1%}", value, low <= value <= high)


def _of(found: Sequence[Found], table: str) -> list[Found]:
    return [f for f in found if f.case.table == table]


def _where(found: Sequence[Found], *, buyers: float | None = None, **stated: float) -> list[Found]:
    def matches(f: Found) -> bool:
        agrees = all(f.case.stated[name] == value for name, value in stated.items())
        return agrees and (buyers is None or f.case.buyers == buyers)

    return [f for f in found if matches(f)]


def _words(f: Found) -> str:
    shown: dict[str, Callable[[float], str]] = {
        "share": lambda v: f"{v:.0%} holdout",
        "rate": lambda v: f"{v:.1%} buy",
        "sigma": lambda v: f"σ = {v}" if v else "conversions",
        "lift": lambda v: f"lift {v:+.0%}" if v else "",
        "basket": lambda v: f"baskets {v:+.0%}" if v else "",
    }
    parts = [shown[name](value) for name, value in f.case.stated.items()]
    return ", ".join(
        [f.case.table, f"{f.case.buyers:.0f} held-out buyers", *(part for part in parts if part)]
    )


def _outcome(f: Found) -> str:
    sigma = f.case.stated["sigma"]
    return f"revenue, σ = {sigma}" if sigma else "conversions"


def _lift(f: Found) -> str:
    return f"{f.case.stated['lift']:+.0%}" if f.case.stated["lift"] else "no lift"


def _effect(f: Found) -> str:
    basket, lift = f.case.stated["basket"], f.case.stated["lift"]
    return f"baskets {basket:+.0%}" if basket else f"buyers {lift:+.0%}"


def _pair(found: Conclusions) -> str:
    return f"{100 * found.above:.1f} / {100 * found.below:.1f}"


def _section(title: str, note: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return f"## {title}\n\n{note}\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
