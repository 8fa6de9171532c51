"""The sandbox's Criteo takes every kind of identifier, knows some phones, and may reject what looks right."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from sandbox.contact_lists import is_rejected
from sandbox.world import Sandbox, Switches
from sync.criteo import Criteo
from sync.customerio import CustomerIO
from sync.limits import Unlimited

START = datetime(2026, 9, 7, tzinfo=UTC)


def opened(folder: Path, **switches: object) -> Sandbox:
    chosen = Switches(criteo_per_minute=None, customerio_rps=None, **switches)  # type: ignore[arg-type]
    return Sandbox.start(profiles=500, start=START, orders_path=folder / "shop.sqlite", switches=chosen)


def test_phones_are_an_attribute_that_criteo_recognises(tmp_path: Path) -> None:
    with opened(tmp_path, app_share=0.5, match_share=1.0) as box:
        customerio = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
        ids = [profile.cio_id for profile in box.market.people.profiles]
        read = [each.values[0] for each in customerio.attributes(ids, ["advertising_id"])]
        phones = {phone for phone in read if phone}
        customerio.close()
        assert 0.4 < sum(phone is not None for phone in read) / len(read) < 0.6
        criteo = Criteo(box.criteo_url, box.client_id, SecretStr(box.client_secret), Unlimited(), Unlimited())
        made = criteo.find_or_create_list(box.advertiser_id, "phones", "d")
        upper = sorted(phone.upper() for phone in phones)
        answer = criteo.amend_encoded(made.id, "add", [*upper, "no phone"], "madid")
        assert (answer.valid, answer.invalid, answer.samples) == (len(phones), 1, ("no phone",))
        assert criteo.statistics(made.id).matches == len(phones)
        answer = criteo.amend_encoded(made.id, "add", ["k-abc", " "], "gum", 42)
        assert (answer.valid, answer.invalid) == (1, 1)
        criteo.close()


def test_identifiers_may_be_rejected_whose_form_is_right(tmp_path: Path) -> None:
    with opened(tmp_path, reject_share=0.1, samples=3) as box:
        criteo = Criteo(box.criteo_url, box.client_id, SecretStr(box.client_secret), Unlimited(), Unlimited())
        made = criteo.find_or_create_list(box.advertiser_id, "list", "d")
        texts = [f"p{n}@example.com" for n in range(200)]
        answer = criteo.amend_encoded(made.id, "add", texts)
        again = criteo.amend_encoded(made.id, "add", texts)
        assert answer.invalid == again.invalid > 5
        assert len(answer.samples) == 3
        assert criteo.statistics(made.id).identifiers == answer.valid
        criteo.close()
    assert sum(is_rejected(text, 0.1) for text in texts) < 40
