"""Value arithmetic of every listed contract: rounding by lot, signs, and prices that come back from values."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.contracts import Contract, Kind
from connectors.simulated.engine.rows import notionals
from connectors.simulated.listing.opening import venue_catalogue

LISTED = venue_catalogue().table.contracts
TRADED = [one for one in LISTED if one.is_traded]
contracts = st.sampled_from(TRADED)
MINOR = {"XBt": 10**8, "USDt": 10**6}


def tick_of(contract: Contract, place: float) -> Decimal:
    """Return a price of the contract's grid, anywhere between one tick and the highest."""
    ticks = int(contract.max_price / contract.tick_size)
    return max(1, int(ticks * place**4)) * contract.tick_size


def exact_value(contract: Contract, quantity: int, price: Decimal) -> Fraction:
    """Return the value by the venue's definition, without any rounding."""
    at = Fraction(price)
    scale = abs(quantity) * abs(contract.multiplier)
    return Fraction(scale) / at if contract.kind is Kind.INVERSE else scale * at


places = st.floats(0.001, 1)
lots = st.integers(1, 10_000)


@given(contract=contracts, place=places, count=lots)
def test_value_is_rounded_once_a_lot(contract: Contract, place: float, count: int) -> None:
    """At most half a minor unit a lot from the exact value, and linear in lots."""
    price, quantity = tick_of(contract, place), count * contract.lot_size
    value = contract.value(quantity, price)
    assert abs(value - exact_value(contract, quantity, price)) <= Fraction(count, 2)
    assert value == count * contract.value(contract.lot_size, price)


@given(contract=contracts, place=places, count=lots)
def test_cost_has_the_sign_of_its_kind(contract: Contract, place: float, count: int) -> None:
    """Longs cost money but for inverse ones; a short is the mirror image."""
    price, quantity = tick_of(contract, place), count * contract.lot_size
    cost = contract.signed_cost(quantity, price)
    assert cost == -contract.signed_cost(-quantity, price)
    assert (cost <= 0) if contract.kind is Kind.INVERSE else (cost >= 0)


@given(contract=contracts, place=places, count=lots, is_long=st.booleans())
def test_the_price_of_a_value_is_never_better_for_the_holder(
    contract: Contract, place: float, count: int, is_long: bool
) -> None:
    """At the price that a value gives, a long is worth no less and a short no more than it."""
    quantity = count * contract.lot_size * (1 if is_long else -1)
    value = contract.value(quantity, tick_of(contract, place))
    price = contract.exact_price(value, quantity)
    if price is None or price <= 0 or contract.on_tick(price, up=is_long) > contract.max_price:
        return
    worth = contract.value(quantity, contract.on_tick(price, up=is_long)) if price >= contract.tick_size else value
    inverse = contract.kind is Kind.INVERSE
    assert (worth >= value) if is_long is not inverse else (worth <= value)


@given(contract=contracts, place=places, count=lots)
def test_notionals_agree_with_the_value(contract: Contract, place: float, count: int) -> None:
    """Home and foreign are the value in major units of underlying and quote; their quotient is about the price."""
    price, quantity = tick_of(contract, place), count * contract.lot_size
    home, foreign = notionals(contract, quantity, price, quote_to_settle=1279)
    assert home >= 0 >= foreign
    value = contract.value(quantity, price)
    unit = MINOR[contract.settl_currency]
    if contract.kind is Kind.INVERSE and contract.underlying == "XBT":
        assert home == Decimal(value) / unit
    if contract.kind is Kind.LINEAR:
        assert foreign == -Decimal(value) / unit


@given(contract=st.sampled_from([one for one in LISTED if one.kind is Kind.SPOT]), place=places, count=lots)
def test_a_spot_pair_is_worth_its_quantity_times_price(contract: Contract, place: float, count: int) -> None:
    """Quantities are minor units of the underlying, values minor units of the quote currency."""
    price, quantity = tick_of(contract, place), count * contract.lot_size
    exact = Fraction(quantity * (contract.quote_to_settle or 0), contract.underlying_to_position or 1) * Fraction(price)
    assert abs(contract.value(quantity, price) - exact) <= Fraction(count, 2)
