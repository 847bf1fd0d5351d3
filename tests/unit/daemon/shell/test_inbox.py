"""News of the feeds becomes events."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.ports import Feed
from connectors.vocabulary import Insurance, LiquidationOrder, OrderSide, Wallet
from daemon.core.commands import SetBand
from daemon.core.events import (
    Event,
    FeedLive,
    FeedLost,
    FeedName,
    InsuranceSeen,
    LiquidationSeen,
    MarkSeen,
    OrderSeen,
    OrdersListed,
    PositionSeen,
    PositionsListed,
    Source,
    TopicSeen,
    WalletSeen,
)
from daemon.core.ledger import StreamFacts
from daemon.shell.bands import Bands
from daemon.shell.inbox import Inbox
from tests.fakes import START_NS, SYMBOL, ManualClock, a_long, a_resting_stop, tell_mark


def an_inbox() -> tuple[Inbox, list[Event], ManualClock]:
    """An inbox whose frames are the price itself."""
    taken: list[Event] = []
    clock = ManualClock()
    inbox = Inbox(clock=clock, take=taken.append, bands=Bands())
    inbox.read_marks_with(lambda frame, _symbol: Decimal(frame.decode()))
    return inbox, taken, clock


def test_marks_inside_the_band_make_no_event() -> None:
    """A thousand marks inside the band cost a comparison each and reach nobody."""
    inbox, taken, _ = an_inbox()
    inbox.set_band(SetBand(symbol=SYMBOL, low=Decimal(1), high=Decimal(100)))
    tell_mark(inbox, "50")
    for _ in range(1000):
        tell_mark(inbox, "51.5")
    assert [event for event in taken if isinstance(event, MarkSeen)] == taken[:1]
    assert (inbox.marks_received, inbox.marks_told) == (1001, 1)


def test_a_mark_outside_is_read_exactly() -> None:
    """What leaves the band is decoded from the raw frame, so nothing was rounded through a float."""
    inbox, taken, _ = an_inbox()
    inbox.set_band(SetBand(symbol=SYMBOL, low=Decimal(1), high=Decimal(100)))
    tell_mark(inbox, "50")
    tell_mark(inbox, "100.10000000000000001")
    assert taken[-1] == MarkSeen(at_ns=START_NS, symbol=SYMBOL, price=Decimal("100.10000000000000001"))


def test_a_band_that_the_mark_has_left_already_is_told_at_once() -> None:
    """P2: the mark moved while the core worked out the band; in a quiet market no other frame may come for long."""
    inbox, taken, _ = an_inbox()
    inbox.set_band(SetBand(symbol=SYMBOL, low=Decimal(1), high=Decimal(100)))
    tell_mark(inbox, "50")
    inbox.set_band(SetBand(symbol=SYMBOL, low=Decimal(60), high=Decimal(100)))
    assert taken[1:] == [MarkSeen(at_ns=START_NS, symbol=SYMBOL, price=Decimal(50))]


def test_marks_of_a_lost_stream_are_forgotten() -> None:
    """P12: after a gap the newest mark is unknown: a new band tells none, and the first one that comes is told."""
    inbox, taken, _ = an_inbox()
    band = SetBand(symbol=SYMBOL, low=Decimal(1), high=Decimal(100))
    inbox.set_band(band)
    tell_mark(inbox, "50")
    inbox.feed_lost(Feed.MARKET, "closed", received_ns=1)
    taken.clear()
    inbox.set_band(band)
    assert taken == []
    tell_mark(inbox, "51")
    assert taken == [MarkSeen(at_ns=START_NS, symbol=SYMBOL, price=Decimal(51))]


def test_ages_count_from_the_last_sign_of_life() -> None:
    """A pong counts; a feed that never spoke is as old as the process."""
    inbox, _, clock = an_inbox()
    clock.advance_s(3)
    inbox.feed_alive(Feed.MARKET, received_ns=0)
    clock.advance_s(2)
    assert inbox.age_ns(Feed.MARKET) == 2_000_000_000
    assert inbox.age_ns(Feed.ACCOUNT) == 5_000_000_000


def test_socket_pong_and_data_are_three_facts() -> None:
    """P6: an open socket that answers pings tells nothing; each topic's last word is noted apart."""
    inbox, _, clock = an_inbox()
    clock.advance_s(1)
    assert inbox.facts(Feed.ACCOUNT) == StreamFacts()
    inbox.feed_connected(Feed.ACCOUNT, received_ns=0)
    connected_ns = clock.now_ns()
    assert inbox.facts(Feed.ACCOUNT) == StreamFacts(connected_ns=connected_ns), "an open socket has told nothing yet"
    clock.advance_s(1)
    inbox.feed_alive(Feed.ACCOUNT, received_ns=0)
    inbox.order(a_resting_stop(), received_ns=0)
    data_ns = clock.now_ns()
    clock.advance_s(30)
    inbox.feed_pong(Feed.ACCOUNT, received_ns=0)
    assert inbox.facts(Feed.ACCOUNT) == StreamFacts(
        connected_ns=connected_ns, pong_ns=clock.now_ns(), data_ns=data_ns, topics={"order": data_ns}
    )
    assert (inbox.age_ns(Feed.ACCOUNT), inbox.data_age_ns(Feed.ACCOUNT)) == (0, 30 * 10**9)
    inbox.feed_lost(Feed.ACCOUNT, "closed", received_ns=0)
    lost = inbox.facts(Feed.ACCOUNT)
    assert (lost.connected_ns, lost.data_ns) == (0, data_ns), "an outage must not hide how long nothing was told"


def test_every_kind_of_news_becomes_its_event() -> None:
    """Rows and tables keep their meaning and are stamped when they are taken."""
    inbox, taken, clock = an_inbox()
    clock.advance_s(1)
    at_ns = clock.now_ns()
    position, order = a_long(), a_resting_stop()
    inbox.feed_live(Feed.ACCOUNT, received_ns=1)
    inbox.positions_snapshot([position], received_ns=1)
    inbox.orders_snapshot([order], received_ns=1)
    inbox.position(position, received_ns=1)
    inbox.order(order, received_ns=1)
    inbox.feed_lost(Feed.ACCOUNT, "closed", received_ns=1)
    assert taken == [
        FeedLive(at_ns=at_ns, feed=FeedName.ACCOUNT),
        PositionsListed(at_ns=at_ns, positions=(position,)),
        OrdersListed(at_ns=at_ns, orders=(order,)),
        PositionSeen(at_ns=at_ns, position=position, source=Source.STREAM),
        OrderSeen(at_ns=at_ns, order=order, source=Source.STREAM),
        FeedLost(at_ns=at_ns, feed=FeedName.ACCOUNT, reason="closed"),
    ]


def test_the_lesser_inputs_become_events() -> None:
    """Wallet, insurance fund and missing topics, each as it came."""
    inbox, taken, _ = an_inbox()
    wallet = Wallet(account=1, currency="XBt", transfers_sat=5)
    fund = Insurance(currency="XBt", balance_sat=7)
    inbox.wallet(wallet, received_ns=1)
    inbox.insurance(fund, received_ns=1)
    inbox.topic("liquidation", "refused", received_ns=1)
    assert taken == [
        WalletSeen(at_ns=START_NS, wallet=wallet),
        InsuranceSeen(at_ns=START_NS, insurance=fund),
        TopicSeen(at_ns=START_NS, topic="liquidation", problem="refused"),
    ]


def test_liquidations_are_told_for_what_matters_only() -> None:
    """On a bad day they come by the hundred: those in symbols without a band are dropped here."""
    inbox, taken, _ = an_inbox()
    held = LiquidationOrder(order_id="1", symbol=SYMBOL, side=OrderSide.SELL, price=None, leaves_quantity=5)
    inbox.liquidation(held, is_gone=False, received_ns=1)
    assert taken == []
    inbox.set_band(SetBand(symbol=SYMBOL, low=None, high=None))
    assert inbox.watched_symbols() == (SYMBOL,)
    inbox.liquidation(held, is_gone=True, received_ns=1)
    inbox.liquidation(replace(held, symbol="OTHER"), is_gone=False, received_ns=1)
    assert taken == [LiquidationSeen(at_ns=START_NS, liquidation=held, is_gone=True)]
