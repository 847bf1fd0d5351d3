"""A person at the console: freezes, flattens, lifts, gives stop prices and loosens them, at any time.

The same person answers what the guard tells: acknowledges, silences, pauses it and ends that.

Why: what a person asks for is the one thing that may loosen a stop or lift a latch, so it comes at random and among
every trouble. It takes the desk's way: refused where the desk would refuse it, and now and then sent twice.

Units: prices `Decimal`, times seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from connectors.vocabulary import Side
from daemon.core.operator_requests import (
    AcknowledgeAsked,
    ClearStop,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    OperatorRequest,
    PauseAsked,
    ResumeAsked,
    SetStop,
    ShadowAsked,
    SilenceAsked,
    UnsilenceAsked,
)
from daemon.core.operators.operator import refusal
from daemon.core.state import GuardState
from tests.simulation.bot import CONTRACTS
from tests.simulation.guard_life import SimGuard

WHO = "ada"


class Operator:
    """Asks for one thing when told to."""

    def act(self, guard: SimGuard, random: Random) -> str:
        """Ask one guard for something; return what. Everything is drawn from `random`."""
        return self._ask(guard, random, _draw)

    def answer(self, guard: SimGuard, random: Random) -> str:
        """Do what people do who were told something: take it on, silence it, or take the wheel for a while."""
        return self._ask(guard, random, _drawn_answer)

    def _ask(self, guard: SimGuard, random: Random, draw: Callable[[Random, GuardState], OperatorRequest]) -> str:
        state = guard.state
        if state is None:
            return "asks a dead guard"
        request = draw(random, state)
        if refusal(state, request):
            return f"refused {request}"
        name = f"{guard.name}-{random.getrandbits(32):x}"
        guard.ask(request, name)
        if random.random() < 0.2:
            guard.ask(request, name)
        return f"asks {request}"


def _draw(random: Random, state: GuardState) -> OperatorRequest:
    drawn = random.random()
    if drawn < 0.12:
        symbols = random.sample(tuple(CONTRACTS), random.choice((0, 0, 1, 2)))
        return FlattenAsked(symbols=tuple(symbols))
    if drawn < 0.25:
        return FreezeAsked()
    if drawn < 0.5:
        return LiftLatch(name=random.choice(("", *state.latches)))
    held = [symbol for symbol, each in state.positions.items() if each.position.quantity]
    symbol = random.choice(held or list(CONTRACTS))
    if drawn < 0.6:
        return ClearStop(symbol=symbol)
    return _price(random, state, symbol, may_loosen=drawn > 0.8)


def _drawn_answer(random: Random, state: GuardState) -> OperatorRequest:
    drawn = random.random()
    if drawn < 0.45:
        return AcknowledgeAsked(key=random.choice(("", *state.people.groups)), comment="seen")
    if drawn < 0.65:
        return _silence(random, state)
    if drawn < 0.72:
        return UnsilenceAsked(name=random.choice(("", *state.people.silences)))
    if drawn < 0.85:
        return PauseAsked(seconds=random.choice((5, 15, 40)))
    if drawn < 0.9:
        return ShadowAsked(seconds=random.choice((5, 15)))
    return ResumeAsked()


def _silence(random: Random, state: GuardState) -> SilenceAsked:
    """Of something that stands, by one to three of its names, or of everything at once."""
    facts = list(state.people.facts.values())
    if not facts or random.random() < 0.2:
        return SilenceAsked(seconds=60, comment="all of it")
    fact = random.choice(facts)
    names = random.choice((("topic",), ("state",), ("symbol",), ("topic", "state", "symbol")))
    return SilenceAsked(
        seconds=random.choice((60, 120)),
        comment="I know",
        topic=fact.topic if "topic" in names else "",
        state=fact.state if "state" in names else "",
        symbol=fact.symbol if "symbol" in names else "",
    )


def _price(random: Random, state: GuardState, symbol: str, *, may_loosen: bool) -> SetStop:
    guarded, mark = state.positions.get(symbol), state.marks.get(symbol)
    is_long = guarded is None or guarded.position.quantity >= 0
    away = Decimal(random.choice((1, 3, 10, 30, 80))) / 1000
    price = Decimal(1) if mark is None else mark.price * (1 - away if is_long else 1 + away)
    contract = CONTRACTS[symbol]
    return SetStop(
        symbol=symbol,
        side=Side.LONG if is_long else Side.SHORT,
        price=contract.on_tick(price, up=is_long),
        may_loosen=may_loosen,
    )
