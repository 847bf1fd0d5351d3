"""What changes something: each becomes an operator's request, journalled with who and how, carried out once."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from config.control import Right
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
from daemon.core.state import GuardState
from daemon.shell.control import shapes
from daemon.shell.control.counter import Act, Answer, Asked, Counter, Refused, not_yet
from daemon.shell.control.route import Route

_Wish = Callable[[GuardState, Asked], OperatorRequest]


def _lift(_state: GuardState, asked: Asked) -> OperatorRequest:
    return LiftLatch(name=asked.body.name)


def _flatten(_state: GuardState, asked: Asked) -> OperatorRequest:
    return FlattenAsked(symbols=tuple(asked.body.symbols or ()))


def _freeze(_state: GuardState, _asked: Asked) -> OperatorRequest:
    return FreezeAsked()


def _set_stop(state: GuardState, asked: Asked) -> OperatorRequest:
    body = asked.body
    side = _side_asked_before(state, asked) or _side(state, body.symbol)
    return SetStop(symbol=body.symbol, side=side, price=Decimal(body.price), may_loosen=body.may_loosen)


def _side_asked_before(state: GuardState, asked: Asked) -> Side | None:
    """The direction that a request with this id named: a repeat is the same wish, whatever became of the position."""
    before = state.operator_ids.get(asked.request_id)
    match None if before is None else before.request:
        case SetStop(symbol=symbol, side=side) if symbol == asked.body.symbol:
            return side
        case _:
            return None


def _side(state: GuardState, symbol: str) -> Side:
    """The direction of the position as it is known now.

    Raises:
        Refused: If there is no such position.
    """
    guarded = state.positions.get(symbol)
    if guarded is None or guarded.position.side is None:
        raise Refused(409, f"no position is open in {symbol}")
    return guarded.position.side


def _clear_stop(_state: GuardState, asked: Asked) -> OperatorRequest:
    return ClearStop(symbol=asked.body.symbol)


def _pause(_state: GuardState, asked: Asked) -> OperatorRequest:
    return PauseAsked(seconds=math.ceil(asked.body.seconds))


def _shadow(_state: GuardState, asked: Asked) -> OperatorRequest:
    return ShadowAsked(seconds=math.ceil(asked.body.seconds))


def _resume(_state: GuardState, _asked: Asked) -> OperatorRequest:
    return ResumeAsked()


def _acknowledge(_state: GuardState, asked: Asked) -> OperatorRequest:
    return AcknowledgeAsked(key=asked.body.key, comment=asked.body.comment)


def _silence(_state: GuardState, asked: Asked) -> OperatorRequest:
    body = asked.body
    return SilenceAsked(
        seconds=math.ceil(body.seconds),
        comment=body.comment,
        topic=body.topic,
        state=body.state,
        symbol=body.symbol,
    )


def _unsilence(_state: GuardState, asked: Asked) -> OperatorRequest:
    return UnsilenceAsked(name=asked.body.name)


def _carrying(wish: _Wish) -> Act:
    """Return what carries out one kind of request."""

    async def act(counter: Counter, asked: Asked) -> Answer:
        if counter.operate is None:
            raise Refused(404, "this guard takes no requests here")
        state = counter.state() or not_yet()
        request = wish(state, asked)
        return _done(await counter.operate(asked.caller.name, asked.request_id, request, via=asked.via))

    return act


def _done(answer: Answer) -> Answer:
    if "error" in answer:
        raise Refused(409, str(answer.pop("error")), more=answer)
    return answer


async def _reload(counter: Counter, asked: Asked) -> Answer:
    if counter.reload is None:
        raise Refused(404, "this guard cannot reload")
    state = counter.state() or not_yet()
    if asked.request_id in state.operator_ids:
        raise Refused(409, f"the id {asked.request_id} was used for another request; nothing was done")
    return _done(await counter.reload(asked.caller.name, may_loosen=asked.body.may_loosen))


REFUSALS: Final = {
    404: "this guard does not do that",
    409: "it cannot be done; nothing was",
    503: "the guard does not know its account yet",
}


def _action(path: str, summary: str, act: Act, body: type[msgspec.Struct] = shapes.Nothing) -> Route:
    return Route(
        verb="POST",
        path=path,
        right=Right.OPERATE,
        summary=summary,
        act=act,
        answer=shapes.Done,
        body=body,
        needs_id=True,
        refusals=REFUSALS,
    )


ACTIONS: Final = (
    _action("/v1/lift", "End a latch, or all", _carrying(_lift), shapes.LiftBody),
    _action("/v1/flatten", "Close at the market and keep closed", _carrying(_flatten), shapes.FlattenBody),
    _action("/v1/freeze", "Cancel what may add exposure, and every new one", _carrying(_freeze)),
    _action("/v1/set-stop", "Give a position's stop a price", _carrying(_set_stop), shapes.SetStopBody),
    _action("/v1/clear-stop", "Forget that price", _carrying(_clear_stop), shapes.ClearStopBody),
    _action("/v1/pause", "Do nothing of your own for a time", _carrying(_pause), shapes.PauseBody),
    _action("/v1/shadow", "Send nothing for a time, and say what would be done", _carrying(_shadow), shapes.PauseBody),
    _action("/v1/resume", "End a pause or a shadow", _carrying(_resume)),
    _action("/v1/acknowledge", "Take on what stands", _carrying(_acknowledge), shapes.AcknowledgeBody),
    _action("/v1/silence", "Do not tell of some facts for a time", _carrying(_silence), shapes.SilenceBody),
    _action("/v1/unsilence", "End a silence, or all", _carrying(_unsilence), shapes.UnsilenceBody),
    _action("/v1/reload", "Read the settings anew", _reload, shapes.ReloadBody),
)
