"""The ladder: what each tier of danger does, in the order in which `[ladder]` writes it, each step with its cost first.

A step is taken when its tier is reached, and again after a cool-down while the tier lasts. A step that takes time to
show (a part closed, margin added) is given that time before the next one of the same tier is looked at: it may be all
that was needed. When the tier falls, its steps are forgotten, and are taken anew should it rise again.

A stale mark climbs nothing: tiers are not judged blind. Observing, or in `mode = "shadow"`, the guard says once per
tier what it would do.

Units: money in minor units of the settlement currency, room in percent of the mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from config.ladder import Step
from config.modes import Lift, RuleMode
from config.policy import Tier
from connectors.vocabulary import Instrument
from daemon.core.alerts import money, percent, tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.emergency import corrections
from daemon.core.margin import contribution, costs
from daemon.core.margin.contribution import Relief
from daemon.core.market.marks import is_fresh, ns
from daemon.core.market.room import account_rows
from daemon.core.memory.interventions import LatchKind
from daemon.core.protecting import given_stop
from daemon.core.protecting.wanted import work_out
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import Guarded, GuardState

SHOWS_AFTER_NS: Final = 3 * 10**9
"""What a trim or a transfer does is on the rows by then."""
AGAIN_NS: Final = 250_000_000
"""A step that waits for its second witness is tried again soon."""
_SLOW: Final = frozenset({Step.TRIM, Step.ADD_MARGIN})
_CLOSING: Final = frozenset({Step.TRIM, Step.FLATTEN})
_PERCENT: Final = Decimal(100)
_REFUSED: Final = ":refused"
"""Behind the name of a step whose refusal was told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One step of the ladder for one position, as it would be taken now."""

    step: Step
    text: str
    """What it does and what it costs, for people; a reason why not, where it cannot be taken."""
    is_possible: bool = True
    symbol: str = ""
    """What it trades in: a trim may help most elsewhere."""
    contracts: int = 0
    amount_sat: int = 0
    price: Decimal | None = None


def steps_of(view: Draft | GuardState, tier: Tier) -> tuple[Step, ...]:
    """The steps that a tier's setting names; none for CALM, or with the ladder off."""
    policy = view.policy.ladder
    if policy.mode is RuleMode.OFF or tier is Tier.CALM:
        return ()
    steps: tuple[Step, ...] = getattr(policy, tier.value)
    return steps


def climb(draft: Draft, symbol: str) -> None:
    """Take the steps of a position's tier that are due."""
    guarded = draft.positions[symbol]
    _forget_others(draft, symbol, guarded.tier if guarded.position.quantity else Tier.CALM)
    if not guarded.position.quantity:
        return
    steps = [step for step in steps_of(draft, guarded.tier) if step is not Step.ALERT]  # `tiers.py` has told
    if not steps or not is_fresh(draft, symbol) or latches.flattening(draft, symbol) is not None:
        return
    is_quiet = quiet.is_quiet(draft) or draft.policy.ladder.mode is RuleMode.SHADOW
    cool_ns = ns(draft.policy.ladder.cool_down_s)
    for step in steps:
        name = _name(symbol, guarded.tier, step)
        last_ns = draft.climbed.get(name, 0)
        if not last_ns or (draft.now_ns >= last_ns + cool_ns and not is_quiet):
            if not _take(draft, guarded, step, is_quiet=is_quiet):
                draft.wake(symbol, draft.now_ns + AGAIN_NS)
                return
            draft.put("climbed", name, draft.now_ns)
            last_ns = draft.now_ns
        if not is_quiet:
            draft.wake(symbol, last_ns + cool_ns)
        if step in _SLOW and draft.now_ns < last_ns + SHOWS_AFTER_NS and not is_quiet:
            draft.wake(symbol, last_ns + SHOWS_AFTER_NS)
            return


def judge(draft: Draft) -> None:
    """Lift the ladder's own freeze once every position is calm again, or gone."""
    latch = draft.latches.get(latches.LADDER)
    if latch is None or latch.kind is not LatchKind.FREEZE or latch.lift is not Lift.CLEARED:
        return
    held = [each for each in draft.positions.values() if each.position.quantity]
    if all(each.tier is Tier.CALM and is_fresh(draft, each.position.key.symbol) for each in held):
        latches.lift(draft, latches.LADDER, "the ladder: every position is calm or gone")


def plans(view: Draft | GuardState, symbol: str, tier: Tier) -> Iterator[Planned]:
    """What the steps of a tier would do for a position now, each with its cost."""
    for step in steps_of(view, tier):
        yield plan(view, view.positions[symbol], step)


def plan(view: Draft | GuardState, guarded: Guarded, step: Step) -> Planned:
    """One step with its figures, as it would be taken now."""
    match step:
        case Step.ALERT:
            return Planned(step=step, text="people are told")
        case Step.FREEZE:
            return Planned(step=step, text=_freeze_text(view))
        case Step.TIGHTEN:
            return _plan_tighten(view, guarded)
        case Step.TRIM:
            return _plan_trim(view, guarded)
        case Step.ADD_MARGIN:
            return _plan_margin(view, guarded)
        case Step.FLATTEN:
            return Planned(step=step, text=_flatten_text(view))
        case _:
            assert_never(step)


# ---------------------------------------------------------------------- taking a step


def _take(draft: Draft, guarded: Guarded, step: Step, *, is_quiet: bool) -> bool:
    """Take a step, or say why it cannot be; whether that is done, or has to wait for a second witness."""
    planned, why = plan(draft, guarded, step), f"{guarded.position.key.symbol} is {guarded.tier.value.upper()}"
    if not planned.is_possible:
        _tell_refused(draft, guarded, step, planned.text)
        return True
    if is_quiet:
        _tell(draft, guarded, step, f"{why}: the ladder would take the step {step.value}: {planned.text}.")
        return True
    if step in _CLOSING and not guarded.liquidation.is_sure:
        # One source alone names the price behind this tier: it may move a stop, and closes nothing.
        draft.want_picture(Reason.LADDER, guarded.turned_ns + 1)
        return False
    return _carry_out(draft, guarded, planned, why)


def _carry_out(draft: Draft, guarded: Guarded, planned: Planned, why: str) -> bool:
    symbol, step = guarded.position.key.symbol, planned.step
    match step:
        case Step.ALERT:
            pass
        case Step.FREEZE:
            text = f"{why}: {planned.text}"
            latches.freeze(draft, latches.LADDER, text=text, lift=draft.policy.ladder.freeze_until)
        case Step.FLATTEN:
            latches.flatten(draft, latches.LADDER_FLATTEN, text=f"{why}: {planned.text}")
        case Step.TIGHTEN:
            if planned.price is not None and given_stop.tighten(draft, symbol, planned.price):
                draft.wake(symbol, draft.now_ns)  # the stop was compared before this step
                _tell(draft, guarded, step, f"{why}: {planned.text}.")
        case Step.TRIM:
            words = f"{why}: {planned.text}"
            refused = corrections.reduce_by(draft, planned.symbol, planned.contracts, words, reason=Reason.LADDER)
            _tell_refused(draft, guarded, step, refused)
            return bool(refused) or draft.positions[planned.symbol].reduce is not None
        case Step.ADD_MARGIN:
            refused = corrections.add_margin(draft, symbol, planned.amount_sat, why)
            _tell_refused(draft, guarded, step, refused)
        case _:
            assert_never(step)
    return True


def _tell_refused(draft: Draft, guarded: Guarded, step: Step, refused: str) -> None:
    """Say why a step cannot be taken; once while the tier lasts, unless it could be taken in between (P10)."""
    symbol, tier = guarded.position.key.symbol, guarded.tier
    name = f"{_name(symbol, tier, step)}{_REFUSED}"
    if not refused:
        draft.remove("climbed", name)
    elif name not in draft.climbed:
        draft.put("climbed", name, draft.now_ns)
        text = f"{symbol} is {tier.value.upper()}: the ladder cannot take the step {step.value}: {refused}."
        _tell(draft, guarded, step, text)


def _tell(draft: Draft, guarded: Guarded, step: Step, text: str) -> None:
    tell(
        draft,
        Reason.LADDER,
        Severity.WARNING,
        topic="ladder",
        state=step.value,
        symbol=guarded.position.key.symbol,
        text=text,
        facts=(("tier", guarded.tier.value), ("step", step.value)),
    )


def _name(symbol: str, tier: Tier, step: Step) -> str:
    return f"{symbol}:{tier.value}:{step.value}"


def _forget_others(draft: Draft, symbol: str, tier: Tier) -> None:
    """Only the present tier's steps are remembered: one that is reached again is climbed anew."""
    if not draft.climbed:
        return
    for other in Tier:
        for step in steps_of(draft, other) if other is not tier else ():
            draft.remove("climbed", _name(symbol, other, step))
            draft.remove("climbed", f"{_name(symbol, other, step)}{_REFUSED}")


# ---------------------------------------------------------------------- figures


def _freeze_text(view: Draft | GuardState) -> str:
    count = sum(view.adding.values())
    return f"cancels {count} open order{'' if count == 1 else 's'} now, and costs no fee"


def _flatten_text(view: Draft | GuardState) -> str:
    """Everything is closed: the cost of all positions together, by currency."""
    total: dict[str, int] = {}
    for guarded in view.positions.values():
        position = guarded.position
        instrument, mark = view.instruments.get(position.key.symbol), view.marks.get(position.key.symbol)
        if position.quantity and instrument is not None and mark is not None:
            cost = _closing_cost(view, instrument, position.quantity, mark.price)
            total[position.currency] = total.get(position.currency, 0) + cost
    shown = ", ".join(money(cost, currency) for currency, cost in sorted(total.items())) or "nothing"
    return f"every position is closed, at about {shown} of fees and slippage"


def _plan_tighten(view: Draft | GuardState, guarded: Guarded) -> Planned:
    symbol, side = guarded.position.key.symbol, guarded.position.side
    mark, present = view.marks.get(symbol), work_out(view, guarded).trigger
    instrument = view.instruments.get(symbol)
    if side is None or mark is None or present is None or instrument is None:
        return Planned(step=Step.TIGHTEN, text="no stop price to move from", is_possible=False)
    price = present + (mark.price - present) * view.policy.ladder.tighten_share
    loss = -costs.pnl_sat(instrument, guarded.position.quantity, mark.price, price)
    fee = _closing_cost(view, instrument, guarded.position.quantity, price)
    text = (
        f"the stop moves from {present} to about {price.quantize(instrument.tick_size)};"
        f" if it fires there, closing loses {money(loss + fee, guarded.position.currency)} from here"
    )
    return Planned(step=Step.TIGHTEN, text=text, symbol=symbol, price=price)


def _plan_trim(view: Draft | GuardState, guarded: Guarded) -> Planned:
    """Where a cut buys most room; an isolated position can only be made smaller itself."""
    policy, position = view.policy.ladder, guarded.position
    rows = account_rows(view)
    share, slippage = policy.trim_percent / _PERCENT, policy.trim_slippage_percent
    best: Relief | None = None
    if position.is_cross:
        best = contribution.best_trim(rows, position.currency, share, slippage_percent=slippage)
    if best is not None and best.contracts:
        rooms = f"{_room(best.room_before)} -> {_room(best.room_after)}"
        text = f"{best.contracts} {best.symbol} closed, cost {money(best.cost_sat, position.currency)}, room {rooms}"
        return Planned(step=Step.TRIM, text=text, symbol=best.symbol, contracts=best.contracts)
    symbol = position.key.symbol
    instrument, mark = view.instruments.get(symbol), view.marks.get(symbol)
    if instrument is None or mark is None:
        return Planned(step=Step.TRIM, text="the contract's figures or its mark are not known", is_possible=False)
    count = contribution.trimmed(position, instrument, share)
    cost = money(_closing_cost(view, instrument, count, mark.price), position.currency)
    text = f"{count} {symbol} closed, cost {cost}; it buys no room that can be told, less is at stake"
    return Planned(step=Step.TRIM, text=text, symbol=symbol, contracts=count)


def _room(room: Decimal | None) -> str:
    return "all" if room is None else percent(room)


def _plan_margin(view: Draft | GuardState, guarded: Guarded) -> Planned:
    policy, position = view.policy.ladder, guarded.position
    margin = view.margins.get(position.currency)
    if position.is_cross:
        return Planned(step=Step.ADD_MARGIN, text="a cross position has no margin of its own", is_possible=False)
    if margin is None:
        return Planned(step=Step.ADD_MARGIN, text="the equity is not known", is_possible=False)
    equity = max(0, margin.margin_balance_sat)
    left = int(equity * policy.margin_budget_percent / _PERCENT) - corrections.spent_today_sat(view, position.currency)
    amount = min(int(equity * policy.margin_step_percent / _PERCENT), left)
    if amount <= 0:
        text = f"the day's budget of {policy.margin_budget_percent} % of equity is used up"
        return Planned(step=Step.ADD_MARGIN, text=text, is_possible=False)
    rest = money(left - amount, position.currency)
    text = f"{money(amount, position.currency)} of margin added, {rest} left of the day's budget; costs no fee"
    return Planned(step=Step.ADD_MARGIN, text=text, symbol=position.key.symbol, amount_sat=amount)


def _closing_cost(view: Draft | GuardState, instrument: Instrument, quantity: int, price: Decimal) -> int:
    slippage = view.policy.ladder.trim_slippage_percent
    return costs.closing_cost_sat(instrument, quantity, price, slippage_percent=slippage)
