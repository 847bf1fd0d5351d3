"""Contract figures and value arithmetic, against the venue's own listing."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.simulated.engine.contracts import CONTRACTS, ETHUSD, INDICES, XBTH27, XBTUSD, XBTUSDT, Kind

LISTING = "bitmex-instrument-all-2026-05-03.csv.gz"
# The future of March 2027 was not listed yet in May 2026; its sisters have the figures.
SISTER = {"XBTH27": "XBTM26"}
FIGURES = {
    "typ": "typ",
    "rootSymbol": "root_symbol",
    "underlying": "underlying",
    "quoteCurrency": "quote_currency",
    "settlCurrency": "settl_currency",
    "positionCurrency": "position_currency",
    "referenceSymbol": "reference_symbol",
    "underlyingSymbol": "underlying_symbol",
    "multiplier": "multiplier",
    "lotSize": "lot_size",
    "tickSize": "tick_size",
    "maxOrderQty": "max_order_qty",
    "maxPrice": "max_price",
    "initMargin": "init_margin",
    "maintMargin": "maint_margin",
    "makerFee": "maker_fee",
    "takerFee": "taker_fee",
    "riskLimit": "risk_limit",
    "riskStep": "risk_step",
    "underlyingToPositionMultiplier": "underlying_to_position",
    "underlyingToSettleMultiplier": "underlying_to_settle",
    "fundingPremiumSymbol": "funding_premium_symbol",
    "fundingQuoteSymbol": "funding_quote_symbol",
}


def listed(folder: Path) -> dict[str, dict[str, str]]:
    """Return the venue's listing by symbol."""
    with gzip.open(folder / "rest" / LISTING, "rt") as lines:
        return {row["symbol"]: row for row in csv.DictReader(lines)}


def test_figures_are_those_of_the_venue(real_data: Path) -> None:
    """Every figure of every contract equals the column of the listing of May 2026."""
    rows = listed(real_data)
    for contract in CONTRACTS:
        row = rows[SISTER.get(contract.symbol, contract.symbol)]
        for column, name in FIGURES.items():
            ours = getattr(contract, name)
            shown = "" if ours is None else str(ours)
            assert shown == row[column], (contract.symbol, column)
        assert (contract.kind is Kind.INVERSE) is (row["isInverse"] == "true")
        assert (contract.kind is Kind.QUANTO) is (row["isQuanto"] == "true")


def test_indices_exist_on_the_venue(real_data: Path) -> None:
    """Every index of the table is listed there, and every contract's index is among them."""
    rows = listed(real_data)
    assert all(index.symbol in rows for index in INDICES)
    assert {contract.reference_symbol for contract in CONTRACTS} <= {index.symbol for index in INDICES}


@pytest.mark.parametrize(
    ("contract", "quantity", "price", "cost"),
    [
        (XBTUSD, 100, "50000", -200_000),
        (XBTUSD, -300, "33333.3", 3 * 300_000),
        (XBTUSDT, 1_000, "50000.1", 50_000_100),
        (XBTUSDT, -1_000, "50000.1", -50_000_100),
        (ETHUSD, 7, "3000.01", 7 * 300_001),
        (XBTH27, 100, "50000", -200_000),
    ],
)
def test_cost_of_each_kind(contract: object, quantity: int, price: str, cost: int) -> None:
    """Values round to the nearest unit per lot, with the venue's signs."""
    assert contract.signed_cost(quantity, Decimal(price)) == cost  # type: ignore[attr-defined]


def test_boundary_prices_round_against_the_holder() -> None:
    """The shown boundary of a long never lies below the exact one, a short's never above."""
    for contract in (XBTUSD, XBTUSDT, ETHUSD):
        size = 7 * contract.lot_size
        base = contract.value(size, Decimal(3_333))
        for off in range(-50, 50):
            for quantity in (size, -size):
                exact = contract.exact_price(base + off, quantity)
                shown = contract.price_at_value(base + off, quantity)
                assert exact is not None
                assert (shown >= exact) if quantity > 0 else (shown <= exact)
                assert abs(shown - exact) < contract.tick_size


def test_snapping_forgives_noise_only() -> None:
    """A binary float's noise is the tick; half a tick is not."""
    assert XBTUSD.snapped(Decimal("44047.299999999996")) == Decimal("44047.3")
    assert XBTUSD.snapped(Decimal("44047.35")) is None
    assert replace(XBTUSD, tick_size=Decimal("0.5")).snapped(Decimal("44047.3")) is None
