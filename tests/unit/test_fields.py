"""Values of an order as files spell them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bakeoff.orders import fields

#: More digits than decimal arithmetic keeps by default (28).
LONG = f"1.{'0' * 33}1"


@pytest.mark.parametrize("value", [LONG, Decimal(LONG), f"12345.{'0' * 30}5"])
def test_price_with_many_digits_is_not_rounded(value: object) -> None:
    """It is as fine as it is written, however far behind the point that stands."""
    with pytest.raises(fields.Refused, match="is finer than the minor unit of GBP"):
        fields.minor_units(value, "GBP")


def test_price_with_many_zeros_is_exact() -> None:
    assert fields.minor_units(f"2.55{'0' * 40}", "GBP") == 255
    assert fields.minor_units(f"{'0' * 40}2.55", "GBP") == 255
    assert fields.minor_units("1.005", "KWD") == 1005
    assert fields.minor_units("1e3", "JPY") == 1000
