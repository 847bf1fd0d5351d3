"""Corrections: worked out before they leave (P1), asked for once, and read back before they are repeated (P5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from config.ladder import LadderPolicy, Step
from config.policy import Policy, TierPolicy
from connectors.vocabulary import Position
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import AddMargin, IsolatePosition, PositionCommand, ReduceAtMarket, SetLeverage
from daemon.core.draft import Draft
from daemon.core.emergency import corrections
from daemon.core.reasons import Reason
from tests.builders import ACCOUNT, SECOND
from tests.driven import MS, Driven
from tests.unit.daemon.core.emergency.test_flatten import read
from tests.unit.daemon.core.margin.test_what_if import ETHUSDT, linear_long
from tests.unit.daemon.core.margin_builders import a_margin

D = Decimal


def a_long(**changes: object) -> Position:
    """The long of 4000 ETHUSDT with 5x, of the test account."""
    return linear_long(account=ACCOUNT, liquidation_price=D(1_620), mark_price=D(2000), timestamp_ns=1, **changes)


def holding(row: Position, *, wallet: int = 60_000_000, policy: Policy | None = None) -> Driven:
    """A guard that knows the position from both witnesses."""
    guard = Driven(policy)
    guard.start()
    guard.connect([row], instruments=[ETHUSDT], mark=2000)
    margin = a_margin(wallet, maintenance=row.locked_sat, currency="USDt", account=ACCOUNT, timestamp_ns=2 * guard.now)
    guard.give(e.MarginSeen(at_ns=guard.now, margin=margin))
    read(guard, [row], [])
    guard.now += SECOND
    return guard


def ask(guard: Driven, wish: Callable[[Draft], str]) -> tuple[str, list[PositionCommand]]:
    """A rule asks for a correction within a step."""
    draft = Draft(guard.state, guard.now)
    words = wish(draft)
    guard.state = draft.finish()
    guard.all += draft.commands
    return words, [c for c in draft.commands if isinstance(c, PositionCommand)]


def more(draft: Draft) -> str:
    """Ten USDt of margin more."""
    return corrections.add_margin(draft, "ETHUSDT", 10_000_000, "a test")


def test_margin_is_added_once_while_it_is_under_way_and_the_price_is_told_beforehand() -> None:
    """Level-triggered: asked for at every judgement, sent once; the alert names both liquidation prices."""
    guard = holding(a_long())
    words, (command,) = ask(guard, more)
    assert (words, command.reason) == ("", Reason.LADDER)
    assert isinstance(command, AddMargin)
    assert command.amount_sat == 10_000_000
    assert refusal(command, guard.state) is None
    assert ask(guard, more) == ("", [])
    told = guard.alerts("margin")[0].text
    assert "liquidation of ETHUSDT 16" in told
    assert "none of the account's comes nearer" in told


def test_a_lost_answer_is_settled_by_reading_the_position_before_anything_is_repeated() -> None:
    """P5: nobody knows whether the money moved: a read, late enough, decides; then it may be asked again."""
    guard = holding(a_long())
    _, (command,) = ask(guard, more)
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=command.command_id, reason="time-out"))
    for _ in range(12):
        read(guard, [a_long()], [])
        assert ask(guard, more)[1] == []
    for _ in range(12):
        read(guard, [a_long()], [])
    assert not guard.state.corrections["ETHUSDT"].is_open
    assert guard.state.margin_budgets["USDt"].spent_sat == 0
    assert len(ask(guard, more)[1]) == 1


def test_a_lost_answer_whose_effect_the_row_shows_is_done() -> None:
    """P5: the row has the money: the budget stays spent, and nothing is sent again for it."""
    guard = holding(a_long())
    _, (command,) = ask(guard, more)
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=command.command_id, reason="time-out"))
    row = a_long()
    guard.position(replace(row, margin_sat=row.margin_sat + 10_000_000))
    assert not guard.state.corrections["ETHUSDT"].is_open
    assert guard.state.margin_budgets["USDt"].spent_sat == 10_000_000


def test_a_restart_in_the_middle_asks_the_row_too() -> None:
    """P5, P7: the process that waited is gone: the transfer counts as unknown."""
    guard = holding(a_long())
    ask(guard, more)
    guard.now += SECOND
    guard.start()
    guard.connect([a_long()], instruments=[ETHUSDT], mark=2000)
    assert guard.state.corrections["ETHUSDT"].is_unknown
    assert ask(guard, more)[1] == []


@pytest.mark.parametrize("event", ["refused", "not sent"])
def test_a_refusal_waits_longer_each_time_and_gives_the_budget_back(event: str) -> None:
    """P8: what the venue will not have is not asked for every second; the caller gets the words."""
    guard = holding(a_long())
    sent: list[int] = []
    for _ in range(60):
        words, commands = ask(guard, more)
        for command in commands:
            sent.append(guard.now)
            base = {"at_ns": guard.now, "command_id": command.command_id, "reason": "no"}
            guard.give(e.RequestRefused(**base) if event == "refused" else e.RequestNotSent(**base, retry_after_ns=0))
        guard.wait(SECOND)
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert gaps == sorted(gaps)
    assert len(sent) <= 7
    assert words == "no"
    assert guard.state.margin_budgets["USDt"].spent_sat == 0


def test_a_lower_leverage_is_set_where_it_brings_nothing_nearer() -> None:
    """CORRECT of the leverage cap: 5x to 3x puts more margin behind the position."""
    guard = holding(a_long())
    words, commands = ask(guard, lambda d: corrections.lower_leverage(d, "ETHUSDT", D(3), "cap 3"))
    assert words == ""
    assert isinstance(commands[0], SetLeverage)
    assert refusal(commands[0], guard.state) is None


def test_a_leverage_that_would_bring_liquidation_nearer_is_refused_at_both_places() -> None:
    """P1: raising it takes margin away: neither asked for, nor let through the choke point."""
    guard = holding(a_long())
    command = SetLeverage(command_id=9, reason=Reason.CORRECTION, key=a_long().key, leverage=D(10))
    assert "bring liquidation nearer: ETHUSDT" in (refusal(command, guard.state) or "")
    assert ask(guard, lambda d: corrections.lower_leverage(d, "ETHUSDT", D(10), "x")) == ("", [])


def test_isolating_a_cross_position_that_shares_a_full_wallet_is_refused() -> None:
    """P1: alone it would have less behind it than the whole wallet: the reason is handed to the caller."""
    cross = a_long(is_cross=True, leverage=D(50), fee_reserve_sat=0, initial_margin_sat=0)
    guard = holding(cross, wallet=60_000_000)
    words, commands = ask(guard, lambda d: corrections.isolate(d, "ETHUSDT", "isolated only"))
    assert commands == []
    assert "nearer" in words or "worked out" in words
    command = IsolatePosition(command_id=9, reason=Reason.CORRECTION, key=cross.key)
    assert refusal(command, guard.state) is not None


def test_a_cross_position_gets_no_leverage_and_no_margin() -> None:
    """On BitMEX both would isolate it, or be refused."""
    guard = holding(a_long(is_cross=True))
    assert "is cross" in ask(guard, lambda d: corrections.lower_leverage(d, "ETHUSDT", D(3), "x"))[0]
    assert "is cross" in ask(guard, more)[0]


def test_a_position_is_reduced_to_a_size_once_at_a_time() -> None:
    """CORRECT of the risk per trade: the excess goes at the market, in whole lots, and not twice."""
    guard = holding(a_long())
    wish = lambda d: corrections.reduce_to(d, "ETHUSDT", 1500, "too large")  # noqa: E731 - one line for two calls
    ask(guard, wish)
    ask(guard, wish)
    close = guard.only(ReduceAtMarket, guard.all)
    assert close.quantity == 3000 if ETHUSDT.lot_size == 1000 else 2500
    assert refusal(close, guard.state) is None
    assert "closing" in guard.alerts("reducing")[0].text


def test_an_observing_guard_corrects_nothing() -> None:
    """P1: observe sends nothing; the caller hears why."""
    guard = holding(a_long(), policy=Policy(observe=True))
    assert ask(guard, more) == ("observing only", [])
    assert ask(guard, lambda d: corrections.reduce_to(d, "ETHUSDT", 1, "x"))[0] == "observing only"


def test_the_ladder_adds_margin_within_the_budget_of_the_day() -> None:
    """ADD_MARGIN: 2 % of equity a step, 3 % a day: the second step is cut, the third says that it is used up."""
    tiers = TierPolicy(watch_percent=D(50), warn_percent=D(3))
    policy = LadderPolicy(
        watch=(Step.ADD_MARGIN,), margin_step_percent=D(2), margin_budget_percent=D(3), cool_down_s=D(10)
    )
    guard = holding(a_long(), policy=Policy(ladder=policy, tiers=tiers))
    for _ in range(80):
        commands = guard.wait(500 * MS) + list(guard.mark("1999", "ETHUSDT"))
        for command in guard.some(AddMargin, commands):
            guard.give(e.RequestAnswered(at_ns=guard.now, command_id=command.command_id, order=None))
        if guard.state.pictures.command_id is not None:
            guard.picture([a_long()], [])
    amounts = [command.amount_sat for command in guard.some(AddMargin, guard.all)]
    assert amounts == [1_200_000, 600_000]
    assert "used up" in guard.alerts("add_margin")[-1].text


def test_margin_that_a_cross_position_of_the_currency_lives_on_is_not_moved() -> None:
    """P1: what goes to the isolated position is missing behind the cross one: refused, by name, at both places."""
    other = replace(ETHUSDT, symbol="ETHUSDM")
    cross = replace(
        a_long(is_cross=True, leverage=D(50), fee_reserve_sat=0, initial_margin_sat=0),
        key=replace(a_long().key, symbol="ETHUSDM"),
        margin_sat=848_000,
        locked_sat=848_000,
    )
    guard = Driven()
    guard.start()
    guard.connect([a_long(), cross], instruments=[ETHUSDT, other], mark=2000)
    locked = a_long().locked_sat + cross.locked_sat
    margin = a_margin(40_000_000, maintenance=locked, currency="USDt", account=ACCOUNT, timestamp_ns=2 * guard.now)
    guard.give(e.MarginSeen(at_ns=guard.now, margin=margin))
    read(guard, [a_long(), cross], [])
    words, commands = ask(guard, more)
    assert commands == []
    assert words == "it would bring liquidation nearer: ETHUSDM"
    command = AddMargin(command_id=9, reason=Reason.LADDER, key=a_long().key, amount_sat=10_000_000)
    assert refusal(command, guard.state) == words
