"""The margin arithmetic of the embedded exchange against rows of the real one."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine import margin
from connectors.simulated.engine.contracts import ETHUSD, XBTUSD, XBTUSDT, Contract, Kind

Rows = list[dict[str, Any]]
LEGACY_END = Decimal(100_000_000)


@pytest.fixture(scope="module")
def rows(real_data: Path) -> Rows:
    """Return the recorded position rows with their instruments."""
    lines = (real_data / "positions" / "real-rows.jsonl").read_text().splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def contract_of(row: dict[str, Any]) -> Contract:
    """Return the contract a recorded row speaks of, with the figures of its time."""
    listed = row["instrument"]
    kind = Kind.INVERSE if listed["isInverse"] else (Kind.QUANTO if listed["isQuanto"] else Kind.LINEAR)
    return replace(
        XBTUSD,
        symbol=listed["symbol"],
        kind=kind,
        multiplier=listed["multiplier"],
        lot_size=listed["lotSize"],
        tick_size=Decimal(listed["tickSize"]),
        max_price=Decimal(listed.get("maxPrice") or LEGACY_END),
    )


def is_new(row: dict[str, Any]) -> bool:
    """Return whether the row was written by the new margin engine."""
    return "strategy" in row["position"]


def locked(row: dict[str, Any]) -> margin.Locked:
    """Return our isolated margin of a recorded position."""
    position = row["position"]
    leverage = Decimal(position["leverage"])
    rate = row["instrument"]["fundingRate"]
    return margin.isolated(
        contract_of(row),
        quantity=position["currentQty"],
        cost=abs(position["posCost"]),
        leverage=leverage,
        maint_rate=Decimal(position["maintMarginReq"]),
        fee=Decimal(position["commission"]),
        funding_rate=Decimal(rate or 0),
        pos_cross=position["posCross"],
        pos_loss=position["posLoss"],
    )


def test_mark_value_of_real_rows(rows: Rows) -> None:
    """Every recorded row: its mark value follows from quantity, mark price and contract."""
    for row in rows:
        position = row["position"]
        ours = contract_of(row).signed_cost(position["currentQty"], Decimal(position["markPrice"]))
        assert ours == position["markValue"], row["index"]


def test_unrealised_profit_of_real_rows(rows: Rows) -> None:
    """Every recorded row: profit is the mark value less the cost basis, signs left on."""
    for row in rows:
        position = row["position"]
        assert position["markValue"] - position["unrealisedCost"] == position["unrealisedPnl"]


def test_initial_margin_of_real_rows(rows: Rows) -> None:
    """Recorded rows with `posInit`: entry cost over leverage, rounded up."""
    checked = 0
    for row in rows:
        position = row["position"]
        if is_new(row) or position.get("posInit") is None:
            continue
        leverage = Decimal(1) / Decimal(position["initMarginReq"])
        if leverage == leverage.to_integral_value():
            assert locked(row).pos_init == position["posInit"], row["index"]
            checked += 1
    assert checked >= 15


def test_isolated_fields_of_real_rows(rows: Rows) -> None:
    """Recorded isolated rows: margin and fee reserve, to one unit as the venue's path allows."""
    checked = 0
    for row in rows:
        position = row["position"]
        if position["crossMargin"]:
            continue
        ours = locked(row)
        assert abs(ours.pos_comm - position["posComm"]) <= 1, row["index"]
        assert abs(ours.pos_margin - position["posMargin"]) <= 1, row["index"]
        checked += 1
    assert checked >= 12


def test_isolated_prices_of_real_rows(rows: Rows) -> None:
    """Recorded isolated rows: liquidation and bankruptcy price to the tick."""
    checked = 0
    for row in rows:
        position = row["position"]
        if position["crossMargin"]:
            continue
        assert prices(row, 0) == (
            position["liquidationPrice"],
            position["bankruptPrice"],
        ), row["index"]
        checked += 1
    assert checked >= 12


def test_legacy_cross_prices_with_known_balance(rows: Rows) -> None:
    """Recorded legacy cross rows with their margin row: the free margin backs the position."""
    checked = []
    for row in rows:
        position, balance = row["position"], row["margin"]
        if not position["crossMargin"] or is_new(row) or balance is None:
            continue
        # The two tables are not atomic: rebuild the balance at the position's own mark price.
        equity = balance["walletBalance"] + position["unrealisedPnl"]
        available = equity - position["initMargin"] - position["maintMargin"]
        spare = margin.legacy_cross_allowance(available, Decimal(position["commission"]))
        found = prices(row, spare)
        tick = contract_of(row).tick_size
        assert abs(found[0] - position["liquidationPrice"]) <= tick, row["index"]
        assert abs(found[1] - position["bankruptPrice"]) <= tick, row["index"]
        checked.append(row["index"])
    assert checked


def prices(row: dict[str, Any], spare: int) -> tuple[Decimal, Decimal]:
    """Return our (liquidation, bankruptcy) price of a row with spare margin behind it."""
    position = row["position"]
    basis = abs(position["unrealisedCost"])
    own = position["posMargin"] + spare
    contract, quantity = contract_of(row), position["currentQty"]
    liquidation = margin.price_after_loss(contract, quantity, basis, own - position["posMaint"])
    bankruptcy = margin.price_after_loss(contract, quantity, basis, own - position["posComm"])
    return liquidation, bankruptcy


def test_new_cross_row_of_2026(rows: Rows) -> None:
    """The one recorded cross row of the new engine: maintenance, order margin and the clamp."""
    row = next(r for r in rows if is_new(r))
    position, balance, listed = row["position"], row["margin"], row["instrument"]
    maintenance = margin.cross_maintenance(
        quantity=position["currentQty"],
        cost=abs(position["posCost"]),
        maint_rate=Decimal(position["maintMarginReq"]),
        funding_rate=Decimal(listed["fundingRate"]),
    )
    assert maintenance == position["posMaint"] == position["maintMargin"]
    orders = margin.open_order_margin(
        position["riskValue"] - position["markValue"],
        init_rate=Decimal(position["initMarginReq"]),
        fee=Decimal(position["commission"]),
    )
    assert orders == position["initMargin"]
    spare = balance["marginBalance"] - balance["unrealisedPnl"] - maintenance
    price = margin.price_after_loss(contract_of(row), position["currentQty"], abs(position["unrealisedCost"]), spare)
    assert price == position["liquidationPrice"] == 1_000_000


def test_worked_linear_and_quanto_prices() -> None:
    """A 5x linear long and its quanto twin: the boundaries worked out by hand."""
    linear = replace(XBTUSDT, multiplier=10, lot_size=1000, tick_size=Decimal("0.05"))
    quanto = replace(ETHUSD, multiplier=10, lot_size=1000, tick_size=Decimal("0.05"))
    for contract in (linear, quanto):
        ours = margin.isolated(
            contract,
            quantity=4000,
            cost=80_000_000,
            leverage=Decimal(5),
            maint_rate=Decimal("0.01"),
            fee=Decimal("0.0005"),
            funding_rate=Decimal("0.0001"),
            pos_cross=0,
            pos_loss=0,
        )
        assert (ours.pos_init, ours.pos_comm, ours.pos_maint) == (16_000_000, 48_000, 856_000)
        spare = ours.pos_margin - ours.pos_maint
        assert margin.price_after_loss(contract, 4000, 80_000_000, spare) == Decimal("1620.2")
        bankrupt = ours.pos_margin - ours.pos_comm
        assert margin.price_after_loss(contract, 4000, 80_000_000, bankrupt) == Decimal(1600)


def test_risk_limit_steps() -> None:
    """A larger chosen risk limit adds the base maintenance to both rates, step by step."""
    assert XBTUSD.margin_rates(20_000_000_000) == (Decimal("0.01"), Decimal("0.005"))
    assert XBTUSD.margin_rates(20_000_000_001) == (Decimal("0.015"), Decimal("0.010"))
    assert XBTUSD.margin_rates(50_000_000_000) == (Decimal("0.020"), Decimal("0.015"))


def test_full_cover_is_never_liquidated() -> None:
    """A linear long that owns more than its cost shows zero; an inverse short its highest price."""
    assert margin.price_after_loss(XBTUSDT, 100, 7_000_000, 8_000_000) == 0
    assert margin.price_after_loss(XBTUSD, -100, 200_000, 300_000) == XBTUSD.max_price
