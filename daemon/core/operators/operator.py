"""What a person asks for over the local socket, folded into the state.

A request is carried out once: its id is remembered, so that one which is sent again after a lost acknowledgement
changes nothing. What cannot be done is refused before it gets here (`refusal`), and checked again, since the state may
have moved on in between.
"""

from __future__ import annotations

from typing import Final, assert_never

from config.modes import Lift
from daemon.core.draft import Draft
from daemon.core.events import OperatorAsked
from daemon.core.memory.interventions import Asked, PauseKind
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
from daemon.core.people import asked as of_people
from daemon.core.protecting import given_stop
from daemon.core.restraint import latches, pausing, quiet
from daemon.core.state import GuardState

REMEMBERED_NS: Final = 24 * 3_600 * 10**9
"""A request id is remembered this long."""
MOST_REMEMBERED: Final = 1_000


def refusal(state: GuardState, request: OperatorRequest) -> str:  # noqa: PLR0911 - one line per request
    """Why a request cannot be carried out, for the person who made it; empty if it can.

    Example:
        >>> from config.policy import Policy
        >>> from daemon.core.state import initial_state
        >>> refusal(initial_state(7, Policy()), LiftLatch(name="daily_loss"))
        'no latch is called daily_loss; nothing is latched'
    """
    match request:
        case LiftLatch(name=name):
            return _lift_refusal(state, name)
        case FlattenAsked(symbols=symbols):
            return _unknown_symbols(state, symbols)
        case FreezeAsked():
            return ""
        case SetStop(symbol=symbol, side=side, price=price, may_loosen=may_loosen):
            unknown = _unknown_symbols(state, (symbol,))
            return unknown or given_stop.refusal(state, symbol, side, price, may_loosen=may_loosen)
        case ClearStop(symbol=symbol):
            guarded = state.positions.get(symbol)
            has_one = guarded is not None and guarded.episode.given is not None
            return "" if has_one else f"no price was given for {symbol}"
        case PauseAsked(seconds=length_s) | ShadowAsked(seconds=length_s):
            return pausing.refusal(state, length_s)
        case ResumeAsked():
            return "" if state.pause is not None else "nothing is paused"
        case AcknowledgeAsked() | SilenceAsked() | UnsilenceAsked():
            return of_people.refusal(state, request)
        case _:
            assert_never(request)


def repeat_refusal(state: GuardState, request_id: str, request: OperatorRequest) -> str:
    """Why an id cannot be taken again: it belongs to another request, and this one would be taken for a repeat."""
    asked = state.operator_ids.get(request_id)
    if asked is None or asked.request == request:
        return ""
    return f"the id {request_id} was used for another request ({type(asked.request).__name__}); nothing was done"


def outcome(state: GuardState, request: OperatorRequest) -> str:
    """What holds after a request was carried out, in one sentence for the person who made it.

    Of a request that is sent again it must not say what held once: a pause may be over, a latch lifted.
    """
    over = _is_over(state, request)
    if over:
        return over
    said = _outcome(state, request)
    changes_orders = isinstance(request, FlattenAsked | FreezeAsked | SetStop)
    if quiet.sends_nothing(state) and changes_orders:
        return f"observing only, so nothing is sent to the venue; guarding, this would be: {said}"
    return said


def _is_over(state: GuardState, request: OperatorRequest) -> str:
    """Why what a request asked for does not hold any more; empty if it does, or if nothing lasts."""
    pause = None if state.pause is None else state.pause.kind
    match request:
        case PauseAsked() if pause is not PauseKind.PAUSE:
            return "that pause is over" if pause is None else "that pause is over; the guard is in shadow"
        case ShadowAsked() if pause is not PauseKind.SHADOW:
            return "that shadow is over" if pause is None else "that shadow is over; the guard is paused"
        case ResumeAsked() if pause is not None:
            return f"the guard acted again then; since, a {pause.value} was asked for and holds"
        case FlattenAsked() if latches.OPERATOR_FLATTEN not in state.latches:
            return f"it was done; the latch {latches.OPERATOR_FLATTEN} is lifted, so nothing is kept closed any more"
        case FreezeAsked() if latches.OPERATOR not in state.latches:
            return f"it was done; the latch {latches.OPERATOR} is lifted, so nothing is frozen any more"
        case _:
            return ""


def _outcome(state: GuardState, request: OperatorRequest) -> str:  # noqa: PLR0911 - one line per request
    match request:
        case LiftLatch(name=name):
            rest = ", ".join(sorted(state.latches))
            return f"lifted {name or 'every latch'}; {f'still latched: {rest}' if rest else 'nothing is latched'}"
        case FlattenAsked(symbols=symbols):
            scope = ", ".join(symbols) or "the account"
            return f"closing {scope} at the market, and kept closed: seawall lift {latches.OPERATOR_FLATTEN} ends it"
        case FreezeAsked():
            return f"frozen: what may add exposure is cancelled as it appears: seawall lift {latches.OPERATOR} ends it"
        case SetStop(symbol=symbol, price=price):
            guarded = state.positions.get(symbol)
            at = None if guarded is None else guarded.ruled
            return f"{price} is given as the stop of {symbol}; the rules ask for {at} now"
        case ClearStop(symbol=symbol):
            return f"the price given for {symbol} is forgotten; the stop stays where it rests"
        case PauseAsked(seconds=length_s):
            return f"paused for {length_s} s: nothing is sent but what you ask for, stops stay; seawall resume ends it"
        case ShadowAsked(seconds=length_s):
            return f"in shadow for {length_s} s: nothing is sent, what would be done is said; seawall resume ends it"
        case ResumeAsked():
            return "the guard acts again"
        case AcknowledgeAsked() | SilenceAsked() | UnsilenceAsked():
            return of_people.outcome(state, request)
        case _:
            assert_never(request)


def take_request(draft: Draft, event: OperatorAsked) -> None:  # noqa: C901, PLR0912 - one line per request
    """Carry out one request, once."""
    if event.request_id in draft.operator_ids:
        return
    _remember(draft, event)
    match event.request:
        case LiftLatch(name=name):
            for each in sorted(draft.latches) if not name else [name]:
                latches.lift(draft, each, event.who)
        case FlattenAsked(symbols=symbols):
            text = f"{event.who} asked for it"
            latches.flatten(draft, latches.OPERATOR_FLATTEN, symbols=tuple(sorted(set(symbols))), text=text)
        case FreezeAsked():
            latches.freeze(draft, latches.OPERATOR, text=f"{event.who} asked for it", lift=Lift.OPERATOR)
        case SetStop(symbol=symbol, side=side, price=price, may_loosen=may_loosen):
            if not given_stop.set_given_stop(draft, symbol, side, price, may_loosen=may_loosen, who=event.who):
                pausing.note_given(draft, symbol)
        case ClearStop(symbol=symbol):
            given_stop.clear_given_stop(draft, symbol, event.who)
        case PauseAsked(seconds=length_s):
            pausing.begin(draft, PauseKind.PAUSE, length_s, event.who)
        case ShadowAsked(seconds=length_s):
            pausing.begin(draft, PauseKind.SHADOW, length_s, event.who)
        case ResumeAsked():
            pausing.end(draft, f"{event.who} asked for it")
        case AcknowledgeAsked() | SilenceAsked() | UnsilenceAsked():
            of_people.carry_out(draft, event.request, event.who)
        case _:
            assert_never(event.request)


def _remember(draft: Draft, event: OperatorAsked) -> None:
    old = [name for name, asked in draft.operator_ids.items() if asked.at_ns < draft.now_ns - REMEMBERED_NS]
    for name in old or list(draft.operator_ids)[: max(0, len(draft.operator_ids) - MOST_REMEMBERED)]:
        draft.remove("operator_ids", name)
    draft.put("operator_ids", event.request_id, Asked(at_ns=draft.now_ns, request=event.request))


def _lift_refusal(state: GuardState, name: str) -> str:
    if not name or name in state.latches:
        return ""
    known = ", ".join(sorted(state.latches))
    return f"no latch is called {name}; {f'latched: {known}' if known else 'nothing is latched'}"


def _unknown_symbols(state: GuardState, symbols: tuple[str, ...]) -> str:
    unknown = sorted(symbol for symbol in symbols if symbol not in state.instruments and symbol not in state.positions)
    if not unknown:
        return ""
    held = ", ".join(sorted(symbol for symbol, each in state.positions.items() if each.position.quantity))
    return f"no such symbol: {', '.join(unknown)}; {f'positions are open in {held}' if held else 'no position is open'}"
