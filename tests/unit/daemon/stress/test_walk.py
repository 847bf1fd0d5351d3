"""The walk through the moves: what happens, in which order, and that no money appears or is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from daemon.stress.account import Event, Happening, Stress
from daemon.stress.file import account_of
from daemon.stress.moves import grid, stress
from daemon.stress.words import TITLES, verdict

D = Decimal
LONG = {"symbol": "XBTUSD", "currentQty": 60_000, "avgEntryPrice": 60_000, "leverage": 10}
MARKS = {"XBTUSD": 60_000, "ETHUSD": 3_000, "XBTUSDT": 60_000}
MONEY = [{"currency": "XBt", "walletBalance": 50_000_000}, {"currency": "USDt", "walletBalance": 1_000_000_000}]


def a_stop(price: object, **changes: Any) -> dict[str, Any]:
    """A mark-triggered stop that sells the whole long."""
    order = {"symbol": "XBTUSD", "side": "Sell", "ordType": "Stop", "stopPx": D(str(price)), "orderQty": 60_000}
    return {**order, "execInst": "MarkPrice,ReduceOnly", **changes}


def stressed(positions: list[dict[str, Any]], *orders: dict[str, Any], **options: Any) -> Stress:
    """The stress test of an account at 60,000 and 3,000."""
    document = {"positions": positions, "margins": MONEY, "marks": MARKS, "orders": list(orders)}
    return stress(account_of(document, "test"), **options)


def kinds(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    """What happened to whom."""
    return [(event.symbol, event.kind.value) for event in events]


def test_a_stop_in_front_of_liquidation_fires_and_nothing_is_liquidated() -> None:
    """At 57,000 the long is closed, slippage below its trigger; without it the position would be taken."""
    found = stressed([LONG], a_stop(57_000))
    assert kinds(found.down.events) == [("XBTUSD", "stop")]
    event = found.down.events[0]
    assert (event.mark, event.move, event.left) == (57_000, D("-0.05"), 0)
    assert event.price == D(57_000) * D("0.999")
    assert kinds(found.bare_down.events) == [("XBTUSD", "liquidation")]
    assert found.up.events == ()


def test_a_stop_behind_liquidation_is_cancelled_by_it() -> None:
    """The exchange cancels a contract's orders when it takes the position."""
    found = stressed([LONG], a_stop(50_000))
    assert kinds(found.down.events) == [("XBTUSD", "liquidation")]


def test_a_part_closed_moves_what_comes_after() -> None:
    """Half is stopped out; the other half keeps its share of the margin and is liquidated at the same price."""
    found = stressed([LONG], a_stop(58_000, orderQty=30_000))
    assert kinds(found.down.events) == [("XBTUSD", "stop"), ("XBTUSD", "liquidation")]
    first, second = found.down.events
    assert (first.contracts, first.left, second.contracts) == (30_000, 30_000, 30_000)
    assert abs(second.move - found.bare_down.events[0].move) < D("0.0001")


def test_a_close_stop_without_quantity_takes_all() -> None:
    """`Close` follows the position."""
    found = stressed([LONG], a_stop(58_000, orderQty=None, execInst="MarkPrice,Close"))
    assert found.down.events[0].left == 0


def test_a_stop_that_the_mark_has_passed_counts_as_fired_now() -> None:
    """It is the first thing that happens, today, in both directions."""
    found = stressed([LONG], a_stop(61_000))
    assert found.down.events[0].move == found.up.events[0].move == 0


def test_an_isolated_stop_never_fills_beyond_bankruptcy() -> None:
    """With slippage of ten percent the exchange ends the position at its bankruptcy price."""
    found = stressed([LONG], a_stop(56_000), slippage_percent=D(10))
    bankrupt = found.bare_down.events[0].price
    assert found.down.events[0].price == bankrupt


def test_a_take_profit_fills_at_its_price_and_costs_the_maker_fee() -> None:
    """A reduce-only limit order above a long."""
    order = {"symbol": "XBTUSD", "side": "Sell", "ordType": "Limit", "price": 66_000, "orderQty": 30_000}
    found = stressed([LONG], {**order, "execInst": "ReduceOnly"})
    assert kinds(found.up.events) == [("XBTUSD", "take_profit")]
    assert found.up.events[0].price == 66_000
    assert found.up.events[0].left == 30_000


def test_orders_that_could_add_are_named_and_not_played() -> None:
    """A plain bid below a long would make it larger; a plain stop the other way too."""
    bid = {"symbol": "XBTUSD", "side": "Buy", "ordType": "Limit", "price": 55_000, "orderQty": 60_000}
    found = stressed([LONG], bid)
    assert kinds(found.down.events) == [("XBTUSD", "liquidation")]
    assert any("1 open orders that could open or add" in note for note in found.notes)


def test_cross_positions_of_a_currency_go_together_and_others_stay() -> None:
    """Two cross longs in XBt fail at one mark; the USDt one has a wallet of its own."""
    cross = {"crossMargin": True, "leverage": 0}
    positions = [
        {**LONG, **cross, "currentQty": 200_000},
        {"symbol": "ETHUSD", "currentQty": 1_000, "avgEntryPrice": 3_000, **cross},
        {"symbol": "XBTUSDT", "currentQty": 10_000, "avgEntryPrice": 60_000, **cross},
    ]
    found = stressed(positions)
    assert kinds(found.down.events) == [("XBTUSD", "account_failure"), ("ETHUSD", "account_failure")]
    assert len({event.move for event in found.down.events}) == 1
    assert found.down.points[-1].equity["XBt"] == 0
    assert found.down.points[-1].equity["USDt"] > 0


def test_one_symbol_moves_alone() -> None:
    """With ether still, the loss of bitcoin alone is carried farther than that of both."""
    cross = {"crossMargin": True, "leverage": 0}
    positions = [
        {**LONG, **cross, "currentQty": 200_000},
        {"symbol": "ETHUSD", "currentQty": 1_000, "avgEntryPrice": 3_000, **cross},
    ]
    both = stressed(positions).down.events[0].move
    alone = stressed(positions, symbols=("XBTUSD",)).down.events[0].move
    index = stressed(positions, underlying=".BXBT").down.events[0].move
    assert alone == index < both


@pytest.mark.parametrize(("step", "most", "count"), [("5", "50", 10), ("7", "50", 8), ("60", "50", 1), ("0.5", "2", 4)])
def test_the_grid_ends_where_it_is_asked_to(step: str, most: str, count: int) -> None:
    """The farthest move is always there, once."""
    down, up = grid(D(step), D(most))
    assert up[-1] == D(most) / 100 == -down[-1]
    assert len(up) == len(set(up)) == count


def test_moves_are_counted_from_the_mark_and_not_from_the_row() -> None:
    """A row that is seconds old: its own mark and profit are brought to today's first."""
    positions = [{**LONG, "markPrice": 61_000, "unrealisedPnl": 1}]
    found = stressed(positions)
    assert found.down.points[0].equity["XBt"] == 50_000_000


def test_of_two_opinions_the_nearer_one_counts_and_the_difference_is_said() -> None:
    """The exchange shows an isolated long liquidated at 58,000, we compute 54,794.6."""
    found = stressed([{**LONG, "liquidationPrice": 58_000}])
    assert abs(found.down.events[0].mark - 58_000) < D("0.0001")
    assert "XBTUSD: the exchange shows liquidation at 58000, we compute 54794.6" in found.notes
    assert not any(
        "the exchange shows" in note for note in stressed([{**LONG, "liquidationPrice": D("54794.6")}]).notes
    )


def test_what_nobody_can_compute_is_no_all_clear() -> None:
    """P12: balances of other currencies back the account, so nothing is known of its end, and that stands first."""
    money = [{"currency": "XBt", "walletBalance": 100_000_000, "foreignMarginBalance": 5}]
    document = {"positions": [{**LONG, "leverage": 0, "crossMargin": True}], "margins": money, "marks": MARKS}
    found = stress(account_of(document, "test"))
    assert found.unknown == ("XBTUSD",)
    assert "no all-clear" in verdict(found)[0]
    assert "liquidates anything that can be computed" in verdict(found)[1]
    assert any("multi asset" in note for note in found.notes)


def test_an_account_that_is_gone_at_todays_mark_is_said_to_be() -> None:
    """Nothing in the wallet under a cross position."""
    document = {"positions": [{**LONG, "leverage": 0, "crossMargin": True}], "marks": MARKS}
    found = stress(account_of({**document, "margins": [{"currency": "XBt", "walletBalance": 0}]}, "test"))
    assert "is not even needed" in verdict(found)[0]


def test_a_wallet_that_cannot_hold_its_margins_is_doubted() -> None:
    """Ten XBT of worth at 10x need more than half an XBT: somebody typed the wrong wallet."""
    found = stressed([{**LONG, "currentQty": 600_000}])
    assert any("more than the wallet: is the account right?" in note for note in found.notes)
    assert not any("is the account right?" in note for note in stressed([LONG]).notes)


def test_happenings_are_named_for_people() -> None:
    """Each kind of event has a title."""
    assert set(TITLES) == set(Happening)
