from __future__ import annotations

from decimal import Decimal
from math import log

import pytest

from connectors.simulated.engine.contracts import CONTRACTS, XBTUSD
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.market import ETH_RATIO, FOLLOWERS, MARK_BOUND, MARK_SOURCE, Market

START_MS = 1_584_000_000_000
FIRST = Decimal(60_000)


def market_after(moves: list[float], *, seconds: int = 1, seed: int = 1) -> tuple[Market, float]:
    """Return a market that saw a path of moves, one every few seconds, and its last price."""
    market, last = Market(seed=seed, first_price=FIRST, tape_ms=START_MS), float(FIRST)
    for place, move in enumerate(moves, start=1):
        last *= 1 + move
        market.advance(START_MS + place * seconds * 1000, last)
    return market, last


def shown(market: Market, last: float) -> dict[str, SymbolPrices]:
    """Return the prices by symbol."""
    rounded = round(last / float(XBTUSD.tick_size)) * XBTUSD.tick_size
    return {one.symbol: one for one in market.prices(rounded, halted=False)}


def slip_of_100k(prices: SymbolPrices) -> float:
    """Return how far a market order of 100,000 USD moves through the book, as a share of price."""
    levels = -(-100_000 // prices.depth)
    return levels * float(prices.half_spread / prices.last)


def test_every_listed_contract_has_prices() -> None:
    """The exchange lists nothing that the tape does not price, the main contract first."""
    assert {follower.contract for follower in FOLLOWERS} == set(CONTRACTS)
    assert FOLLOWERS[0].contract is XBTUSD


def test_prices_stand_on_their_ticks_and_depth_on_lots() -> None:
    """Last prices and spreads are whole ticks of each contract, depth whole lots."""
    market, last = market_after([-0.002] * 30)
    for contract in CONTRACTS:
        prices = shown(market, last)[contract.symbol]
        assert prices.last % contract.tick_size == prices.half_spread % contract.tick_size == 0
        assert prices.depth % contract.lot_size == 0
        assert prices.depth > 0


def test_in_calm_a_market_order_slips_a_tick() -> None:
    """In a still market 100,000 contracts find their price on the first level."""
    market, last = market_after([0.0] * 60)
    calm = shown(market, last)["XBTUSD"]
    assert calm.half_spread == XBTUSD.tick_size
    assert slip_of_100k(calm) <= 2 * float(XBTUSD.tick_size) / last


@pytest.mark.parametrize(("move", "least", "most"), [(-0.0005, 0.0005, 0.002), (-0.0015, 0.002, 0.006)])
def test_in_a_crash_a_market_order_slips(move: float, least: float, most: float) -> None:
    """The faster the last minute, the wider the levels and the thinner each: tenths of a percent."""
    market, last = market_after([move] * 60)
    assert least <= slip_of_100k(shown(market, last)["XBTUSD"]) <= most


def test_slip_is_bounded_however_fast_the_price() -> None:
    """Even a minute of a third of the price leaves a book of about one percent."""
    market, last = market_after([-0.006] * 60)
    assert slip_of_100k(shown(market, last)["XBTUSD"]) <= 0.012


def test_in_a_crash_the_book_thins_out_and_has_holes() -> None:
    """Fewer contracts with every level and other holes at each step, the same for the same seed; none of it in calm."""
    market, last = market_after([-0.0015] * 60)
    crash = shown(market, last)["XBTUSD"]
    assert Decimal(0) < crash.thinning <= Decimal("0.01")
    assert Decimal(0) < crash.gaps <= Decimal("0.25")
    assert shown(*market_after([-0.0015] * 60))["XBTUSD"] == crash
    assert shown(*market_after([-0.0015] * 61))["XBTUSD"].gap_seed != crash.gap_seed
    calm = shown(*market_after([0.0] * 60))["XBTUSD"]
    assert calm.thinning == calm.gaps == 0


def test_liquidity_comes_back() -> None:
    """Ten quiet minutes after a crash the book is whole again."""
    market, last = market_after([-0.0015] * 60 + [0.0] * 600)
    assert shown(market, last)["XBTUSD"].depth == 100_000


def test_a_jump_moves_the_last_price_at_once_and_the_mark_gradually() -> None:
    """After a jump of 5 % the mark needs many steps, and is then near again."""
    market, last = market_after([-0.05])
    assert abs(log(float(shown(market, last)["XBTUSD"].mark) / float(FIRST))) < 0.003
    market, last = market_after([-0.05] + [0.0] * 10)
    assert shown(market, last)["XBTUSD"].mark > Decimal(last) * Decimal("1.02")
    market, last = market_after([-0.05] + [0.0] * 30)
    assert abs(float(shown(market, last)["XBTUSD"].mark) / last - 1) <= MARK_BOUND


def test_through_a_halt_the_mark_walks_and_every_last_price_stands() -> None:
    """While trading is halted marks go to where trading resumes; nothing is traded on the way."""
    market = Market(seed=1, first_price=FIRST, tape_ms=START_MS)
    before = market.prices(FIRST, halted=False)
    for second in range(1, 121):
        market.advance(START_MS + second * 1000, float(FIRST), reference=float(FIRST) * 0.97)
    after = market.prices(FIRST, halted=True)
    assert [one.last for one in after] == [one.last for one in before]
    assert all(one.halted and one.depth == 0 for one in after)
    assert float(after[0].mark) == pytest.approx(60_000 * 0.97, rel=0.001)
    assert after[2].mark < before[2].mark * Decimal("0.975")


def test_the_other_contracts_follow() -> None:
    """XBTUSDT and the future stay within a premium of XBTUSD; ETHUSD moves further than it."""
    market, last = market_after([-0.001] * 100)
    prices = shown(market, last)
    assert float(prices["XBTUSDT"].last) == pytest.approx(last, rel=0.001)
    assert float(prices["XBTH27"].last) == pytest.approx(last * 1.002, rel=0.002)
    assert prices["XBTH27"].index == prices["XBTUSD"].index
    moved = log(float(prices["ETHUSD"].last) / (60_000 * ETH_RATIO))
    assert moved == pytest.approx(1.15 * log(last / 60_000), abs=0.01)


@pytest.mark.parametrize("first", ["0.1", "0.5", "3", "42"])
def test_mark_index_and_last_differ_at_the_smallest_prices(first: str) -> None:
    """A file of another coin: where a cent is a large share of the price there still are three prices."""
    market = Market(seed=1, first_price=Decimal(first), tape_ms=START_MS)
    for prices in market.prices(Decimal(first), halted=False):
        assert len({prices.mark, prices.index, prices.last}) == 3
        assert min(prices.mark, prices.index, prices.last) > 0


def test_the_source_of_the_mark_is_stated() -> None:
    """Reports can say in a line that the mark is a model, and with which bounds."""
    assert MARK_SOURCE.startswith("modelled")
    assert "\n" not in MARK_SOURCE
