"""The picture of windows: the saw of waits, and a line for each window that is in doubt."""

from xml.etree import ElementTree

from analysis.report.window_picture import draw_windows

HOUR = 3_600
WAITS = [[at * HOUR, (at + 4) * HOUR, (at + 5) * HOUR] for at in range(0, 24 * 3, 4)]


def window(name: str, start: float, end: float, reached: float) -> dict[str, object]:
    return {"audience": name, "from_hours": start, "to_hours": end, "reached": reached, "covered": 0.5}


def drawn(*windows: dict[str, object]) -> ElementTree.Element:
    return ElementTree.fromstring(draw_windows({"waits": WAITS, "windows": list(windows)}))


def test_the_saw_shows_the_last_day_of_syncs() -> None:
    (saw,) = drawn().iter("polyline")
    points = [tuple(map(float, each.split(","))) for each in saw.attrib["points"].split()]
    assert len(points) == 2 * 6
    lowest = max(y for _, y in points)
    # Who enters just after a sync waits five hours, who enters just before one waits one.
    assert [y == lowest for _, y in points] == [False, True] * 6


def test_each_short_window_is_a_line_with_its_share_and_long_ones_are_none() -> None:
    found = drawn(window("cart-0-4h", 0, 4, 0.75), window("cart-2-7d", 48, 168, 1.0))
    words = [each.text for each in found.iter("text")]
    assert "cart-0-4h: 75%" in words
    assert not any("cart-2-7d" in (each or "") for each in words)
    assert "at most 5 hours" in found.attrib["aria-label"]
    assert "cart-0-4h 75%" in found.attrib["aria-label"]


def test_names_are_escaped_and_nothing_is_drawn_of_nothing() -> None:
    assert "<b>" not in draw_windows({"waits": WAITS, "windows": [window("<b>", 0, 4, 0.5)]})
    assert draw_windows({"waits": [], "windows": []}) == ""
