"""Which stop a position asks for: the rules' trigger, the ratchet, and what to do when first seen too late.

Why here: everything that moves a trigger is in one place, so that P3 (never looser within an episode) can be read off:
the result is the rules' trigger or the ratchet, whichever is nearer the mark. No rule puts a stop nearer to liquidation
than the floor: its trigger is moved up to it.

The one exception is a position that was first seen already through a rule's trigger, at the start or after a change of
policy: with `on_start_breach = "alert"` nothing is closed. What rests stays, the rules whose trigger the mark has not
passed still speak, and where there is no such rule a nearest valid stop stands in until the mark comes back: half way
between mark and liquidation, or a buffer away from the mark where no liquidation is in range.

Units: prices in quote currency, on the tick grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.policy import StartBreach, StopStyle
from connectors.vocabulary import Instrument, Side
from daemon.core import stop_rules
from daemon.core.draft import Draft
from daemon.core.margin.contracts import tick_toward_mark
from daemon.core.market import floor as floors
from daemon.core.market.distance import hourly_percent
from daemon.core.market.floor import Floor, floor_of, kept
from daemon.core.market.marks import UsableMark, is_looser, is_through, nearer, usable_mark
from daemon.core.state import Guarded, GuardState, Need, Standing
from daemon.core.stop_rules import Proposal, RuleInput, Said, Silence, liquidation_buffer
from daemon.core.stop_rules.proposal import PERCENT

STEP_AHEAD: Final = Decimal("0.05")
"""A stop that has to be tightened goes this share of its buffer farther, so that a liquidation price that creeps
(cross margin) does not cost a request per tick."""
STAND_IN: Final = "stand_in"
"""Who speaks where every rule's trigger was passed before the position was first seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The cover that a position asks for."""

    need: Need
    trigger: Decimal | None = None
    """Where the stop belongs, ratchet included. None unless there is such a place."""
    ruled: Decimal | None = None
    """What the rules alone ask for."""
    in_breach: bool = False
    breach: str = ""
    """What was passed, or asked for, before the position was first seen."""
    ruled_by: str = ""
    """The rule that brought the trigger to where it is."""
    why: str = ""
    """Its reason in one clause."""
    exit: Proposal | None = None
    """A rule asks for the position to be closed."""
    shadows: tuple[Proposal, ...] = ()
    """What rules in shadow would ask for; prices on the tick grid."""
    silences: tuple[Silence, ...] = ()
    """Rules that are on and cannot speak."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """The rules' words about one position, prices on the tick grid and beyond the floor."""

    guarded: Guarded
    side: Side
    instrument: Instrument
    floor: Floor | None
    mark: UsableMark | None
    said: Said

    @property
    def exit(self) -> Proposal | None:
        """The first rule that asks for the position to be closed."""
        return next((each for each in self.said.proposals if each.price is None), None)

    @property
    def passed(self) -> tuple[Proposal, ...]:
        """The triggers that the mark is beyond."""
        return tuple(each for each in self.said.proposals if each.price is not None and self.is_through(each.price))

    @property
    def not_passed(self) -> tuple[Proposal, ...]:
        """What the rules ask for else: triggers at which a stop can still rest, and exits."""
        return tuple(each for each in self.said.proposals if each.price is None or not self.is_through(each.price))

    def is_through(self, price: Decimal) -> bool:
        """Whether the mark is at or beyond a price."""
        return self.mark is not None and is_through(self.side, price, self.mark.price)


def work_out(view: Draft | GuardState, guarded: Guarded) -> Wanted:
    """Say which stop an open position asks for now."""
    side, instrument = guarded.position.side, view.instruments.get(guarded.position.key.symbol)
    if side is None:
        return Wanted(need=Need.NOTHING)
    if instrument is None:
        return Wanted(need=_without_trigger(guarded), trigger=guarded.ratchet)
    asked = _ask(view, guarded, side, instrument)
    if _is_breach(view, asked):
        return _in_breach(view, asked)
    found = stop_rules.nearest(side, asked.said.proposals)
    if found is None:
        need = _without_trigger(guarded)
        trigger = None if need is Need.NOTHING else guarded.ratchet
        return _wanted(asked, need=need, trigger=trigger, exit=asked.exit)
    return _wanted(asked, need=Need.STOP, found=found, exit=asked.exit)


def rule_input(view: Draft | GuardState, guarded: Guarded, side: Side, instrument: Instrument) -> RuleInput:
    """Everything that a rule may look at."""
    position, episode = guarded.position, guarded.episode
    symbol, given = position.key.symbol, guarded.episode.given
    mark = usable_mark(view, symbol)
    return RuleInput(
        side=side,
        policy=view.policy.stop,
        symbol=symbol,
        quantity=position.quantity,
        entry_price=position.entry_price,
        cost_sat=position.unrealised_cost_sat,
        instrument=instrument,
        liquidation_price=guarded.liquidation.price,
        mark=mark.price if mark is not None and mark.is_fresh else None,
        best_mark=episode.best_mark,
        equity_sat=episode.equity_sat,
        largest=episode.largest,
        booked_sat=episode.booked_sat,
        hourly_percent=hourly_percent(view, symbol),
        given_price=None if given is None else given.price,
        given_by="" if given is None else given.who,
        tightened=episode.tightened,
        known_ns=guarded.known_ns,
        now_ns=view.now_ns,
    )


def decision_marks(view: Draft | GuardState, guarded: Guarded) -> Iterator[Decimal]:
    """The marks at which the rules would say something else, other than at the trigger; triggers of shadows too."""
    side, instrument = guarded.position.side, view.instruments.get(guarded.position.key.symbol)
    if side is not None and instrument is not None and stop_rules.has_decision_marks(view.policy.stop):
        yield from stop_rules.decision_marks(rule_input(view, guarded, side, instrument))
    yield from floors.decision_marks(view, guarded)
    for shadow in guarded.shadows:
        if shadow.price is not None and not shadow.has_fired:
            yield shadow.price


def _without_trigger(guarded: Guarded) -> Need:
    """What it means that no rule has a place for a stop."""
    return Need.NOTHING if guarded.liquidation.standing is Standing.NOT_IN_RANGE else Need.UNKNOWN


def _ask(view: Draft | GuardState, guarded: Guarded, side: Side, instrument: Instrument) -> _Asked:
    floor = floor_of(view, guarded)
    said = stop_rules.ask(rule_input(view, guarded, side, instrument))
    return _Asked(
        guarded=guarded,
        side=side,
        instrument=instrument,
        floor=floor,
        mark=usable_mark(view, guarded.position.key.symbol),
        said=Said(
            proposals=tuple(_on_grid(said.proposals, side, instrument, floor)),
            shadows=tuple(_on_grid(said.shadows, side, instrument, floor)),
            silences=said.silences,
        ),
    )


def _on_grid(
    proposals: tuple[Proposal, ...], side: Side, instrument: Instrument, floor: Floor | None
) -> Iterator[Proposal]:
    """Each trigger beyond the floor and on the tick toward the mark; those outside the contract's prices fall away."""
    for each in proposals:
        if each.price is None:
            yield each
            continue
        on_tick = tick_toward_mark(kept(side, each.price, floor), instrument.tick_size, side)
        if 0 < on_tick < instrument.max_price:
            yield Proposal(rule=each.rule, price=on_tick, why=each.why)


def _wanted(
    asked: _Asked,
    *,
    need: Need,
    found: tuple[Proposal, Decimal] | None = None,
    trigger: Decimal | None = None,
    ruled: Decimal | None = None,
    breach: str = "",
    exit: Proposal | None = None,  # noqa: A002 - the field's own name
) -> Wanted:
    """Put a result together: the rule found, or the ratchet where that is nearer, and who is to be named for it."""
    guarded, side = asked.guarded, asked.side
    ruled_by, why = guarded.ruled_by, guarded.ruled_why
    if found is not None:
        proposal, price = found
        ratchet = guarded.ratchet
        trigger = price if ratchet is None else nearer(side, price, ratchet)
        ruled = price if ruled is None else ruled
        if trigger == price or not ruled_by:
            ruled_by, why = proposal.rule, proposal.why
    return Wanted(
        need=need,
        trigger=trigger,
        ruled=ruled,
        in_breach=bool(breach),
        breach=breach,
        ruled_by=ruled_by if trigger is not None else "",
        why=why if trigger is not None else "",
        exit=exit,
        shadows=asked.said.shadows,
        silences=asked.said.silences,
    )


# ---------------------------------------------------------------------- first seen too late


def _is_breach(view: Draft | GuardState, asked: _Asked) -> bool:
    """Whether a position from the start asks for closing, and policy wants only an alert."""
    if not asked.guarded.is_from_start or view.policy.stop.on_start_breach is not StartBreach.ALERT:
        return False
    if asked.mark is None:
        return False
    return any(each.price is None or asked.is_through(each.price) for each in asked.said.proposals)


def _in_breach(view: Draft | GuardState, asked: _Asked) -> Wanted:
    """First seen too late: keep what rests, or what other rules ask for, or rest the nearest valid stop."""
    side, ratchet = asked.side, asked.guarded.ratchet
    found, breached = stop_rules.nearest(side, asked.not_passed), stop_rules.nearest(side, asked.passed)
    ruled, breach = None if breached is None else breached[1], _breach_in_words(asked, breached)
    if found is not None:
        return _wanted(asked, need=Need.STOP, found=found, ruled=ruled, breach=breach)
    line = asked.guarded.liquidation.price
    if ratchet is not None and (line is None or is_looser(side, line, ratchet)):
        return _wanted(asked, need=Need.STOP, trigger=ratchet, ruled=ruled, breach=breach)
    if not asked.passed:
        return _wanted(asked, need=_without_trigger(asked.guarded), breach=breach)
    stand_in = _stand_in(view, asked)
    if stand_in is None:
        return _wanted(asked, need=Need.WORTHLESS, ruled=ruled, breach=breach)
    found = (Proposal(rule=STAND_IN, price=stand_in, why="the nearest valid stop"), stand_in)
    return _wanted(asked, need=Need.STOP, found=found, ruled=ruled, breach=breach)


def _breach_in_words(asked: _Asked, breached: tuple[Proposal, Decimal] | None) -> str:
    if breached is not None:
        proposal, price = breached
        return f"beyond its stop trigger {price} ({proposal.rule}: {proposal.why})"
    return "" if asked.exit is None else f"to be closed ({asked.exit.rule}: {asked.exit.why})"


def nearest_valid(view: Draft | GuardState, guarded: Guarded) -> Decimal | None:
    """The stop that can still rest where the trigger wanted was passed; None where no room is left, or no mark.

    A stand-in, or the trigger of a rule that the mark has not passed yet (a price that a person gave, say) where that
    is nearer to the mark.
    """
    side, instrument = guarded.position.side, view.instruments.get(guarded.position.key.symbol)
    if side is None or instrument is None:
        return None
    asked = _ask(view, guarded, side, instrument)
    stand_in, found = _stand_in(view, asked), stop_rules.nearest(side, asked.not_passed)
    return stand_in if stand_in is None or found is None else nearer(side, stand_in, found[1])


def _stand_in(view: Draft | GuardState, asked: _Asked) -> Decimal | None:
    """Half way between mark and liquidation, but beyond the floor; None where no room is left."""
    side, price, tick = asked.side, asked.guarded.liquidation.price, asked.instrument.tick_size
    if asked.mark is None:
        return None
    mark = asked.mark.price
    if price is None:
        away = mark * view.policy.stop.buffer_percent / PERCENT
        trigger = tick_toward_mark(mark - side.sign * away, tick, side)
    elif is_through(side, price, mark):
        return None
    else:
        trigger = tick_toward_mark(kept(side, (mark + price) / 2, asked.floor), tick, side)
    return None if is_through(side, trigger, mark) else trigger


# ---------------------------------------------------------------------- a step ahead, and the size


def stepped(view: Draft | GuardState, guarded: Guarded, trigger: Decimal) -> Decimal:
    """The trigger to ask for when a resting stop has to be tightened: a little ahead of what is wanted.

    Only in front of liquidation, whose price creeps; the other rules move in steps of their own.
    """
    side, price = guarded.position.side, guarded.liquidation.price
    instrument = view.instruments.get(guarded.position.key.symbol)
    mark = usable_mark(view, guarded.position.key.symbol)
    if side is None or price is None or instrument is None or guarded.ratchet == trigger:
        return trigger
    if guarded.ruled_by not in {"", liquidation_buffer.NAME}:
        return trigger
    ahead = tick_toward_mark(trigger + STEP_AHEAD * (trigger - price), instrument.tick_size, side)
    if ahead >= instrument.max_price or is_looser_or_equal(side, ahead, trigger):
        return trigger
    return trigger if mark is not None and is_through(side, ahead, mark.price) else ahead


def is_looser_or_equal(side: Side, one: Decimal, than: Decimal) -> bool:
    """Whether a trigger is not nearer to the mark than another."""
    return one <= than if side is Side.LONG else one >= than


def wanted_quantity(view: Draft | GuardState, guarded: Guarded) -> int | None:
    """Contracts of the stop; None for a Close stop: by policy, or where one order cannot hold the position."""
    amount = abs(guarded.position.quantity)
    instrument = view.instruments.get(guarded.position.key.symbol)
    if view.policy.stop.style is StopStyle.CLOSE:
        return None
    if instrument is not None and 0 < instrument.max_order_quantity < amount:
        return None
    return amount
