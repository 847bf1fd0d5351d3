"""What surrounds the positions, folded: bounded, ordered, and never a reason to stop guarding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from connectors.vocabulary import Insurance, LiquidationOrder, OrderSide, Quote, Wallet
from daemon.core import events as e
from daemon.core.market import inputs_seen
from daemon.core.mode import Mode
from daemon.core.state import GuardState
from tests.builders import ACCOUNT, SECOND, a_position
from tests.driven import Driven

SYMBOL = "XBTUSDT"


def a_wallet(transfers_sat: int | None = 100, **changes: Any) -> Wallet:
    """A wallet row of the test account."""
    fields: dict[str, Any] = {"account": ACCOUNT, "currency": "USDt", "amount_sat": 1000, "timestamp_ns": 5}
    return Wallet(transfers_sat=transfers_sat, **(fields | changes))


def a_liquidation(order_id: str = "l-1", leaves: int = 100) -> LiquidationOrder:
    """Somebody's long being closed."""
    return LiquidationOrder(
        order_id=order_id, symbol=SYMBOL, side=OrderSide.SELL, price=Decimal(900), leaves_quantity=leaves
    )


def see_wallet(guard: Driven, wallet: Wallet) -> None:
    """Tell one wallet row."""
    guard.give(e.WalletSeen(at_ns=guard.now, wallet=wallet))


def see_liquidation(guard: Driven, order: LiquidationOrder, *, is_gone: bool = False) -> None:
    """Tell a row of the public list of liquidations."""
    guard.give(e.LiquidationSeen(at_ns=guard.now, liquidation=order, is_gone=is_gone))


def see_spread(guard: Driven, bid: str | None, ask: str | None) -> None:
    """Tell a sample of bid and ask."""
    quote = Quote(symbol=SYMBOL, bid=None if bid is None else Decimal(bid), ask=None if ask is None else Decimal(ask))
    guard.give(e.SpreadSeen(at_ns=guard.now, quote=quote))


def test_the_newest_wallet_of_this_account_is_known() -> None:
    """An older row and one of another account are passed over."""
    guard = Driven().up()
    see_wallet(guard, a_wallet(100))
    see_wallet(guard, a_wallet(50, timestamp_ns=6))
    see_wallet(guard, a_wallet(70, timestamp_ns=4))
    see_wallet(guard, a_wallet(80, timestamp_ns=9, account=ACCOUNT + 1))
    assert guard.state.wallets["USDt"].transfers_sat == 50


def test_the_fund_is_kept_by_day_in_the_order_of_its_stamps() -> None:
    """Repeats after a reconnect change nothing, a month is kept."""
    guard = Driven().up()
    for stamp in (3, 1, 2, 2):
        fund = Insurance(currency="XBt", balance_sat=10 * stamp, timestamp_ns=stamp)
        guard.give(e.InsuranceSeen(at_ns=guard.now, insurance=fund))
    assert [each.balance_sat for each in guard.state.insurance["XBt"]] == [10, 20, 30]
    for stamp in range(4, 100):
        fund = Insurance(currency="XBt", balance_sat=1, timestamp_ns=stamp)
        guard.give(e.InsuranceSeen(at_ns=guard.now, insurance=fund))
    kept = [each.timestamp_ns for each in guard.state.insurance["XBt"]]
    assert kept == list(range(100 - inputs_seen.INSURANCE_KEPT, 100))


def test_a_liquidation_is_followed_to_its_end() -> None:
    """What it was about stays known while it shrinks, and after it is gone."""
    guard = Driven().up()
    see_liquidation(guard, a_liquidation(leaves=60_000))
    see_liquidation(guard, a_liquidation(leaves=15_000))
    seen = guard.state.liquidations["l-1"]
    assert (seen.quantity, seen.order.leaves_quantity, seen.gone_ns) == (60_000, 15_000, 0)
    see_liquidation(guard, a_liquidation(leaves=0), is_gone=True)
    assert guard.state.liquidations["l-1"].quantity == 60_000
    assert guard.state.liquidations["l-1"].gone_ns > 0


def test_a_cascade_costs_no_more_than_its_bound() -> None:
    """Thousands of liquidations: the newest hundreds are kept, and an hour later none."""
    guard = Driven().up()
    for number in range(600):
        see_liquidation(guard, a_liquidation(f"l-{number}"))
    assert len(guard.state.liquidations) == inputs_seen.LIQUIDATIONS_KEPT
    assert "l-599" in guard.state.liquidations
    assert "l-0" not in guard.state.liquidations
    guard.now += inputs_seen.LIQUIDATION_KEPT_NS + SECOND
    see_liquidation(guard, a_liquidation("late"))
    assert list(guard.state.liquidations) == ["late"]


def test_a_lost_market_stream_ends_what_it_showed() -> None:
    """Open liquidations are over as far as anybody knows; topics of the stream are no news beside its loss."""
    guard = Driven().up()
    see_liquidation(guard, a_liquidation())
    for topic in ("insurance", "wallet"):
        guard.give(e.TopicSeen(at_ns=guard.now, topic=topic, problem="refused"))
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="silent"))
    assert guard.state.liquidations["l-1"].gone_ns
    assert guard.state.missing_topics == {"wallet": "refused"}


def test_a_missing_topic_is_a_fact_and_no_blindness() -> None:
    """P12: it is named while it is missing; the guard goes on guarding (P6)."""
    guard = Driven().up([a_position()])
    assert guard.state.mode is Mode.GUARDING
    guard.give(e.TopicSeen(at_ns=guard.now, topic="wallet", problem="refused: Forbidden"))
    assert guard.state.missing_topics == {"wallet": "refused: Forbidden"}
    assert guard.state.mode is Mode.GUARDING
    guard.give(e.TopicSeen(at_ns=guard.now, topic="wallet", problem=""))
    assert guard.state.missing_topics == {}


def test_the_widest_spread_of_the_last_minute_counts() -> None:
    """One sample is luck; a one-sided or crossed book says nothing, an old sample neither."""
    guard = Driven().up([a_position()])
    assert inputs_seen.widest_spread(guard.state, SYMBOL) is None
    for bid, ask in (("999", "1001.5"), ("999", "1000"), (None, "1000"), ("1001", "1000")):
        see_spread(guard, bid, ask)
    assert inputs_seen.widest_spread(guard.state, SYMBOL) == Decimal("2.5")
    guard.wait(inputs_seen.SPREAD_FRESH_NS + SECOND)
    assert inputs_seen.widest_spread(guard.state, SYMBOL) is None
    for _ in range(20):
        see_spread(guard, "999", "1000")
    assert len(guard.state.spreads[SYMBOL]) == inputs_seen.SPREADS_KEPT


def test_the_fund_is_measured_from_its_highest() -> None:
    """One publication says nothing; a loss is told in percent of the peak, a new peak is no drawdown."""
    guard = Driven().up()
    expected = [None, Decimal(0), Decimal(25), Decimal(0)]
    for stamp, (balance, drawdown) in enumerate(zip((100, 200, 150, 300), expected, strict=True)):
        fund = Insurance(currency="XBt", balance_sat=balance, timestamp_ns=stamp)
        guard.give(e.InsuranceSeen(at_ns=guard.now, insurance=fund))
        assert inputs_seen.fund_drawdown_percent(guard.state, "XBt") == drawdown


def test_liquidations_are_summed_over_a_time() -> None:
    """Each order once, with what it was about, from when it was first seen."""
    guard = Driven().up()
    see_liquidation(guard, a_liquidation("old", 10))
    guard.now += 60 * SECOND
    see_liquidation(guard, a_liquidation("new", 500))
    see_liquidation(guard, a_liquidation("new", 200))
    assert inputs_seen.liquidated_contracts(guard.state, SYMBOL, within_ns=30 * SECOND) == 500
    assert inputs_seen.liquidated_contracts(guard.state, SYMBOL, within_ns=90 * SECOND) == 510
    assert inputs_seen.liquidated_contracts(guard.state, "OTHER", within_ns=90 * SECOND) == 0


def test_all_of_it_survives_a_checkpoint() -> None:
    """P9: the state that is written is the state that is read."""
    guard = Driven().up()
    see_wallet(guard, a_wallet(None))
    see_liquidation(guard, a_liquidation())
    see_spread(guard, None, "1000.5")
    fund = Insurance(currency="XBt", balance_sat=10, timestamp_ns=1)
    guard.give(e.InsuranceSeen(at_ns=guard.now, insurance=fund))
    guard.give(e.TopicSeen(at_ns=guard.now, topic="liquidation", problem="silent"))
    written = msgspec.json.encode(guard.state)
    assert msgspec.json.decode(written, type=GuardState) == guard.state
