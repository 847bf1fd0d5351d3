"""One decision: `step(state, event)` for the events that come all the time, with few and with many positions.

`step` is pure, so the same state is asked again and again. Every position is open, covered and has its mark. The floor
is a frozen dataclass of the size of an event, made once: what Python asks for anything at all.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.vocabulary import Instrument, Order, Position
from daemon.core import events as e
from daemon.core.commands import PlaceStop
from daemon.core.state import GuardState
from daemon.core.step import step
from tests.benchmarks.measure import Action, median_costs, print_table
from tests.builders import SECOND, a_position, an_instrument, an_order
from tests.driven import MS, Driven

SIZES = (1, 100, 1_000)


def guarding(count: int) -> Driven:
    """Return a guard with so many covered positions, an hour into an ordinary day."""
    guard = Driven()
    guard.start()
    symbols = [f"S{number}USDT" for number in range(count)]
    instruments: list[Instrument] = [an_instrument(symbol) for symbol in symbols]
    positions: list[Position] = [a_position(symbol=symbol) for symbol in symbols]
    guard.connect(positions, (), instruments)
    guard.picture(positions)
    guard.wait(250 * MS)
    resting: list[Order] = [guard.rest(place) for place in guard.some(PlaceStop, guard.all)]
    guard.now += 5 * SECOND
    for _ in range(3):
        if guard.state.pictures.command_id is not None:
            guard.picture(positions, resting)
        guard.wait(SECOND)
    covered = sum(bool(guarded.covered_ns) for guarded in guard.state.positions.values())
    assert covered == count, f"{covered} of {count} covered"
    return guard


def events_of(guard: Driven) -> dict[str, e.Event]:
    """Return the events of an ordinary minute."""
    at_ns = guard.now + MS
    symbol = next(iter(guard.state.positions))
    row = guard.state.positions[symbol].position
    own = next(iter(guard.state.orders[symbol].values())).order
    moved = replace(row, unrealised_pnl_sat=12_345, timestamp_ns=at_ns)
    return {
        "MarkSeen": e.MarkSeen(at_ns=at_ns, symbol=symbol, price=Decimal(1001)),
        "MarkSeen, a sample of volatility": e.MarkSeen(at_ns=at_ns + 11 * SECOND, symbol=symbol, price=Decimal(1001)),
        "PositionSeen, same size": e.PositionSeen(at_ns=at_ns, position=moved, source=e.Source.STREAM),
        "PositionSeen, grown": e.PositionSeen(
            at_ns=at_ns, position=replace(moved, quantity=row.quantity + 50), source=e.Source.STREAM
        ),
        "OrderSeen, a bot's": e.OrderSeen(at_ns=at_ns, order=an_order("b-1", symbol=symbol), source=e.Source.STREAM),
        "OrderSeen, our stop": e.OrderSeen(at_ns=at_ns, order=own, source=e.Source.STREAM),
        "HealthTicked": e.HealthTicked(at_ns=at_ns, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0),
    }


def deciding(state: GuardState, event: e.Event) -> Action:
    """Return the decision to be measured."""
    return lambda: step(state, event)


def main() -> None:
    """Print the table."""
    by_size = {}
    for count in SIZES:
        guard = guarding(count)
        actions = {name: deciding(guard.state, event) for name, event in events_of(guard).items()}
        actions["floor: make one event"] = lambda: e.MarkSeen(at_ns=1, symbol="XBTUSDT", price=Decimal(1001))
        by_size[count] = median_costs(actions, rounds=7)
    rows = []
    for name in by_size[1]:
        costs = [by_size[count][name] for count in SIZES]
        rows.append((name, *costs, costs[-1] / costs[0], costs[0] / by_size[1]["floor: make one event"]))
    columns = ["", *(f"us, {count:,} pos." for count in SIZES), "1,000 to 1", "1 to floor"]
    print_table("one decision, CPU us", columns, rows)


if __name__ == "__main__":
    main()
