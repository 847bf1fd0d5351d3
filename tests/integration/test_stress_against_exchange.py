"""The stress test of an account against the embedded exchange, which is moved through the same marks.

The exchange's engine is written independently of the core, so where both agree neither has made up its own answer.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from connectors.simulated.engine.inputs import PlaceOrder, SetCrossLeverage, SetLeverage, SetPrices
from daemon.stress.account import Account, Event, Happening, Stress, Walk
from daemon.stress.file import read_account
from daemon.stress.moves import stress
from tests.unit.connectors.simulated.engine.desk import ALICE, Desk, prices

D = Decimal
BASE = {"XBTUSD": D(50_000), "XBTUSDT": D(50_000), "ETHUSD": D(3_000), "XBTH27": D(50_500)}
TAKEN = {Happening.LIQUIDATION, Happening.ACCOUNT_FAILURE}


def a_desk(positions: dict[str, tuple[int, int]], **switches: object) -> Desk:
    """An exchange where Alice holds contracts at a leverage each; 0 is cross."""
    desk = Desk(**switches)
    for symbol, (contracts, leverage) in positions.items():
        if leverage:
            desk.apply(SetLeverage(account=ALICE, symbol=symbol, leverage=D(leverage)))
        else:
            desk.apply(SetCrossLeverage(account=ALICE, symbol=symbol, leverage=D(100)))
        desk.apply(PlaceOrder(account=ALICE, symbol=symbol, order_qty=contracts, ord_type="Market"))
    return desk


def move(desk: Desk, part: Decimal) -> None:
    """Move all marks to a fraction beyond those of the opening."""
    moved = tuple(prices(symbol, base * (1 + part), half_spread="0.05") for symbol, base in BASE.items())
    desk.at_ms += 1_000
    desk.tape_ms += 1_000
    desk.apply(SetPrices(tape_ms=desk.tape_ms, prices=moved))


def the_account(desk: Desk, folder: Path) -> Account:
    """Alice's account, saved as the rows that the exchange serves."""
    rows = {
        "positions": desk.exchange.position_rows(ALICE),
        "margins": desk.exchange.margin_rows(ALICE),
        "instruments": desk.exchange.instrument_rows(),
        "orders": desk.exchange.order_rows(ALICE),
    }
    file = folder / "account.json"
    file.write_bytes(msgspec.json.Encoder(decimal_format="number").encode(rows))
    return read_account(file)


def held(desk: Desk) -> dict[str, int]:
    """What Alice still holds."""
    rows = desk.exchange.position_rows(ALICE)
    return {str(row["symbol"]): int(str(row["currentQty"])) for row in rows if row["currentQty"]}


def equities(desk: Desk) -> dict[str, int]:
    """Alice's margin balances."""
    return {str(row["currency"]): int(str(row["marginBalance"])) for row in desk.exchange.margin_rows(ALICE)}


def one_tick(found: Stress, event: Event) -> Decimal:
    """One tick of the event's symbol, as a move."""
    tick = found.account.rows.instruments[event.symbol].tick_size
    return tick / found.account.rows.marks[event.symbol]


def follow(desk: Desk, found: Stress, walk: Walk, sign: int) -> list[Event]:
    """Move the exchange from event to event: a tick before each the positions stand, one beyond it they are gone."""
    for reached, together in groupby(walk.events, key=lambda event: event.move):
        events = list(together)
        symbols = {event.symbol for event in events}
        tick = max(one_tick(found, event) for event in events)
        move(desk, reached - sign * tick)
        assert symbols <= held(desk).keys(), f"{symbols} are gone a tick too early"
        move(desk, reached + sign * tick)
        assert not symbols & held(desk).keys(), f"{symbols} stand a tick too long"
    return list(walk.events)


MIXED = {"XBTUSD": (100_000, 0), "ETHUSD": (3_000, 0), "XBTH27": (-20_000, 10), "XBTUSDT": (40_000, 20)}


@pytest.mark.parametrize("sign", [-1, 1])
def test_equity_agrees_to_the_unit_until_something_is_taken(tmp_path: Path, sign: int) -> None:
    """Cross and isolated, inverse, linear, quanto and dated positions: every margin balance, step by step."""
    desk = a_desk(MIXED)
    move(desk, D(0))
    found = stress(the_account(desk, tmp_path), step_percent=D(1), most_percent=D(8))
    walk = found.down if sign < 0 else found.up
    taken: set[str] = set()
    events = iter(walk.events)
    ahead = next(events, None)
    compared = 0
    for point in walk.points:
        while ahead is not None and abs(ahead.move) <= abs(point.move):
            taken.add(ahead.currency)
            ahead = next(events, None)
        if point.is_after_event:
            continue
        move(desk, point.move)
        for currency, equity in equities(desk).items():
            if currency not in taken:
                assert point.equity[currency] == equity, (point.move, currency)
                compared += 1
    assert compared > 8


@pytest.mark.parametrize(
    "positions",
    [
        {"XBTUSD": (100_000, 0)},
        {"XBTUSD": (-100_000, 0), "ETHUSD": (-2_000, 0)},
        {"XBTUSD": (100_000, 0), "ETHUSD": (3_000, 0), "XBTH27": (50_000, 0)},
        {"XBTUSD": (60_000, 25), "XBTH27": (60_000, 10), "ETHUSD": (1_000, 5)},
        {"XBTUSDT": (40_000, 20), "XBTUSD": (-30_000, 50)},
        MIXED,
    ],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_liquidations_come_at_the_same_mark_within_one_tick(
    tmp_path: Path, positions: dict[str, tuple[int, int]], sign: int
) -> None:
    """Isolated ones one by one, cross ones all at once, in the order of the walk."""
    desk = a_desk(positions)
    move(desk, D(0))
    found = stress(the_account(desk, tmp_path))
    walk = found.down if sign < 0 else found.up
    followed = follow(desk, found, walk, sign)
    assert all(event.kind in TAKEN for event in followed)


def test_the_mixed_account_is_taken_in_both_directions(tmp_path: Path) -> None:
    """The scenario of the tests above is one in which things happen."""
    desk = a_desk(MIXED)
    move(desk, D(0))
    found = stress(the_account(desk, tmp_path))
    assert {event.symbol for event in found.down.events} == {"XBTUSD", "ETHUSD", "XBTUSDT"}
    assert {event.symbol for event in found.up.events} == {"XBTH27"}


def test_a_stop_fires_at_its_trigger_and_what_follows_agrees(tmp_path: Path) -> None:
    """The stop of the isolated long goes first; the walk's loss is the exchange's within the slippage allowed."""
    desk = a_desk({"XBTUSD": (60_000, 25), "XBTH27": (60_000, 10)})
    stop = PlaceOrder(
        account=ALICE,
        symbol="XBTUSD",
        side="Sell",
        order_qty=60_000,
        stop_px=D(49_000),
        ord_type="Stop",
        exec_inst="MarkPrice,ReduceOnly",
        cl_ord_id="the stop",
    )
    desk.apply(stop)
    move(desk, D(0))
    before = equities(desk)["XBt"]
    found = stress(the_account(desk, tmp_path), slippage_percent=D("0.01"))
    first = found.down.events[0]
    assert (first.kind, first.symbol, first.client_order_id) == (Happening.STOP, "XBTUSD", "the stop")
    assert first.mark == D(49_000)
    followed = follow(desk, found, found.down, -1)
    assert [event.kind for event in followed] == [Happening.STOP, Happening.LIQUIDATION]
    left = found.down.points[-1].equity["XBt"]
    assert abs(equities(desk)["XBt"] - left) < (before - left) // 100
