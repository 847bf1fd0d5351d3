"""Would it guard? One position each way under this policy, on an exchange inside this process; nothing leaves it.

Why: every value of a policy may be allowed and the whole may still place nothing. So the real core decides, the real
connector builds the orders, and the embedded exchange's own door takes or refuses them, on a market that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.modes import RuleMode
from config.policy import Policy, StopPolicy
from config.stop_rules import FixedPolicy, TimeStopPolicy
from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.tape.candles import MINUTE_MS, Candle, CandleSeries
from connectors.simulated.tape.pacing import Pace
from connectors.simulated.tape.tape import Reel, Tape
from connectors.vocabulary import Side
from daemon.backtest.history import History
from daemon.backtest.plan import Lane, Plan
from daemon.backtest.play import play
from daemon.backtest.record import LaneRecord

PRICE: Final = Decimal(60_000)
TICK_SIZE: Final = XBTUSD.tick_size
LEVERAGE: Final = Decimal(10)
_MINUTES: Final = 4
_START_MS: Final = 1_750_000_000_000 // MINUTE_MS * MINUTE_MS
_PLACE: Final = "POST /api/v1/order"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What came of it."""

    problem: str
    """Why a position would not be guarded; empty if it would."""
    words: str
    """What happened, for people."""


def rehearse(policy: Policy) -> Rehearsal:
    """Open a long and a short and see each covered.

    Prices that the settings give for real symbols, and hours of the account's calendar, are no part of it.
    """
    stop = replace(policy.stop, fixed=FixedPolicy(), time_stop=_without_close(policy.stop))
    lanes = tuple(Lane(side=side, leverage=LEVERAGE) for side in Side)
    plan = Plan(lanes=lanes, policy=replace(policy, stop=stop, observe=False), warm_up_ms=MINUTE_MS)
    record = play(_still(), plan)
    problems = [each for lane in record.lanes if (each := _problem(lane))]
    placed = sum(lane.requests.get(_PLACE, 0) for lane in record.lanes)
    after = [each.protected_after_ms for lane in record.lanes for each in lane.rounds if each.protected_after_ms]
    words = f"a long and a short at {LEVERAGE}x are each covered; the embedded exchange took {placed} orders" + (
        f", confirmed within {max(after)} ms" if after else ""
    )
    return Rehearsal(problem="; ".join(problems), words=words)


def _without_close(stop: StopPolicy) -> TimeStopPolicy:
    return replace(stop.time_stop, mode=RuleMode.OFF)


def _problem(lane: LaneRecord) -> str:
    if lane.problem:
        return f"{lane.lane.name}: the position could not be opened: {lane.problem}"
    if lane.refused_requests:
        statuses = ", ".join(f"{count} x {status}" for status, count in lane.refused_requests.items())
        return f"{lane.lane.name}: the exchange refused requests ({statuses})"
    if lane.unsafe:
        return f"{lane.lane.name}: {lane.unsafe[0]}"
    if not lane.rounds or any(each.protected_after_ms is None for each in lane.rounds):
        return f"{lane.lane.name}: no stop came to rest"
    return ""


def _still() -> History:
    """A few minutes in which nothing moves."""
    bars = [
        Candle(open_time_ms=_START_MS + number * MINUTE_MS, open=PRICE, high=PRICE, low=PRICE, close=PRICE)
        for number in range(_MINUTES)
    ]
    series = CandleSeries(name="still", interval_ms=MINUTE_MS, candles=bars)
    return History(
        title="a market that stands still",
        tape=Tape(reel=Reel.of(series), seed=1, pace=Pace.fastest(fewest=4), quotes=1),
        start_ms=series.start_ms,
        end_ms=series.end_ms,
        scale=Decimal(1),
        notes=(),
    )
