"""The calibration in three pictures: small holdouts, weekly reading, a changed percentage. I/O."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.calibration_cases import Found

COLOURS = {
    "score": "#0b6e4f",
    "Welch, Fieller": "#c8553d",
    "plain sequence": "#d9a441",
    "stratified sequence": "#7a6c9d",
}
NAMES = {
    "score": "this product",
    "Welch, Fieller": "95 % Welch or Fieller",
    "plain sequence": "plain confidence sequence",
    "stratified sequence": "the same, stratified",
}


def draw_figure(found: Sequence[Found], path: Path) -> None:
    """Write the figure as SVG, the same bytes for the same numbers."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "calibration", "font.size": 9, "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12.0, 3.8), sharey=True)
    _sizes(axes[0], found)
    _weeks(axes[1], [f for f in found if f.case.table == "years"], "Read every week for a year")
    _weeks(axes[2], [f for f in found if f.case.table == "changes"], "Holdout 5 → 20 → 10 %")
    for axis in axes:
        axis.axhline(2.5, color="#888888", linewidth=0.8, linestyle=":")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("false positive lift, % of programmes")
    handles, labels = axes[2].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0.0, 0.08, 1.0, 1.0))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _sizes(axis: Any, found: Sequence[Found]) -> None:
    rows = [f for f in found if f.case.table == "sweep" and f.case.stated["sigma"] == 1.2]
    for method in ("score", "Welch, Fieller", "plain sequence"):
        heights = [100.0 * f.no_effect[method].above for f in rows]
        axis.plot(
            [f.case.buyers for f in rows], heights, marker="o", color=COLOURS[method], label=NAMES[method]
        )
    axis.set_xscale("log")
    axis.set_xticks([f.case.buyers for f in rows], [f"{f.case.buyers:.0f}" for f in rows])
    axis.minorticks_off()
    axis.set_xlabel("held-out buyers (5 % holdout)")
    axis.set_title("One look, no effect")


def _weeks(axis: Any, found: Sequence[Found], title: str) -> None:
    """The case that the tables call required: σ = 1.2, no effect, some 200 held-out buyers or more."""
    (row,) = [
        f
        for f in found
        if f.case.stated["sigma"] == 1.2
        and f.case.stated.get("lift", 0.0) == 0.0
        and f.case.stated.get("share", 0.05) == 0.05
        and f.case.buyers in {200, 786}
    ]
    methods = [m for m in COLOURS if m in row.by_look]
    if row.case.table == "years":
        methods.remove("stratified sequence")
    for method in methods:
        weeks = range(1, len(row.by_look[method]) + 1)
        axis.plot(weeks, [100.0 * v for v in row.by_look[method]], color=COLOURS[method], label=NAMES[method])
    axis.set_xlabel("week")
    axis.set_title(title)
