"""Stretches of time in names, as teams write them."""

import pytest

from experiments.stays import Stay, is_bounded, journey_of_name, parse_stay, stay_in_name, stem_of_name

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize(
    ("name", "stay", "stem"),
    [
        ("cart-0-4h", Stay(0, 4 * HOUR), "cart"),
        ("cart-2-7d", Stay(2 * DAY, 7 * DAY), "cart"),
        ("lapsed-60-120d", Stay(60 * DAY, 120 * DAY), "lapsed"),
        ("cart-20h-3d", Stay(20 * HOUR, 3 * DAY), "cart"),
        ("seen-1-2w-ago", Stay(7 * DAY, 14 * DAY), "seen"),
        ("Cart left 4 to 24 hours ago", Stay(4 * HOUR, 24 * HOUR), "Cart left"),
        ("Lapsed 60–120 days", Stay(60 * DAY, 120 * DAY), "Lapsed"),
        ("browse-no-cart", None, None),
        ("abc-123-456", None, None),
        ("top-10-2d-printers", None, None),
    ],
)
def test_a_name_s_stretch_of_time_is_read(name: str, stay: Stay | None, stem: str | None) -> None:
    assert stay_in_name(name) == stay
    assert stem_of_name(name) == stem


@pytest.mark.parametrize(
    ("name", "journey"),
    [("cart-0-4h", "cart"), ("cart-0-4h-uk", "cart-uk"), ("0-4h", ""), ("browse-no-cart", None)],
)
def test_a_journey_is_what_a_name_says_besides_the_time(name: str, journey: str | None) -> None:
    assert journey_of_name(name) == journey


@pytest.mark.parametrize("text", ["0-4", "4h", "4-0h", "2-2d", "", "a-b h"])
def test_what_is_no_stretch_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no stretch of time|ends before"):
        parse_stay(text)


@pytest.mark.parametrize("stay", ["0-4h", "2-7d", "60-120d", "20-72h"])
def test_a_stretch_is_written_as_it_is_read(stay: str) -> None:
    assert str(parse_stay(stay)) == stay or parse_stay(str(parse_stay(stay))) == parse_stay(stay)


def test_any_length_of_time_bounds_a_name() -> None:
    assert is_bounded("Ordered in the last 7 days")
    assert is_bounded("active-30d")
    assert not is_bounded("Newsletter 2026")
    assert not is_bounded("everyone")
