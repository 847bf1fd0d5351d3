"""What the status says of one position's rules: who put the stop where it is, what shadows would do, what is taken.

It only reads. Prices are text, exactly as decided on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from daemon.core.protecting.take_profit import own_takes
from daemon.core.state import Guarded, GuardState


def describe_rules(state: GuardState, guarded: Guarded) -> dict[str, object]:
    """Return the rule that speaks and its reason, rules in shadow and take-profit orders."""
    given = guarded.episode.given
    takes = [known.order for known in own_takes(state, guarded.position.key.symbol)]
    return {
        "stop_rule": guarded.ruled_by or None,
        "stop_reason": guarded.ruled_why or None,
        "stop_given": None if given is None else {"price": _text(given.price), "by": given.who},
        "shadows": [
            {"rule": each.rule, "price": _text(each.price), "has_fired": each.has_fired} for each in guarded.shadows
        ],
        "take_profit": [
            {"price": _text(order.price), "quantity": order.leaves_quantity}
            for order in sorted(takes, key=lambda order: order.client_order_id[-1])
        ],
    }


def rule_lines(position: Mapping[str, Any]) -> Iterator[str]:
    """The same for people, a line for each thing there is to say."""
    symbol = position["symbol"]
    if position.get("stop_rule"):
        yield f"{symbol}: stop by {position['stop_rule']}: {position['stop_reason']}"
    for each in position.get("shadows", []):
        at = "closed it" if each["price"] is None else f"a stop at {each['price']}"
        fired = ", reached" if each["has_fired"] else ""
        yield f"{symbol}: {each['rule']} in shadow: {at}{fired}"
    takes = ", ".join(f"{each['quantity']} at {each['price']}" for each in position.get("take_profit", []))
    if takes:
        yield f"{symbol}: takes profit: {takes}"


def _text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")
