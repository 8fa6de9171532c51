"""`brands.yaml`: what it may say, and the line of what it may not."""

from pathlib import Path

import pytest

from experiments.brands import Brand, check_programmes, read_brand, read_brands
from experiments.errors import Rejected

PROGRAMME = """advertiser: "{advertiser}"
currency: EUR
margin: 45%
audiences:
  - {{name: cart, segment: 7}}
"""


def brands_yaml(folder: Path, text: str) -> Path:
    path = folder / "brands.yaml"
    path.write_text(text)
    return path


def test_a_brand_has_a_file_of_its_own_beside_brands_yaml_and_everything_else_by_its_name(
    tmp_path: Path,
) -> None:
    path = brands_yaml(tmp_path, "brands:\n  - {name: acme, audiences: acme/audiences.yaml}\n")
    assert read_brands(path) == (
        Brand(
            name="acme",
            audiences=tmp_path / "acme" / "audiences.yaml",
            criteo_app="acme",
            customerio_base_url=None,
            criteo_base_url=None,
            report_folder="report/acme",
            report_url="",
            work_pool="holdouts",
        ),
    )


def test_everything_can_be_said(tmp_path: Path) -> None:
    text = """brands:
  - name: acme
    audiences: /etc/acme.yaml
    criteo_app: agency
    customerio_base_url: https://api-eu.customer.io
    criteo_base_url: http://127.0.0.1:9
    report_folder: /srv/acme
    report_url: https://reports.example.com/acme
    work_pool: big
"""
    (brand,) = read_brands(brands_yaml(tmp_path, text))
    assert brand == Brand(
        "acme",
        Path("/etc/acme.yaml"),
        "agency",
        "https://api-eu.customer.io",
        "http://127.0.0.1:9",
        "/srv/acme",
        "https://reports.example.com/acme",
        "big",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: "),
        ("brands: []", "line 1: brands: "),
        ("brands:\n  - name: acme\n", "line 2: the key 'audiences' is missing"),
        ("brands:\n  - {name: Acme, audiences: a}\n", "line 2: name: "),
        ("brands:\n  - {name: acme-, audiences: a}\n", "line 2: name: "),
        ("brands:\n  - {name: acme_b, audiences: a}\n", "line 2: name: "),
        (f"brands:\n  - {{name: {'a' * 33}, audiences: a}}\n", "line 2: name: "),
        ("brands:\n  - {name: audience, audiences: a}\n", "line 2: name: 'audience' is a name that the product keeps"),
        ("brands:\n  - {name: acme, audiences: a, ledger: x}\n", "line 2: unknown key 'ledger'"),
        ("brands:\n  - {name: acme, audiences: a, name: b}\n", "line 2: the key 'name' stands here twice"),
        ("brands:\n  - {name: acme, audiences: a}\n  - {name: acme, audiences: b}\n", "line 3: name: the brand acme has it"),
        ("brands:\n  - {name: acme, audiences: a}\n  - {name: zeta, audiences: ./x/../a}\n", "line 3: audiences: the brand acme has it"),
        ("brands:\n  - {name: acme, audiences: a, report_folder: r}\n  - {name: zeta, audiences: b, report_folder: ./r/}\n", "line 3: report_folder: the brand acme has it"),
        ("brands:\n  - {name: acme, audiences: [\n", "line 3: "),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    path = brands_yaml(tmp_path, text)
    with pytest.raises(Rejected) as caught:
        read_brands(path)
    assert str(caught.value).startswith(f"{path}, {reason}")


def test_a_missing_file_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"brands\.yaml does not exist; name the file in HOLDOUTS_BRANDS"):
        read_brands(tmp_path / "brands.yaml")


def test_an_unknown_brand_is_refused_and_no_other_is_named(tmp_path: Path) -> None:
    path = brands_yaml(tmp_path, "brands:\n  - {name: acme, audiences: a.yaml}\n")
    with pytest.raises(Rejected, match="has no brand 'zeta'") as caught:
        read_brand(path, "zeta")
    assert "acme" not in str(caught.value)


def test_two_brands_cannot_share_a_criteo_advertiser(tmp_path: Path) -> None:
    path = brands_yaml(
        tmp_path, "brands:\n  - {name: acme, audiences: a.yaml}\n  - {name: zeta, audiences: z.yaml}\n"
    )
    (tmp_path / "a.yaml").write_text(PROGRAMME.format(advertiser="111"))
    (tmp_path / "z.yaml").write_text(PROGRAMME.format(advertiser="222"))
    check_programmes(read_brands(path))
    (tmp_path / "z.yaml").write_text(PROGRAMME.format(advertiser="111"))
    with pytest.raises(Rejected, match=r"z\.yaml: the brands acme and zeta have the same Criteo advertiser"):
        check_programmes(read_brands(path))


def test_a_brand_whose_audiences_file_is_wrong_is_refused_with_that_file_s_line(tmp_path: Path) -> None:
    path = brands_yaml(tmp_path, "brands:\n  - {name: acme, audiences: a.yaml}\n")
    (tmp_path / "a.yaml").write_text(
        PROGRAMME.format(advertiser="111").replace("margin: 45%", "margin: 45%\ncolour: red")
    )
    with pytest.raises(Rejected, match=r"a\.yaml, line 4: unknown key 'colour'"):
        check_programmes(read_brands(path))
