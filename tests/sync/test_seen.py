"""Names that came by before are known again, in whatever portions they come."""

from hypothesis import given
from hypothesis import strategies as st

from sync.seen import Seen


@given(st.lists(st.lists(st.integers(0, 80).map(str), max_size=12), max_size=30))
def test_each_name_is_new_once(portions: list[list[str]]) -> None:
    seen, known = Seen(), set[str]()
    for portion in portions:
        found = seen.add(portion).tolist()
        for name, is_new in zip(portion, found, strict=True):
            assert is_new == (name not in known)
            known.add(name)


def test_it_holds_a_few_long_runs_and_not_one_a_portion() -> None:
    seen = Seen()
    for at in range(64):
        assert seen.add([str(number) for number in range(at * 100, at * 100 + 100)]).all()
    assert [len(run) for run in seen._runs] == [6_400]
