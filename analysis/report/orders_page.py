"""What is special about a report's orders, in words: late ones, and those in another currency. Pure."""

from __future__ import annotations

from analysis.report.page import Ways
from analysis.report.wording import Place, Said, Sentence, count


def late_sentence(root: Place, said: Ways) -> Sentence:
    """What has changed the last report since it was told; nothing where nothing has."""
    if not root.value.get("late"):
        return ()
    found = root["late"]
    if not found.value["orders"] and not found.value["refunds"]:
        return ("No order or refund has come in since the last report that would change it.",)
    return (
        "Since the last report ", count(found["orders"]), " orders worth ", said.money(found["revenue"]),
        " came in late and ", count(found["refunds"]), " refunds of ", said.money(found["refunded"]),
        " were made, all of orders from before it: told again today, it would differ by them.",
    )  # fmt: skip


def converted_sentences(root: Place, said: Ways) -> tuple[Sentence, ...]:
    """Per foreign currency: how much was converted, and at which rates."""
    if not root.value.get("converted"):
        return ()
    return tuple(_converted(each, said, root.value["currency"]) for each in root["converted"].each())


def _converted(found: Place, said: Ways, currency: str) -> Sentence:
    low, high = (_rate(found["rates"][at]) for at in (0, 1))
    span: Sentence = (low,) if low.value == high.value else (low, " to ", high)
    return (
        count(found["orders"]), f" orders in {found.value['currency']} count as ", said.money(found["revenue"]),
        ", at ", *span, f" {currency} each, the rate of their day; an order keeps the rate it came with.",
    )  # fmt: skip


def _rate(place: Place) -> Said:
    return Said(f"{place.value:.6g}", place.value, place.pointer)
