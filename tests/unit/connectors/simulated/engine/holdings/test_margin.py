"""Both margin engines of the embedded exchange against rows of the real one."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.contracts import ETHUSD, XBTUSD, XBTUSDT, Contract, Kind
from connectors.simulated.engine.holdings import margin
from connectors.simulated.engine.holdings.margin import LEGACY_END, RULES, Backing, Holding, Locked, Rules
from connectors.simulated.engine.switches import MarginEngine

Row = dict[str, Any]
NEW, LEGACY = RULES[MarginEngine.NEW], RULES[MarginEngine.LEGACY]
RATE_STEP = Decimal("0.000001")
# Highest funding rate seen in the rows' years: three quarters of (initial - maintenance) margin.
RATE_CAP = Decimal("0.004875")
NOTHING = Backing(available=0, shared_equity=0, shared_maintenance=0)


@pytest.fixture(scope="module")
def rows(real_data: Path) -> list[Row]:
    """Return the recorded position rows with their instruments."""
    lines = (real_data / "positions" / "real-rows.jsonl").read_text().splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def contract_of(row: Row) -> Contract:
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


def rules_of(row: Row) -> Rules:
    """Return the engine that wrote a row."""
    return NEW if "strategy" in row["position"] else LEGACY


def holding_of(row: Row, rate: Decimal | None = None) -> Holding:
    """Return what a recorded row holds; the funding rate is the recorded one unless named."""
    position = row["position"]
    known = Decimal(row["instrument"]["fundingRate"] or 0)
    # `initMarginReq` carries the noise of a binary float, `leverage` does not.
    return Holding(
        contract=contract_of(row),
        quantity=position["currentQty"],
        cost=abs(position["posCost"]),
        leverage=Decimal(position["leverage"]),
        maint_rate=Decimal(position["maintMarginReq"]).quantize(RATE_STEP),
        fee=Decimal(position["commission"]),
        funding_rate=known if rate is None else rate,
        is_cross=position["crossMargin"],
        pos_cross=position["posCross"],
        pos_loss=position["posLoss"],
    )


def as_recorded(row: Row) -> Locked:
    """Return what a recorded row says it locks."""
    position = row["position"]
    return Locked(
        pos_init=position.get("posInit") or 0,
        pos_comm=position["posComm"],
        pos_margin=position["posMargin"],
        pos_maint=position["posMaint"],
        is_shared=rules_of(row) is NEW and position["crossMargin"],
    )


def test_mark_value_of_real_rows(rows: list[Row]) -> None:
    """Every recorded row: its mark value follows from quantity, mark price and contract."""
    for row in rows:
        position = row["position"]
        ours = contract_of(row).signed_cost(position["currentQty"], Decimal(position["markPrice"]))
        assert ours == position["markValue"], row["index"]


def test_unrealised_profit_of_real_rows(rows: list[Row]) -> None:
    """Every recorded row: profit is the mark value less the cost basis, signs left on."""
    for row in rows:
        position = row["position"]
        assert position["markValue"] - position["unrealisedCost"] == position["unrealisedPnl"]


def test_initial_margin_of_real_rows(rows: list[Row]) -> None:
    """Every recorded row with `posInit`: entry cost over leverage, rounded up; nothing if shared."""
    checked = 0
    for row in rows:
        if row["position"].get("posInit") is not None:
            assert rules_of(row).locked(holding_of(row)).pos_init == row["position"]["posInit"], row["index"]
            checked += 1
    assert checked == len(rows) - 2


def test_fee_reserve_and_margin_of_real_rows(rows: list[Row]) -> None:
    """Every recorded row: `posComm` and `posMargin`, to the one unit that the venue's path rounds."""
    for row in rows:
        position, ours = row["position"], rules_of(row).locked(holding_of(row))
        assert abs(ours.pos_comm - position["posComm"]) <= 1, row["index"]
        assert abs(ours.pos_margin - position["posMargin"]) <= 1, row["index"]


def test_margin_is_the_sum_of_its_parts_on_real_rows(rows: list[Row]) -> None:
    """Every recorded row: what it locks now, result included or shared, from its own columns."""
    for row in rows:
        position, locked = row["position"], as_recorded(row)
        if position.get("posInit") is not None and not locked.is_shared:
            parts = position["posInit"] + position["posComm"] + position["posCross"] - position["posLoss"]
            assert parts == position["posMargin"], row["index"]
        assert locked.maint_margin(position["unrealisedPnl"]) == position["maintMargin"], row["index"]


def test_maintenance_of_real_rows_with_a_known_rate(rows: list[Row]) -> None:
    """Rows whose funding rate is recorded: `posMaint` to the unit, on both engines."""
    known = [row for row in rows if row["instrument"]["fundingRate"] is not None]
    assert {rules_of(row).end for row in known} == {None, LEGACY_END}
    for row in known:
        assert rules_of(row).locked(holding_of(row)).pos_maint == row["position"]["posMaint"], row["index"]


def test_maintenance_of_every_real_row_has_a_funding_rate(rows: list[Row]) -> None:
    """Every other row: one rate of six places within the venue's bound gives `posMaint` to the unit."""
    for row in rows:
        position = row["position"]
        beyond = position["posMaint"] - position["posComm"]
        guess = Decimal(beyond) / abs(position["posCost"]) - Decimal(position["maintMarginReq"])
        side = 1 if position["currentQty"] > 0 else -1
        rates = [side * max(Decimal(0), guess.quantize(RATE_STEP) + k * RATE_STEP) for k in (-1, 0, 1)]
        ours = [rules_of(row).locked(holding_of(row, rate)) for rate in rates]
        # On tiny positions a unit is worth many steps of the rate: the exact quotient is one of them.
        ours.append(rules_of(row).locked(holding_of(row, side * max(Decimal(0), guess))))
        found = {locked.pos_maint - locked.pos_comm for locked in ours}
        assert beyond in found, row["index"]
        assert guess <= RATE_CAP, row["index"]


def test_cross_margin_drawn_in_legacy_rows(rows: list[Row]) -> None:
    """Every legacy cross row: the loss and what was charged, but for one that is an update late."""
    late = []
    crossed = [row for row in rows if row["position"]["crossMargin"] and rules_of(row) is LEGACY]
    for row in crossed:
        position = row["position"]
        drawn = max(0, -position["unrealisedPnl"]) + position["posLoss"]
        if drawn != position["posCross"]:
            late.append(row["index"])
    assert len(crossed) >= 12
    assert late == [40]


def test_isolated_prices_of_real_rows(rows: list[Row]) -> None:
    """Recorded isolated rows: liquidation and bankruptcy price to the tick."""
    isolated = [row for row in rows if not row["position"]["crossMargin"]]
    assert len(isolated) >= 12
    for row in isolated:
        position = row["position"]
        assert prices(row, NOTHING) == (position["liquidationPrice"], position["bankruptPrice"]), row["index"]


def test_legacy_cross_prices_with_known_balance(rows: list[Row]) -> None:
    """Recorded legacy cross rows with their margin row: the free margin backs the position, to a tick."""
    checked = 0
    for row in rows:
        position, balance = row["position"], row["margin"]
        if not position["crossMargin"] or rules_of(row) is NEW or balance is None:
            continue
        # The two tables are not atomic: rebuild the balance at the position's own mark price.
        equity = balance["walletBalance"] + position["unrealisedPnl"]
        available = equity - position["initMargin"] - position["maintMargin"]
        found = prices(row, replace(NOTHING, available=available))
        tick = contract_of(row).tick_size
        assert abs(found[0] - position["liquidationPrice"]) <= tick, row["index"]
        assert abs(found[1] - position["bankruptPrice"]) <= tick, row["index"]
        checked += 1
    assert checked


def test_legacy_cross_prices_keep_their_distance(rows: list[Row]) -> None:
    """All other legacy cross rows: free margin that explains the bankruptcy price explains the other."""
    checked = 0
    for row in rows:
        position = row["position"]
        if not position["crossMargin"] or rules_of(row) is NEW:
            continue
        fits = {prices(row, replace(NOTHING, available=free))[0] for free in explaining_bankruptcy(row)}
        assert min(fits) <= position["liquidationPrice"] <= max(fits), row["index"]
        checked += 1
    assert checked >= 12


def explaining_bankruptcy(row: Row) -> Iterator[int]:
    """Yield the least and the most free margin at which our bankruptcy price is the recorded one."""
    shown = Decimal(row["position"]["bankruptPrice"])
    sign = 1 if row["position"]["currentQty"] > 0 else -1

    def first(is_beyond: bool) -> int:
        low, high = -1, 10**12
        while high - low > 1:
            middle = (low + high) // 2
            gap = sign * (shown - prices(row, replace(NOTHING, available=middle))[1])
            low, high = (low, middle) if (gap > 0 if is_beyond else gap >= 0) else (middle, high)
        return high

    yield first(is_beyond=False)
    yield first(is_beyond=True) - 1


def prices(row: Row, backing: Backing) -> tuple[Decimal, Decimal]:
    """Return our (liquidation, bankruptcy) price of a row with money behind it."""
    rules, held = rules_of(row), holding_of(row)
    room = rules.room(held, as_recorded(row), backing)
    basis = abs(row["position"]["unrealisedCost"])
    liquidation = rules.price(held.contract, held.quantity, basis, room.liquidation)
    return liquidation, rules.price(held.contract, held.quantity, basis, room.bankruptcy)


def test_order_margin_of_real_rows(rows: list[Row]) -> None:
    """Rows with open orders: `initMargin` from what they add, to a unit for each order behind the sum."""
    checked = 0
    for row in rows:
        position = row["position"]
        open_cost = position["riskValue"] - abs(position["markValue"])
        if not open_cost:
            continue
        fee, rate = Decimal(position["commission"]), Decimal(1) / Decimal(position["leverage"])
        ours = margin.open_order_margin(open_cost, init_rate=rate, fee=fee)
        assert 0 <= position["initMargin"] - ours <= 1, row["index"]
        checked += 1
    assert checked >= 4


def test_new_cross_row_of_2026(rows: list[Row]) -> None:
    """The recorded cross row of the new engine: order margin to the unit, and both prices at the end."""
    row = next(r for r in rows if rules_of(r) is NEW)
    position, balance = row["position"], row["margin"]
    equity = balance["marginBalance"] - balance["unrealisedPnl"]
    backing = Backing(available=0, shared_equity=equity, shared_maintenance=position["posMaint"])
    assert prices(row, backing) == (position["liquidationPrice"], position["bankruptPrice"]) == (1_000_000, 1_000_000)


def test_account_snapshot_of_2026(real_data: Path) -> None:
    """All recorded margin rows of an account: sums, free margin and ratios from their own parts."""
    with (real_data / "rest" / "bitmex-user-margin-snapshot-2026-05.csv").open(encoding="utf-8") as file:
        recorded = list(csv.DictReader(file))
    assert len(recorded) >= 3
    for row in recorded:
        cell = {name: Decimal(text) for name, text in row.items() if name not in {"timestamp", "currency"} and text}
        assert cell["walletBalance"] == cell["amount"] + cell["realisedPnl"]
        assert cell["marginBalance"] == cell["walletBalance"] + cell["unrealisedPnl"]
        free = cell["marginBalance"] - cell["initMargin"] - cell["maintMargin"]
        assert free == cell["availableMargin"] == cell["excessMargin"] == cell["withdrawableMargin"]
        assert cell["riskValue"] == cell["grossMarkValue"] + cell["grossOpenCost"]


def test_worked_linear_and_quanto_prices() -> None:
    """A 5x linear long and its quanto twin: the boundaries worked out by hand, on both engines."""
    linear = replace(XBTUSDT, multiplier=10, lot_size=1000, tick_size=Decimal("0.05"))
    quanto = replace(ETHUSD, multiplier=10, lot_size=1000, tick_size=Decimal("0.05"))
    for contract in (linear, quanto):
        held = Holding(
            contract=contract,
            quantity=4000,
            cost=80_000_000,
            leverage=Decimal(5),
            maint_rate=Decimal("0.01"),
            fee=Decimal("0.0005"),
            funding_rate=Decimal("0.0001"),
        )
        for rules in (NEW, LEGACY):
            ours = rules.locked(held)
            assert (ours.pos_init, ours.pos_comm, ours.pos_maint) == (16_000_000, 48_000, 856_000)
            room = rules.room(held, ours, NOTHING)
            assert rules.price(contract, 4000, 80_000_000, room.liquidation) == Decimal("1620.2")
            assert rules.price(contract, 4000, 80_000_000, room.bankruptcy) == Decimal(1600)


def test_engines_differ_on_cross() -> None:
    """The same cross position: the new engine locks maintenance only, the legacy one margin and fee."""
    held = Holding(
        contract=XBTUSD,
        quantity=100_000,
        cost=200_000_000,
        leverage=Decimal(100),
        maint_rate=Decimal("0.005"),
        fee=Decimal("0.0005"),
        is_cross=True,
    )
    assert NEW.locked(held) == Locked(pos_init=0, pos_comm=0, pos_margin=1_000_000, pos_maint=1_000_000, is_shared=True)
    assert LEGACY.locked(held) == Locked(
        pos_init=2_000_000, pos_comm=101_000, pos_margin=2_101_000, pos_maint=1_101_000
    )
    assert (NEW.locked(held).maint_margin(-7), LEGACY.locked(held).maint_margin(-7)) == (1_000_000, 2_100_993)


def test_risk_limit_steps() -> None:
    """A larger chosen risk limit adds the base maintenance to both rates, step by step."""
    assert XBTUSD.margin_rates(20_000_000_000) == (Decimal("0.01"), Decimal("0.005"))
    assert XBTUSD.margin_rates(20_000_000_001) == (Decimal("0.015"), Decimal("0.010"))
    assert XBTUSD.margin_rates(50_000_000_000) == (Decimal("0.020"), Decimal("0.015"))


def test_full_cover_is_never_liquidated() -> None:
    """A linear long that owns more than its cost shows zero; an inverse short the end of its engine."""
    assert NEW.price(XBTUSDT, 100, 7_000_000, 8_000_000) == 0
    assert NEW.price(XBTUSD, -100, 200_000, 300_000) == XBTUSD.max_price
    assert LEGACY.price(XBTUSD, -100, 200_000, 300_000) == LEGACY_END


@pytest.mark.parametrize("steps", range(40))
def test_requirements_of_any_risk_limit_are_exact(steps: int) -> None:
    """A rate of 3.5 % has no finite leverage; the margin is the product with the rate all the same."""
    limit = XBTUSD.risk_limit + steps * XBTUSD.risk_step
    rate = XBTUSD.margin_rates(limit)[0]
    highest = 1 / rate  # as a position shows it
    assert margin.initial_margin(200_000, highest) == 200_000 * rate
    assert margin.initial_margin(200_001, highest) == math.ceil(200_001 * rate)
