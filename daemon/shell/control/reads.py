"""What can be read over the control API: answered from the newest state, changing nothing, naming no secret."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Final

from config.control import Right
from connectors.vocabulary import Order
from daemon.core import bots, ids
from daemon.core.adding import may_add_exposure
from daemon.core.events import HeardBy
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.state import GuardState
from daemon.shell.account_seen import describe_account
from daemon.shell.bot_desk import NotAsked, NotYet, UnknownBot
from daemon.shell.control import shapes
from daemon.shell.control.counter import Answer, Asked, Counter, Refused, Reply, not_yet
from daemon.shell.control.route import Route, reply_of
from daemon.shell.control.stream import EventStream

_PROOF: Final = ("symbol", "quantity", "cover", "covered_since", "stops", "protection", "degraded")


async def _state(counter: Counter, _asked: Asked) -> Answer:
    return await counter.describe()


async def _known(counter: Counter) -> Answer:
    """The state of a guard that knows its account.

    Raises:
        Refused: If it does not yet.
    """
    described = await counter.describe()
    return described if "positions" in described else not_yet()


async def _positions(counter: Counter, _asked: Asked) -> Answer:
    described = await _known(counter)
    return {"mode": described["mode"], "positions": described["positions"]}


async def _protection(counter: Counter, _asked: Asked) -> Answer:
    described = await _known(counter)
    proofs = [{name: position[name] for name in _PROOF} for position in described["positions"]]
    return {"mode": described["mode"], "protection": proofs}


async def _orders(counter: Counter, _asked: Asked) -> Answer:
    state = counter.state() or not_yet()
    rows = [_order(state, known) for _, book in sorted(state.orders.items()) for known in book.values()]
    return {"mode": state.mode.value, "orders": rows}


def _order(state: GuardState, known: KnownOrder) -> Answer:
    order = known.order
    return {
        "symbol": order.symbol,
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "side": order.side.value,
        "kind": order.kind.value,
        "status": order.status.value,
        "quantity": order.quantity,
        "leaves_quantity": order.leaves_quantity,
        "price": _text(order.price),
        "stop_price": _text(order.stop_price),
        "reduce_only": order.is_reduce_only,
        "close": order.is_close,
        "triggered": order.is_triggered,
        "whose": _whose(state, order),
        "may_add": may_add_exposure(order),
        "is_confirmed": known.is_confirmed,
    }


def _whose(state: GuardState, order: Order) -> str:
    if ids.is_ours(state.account, order.client_order_id):
        return "guard"
    return bots.owner(state.policy, order.client_order_id) or "other"


def _text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")


async def _account(counter: Counter, _asked: Asked) -> Answer:
    return describe_account(counter.state() or not_yet())


async def _alerts(counter: Counter, _asked: Asked) -> Answer:
    described = {} if counter.alerts is None else counter.alerts()
    deliveries = (await counter.describe()).get("alerts", {})
    return {"alerts": [], "silences": [], "deliveries": deliveries, **described}


async def _silences(counter: Counter, _asked: Asked) -> Answer:
    described = {} if counter.alerts is None else counter.alerts()
    return {"silences": described.get("silences", [])}


async def _journal(counter: Counter, asked: Asked) -> Answer:
    if counter.tail is None:
        raise Refused(404, "this guard keeps no journal here")
    async with counter.one_tail:
        return {"records": await asyncio.to_thread(counter.tail, asked.query.last, asked.query.every)}


async def _events(counter: Counter, asked: Asked) -> Reply:
    if counter.feed.is_full or not asked.hold():
        words = "as many follow as may: close one"
        raise Refused(503, words, headers={"retry-after": "10"})
    return Reply(stream=EventStream(counter.feed, every=asked.query.every))


async def _halt(counter: Counter, asked: Asked) -> Answer:
    try:
        return counter.bots.describe_halt(symbol=asked.query.symbol, bot=asked.query.bot)
    except UnknownBot as error:
        raise Refused(404, str(error)) from error


async def _health(counter: Counter, _asked: Asked) -> Reply:
    is_guarding, described = counter.bots.describe_health()
    return reply_of(described, 200 if is_guarding else 503)


async def _bots(counter: Counter, _asked: Asked) -> Answer:
    return {"bots": counter.bots.describe_bots()}


async def _settings(counter: Counter, _asked: Asked) -> Answer:
    if counter.settings is None:
        raise Refused(404, "this guard does not show its settings")
    return counter.settings()


async def _metrics(counter: Counter, _asked: Asked) -> Reply:
    if counter.metrics is None:
        raise Refused(404, "this guard counts nothing for Prometheus")
    page, media = await counter.metrics()
    return Reply(content=page, media=media)


async def _heartbeat(counter: Counter, asked: Asked) -> Answer:
    how = HeardBy.COMMAND if asked.via == "command" else HeardBy.CALL
    try:
        return counter.bots.hear(asked.path["name"], how)
    except UnknownBot as error:
        raise Refused(404, str(error)) from error
    except NotAsked as error:
        raise Refused(409, str(error)) from error
    except NotYet as error:
        raise Refused(503, str(error), headers={"retry-after": "1"}) from error


_OPENING: Final = {503: "the guard does not know its account yet"}
_ABSENT: Final = {404: "this guard does not do that"}

READS: Final = (
    Route(verb="GET", path="/v1/state", right=Right.READ, summary="All that is known", act=_state, answer=shapes.State),
    Route(
        verb="GET",
        path="/v1/positions",
        right=Right.READ,
        summary="Open positions",
        act=_positions,
        answer=shapes.Positions,
        refusals=_OPENING,
    ),
    Route(
        verb="GET",
        path="/v1/protection",
        right=Right.READ,
        summary="What protects each position, and what bears it out",
        act=_protection,
        answer=shapes.Protection,
        refusals=_OPENING,
    ),
    Route(
        verb="GET",
        path="/v1/orders",
        right=Right.READ,
        summary="Open orders, and whose they are",
        act=_orders,
        answer=shapes.Orders,
        refusals=_OPENING,
    ),
    Route(
        verb="GET",
        path="/v1/account",
        right=Right.READ,
        summary="Rows as `seawall stress` reckons with them",
        act=_account,
        answer=dict,
        refusals=_OPENING,
    ),
    Route(
        verb="GET",
        path="/v1/alerts",
        right=Right.READ,
        summary="Alerts that hold, and their deliveries",
        act=_alerts,
        answer=shapes.Alerts,
    ),
    Route(
        verb="GET",
        path="/v1/silences",
        right=Right.READ,
        summary="What is kept quiet",
        act=_silences,
        answer=shapes.Silences,
    ),
    Route(
        verb="GET",
        path="/v1/journal",
        right=Right.READ,
        summary="The newest records of the journal",
        act=_journal,
        answer=shapes.JournalTail,
        query=shapes.JournalQuery,
        refusals=_ABSENT,
    ),
    Route(
        verb="GET",
        path="/v1/events",
        right=Right.READ,
        summary="Records of the journal as they are made, as server-sent events",
        act=_events,
        answer=str,
        query=shapes.EventsQuery,
        refusals={503: "as many follow as may"},
    ),
    Route(
        verb="GET",
        path="/v1/halt",
        right=Right.READ,
        summary="Whether to stop adding exposure, and why",
        act=_halt,
        answer=shapes.HaltFlag,
        query=shapes.HaltQuery,
        refusals={404: "no such bot"},
    ),
    Route(
        verb="GET",
        path="/v1/health",
        right=Right.READ,
        summary="200 while it guards, 503 while it does not",
        act=_health,
        answer=shapes.Health,
        refusals={503: "it does not guard; the same fields"},
    ),
    Route(verb="GET", path="/v1/bots", right=Right.READ, summary="How each bot stands", act=_bots, answer=shapes.Bots),
    Route(
        verb="GET",
        path="/v1/settings",
        right=Right.READ,
        summary="The settings that count, without secrets",
        act=_settings,
        answer=dict,
        refusals=_ABSENT,
    ),
    Route(
        verb="GET",
        path="/v1/metrics",
        right=Right.READ,
        summary="Figures for Prometheus",
        act=_metrics,
        answer=bytes,
        refusals=_ABSENT,
    ),
    Route(
        verb="POST",
        path="/v1/bots/{name}/heartbeat",
        right=Right.READ,
        summary="A sign of life of a bot",
        act=_heartbeat,
        answer=shapes.Heard,
        refusals={404: "no such bot", 409: "it is heard by its orders only", **_OPENING},
    ),
)
