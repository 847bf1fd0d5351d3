"""Fold what surrounds the positions: wallet movements, the insurance fund, liquidations of others, bid and ask.

Why: the guard can protect without any of these, so they never move its mode and touch no position; rules read them when
they judge. Each collection is bounded, and old entries go by age, so a crash with thousands of liquidations costs no
more than a quiet day.

Units: money in minor units of its currency, spreads in the quote currency, times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Final, assert_never

from connectors.vocabulary import Insurance, LiquidationOrder, Quote, Wallet
from daemon.core.draft import Draft
from daemon.core.events import FeedName, InsuranceSeen, LiquidationSeen, SpreadSeen, TopicSeen, WalletSeen
from daemon.core.memory.surroundings import ForcedOrder, SpreadSample
from daemon.core.state import GuardState

SPREAD_FRESH_NS: Final = 65 * 10**9
"""Samples come every ten seconds; older ones than this say nothing of now."""
SPREADS_KEPT: Final = 7
INSURANCE_KEPT: Final = 32
"""The fund is published about once a day: a month."""
LIQUIDATIONS_KEPT: Final = 256
LIQUIDATION_KEPT_NS: Final = 3600 * 10**9
TOPICS_OF: Final = {FeedName.ACCOUNT: ("wallet",), FeedName.MARKET: ("insurance", "liquidation")}
"""Topics that the guard can do without, by the stream that brings them."""


InputEvent = WalletSeen | InsuranceSeen | LiquidationSeen | SpreadSeen | TopicSeen


def take(draft: Draft, event: InputEvent) -> None:
    """Fold one of these events."""
    match event:
        case WalletSeen():
            take_wallet(draft, event.wallet)
        case InsuranceSeen():
            take_insurance(draft, event.insurance)
        case LiquidationSeen():
            take_liquidation(draft, event.liquidation, is_gone=event.is_gone)
        case SpreadSeen():
            take_spread(draft, event.quote)
        case TopicSeen():
            take_topic(draft, event.topic, event.problem)
        case _:
            assert_never(event)


def take_wallet(draft: Draft, wallet: Wallet) -> None:
    """Fold a wallet row; one older than what is known is passed over."""
    known = draft.wallets.get(wallet.currency)
    if wallet.account != draft.account or (known is not None and known.timestamp_ns > wallet.timestamp_ns):
        return
    draft.put("wallets", wallet.currency, wallet)


def take_insurance(draft: Draft, insurance: Insurance) -> None:
    """Fold a publication of the insurance fund, in the order of its stamps."""
    known = draft.insurance.get(insurance.currency, ())
    if insurance in known:
        return
    others = (each for each in known if each.timestamp_ns != insurance.timestamp_ns)
    ordered = sorted((*others, insurance), key=lambda each: each.timestamp_ns)
    draft.put("insurance", insurance.currency, tuple(ordered[-INSURANCE_KEPT:]))


def take_liquidation(draft: Draft, order: LiquidationOrder, *, is_gone: bool) -> None:
    """Fold a liquidation of somebody else's position, and forget the old ones."""
    known = draft.liquidations.get(order.order_id)
    if known is None:
        seen = ForcedOrder(order=order, quantity=order.leaves_quantity, seen_ns=draft.now_ns)
    else:
        seen = replace(known, order=order, quantity=max(known.quantity, order.leaves_quantity))
    draft.put("liquidations", order.order_id, replace(seen, gone_ns=draft.now_ns if is_gone else 0))
    _forget_liquidations(draft)


def _forget_liquidations(draft: Draft) -> None:
    old = [name for name, each in draft.liquidations.items() if each.seen_ns < draft.now_ns - LIQUIDATION_KEPT_NS]
    surplus = len(draft.liquidations) - len(old) - LIQUIDATIONS_KEPT
    if surplus > 0:
        remaining = (name for name in draft.liquidations if name not in set(old))
        old.extend(islice(remaining, surplus))
    for name in old:
        draft.remove("liquidations", name)


def take_lost(draft: Draft, feed: FeedName) -> None:
    """A stream broke, and says so itself: its topics are no news beside that.

    Who was being liquidated is told anew by the next connection, or is over.
    """
    for topic in TOPICS_OF[feed]:
        draft.remove("missing_topics", topic)
    if feed is FeedName.MARKET:
        for name, each in list(draft.liquidations.items()):
            if not each.gone_ns:
                draft.put("liquidations", name, replace(each, gone_ns=draft.now_ns))


def take_spread(draft: Draft, quote: Quote) -> None:
    """Fold a sample of bid and ask."""
    known = draft.spreads.get(quote.symbol, ())
    sample = SpreadSample(bid=quote.bid, ask=quote.ask, at_ns=draft.now_ns)
    draft.put("spreads", quote.symbol, (*known, sample)[-SPREADS_KEPT:])


def take_topic(draft: Draft, topic: str, problem: str) -> None:
    """Note that a topic the guard can do without is there, or why it is not."""
    if problem:
        draft.put("missing_topics", topic, problem)
    else:
        draft.remove("missing_topics", topic)


def widest_spread(view: Draft | GuardState, symbol: str) -> Decimal | None:
    """Return the widest spread of the last minute: what a stop may have to cross.

    Returns:
        Ask less bid in the quote currency; None when no sample of the last minute had both sides, so that nothing is
        known (or the book was one-sided all the while): callers must then allow for slippage by other means.
    """
    samples = view.spreads.get(symbol, ())
    fresh = (each for each in samples if view.now_ns - each.at_ns <= SPREAD_FRESH_NS)
    spreads = (Quote(symbol=symbol, bid=each.bid, ask=each.ask).spread for each in fresh)
    return max((spread for spread in spreads if spread is not None), default=None)


def fund_drawdown_percent(view: Draft | GuardState, currency: str) -> Decimal | None:
    """Return by how many percent the insurance fund is below the highest of its known publications.

    None while fewer than two are known: one figure alone says nothing of a drawdown.
    """
    known = view.insurance.get(currency, ())
    highest_sat = max((each.balance_sat for each in known), default=0)
    if len(known) < 2 or highest_sat <= 0:
        return None
    return Decimal(100 * (highest_sat - known[-1].balance_sat)) / highest_sat


def liquidated_contracts(view: Draft | GuardState, symbol: str, *, within_ns: int) -> int:
    """Return how many contracts of a symbol others were liquidated of, by orders first seen in this time."""
    since_ns = view.now_ns - within_ns
    seen = (each for each in view.liquidations.values() if each.order.symbol == symbol)
    return sum(each.quantity for each in seen if each.seen_ns >= since_ns)
