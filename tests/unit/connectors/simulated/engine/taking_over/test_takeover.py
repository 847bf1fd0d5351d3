"""What was taken over: its order in the public table, the insurance fund, and the end of both."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.inputs import FundInsurance, SymbolPrices
from connectors.simulated.engine.taking_over.takeover import OLD, SLICES
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.wire import Mirror
from tests.unit.connectors.simulated.engine.desk import BOB, Desk, number, prices

CRASH = prices(mark=47_000)


def fund_of(desk: Desk, currency: str = "XBt") -> int:
    """Return the insurance fund of a currency."""
    rows = desk.exchange.insurance_rows()
    return next((int(str(row["walletBalance"])) for row in rows if row["currency"] == currency), 0)


def liquidated(mark: object = 48_300, **fields: object) -> Desk:
    """Return a desk whose 25x long of 100,000 has just been taken over."""
    desk = Desk(**fields)
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    desk.move(prices(mark=mark))
    assert desk.position()["currentQty"] == 0
    return desk


def rows_of(changes: list[Change], table: str) -> list[Row]:
    """Return the rows of one table among changes."""
    return [change.row for change in changes if change.table == table]


def finish(desk: Desk, *step: SymbolPrices) -> int:
    """Repeat a step until nothing is left to work off, and return how many it took."""
    for count in range(OLD + 1):
        if not desk.exchange.liquidation_rows():
            return count
        desk.move(*step)
        assert desk.exchange.money_is_conserved()
    raise AssertionError("a liquidation order outlived its age")


def test_order_is_worked_a_slice_a_step() -> None:
    """Insert with the takeover; then a smaller `leavesQty` each step; at the end a delete."""
    desk = liquidated()
    sizes = []
    for _ in range(SLICES):
        (change,) = [c for c in desk.move(prices(mark=48_300)) if c.table == "liquidation"]
        sizes.append((change.row["leavesQty"], change.is_delete))
    assert sizes == [(75_000, False), (50_000, False), (25_000, False), (0, True)]
    assert desk.exchange.liquidation_rows() == []


def test_fund_gains_when_the_market_is_better_than_bankruptcy() -> None:
    """Sold above the bankruptcy price: the fund keeps the difference, in an `insurance` row a match."""
    desk = liquidated()
    before = fund_of(desk)
    changes = desk.move(prices(mark=48_300))
    assert fund_of(desk) > before
    assert rows_of(changes, "insurance")[-1]["walletBalance"] == fund_of(desk)
    finish(desk, prices(mark=48_300))
    assert sum(desk.exchange.world.house.seized.values()) == 0


def test_first_step_stays_within_the_bankruptcy_price_then_the_fund_pays() -> None:
    """In a crash nothing trades at first; from the second step the fund pays, and the price shown follows."""
    desk = liquidated(47_000)
    before, (shown,) = fund_of(desk), desk.exchange.liquidation_rows()
    desk.move(CRASH)
    assert desk.exchange.liquidation_rows() == [shown]
    desk.move(CRASH)
    assert fund_of(desk) < before
    (after,) = desk.exchange.liquidation_rows()
    assert number(after["price"]) < number(shown["price"])
    finish(desk, CRASH)


def test_order_waits_in_a_halted_market() -> None:
    """A halt leaves the liquidation order as it is."""
    desk = liquidated()
    rows = desk.exchange.liquidation_rows()
    desk.move(prices(mark=48_300, halted=True))
    assert desk.exchange.liquidation_rows() == rows


@pytest.mark.parametrize("depth", [0, 10_000, 1_000_000])
def test_every_takeover_ends(depth: int) -> None:
    """Whatever the book holds, a liquidation order is gone after its age, and the fund never owes."""
    desk = liquidated(47_000)
    assert finish(desk, prices(mark=47_000, depth=depth)) <= OLD
    assert fund_of(desk) >= 0


def test_empty_fund_lets_the_other_side_give_way() -> None:
    """No fund and the mark beyond bankruptcy: the modelled provider takes the rest at the bankruptcy price."""
    desk = liquidated(47_000, insurance_fund={})
    (shown,) = desk.exchange.liquidation_rows()
    desk.move(CRASH)
    changes = desk.move(CRASH)
    assert desk.exchange.liquidation_rows() == []
    prints = [row for row in rows_of(changes, "trade") if row["price"] == shown["price"]]
    assert sum(int(str(row["size"])) for row in prints) == 100_000
    assert fund_of(desk) == 0
    assert desk.exchange.money_is_conserved()


def test_orders_of_others_meet_the_liquidation() -> None:
    """Another account's bid above the market buys from the liquidation, as maker."""
    desk = liquidated()
    (shown,) = desk.exchange.liquidation_rows()
    bid = desk.place(10_000, account=BOB, price=number(shown["price"]) + 10, exec_inst="ParticipateDoNotInitiate")
    assert bid["ordStatus"] == "New"
    desk.move(prices(mark=48_300, last=48_300, half_spread=500, low=48_300, high=48_300))
    assert desk.order(bid)["ordStatus"] == "Filled"
    assert desk.executions(BOB)[-1]["lastLiquidityInd"] == "AddedLiquidity"
    assert desk.exchange.money_is_conserved()


def test_fund_can_be_filled_and_emptied() -> None:
    """By input the fund moves, down to nothing and no further; an `insurance` row says so."""
    desk = Desk(insurance_fund={"XBt": 100})
    desk.apply(FundInsurance(currency="XBt", amount=-100))
    assert fund_of(desk) == 0
    for currency, amount in (("XBt", -1), ("Shells", 5)):
        assert desk.refusal(lambda c=currency, a=amount: desk.apply(FundInsurance(currency=c, amount=a)))
    desk.exchange.take_changes()
    desk.apply(FundInsurance(currency="USDt", amount=7))
    assert [c.row["walletBalance"] for c in desk.exchange.take_changes()] == [7]
    assert desk.exchange.money_is_conserved()


def frames_of(desk: Desk, *, steps: int) -> list[dict[str, Any]]:
    """Return the `liquidation`, `position` and `execution` frames of a long's takeover."""
    mirror = Mirror(RowStyle.FULL)
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    mirror.frames(desk.exchange.take_changes())
    found = []
    for _ in range(steps):
        found += [json.loads(frame.message().payload) for frame in mirror.frames(desk.move(prices(mark=48_300)))]
    return [frame for frame in found if frame["table"] in {"liquidation", "position", "execution"}]


def test_liquidation_frames_as_recorded(real_data: Path) -> None:
    """Insert, update and delete carry the columns of the frames of November 2024."""
    lines = (real_data / "ws" / "bitmex-ws-liquidation-2024-11-13.jsonl").read_text().splitlines()
    seen: dict[str, set[frozenset[str]]] = {}
    for frame in map(json.loads, lines):
        for row in frame.get("data", []):
            seen.setdefault(frame["action"], set()).add(frozenset(row))
    ours = [frame for frame in frames_of(Desk(), steps=6) if frame["table"] == "liquidation"]
    assert [frame["action"] for frame in ours] == ["insert", "update", "update", "update", "delete"]
    for frame in ours:
        for row in frame["data"]:
            assert frozenset(row) in seen[frame["action"]], (frame["action"], row)


def test_private_frames_as_documented(real_data: Path) -> None:
    """States of the position and the columns that name the execution agree with the venue's example of 2017."""
    lines = (real_data / "ws" / "bitmex-ws-liquidation-adl-docs-example.jsonl").read_text().splitlines()
    example = [json.loads(line, parse_float=Decimal) for line in lines[:4]]
    ours = frames_of(Desk(), steps=1)
    states = [row["posState"] or None for frame in example if frame["table"] == "position" for row in frame["data"]]
    shown = [row["posState"] for f in ours if f["table"] == "position" for row in f["data"] if "posState" in row]
    assert shown == states == ["Liquidation", "Liquidated", None]
    (theirs,) = [frame["data"][0] for frame in example if frame["table"] == "execution"]
    execution = next(frame["data"][0] for frame in ours if frame["table"] == "execution")
    named = (
        "orderID side lastLiquidityInd execType ordType timeInForce ordStatus workingIndicator leavesQty "
        "tradePublishIndicator text"
    )
    assert {name: execution[name] for name in named.split()} == {name: theirs[name] for name in named.split()}
