"""From the path of XBTUSD's last price to the prices and liquidity of every contract.

No history of BitMEX's mark or index by the minute is public, so both are modelled here, from the
path alone, and `MARK_SOURCE` says so in reports.

Index and mark. The fair price follows the last price with a time constant of `MARK_TIME_S`, never
further from it than `MARK_BOUND`, and moves by at most `MARK_STEP` from one step to the next. A jump
of the last price is therefore crossed gradually (an index of several venues does not jump with
one order book), and only then may the distance exceed the bound. While trading is halted the last
price stands and the fair price walks on, evenly, to where trading will resume: the other venues
went on trading. The index is the fair price less a funding basis of 0.5 to 2.5 bps. Mark, index and
last are never equal.

Liquidity. `speed` is the path travelled in about the last minute (decaying with `SPEED_TIME_S`).
Up to `CALM_SPEED` the book has `CALM_LEVEL_USD` on every tick; beyond it, with excess x, levels stand
`SPREAD_PER_SPEED * x` of the price apart, and 100,000 USD at the market slip `SLIP_PER_SPEED * x`, at
most `LARGEST_SLIP`. A minute of 5 % travels about 8 %: levels 0.03 % apart, 0.4 % of slip. On top of it each
level then holds up to `MOST_THINNING` less than the one before, and up to `MOST_GAPS` of them, drawn anew from
the seed at each step, are missing.

Other contracts follow XBTUSD's path, each with a slow seeded premium of its own (`FOLLOWERS`).
ETHUSD starts at `ETH_RATIO` of the first XBT price and moves 1.15 times as far, plus noise.

Floats are used throughout and rounded at the end: these prices are made up, not accounted for.
Units: prices in quote currency, times in milliseconds, premia and speeds as shares of price.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, exp, log, pi, sin
from typing import assert_never

from msgspec.structs import replace

from connectors.simulated.engine.contracts import ETHUSD, XBTH27, XBTUSD, XBTUSDT, Contract, Kind
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.noise import derive, unit

MARK_SOURCE = (
    "modelled: last price smoothed over 4 s of tape, within 0.5 % of it, at most 0.25 % a step,"
    " so a jump is crossed gradually; through a halt it walks to where trading resumes"
)
MARK_BOUND = 0.005  # of last, outside jumps and halts; ETHUSD: times its beta
MARK_STEP = 0.0025  # of mark, plus one tick, a step; ETHUSD: times its beta
MARK_TIME_S = 4.0
_FAIR_BOUND = 0.0045  # leaves room for the fair price's distance from a last price at rest
_FAIR_STEP = 0.0023
MARK_UNIT = Decimal("0.01")

CALM_LEVEL_USD = 100_000.0
CALM_SPEED = 0.003
SPEED_TIME_S = 60.0
SPREAD_PER_SPEED = 0.004
SLIP_PER_SPEED = 0.05
LARGEST_SLIP = 0.01
THINNING_PER_SPEED = 0.1
MOST_THINNING = 0.01
GAPS_PER_SPEED = 2.5
MOST_GAPS = 0.25
ETH_RATIO = 0.04


@dataclass(frozen=True, kw_only=True, slots=True)
class Follower:
    """How a contract's prices follow from XBTUSD's."""

    contract: Contract
    ratio: float = 1.0  # first price, as a share of XBTUSD's
    beta: float = 1.0  # move, in moves of XBTUSD
    noise: float = 0.0  # amplitude of its index's own walk
    premium: float = 0.0  # mean premium of contract over its index; varies by half of it
    level_share: float = 1.0  # of CALM_LEVEL_USD


FOLLOWERS = (
    Follower(contract=XBTUSD),
    Follower(contract=XBTUSDT, noise=0.0002, premium=0.0001, level_share=0.5),
    Follower(contract=ETHUSD, ratio=ETH_RATIO, beta=1.15, noise=0.004, level_share=0.5),
    Follower(contract=XBTH27, premium=0.002, level_share=0.5),
)


class Wave:
    """A slow seeded walk that is a function of time, always within -1 and 1."""

    _PERIODS_S = (600.0, 2_400.0, 9_000.0)

    def __init__(self, seed: int) -> None:
        self._turns = [
            (2 * pi / (1000 * period), 2 * pi * unit(seed, place)) for place, period in enumerate(self._PERIODS_S)
        ]

    def at(self, tape_ms: int) -> float:
        """Return the height at a tape time."""
        return sum(sin(tape_ms * turn + phase) for turn, phase in self._turns) / len(self._turns)


class Market:
    """All contracts' prices, carried along a path of XBTUSD's last price.

    The state is a few numbers (fair price, speed), a fold over the path: the same path gives the same
    prices, so a restart carries it along the part already played without building any prices.
    """

    def __init__(self, *, seed: int, first_price: Decimal, tape_ms: int, quotes: int = len(FOLLOWERS)) -> None:
        """Begin at a price.

        Args:
            seed: Seed of all that is made up.
            first_price: XBTUSD's.
            tape_ms: When.
            quotes: How many of `FOLLOWERS` are quoted, the first ones; the prices of each are the same for any number.
        """
        self._start = self._last = self._fair = log(first_price)
        self._speed = 0.0
        self._now_ms = self._traded_ms = tape_ms
        self._seed = seed
        self._funding = Wave(derive(seed, 0))
        self._rest = Wave(derive(seed, 1))
        self._quoted = [
            (follower, Wave(derive(seed, 2, place)), Wave(derive(seed, 3, place)))
            for place, follower in enumerate(FOLLOWERS[:quotes])
        ]

    def advance(self, tape_ms: int, last: float, *, reference: float | None = None) -> None:
        """Carry the state one step on.

        Args:
            tape_ms: Time of the step.
            last: XBTUSD's last price from then on.
            reference: While trading is halted, the price elsewhere.
        """
        log_last, elapsed_ms = log(last), tape_ms - self._now_ms
        limit = _FAIR_STEP + float(XBTUSD.tick_size) / last
        fair_move = min(max(self._goal(log_last, elapsed_ms, reference) - self._fair, -limit), limit)
        moved = max(abs(log_last - self._last), abs(fair_move))
        self._speed = self._speed * exp(-elapsed_ms / (1000 * SPEED_TIME_S)) + moved
        self._fair += fair_move
        self._last = log_last
        self._now_ms = tape_ms
        if reference is None:
            self._traded_ms = tape_ms

    def _goal(self, log_last: float, elapsed_ms: int, reference: float | None) -> float:
        target = log_last if reference is None else log(reference)
        smoothed = target + (self._fair - target) * exp(-elapsed_ms / (1000 * MARK_TIME_S))
        if reference is not None:
            return smoothed
        return min(max(smoothed, log_last - _FAIR_BOUND), log_last + _FAIR_BOUND)

    def prices(self, last: Decimal, *, halted: bool) -> tuple[SymbolPrices, ...]:
        """Return the prices of every contract after the latest `advance`, XBTUSD first.

        Args:
            last: XBTUSD's last price, exactly.
            halted: Whether trading is; every last price then stands as it was traded.
        """
        now = self._now_ms
        log_mark = self._fair + 0.0001 * (1 + self._rest.at(now) / 2)
        funding = 0.0001 * (1.5 + self._funding.at(now))
        quotes = []
        for follower, walk, basis in self._quoted:
            index = self._followed(log_mark, follower, walk.at(now))
            traded = self._followed(self._last, follower, walk.at(self._traded_ms))
            own_last = exp(traded + _premium(follower, basis.at(self._traded_ms)))
            excess = max(0.0, self._speed * follower.beta - CALM_SPEED)
            quote = _quote(
                follower,
                mark=exp(index + _premium(follower, basis.at(now))),
                index=exp(index - funding),
                last=last if follower.contract is XBTUSD else _rounded(follower, own_last),
                excess=excess,
                xbt_price=float(last),
                halted=halted,
            )
            quotes.append(_torn(quote, excess, derive(self._seed, 4, now)) if excess and not halted else quote)
        return tuple(quotes)

    def _followed(self, log_price: float, follower: Follower, walked: float) -> float:
        moved = follower.beta * (log_price - self._start)
        return self._start + log(follower.ratio) + moved + follower.noise * walked


def _premium(follower: Follower, height: float) -> float:
    return follower.premium * (1 + height / 2)


def _quote(
    follower: Follower,
    *,
    mark: float,
    index: float,
    last: Decimal,
    excess: float,
    xbt_price: float,
    halted: bool,
) -> SymbolPrices:
    shown_mark, shown_index = _kept_apart(mark, index, last)
    spread = _spread(follower.contract, float(last), excess)
    return SymbolPrices(
        symbol=follower.contract.symbol,
        mark=shown_mark,
        index=shown_index,
        last=last,
        half_spread=spread,
        depth=0 if halted else _depth(follower, float(last), xbt_price, float(spread), excess),
        halted=halted,
    )


def _torn(quote: SymbolPrices, excess: float, drawn: int) -> SymbolPrices:
    """Return a quote whose book thins out and has holes."""
    return replace(
        quote,
        thinning=_share(min(MOST_THINNING, THINNING_PER_SPEED * excess)),
        gaps=_share(min(MOST_GAPS, GAPS_PER_SPEED * excess)),
        gap_seed=drawn >> 32,
    )


def _share(value: float) -> Decimal:
    return Decimal(round(value * 1_000)) / 1_000


def _kept_apart(mark: float, index: float, last: Decimal) -> tuple[Decimal, Decimal]:
    shown_mark, shown_index = _on_unit(mark), _on_unit(index)
    if shown_mark == last:
        shown_mark += MARK_UNIT
    below = shown_index > 2 * MARK_UNIT  # else there is no room for two steps down
    while shown_index in {shown_mark, last}:
        shown_index += -MARK_UNIT if below else MARK_UNIT
    return shown_mark, shown_index


def _on_unit(price: float) -> Decimal:
    return max(1, round(price * 100)) * MARK_UNIT


def _rounded(follower: Follower, price: float) -> Decimal:
    tick = follower.contract.tick_size
    return max(1, round(price / float(tick))) * tick


def _spread(contract: Contract, price: float, excess: float) -> Decimal:
    ticks = ceil(SPREAD_PER_SPEED * excess * price / float(contract.tick_size))
    return max(1, ticks) * contract.tick_size


def _depth(follower: Follower, price: float, xbt_price: float, spread: float, excess: float) -> int:
    slip = min(LARGEST_SLIP, SLIP_PER_SPEED * excess)
    thinned = 1.0 if slip == 0 else min(1.0, spread / price / slip)
    usd = CALM_LEVEL_USD * follower.level_share * thinned
    lots = usd / (_usd_per_contract(follower.contract, price, xbt_price) * follower.contract.lot_size)
    return max(1, round(lots)) * follower.contract.lot_size


def _usd_per_contract(contract: Contract, price: float, xbt_price: float) -> float:
    match contract.kind:
        case Kind.INVERSE:
            return 1.0
        case Kind.LINEAR:
            return price * contract.multiplier * 1e-6
        case Kind.QUANTO:
            return price * contract.multiplier * 1e-8 * xbt_price
        case Kind.SPOT | Kind.SPREAD:
            raise ValueError(f"{contract.symbol} is none of the contracts that carry the tape")
        case _:
            assert_never(contract.kind)
