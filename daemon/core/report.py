"""The state as people and machines want to read it: what `seawall status` shows.

Pure: builtins only (dicts, lists, strings, numbers, None), ready for JSON. Prices are strings, exactly as known.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from daemon.core.degraded import Degraded
from daemon.core.ids import is_ours
from daemon.core.liquidation import room_percent
from daemon.core.marks import usable_mark
from daemon.core.state import Feed, Guarded, GuardState


def view(state: GuardState) -> dict[str, Any]:
    """Picture one account's guard.

    Returns:
        `account, mode, mode_since_ns, at_ns, observe, feeds, positions, switch, degraded, pictures, counters`. Times
        are nanoseconds since 1970 UTC, durations end in `_ns`; 0 stands for "never".
    """
    return {
        "account": state.account,
        "mode": state.mode.value,
        "mode_since_ns": state.mode_since_ns,
        "at_ns": state.now_ns,
        "observe": state.policy.observe,
        "feeds": {
            "market": _feed(state.health.market),
            "account": _feed(state.health.account),
            "loop_lag_ns": state.health.loop_lag_ns,
            "clock_skew_ns": state.health.clock_skew_ns,
            "journal_ok": state.health.is_journal_ok,
        },
        "positions": [_position(state, guarded) for _, guarded in sorted(state.positions.items()) if is_held(guarded)],
        "switch": _switch(state),
        "degraded": _degraded(state),
        "pictures": {"taken_ns": state.pictures.taken_ns, "failing_ns": state.pictures.failing_ns},
        "counters": {
            "positions": sum(is_held(guarded) for guarded in state.positions.values()),
            "open_orders": sum(len(book) for book in state.orders.values()),
            "exposure_adding_orders": sum(state.adding.values()),
            "requests_in_flight": len(state.pending),
            "commands": state.next_command_id - 1,
        },
    }


def is_held(guarded: Guarded) -> bool:
    """Whether the position is open."""
    return guarded.position.quantity != 0


def _feed(feed: Feed) -> dict[str, Any]:
    return {"live": feed.is_live, "since_ns": feed.since_ns, "age_ns": feed.age_ns, "reason": feed.reason}


def _position(state: GuardState, guarded: Guarded) -> dict[str, Any]:
    position, symbol = guarded.position, guarded.position.key.symbol
    mark, side, price = usable_mark(state, symbol), position.side, guarded.liquidation.price
    room = None
    if mark is not None and side is not None and price is not None:
        room = room_percent(side, mark.price, price)
    return {
        "symbol": symbol,
        "side": None if side is None else side.value,
        "quantity": position.quantity,
        "is_cross": position.is_cross,
        "entry_price": _text(position.entry_price),
        "mark_price": None if mark is None else str(mark.price),
        "mark_is_fresh": mark is not None and mark.is_fresh,
        "liquidation_price": _text(price),
        "liquidation": guarded.liquidation.standing.value,
        "liquidation_text": guarded.liquidation.text,
        "room_percent": None if room is None else f"{room:.4f}",
        "tier": guarded.tier.value,
        "need": guarded.need.value,
        "wanted_stop": _text(guarded.ruled),
        "in_breach": guarded.in_breach,
        "stops": _stops(state, symbol),
        "covered": guarded.covered_ns > 0,
        "known_ns": guarded.known_ns,
        "covered_ns": guarded.covered_ns,
        "fired_ns": guarded.fired_ns,
        "reductions": guarded.reductions,
        "request": None if guarded.write is None else f"{guarded.write.kind.value} {guarded.write.state.value}",
        "degraded": [each.value for each in guarded.degraded],
        "refusal": guarded.refusal,
    }


def _stops(state: GuardState, symbol: str) -> list[dict[str, Any]]:
    """Resting stops of a symbol, ours first, whoever placed them."""
    resting = [known for known in state.orders.get(symbol, {}).values() if known.order.is_resting_stop]
    return [
        {
            "ours": is_ours(state.account, known.order.client_order_id),
            "client_order_id": known.order.client_order_id,
            "side": known.order.side.value,
            "stop_price": _text(known.order.stop_price),
            "quantity": known.order.quantity,
            "confirmed": known.is_confirmed and not known.is_doubted,
        }
        for known in sorted(resting, key=lambda k: not is_ours(state.account, k.order.client_order_id))
    ]


def _switch(state: GuardState) -> dict[str, Any]:
    switch = state.switch
    return {
        "policy": state.policy.switch.mode.value,
        "state": switch.state.value,
        "expires_ns": switch.expires_ns,
        "left_ns": max(0, switch.expires_ns - state.now_ns) if switch.expires_ns else None,
        "confirmed_ns": switch.confirmed_ns,
        "problem": switch.problem,
    }


def _degraded(state: GuardState) -> list[dict[str, Any]]:
    of_account = [
        {"state": name, "symbol": "", "since_ns": since_ns} for name, since_ns in sorted(state.degraded.items())
    ]
    of_positions = [
        {"state": each.value, "symbol": symbol, "since_ns": _since(guarded, each)}
        for symbol, guarded in sorted(state.positions.items())
        for each in guarded.degraded
    ]
    return of_account + of_positions


def _since(guarded: Guarded, each: Degraded) -> int:
    return guarded.uncovered_ns if each is Degraded.UNCOVERED else guarded.known_ns


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)
