"""Commands and events in a few words each, for `seawall explain`."""

from __future__ import annotations

import ast
import inspect
from decimal import Decimal
from functools import cache
from typing import Final

from connectors.vocabulary import Execution, ExecutionKind, Order
from daemon.core.commands import (
    AddMargin,
    AmendStop,
    CancelOrder,
    CancelOrders,
    Command,
    Notify,
    PlaceStop,
    PlaceTakeProfit,
    RaiseAlert,
    ReduceAtMarket,
    SetLeverage,
)
from daemon.core.events import (
    BotHeard,
    Event,
    ExecutionSeen,
    FeedLive,
    FeedLost,
    OperatorAsked,
    OrderSeen,
    OrdersFound,
    OrdersListed,
    PictureRead,
    PolicyChanged,
    PositionSeen,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestRefusedOnStream,
    RequestUnanswered,
    Source,
    Started,
    StopAsked,
    SwitchAnswered,
)
from daemon.core.reasons import Reason

GUARD: Final = "guard"
VENUE: Final = "venue"
PERSON: Final = "person"
HERE: Final = "here"
_LONGEST: Final = 160
_USUAL_TEXTS: Final = frozenset({"Submitted via API.", "Seawall"})
"""What stands in the text of every order of the guard, and tells nothing."""


def command_words(command: Command) -> str:
    """Say what a command asks for."""
    match command:
        case PlaceStop() | AmendStop():
            name = "place stop" if isinstance(command, PlaceStop) else "amend stop to"
            quantity = _quantity(command.quantity, isinstance(command, PlaceStop))
            parts = [name, command.side.value, quantity, command.key.symbol]
            parts += [f"at {_price(command.stop_price)} by the mark"] if command.stop_price is not None else []
            words = " ".join(part for part in parts if part)
        case PlaceTakeProfit():
            words = (
                f"take profit: {command.side.value} {command.quantity} {command.key.symbol} at {_price(command.price)}"
            )
        case ReduceAtMarket():
            words = (
                f"reduce at the market: {command.side.value} {_quantity(command.quantity, True)} {command.key.symbol}"
            )
        case CancelOrder():
            words = f"cancel {command.client_order_id or command.order_id}"
        case CancelOrders():
            words = f"cancel {len(command.orders)} orders of others"
        case AddMargin():
            words = f"add margin {command.amount_sat} to {command.key.symbol}"
        case SetLeverage():
            words = f"set leverage {command.leverage} of {command.key.symbol}"
        case RaiseAlert():
            words = f"alert ({command.severity.value}): {command.text}"
        case Notify():
            words = f"tell people ({command.route}, {command.cause}): {command.title}"
        case _:
            words = _spaced(type(command).__name__)
    return _short(words)


def speaker(event: Event) -> str:
    """Say whose word an event is."""
    match event:
        case OperatorAsked() | PolicyChanged():
            return PERSON
        case RequestRefused(is_own=True):
            return GUARD
        case Started() | StopAsked() | BotHeard() | FeedLive() | FeedLost() | RequestNotSent() | RequestUnanswered():
            return HERE
        case _:
            return VENUE


def event_words(event: Event, ids: frozenset[str] = frozenset()) -> str:  # noqa: C901 - one line per event
    """Say what an event tells; with `ids`, of those orders alone. Empty when that is nothing."""
    match event:
        case OrderSeen(order=order, source=source):
            words = f"{'order stream' if source is Source.STREAM else 'a read'}: {_order(order)}"
        case OrdersFound() | OrdersListed() | PictureRead():
            words = _found(event, ids)
        case ExecutionSeen(execution=Execution(kind=ExecutionKind.OTHER | ExecutionKind.ENDED, quantity=0)):
            words = ""  # a new or cancelled order, which its own row tells
        case ExecutionSeen(execution=execution):
            words = f"execution: {_execution(execution)}"
        case PositionSeen(position=position, source=source):
            words = f"position ({source.value}): {position.quantity} {position.key.symbol}"
        case OperatorAsked(who=who, request=request):
            words = f"{who} asked: {_spaced(type(request).__name__)}"
        case PolicyChanged(who=who, changes=changes):
            words = f"{who} changed the policy: {'; '.join(changes)}"
        case BotHeard(bot=bot, how=how):
            words = f"bot {bot} is heard, by {how.value}"
        case FeedLost(feed=feed, reason=reason):
            words = f"{feed.value} stream lost: {reason}"
        case FeedLive(feed=feed):
            words = f"{feed.value} stream live"
        case _:
            words = _outcome_words(event)
    return _short(words)


def _outcome_words(event: Event) -> str:
    """Say what came of a request."""
    match event:
        case RequestAnswered(order=order):
            words = f"answered: {'done' if order is None else _order(order)} (accepted, not yet proof)"
        case RequestRefused(reason=reason, is_own=True):
            words = f"held back by our own check: {reason}"
        case RequestRefused(reason=reason) | RequestMisconfigured(reason=reason):
            words = f"REFUSED: {reason}"
        case RequestRefusedOnStream(reason=reason):
            words = f"REFUSED, by the order stream: {reason}"
        case RequestNotSent(reason=reason):
            words = f"not carried out: {reason}"
        case RequestUnanswered(reason=reason):
            words = f"NO ANSWER, it may have been carried out: {reason}"
        case SwitchAnswered(timeout_ns=timeout_ns):
            words = f"switch {'armed' if timeout_ns else 'disarmed'}, as the exchange confirmed"
        case _:
            words = _spaced(type(event).__name__)
    return words


@cache
def meanings() -> dict[str, str]:
    """What each reason means, as `daemon.core.reasons` says it."""
    try:
        tree = ast.parse(inspect.getsource(Reason)).body[0]
    except OSError:  # installed without sources
        return {}
    found, name = {}, ""
    for node in tree.body if isinstance(tree, ast.ClassDef) else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name = str(node.value.value)
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = " ".join(str(node.value.value).split())
    return found


def _order(order: Order) -> str:
    price = order.stop_price if order.stop_price is not None else order.price
    at = "" if price is None else f" at {_price(price)}"
    size = "" if order.quantity is None else f" {order.quantity}"
    filled = f", {order.filled_quantity} filled" if order.filled_quantity else ""
    resting = ", resting" if order.is_resting_stop else ""
    fired = ", triggered" if order.is_triggered else ""
    telling = [line for line in map(str.strip, order.text.splitlines()) if line and line not in _USUAL_TEXTS]
    why = f" ({' '.join(telling)})" if telling else ""
    return f"{order.status.value} {order.side.value}{size}{at}{resting}{fired}{filled}{why}"


def _execution(execution: Execution) -> str:
    price = "" if execution.price is None else f" at {_price(execution.price)}"
    side = "" if execution.side is None else f" {execution.side.value}"
    return f"{execution.kind.value}{side} {execution.quantity} {execution.symbol}{price}"


def _found(event: OrdersFound | OrdersListed | PictureRead, ids: frozenset[str]) -> str:
    source = {OrdersFound: "asked by id", OrdersListed: "order stream's list", PictureRead: "read of the account"}
    orders = event.open_orders + event.recent_orders if isinstance(event, PictureRead) else event.orders
    ours = [each for each in orders if not ids or each.client_order_id in ids or each.order_id in ids]
    if not ours:
        return f"{source[type(event)]}: not known" if isinstance(event, OrdersFound) else ""
    return f"{source[type(event)]}: {_order(ours[0])}"


def _quantity(quantity: int | None, is_whole: bool) -> str:
    if quantity is not None:
        return str(quantity)
    return "all of it" if is_whole else ""


def _price(price: Decimal | None) -> str:
    return "-" if price is None else format(price, "f")


def _spaced(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _short(text: str) -> str:
    """One line of bounded length: an order's text is anybody's, and may hold line ends or worse."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def printable(text: str) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
