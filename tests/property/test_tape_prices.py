"""Properties of the tape over arbitrary histories, each a promise of `path` and `market`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, pairwise
from math import log

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.candles import Candle
from connectors.simulated.tape.market import MARK_BOUND, MARK_STEP
from connectors.simulated.tape.pacing import Pace, PaceKind
from connectors.simulated.tape.path import LARGEST_STEP, BarPath, TickBar, plan_bar
from connectors.simulated.tape.tape import Reel, Step, Tape

TICK = XBTUSD.tick_size
START_MS = 1_584_000_000_000
MINUTES = {60_000: 1, 300_000: 5, 3_600_000: 60}

seeds = st.integers(min_value=0, max_value=2**40)
shares = st.floats(min_value=0, max_value=1)
intervals = st.sampled_from(sorted(MINUTES))
short_intervals = st.sampled_from([60_000, 60_000, 300_000])  # an hour's thousands of points take their time


@dataclass(frozen=True)
class History:
    """Bars in ticks with the close before the first."""

    before: int
    bars: list[TickBar]
    halted: list[bool]


@st.composite
def histories(draw: st.DrawFn, *, largest_jump: float = 0.1) -> History:
    """Return up to eight bars: ranges up to 25 %, jumps up to the size named, some of them halts."""
    before = first = draw(st.integers(min_value=1_000, max_value=2_000_000))
    bars, halted = [], []
    for _ in range(draw(st.integers(min_value=1, max_value=8))):
        if draw(st.integers(min_value=0, max_value=5)) == 0:
            bars.append(TickBar(low=before, high=before, close=before))
            halted.append(True)
            continue
        spread = max(0, round(before * draw(st.floats(min_value=0, max_value=0.25))))
        low = max(100, before - round(spread * draw(shares)))
        jump = draw(st.floats(min_value=-largest_jump, max_value=largest_jump))
        if draw(st.booleans()) and largest_jump:
            low = max(100, round(before * (1 + jump)) if jump > 0 else round(before * (1 + jump)) - spread)
        bar = TickBar(low=low, high=low + spread, close=low + round(spread * draw(shares)))
        bars.append(bar)
        halted.append(False)
        before = bar.close
    return History(before=first, bars=bars, halted=halted)


def tape_of(history: History, *, interval_ms: int, seed: int, pace: Pace | None = None) -> Tape:
    """Return the tape of a generated history."""
    candles = [
        Candle(
            open_time_ms=START_MS + place * interval_ms,
            open=bar.close * TICK,
            high=bar.high * TICK,
            low=bar.low * TICK,
            close=bar.close * TICK,
            halted=is_halted,
        )
        for place, (bar, is_halted) in enumerate(zip(history.bars, history.halted, strict=True))
    ]
    reel = Reel(
        title="generated",
        interval_ms=interval_ms,
        start_ms=START_MS,
        first_price=history.before * TICK,
        bars=lambda: iter(candles),
        count=len(candles),
    )
    return Tape(reel=reel, seed=seed, pace=pace or Pace.fastest())


def main_prices(step: Step) -> SymbolPrices:
    """Return XBTUSD's part of a step."""
    return step.prices[0]


def plans(history: History, *, interval_ms: int, seed: int) -> list[tuple[TickBar, BarPath]]:
    """Return every bar with its plan."""
    planned, before = [], history.before
    for place, bar in enumerate(history.bars):
        plan = plan_bar(bar, before=before, duration_ms=interval_ms, per_minute=5, seed=seed, place=place)
        planned.append((bar, plan))
        before = bar.close
    return planned


@given(history=histories(), interval_ms=intervals, seed=seeds)
def test_a_path_says_what_its_candle_says(history: History, interval_ms: int, seed: int) -> None:
    """Every path touches high and low, ends at the close, and never leaves the bar."""
    for bar, plan in plans(history, interval_ms=interval_ms, seed=seed):
        points = list(plan.points())
        touched = [*points, plan.before] if bar.low <= plan.before <= bar.high else points
        assert max(touched) == bar.high
        assert min(touched) == bar.low
        assert points[-1] == bar.close
        assert all(bar.low <= point <= bar.high for point in points)
        assert len(points) == plan.count >= 5 * MINUTES[interval_ms]


@given(history=histories(), interval_ms=intervals, seed=seeds)
def test_no_step_inside_a_bar_is_large(history: History, interval_ms: int, seed: int) -> None:
    """Inside a bar no step exceeds the bound and a tick; into a bar only a real jump does."""
    for bar, plan in plans(history, interval_ms=interval_ms, seed=seed):
        points = list(plan.points())
        steps = pairwise(points if plan.has_jump else [plan.before, *points])
        assert all(abs(log(b / a)) <= LARGEST_STEP + 1.01 / min(a, b) for a, b in steps)
        assert plan.has_jump is not (bar.low <= plan.before <= bar.high)


@given(history=histories(largest_jump=0.0), interval_ms=short_intervals, seed=seeds)
def test_the_mark_stays_near_a_price_that_does_not_jump(history: History, interval_ms: int, seed: int) -> None:
    """Without jumps the mark is within its stated bound of the last price at every step."""
    for step in tape_of(history, interval_ms=interval_ms, seed=seed).steps():
        prices = main_prices(step)
        assert abs(prices.mark - prices.last) <= prices.last * Decimal(MARK_BOUND) + Decimal("0.01")


@given(history=histories(), interval_ms=short_intervals, seed=seeds)
def test_the_mark_crosses_jumps_gradually(history: History, interval_ms: int, seed: int) -> None:
    """The mark never moves by more than its stated rate, and a distance too large only shrinks."""
    steps = [main_prices(step) for step in tape_of(history, interval_ms=interval_ms, seed=seed).steps()]
    for before, after in pairwise(steps):
        assert abs(log(after.mark / before.mark)) <= MARK_STEP + float((TICK + Decimal("0.02")) / before.mark)
        if halted_or_jump(before, after):
            continue
        distance, earlier = abs(log(after.mark / after.last)), abs(log(before.mark / before.last))
        assert distance <= max(MARK_BOUND, earlier) + float(Decimal("0.02") / after.mark)


def halted_or_jump(before: SymbolPrices, after: SymbolPrices) -> bool:
    """Return whether the distance between mark and last may grow in this step."""
    return after.halted or abs(log(after.last / before.last)) > LARGEST_STEP + float(TICK / after.last)


@given(history=histories(), interval_ms=short_intervals, seed=seeds)
def test_mark_index_and_last_are_told_apart(history: History, interval_ms: int, seed: int) -> None:
    """The three prices of a contract are above zero and never equal, and each is on its own grid."""
    for step in tape_of(history, interval_ms=interval_ms, seed=seed).steps():
        for prices in step.prices:
            assert len({prices.mark, prices.index, prices.last}) == 3
            assert min(prices.mark, prices.index, prices.last, prices.half_spread) > 0
            assert prices.mark % Decimal("0.01") == prices.index % Decimal("0.01") == 0
            assert (prices.depth == 0) is prices.halted
        assert main_prices(step).last % TICK == 0


@given(history=histories(), interval_ms=short_intervals, seed=seeds)
def test_nothing_trades_during_a_halt(history: History, interval_ms: int, seed: int) -> None:
    """While trading is halted the last price of every contract stands."""
    for before, after in pairwise(tape_of(history, interval_ms=interval_ms, seed=seed).steps()):
        if main_prices(after).halted:
            assert [one.last for one in after.prices] == [one.last for one in before.prices]


@given(
    history=histories(),
    interval_ms=short_intervals,
    seed=seeds,
    pace=st.sampled_from([Pace.fastest(), Pace.at_speed(60), Pace.fit(10)]),
    share=shares,
)
def test_a_tape_is_picked_up_anywhere(history: History, interval_ms: int, seed: int, pace: Pace, share: float) -> None:
    """P7: From any step on, a tape made anew gives the same steps as one played from its start."""
    whole = list(tape_of(history, interval_ms=interval_ms, seed=seed, pace=pace).steps())
    again = tape_of(history, interval_ms=interval_ms, seed=seed, pace=pace)
    start = int(share * (len(whole) - 1))
    assert again.length == len(whole)
    assert [step.index for step in whole] == list(range(len(whole)))
    assert list(islice(again.steps(start), 200)) == whole[start : start + 200]


@given(history=histories(), interval_ms=short_intervals, seed=seeds, budget_s=st.integers(min_value=1, max_value=100))
def test_violent_bars_last_longer_than_a_round_trip(
    history: History, interval_ms: int, seed: int, budget_s: int
) -> None:
    """At any pace a bar that moves by half a percent keeps its floor, and time adds up."""
    for pace, floor_ms in ((Pace.fit(budget_s), 40), (Pace.fastest(), 39), (Pace.at_speed(100_000), 119)):
        tape = tape_of(history, interval_ms=interval_ms, seed=seed, pace=pace)
        lasted: dict[int, int] = {}
        for step in tape.steps():
            if step.index:
                bar = (step.tape_ms - START_MS - 1) // interval_ms
                lasted[bar] = lasted.get(bar, 0) + step.real_ms
        assert sum(lasted.values()) == tape.real_total_ms
        for place, drawn in enumerate(history.bars):
            if log(drawn.high / drawn.low) >= 0.005:
                assert lasted[place] >= floor_ms
        if pace.kind is PaceKind.FIT:
            assert abs(sum(lasted.values()) - budget_s * 1000) <= 1
