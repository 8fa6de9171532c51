"""Every term of the report in plain words, before any formula. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the report and what it means."""

    key: str
    word: str
    meaning: str


_TERMS = (
    Term("claimed", "Criteo claims", "The revenue that Criteo credits to its own ads, divided by what they cost. It counts everyone who bought after seeing an ad, also those who would have bought anyway."),
    Term("blended", "Blended", "All revenue of the people advertised to, whatever made them buy, divided by what the ads cost."),
    Term("added", "What the ads added", "Revenue that would not have come without the ads, divided by what they cost: the difference between people advertised to and people held out, who are alike in everything else because chance decided. Also called incremental return on ad spend, iROAS."),
    Term("revenue-added", "Revenue added", "Revenue that would not have come without the ads, since the measuring began. Found by comparing people advertised to with people held out, per person."),
    Term("break-even", "Break-even", "The return at which an ad pays for itself: 1 divided by the margin. With a margin of 45 %, each unit spent must bring back 2.2 units of revenue that would not have come otherwise."),
    Term("surely", "Surely between", "The range that the data allow. Read every week for as long as you like, it is wrong in at most 5 of 100 measurements: an always-valid 95 % interval. A side without a limit is said to have none."),
    Term("lift", "Lift", "By how much more the people advertised to bought than the people held out, in per cent of what the held-out people bought."),
    Term("holdout", "Holdout", "The share of an audience that chance picks to see no ads. They are the measure of what happens without ads. Changing the share moves as few people as possible and loses no data."),
    Term("group", "Holdout group", "Audiences whose held-out people are the same, such as three time windows of one cart. Money is read for the group, because a later window only sees whom an earlier one did not persuade."),
    Term("window", "Window", "How long after someone enters the audience an order counts as an outcome."),
    Term("early", "Early look", "While most people are still inside the window, each day of it is read from those who have been here that long. It shows where the lift seems to be heading, and decides nothing: the verdict waits for closed windows."),
    Term("entrant", "Entrant", "Someone the first time that they are eligible for the audience in a phase. Held out or not is decided then, and everyone counts from then on, reached or not."),
    Term("phase", "Phase", "A stretch of time with one holdout percentage. Each phase is compared within itself, so a change distorts nothing."),
    Term("verdict", "Verdict", "What may be said, by fixed rules: a failed check comes first, then too little data, then which side of break-even the whole range lies on."),
    Term("control-conversions", "Held-out buyers", "Held-out people who bought inside the window. Below 20 nothing is said; below 50 (100 for revenue) the numbers are marked as rough."),
    Term("split", "More buyers or larger baskets", "Revenue per person is the share who buy times what a buyer spends. The lift in revenue splits into these two."),
    Term("cap", "Large orders, capped", "The same comparison with each order counted up to a fixed amount, so that one large order cannot decide it. The amount is set once, from orders that know nothing of who is held out, and is never changed."),
    Term("match-rate", "Match rate", "The share of the people on the list whom Criteo recognises. What the ads added needs no correction for it: people never reached count in both halves alike."),
    Term("reachable", "Per reachable person", "Ads reach only people whom Criteo recognises. Spread over them alone, the same effect is larger per person; in total it stays what it is. The range allows for every match rate of the last four weeks."),
    Term("corrected", "Corrected for earlier purchases", "People who bought before tend to buy again. Taking that out of both halves can make a difference surer, but for rare purchases it hardly does; what it achieved is said, and the headline never rests on it."),
    Term("planned-end", "Planned end", "An audience may be read up to a date that is set before the first report. Its ranges are narrower then, and they hold at every report up to that date; what comes later is not read any more. Without such a date they hold for ever."),
    Term("reach", "Recognised", "People on the list whom Criteo knows by a browser or a device: only they can see an ad. Criteo tells the number, some hours late."),
    Term("freshness", "From event to list", "How long after entering the Customer.io segment people stand on Criteo’s list: half of them within the first time, 95 of 100 within the second. Customer.io does not say when somebody entered, so people are taken to enter evenly between two syncs. Criteo then takes some hours more until ads are shown."),
    Term("decision", "When it can be decided", "How many weeks after the first entry a lift of this size shows, with the holdout and the number of new people of today, however often you look."),
    Term("firewall", "Firewall", "What keeps ads away from the people held out: they stand on none of our lists, and the advertiser’s other ad sets subtract them too."),
    Term("suppression", "Still advertised to", "People who bought go on seeing ads until the next sync takes them off the list. Their part of the spend is their part of the time that people stood on the list: Criteo tells what an ad set cost, not what a person did."),
    Term("claimed-holdout", "Claimed of people held out", "People held out should see none of these ads, so an order of theirs that Criteo claims was claimed for ads of another audience, for other ads of the shop, for an older click, or by mistake. Ads of another audience reach both halves alike and distort nothing; ads that only the one half should see make the measured effect fall short of the true one."),
    Term("sync", "Sync", "Bringing Criteo's list in step with the Customer.io segment. A sync that looks wrong is refused, and the list stays as it was."),
    Term("gate", "Check", "A test of the data, not of the ads. When one fails the numbers are withheld until the cause is found."),
    Term("placebo", "Placebo", "The same comparison for the time before people entered, when no ad of this audience can have changed anything. It should find nothing; where it surely finds something, the halves were unlike from the start and the numbers are withheld."),
    Term("not-incremental", "Claimed but not added", "Revenue that Criteo claims for these people and that would have come without the ads."),
    Term("factor", "Real share of the claim", "What the ads added divided by what Criteo claims: multiply a claim by it to get what is real. Also called incrementality factor."),
    Term("icpa", "Spend per extra buyer", "What the ads cost, divided by the buyers whom they added: also called incremental cost per acquisition. Where it is not sure that any buyer was added it has no upper limit."),
    Term("contribution", "Profit from the ads", "Revenue added times the margin, minus what the ads cost."),
    Term("cost-of-measuring", "Cost of measuring", "What the people held out would have brought, minus what advertising to them would have cost. Below zero the holdout saves money."),
    Term("programme", "Whole programme", "People held out of every audience, chosen before anything else: they measure all audiences together, which the rows alone cannot, since one audience may take from another."),
    Term("together", "All audiences together", "Whoever reads many audiences finds a good one by chance. A claim stands here only if its evidence is strong enough among all of them, however alike their people are. Drawing each lift to the mean of all takes off the luck of the best ones."),
    Term("watermark", "Orders known until", "The time up to which all orders have been loaded. Nothing later counts."),
    Term("intention-to-treat", "Everyone counts", "People are compared as they were assigned, not as they were reached: dropping the unreached from one half would compare unlike people. Also called intention to treat."),
)  # fmt: skip

GLOSSARY: Mapping[str, Term] = {term.key: term for term in _TERMS}
