"""One decision: `step(state, event)` for the events that come all the time, with few and with many positions.

`step` is pure, so the same state is asked again and again. Every position is open, covered and has its mark. The floor
is a frozen dataclass of the size of an event, made once: what Python asks for anything at all.

A second table has rules on: every account rule, stop rules and the ladder; compared with the defaults in the same run.
"""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

from config.ladder import LadderPolicy
from config.modes import Action as Deed
from config.modes import RuleMode
from config.policy import Policy
from connectors.vocabulary import Instrument, Order, Position
from daemon.core import events as e
from daemon.core.commands import PlaceStop
from daemon.core.state import GuardState
from daemon.core.step import step
from tests.benchmarks.measure import Action, median_costs, print_table
from tests.builders import SECOND, a_position, an_instrument, an_order
from tests.driven import MS, Driven

SIZES = (1, 100, 1_000)
FLOOR = "floor: make one event"


def account_rules() -> Policy:
    """Every account rule on, telling only."""
    policy = Policy()
    account = policy.account
    loud = {
        each.name: replace(getattr(account, each.name), mode=RuleMode.ON, action=Deed.ALERT) for each in fields(account)
    }
    return replace(policy, account=replace(account, **loud))


def stop_rules() -> Policy:
    """Stop rules that follow the mark and the entry, beside the buffer."""
    policy = Policy()
    names = ("max_loss", "trailing", "break_even", "time_stop")
    rules = {name: replace(getattr(policy.stop, name), mode=RuleMode.ON) for name in names}
    return replace(policy, stop=replace(policy.stop, **rules))


def stop_rules_in_shadow() -> Policy:
    """The same rules, which move nothing."""
    policy = stop_rules()
    names = ("max_loss", "trailing", "break_even", "time_stop")
    rules = {name: replace(getattr(policy.stop, name), mode=RuleMode.SHADOW) for name in names}
    return replace(policy, stop=replace(policy.stop, **rules))


POLICIES = {
    "defaults": Policy(),
    "every account rule": account_rules(),
    "stop rules": stop_rules(),
    "stop rules in shadow": stop_rules_in_shadow(),
    "ladder": replace(Policy(), ladder=LadderPolicy(mode=RuleMode.ON)),
}


def guarding(count: int, policy: Policy | None = None) -> Driven:
    """Return a guard with so many covered positions, an hour into an ordinary day."""
    guard = Driven(policy)
    guard.start()
    symbols = [f"S{number}USDT" for number in range(count)]
    instruments: list[Instrument] = [an_instrument(symbol) for symbol in symbols]
    positions: list[Position] = [a_position(symbol=symbol, adl_rank=1) for symbol in symbols]
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


def by_size(policy: Policy | None = None, *, rounds: int = 7) -> dict[int, dict[str, float]]:
    """Return what each event costs with each number of positions."""
    found = {}
    for count in SIZES:
        guard = guarding(count, policy)
        actions = {name: deciding(guard.state, event) for name, event in events_of(guard).items()}
        actions[FLOOR] = lambda: e.MarkSeen(at_ns=1, symbol="XBTUSDT", price=Decimal(1001))
        found[count] = median_costs(actions, rounds=rounds)
    return found


def main() -> None:
    """Print the tables."""
    costs = by_size()
    rows = []
    for name in costs[1]:
        each = [costs[count][name] for count in SIZES]
        rows.append((name, *each, each[-1] / each[0], each[0] / costs[1][FLOOR]))
    columns = ["", *(f"us, {count:,} pos." for count in SIZES), "1,000 to 1", "1 to floor"]
    print_table("one decision, CPU us", columns, rows)
    rows = []
    for name, policy in POLICIES.items():
        ruled = by_size(policy, rounds=3)
        for event in ("MarkSeen", "HealthTicked"):
            few, many = ruled[1][event], ruled[1_000][event]
            rows.append((f"{event}, {name}", few, many, few / costs[1][event], many / costs[1_000][event]))
    columns = ["", "us, 1 pos.", "us, 1,000 pos.", "1 to defaults", "1,000 to defaults"]
    print_table("with rules on, CPU us", columns, rows)


if __name__ == "__main__":
    main()
