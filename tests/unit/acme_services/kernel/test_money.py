"""Prices are whole minor units of a known currency."""

import pytest

from acme_services.kernel.errors import Invalid
from acme_services.kernel.money import CURRENCIES, Money, price


@pytest.mark.parametrize(("units", "currency"), [(0, "EUR"), (1999, "JPY"), (2**63 - 1, "USD")])
def test_an_amount_of_a_known_currency_is_a_price(units: int, currency: str) -> None:
    assert price(units, currency) == Money(units, currency)


@pytest.mark.parametrize("units", [-1, 2**63])
def test_an_amount_that_nobody_can_be_asked_for_is_refused(units: int) -> None:
    with pytest.raises(Invalid, match=r"^price\.minor_units: "):
        price(units, "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "€"])
def test_a_code_that_is_not_iso_4217_is_refused(currency: str) -> None:
    with pytest.raises(Invalid, match=r"^price\.currency: "):
        price(1, currency)


def test_every_code_has_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
