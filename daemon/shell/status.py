"""The daemon's picture of itself as plain values, for `seawall status` and the service manager's status line.

It only reads. Prices are text, exactly as decided on; times are ISO 8601 in UTC; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from connectors.vocabulary import Order
from daemon.core.ids import is_ours
from daemon.core.memory.interventions import Pause
from daemon.core.state import Feed, Guarded, GuardState, Switch, SwitchState
from daemon.shell.slices import Slices, at_once
from daemon.shell.status_account_rules import describe_account_rules
from daemon.shell.status_bots import describe_bots
from daemon.shell.status_distances import describe_distance, describing_accounts
from daemon.shell.status_inputs import describe_inputs
from daemon.shell.status_latches import describe_latches, describe_plan
from daemon.shell.status_proofs import (
    describe_budget,
    describe_freshness,
    describe_others,
    describe_protection,
    describe_unproved,
)
from daemon.shell.status_rules import describe_rules

SLICE: Final = 25
"""So many positions are described before other work may have its turn: about a millisecond."""


def describe_state(state: GuardState, *, now_ns: int) -> dict[str, object]:
    """Return what the core knows, for people and machines."""
    return at_once(describing(state, now_ns=now_ns))


def describing(state: GuardState, *, now_ns: int) -> Slices[dict[str, object]]:
    """Make the same slice by slice, so that a thousand positions need not be described at one go.

    The state cannot change meanwhile, so the whole is of one moment however long it takes.
    """
    positions = []
    for _, guarded in sorted(state.positions.items()):
        if guarded.position.quantity:
            positions.append(_position(state, guarded, now_ns=now_ns))
            if len(positions) % SLICE == 0:
                yield
    accounts = yield from describing_accounts(state)
    return {
        "account": state.account,
        "mode": state.mode.value,
        "mode_for_s": _since_s(state.mode_since_ns, now_ns),
        "observe": state.policy.observe,
        "feeds": {"market": _feed(state.health.market), "account": _feed(state.health.account)},
        "clock_skew_s": round(state.health.clock_skew_ns / 1e9, 3),
        "loop_lag_s": round(state.health.loop_lag_ns / 1e9, 3),
        "positions": positions,
        "accounts": accounts,
        "pause": _pause(state.pause, now_ns=now_ns),
        "latches": describe_latches(state, now_ns=now_ns),
        "bots": describe_bots(state, now_ns=now_ns),
        "rules": describe_account_rules(state),
        "switch": _switch(state.switch, mode=state.policy.switch.mode.value, now_ns=now_ns),
        "degraded": [
            {"state": name, "for_s": _since_s(since, now_ns)} for name, since in sorted(state.degraded.items())
        ],
        "inputs": describe_inputs(state),
        "freshness": describe_freshness(state, now_ns=now_ns),
        "budget": describe_budget(state, now_ns=now_ns),
        "may_exist": describe_unproved(state, now_ns=now_ns),
        "others": describe_others(state),
        "requests_in_flight": len(state.pending),
    }


def headline(state: GuardState) -> str:
    """Return the one line that the service manager shows."""
    positions = [guarded for guarded in state.positions.values() if guarded.position.quantity]
    covered = sum(1 for guarded in positions if guarded.covered_ns)
    words = f"{state.mode.value}: {covered} of {len(positions)} positions covered"
    troubles = sorted({*state.degraded, *(each.value for guarded in positions for each in guarded.degraded)})
    silent = sorted(name for name, bot in state.bots.items() if bot.is_silent)
    if silent:
        words += f"; silent: {', '.join(silent)}"
    if state.pause is not None:
        words = f"{state.pause.kind.value.upper()} until {_moment(state.pause.until_ns)}; {words}"
    if state.latches:
        words += f"; latched: {', '.join(sorted(state.latches))}"
    return words + (f"; degraded: {', '.join(troubles)}" if troubles else "")


def _pause(pause: Pause | None, *, now_ns: int) -> dict[str, object] | None:
    if pause is None:
        return None
    return {
        "kind": pause.kind.value,
        "who": pause.who,
        "until": _moment(pause.until_ns),
        "for_s": _since_s(pause.since_ns, now_ns),
        "left_s": round(max(0, pause.until_ns - now_ns) / 1e9, 3),
    }


def _feed(feed: Feed) -> dict[str, object]:
    described: dict[str, object] = {"live": feed.is_live, "age_s": round(feed.age_ns / 1e9, 3)}
    if not feed.is_live:
        described["reason"] = feed.reason
    if feed.unreadable:
        described["unreadable_frames"] = feed.unreadable
    if feed.doubted:
        described["doubted"] = dict(feed.doubted)
    return described


def _position(state: GuardState, guarded: Guarded, *, now_ns: int) -> dict[str, object]:
    position = guarded.position
    mark = state.marks.get(position.key.symbol)
    mark_price = None if mark is None else mark.price
    return {
        "symbol": position.key.symbol,
        "side": None if position.side is None else position.side.value,
        "quantity": position.quantity,
        "entry_price": _text(position.entry_price),
        "mark_price": _text(mark_price),
        "mark_age_s": None if mark is None else _since_s(mark.at_ns, now_ns),
        "liquidation_price": _text(guarded.liquidation.price),
        "liquidation": guarded.liquidation.standing.value,
        **_figures(guarded),
        **describe_distance(state, guarded),
        "tier": guarded.tier.value,
        "ladder": describe_plan(state, guarded),
        "cover": guarded.need.value,
        "stop_trigger": _text(guarded.ratchet),
        **describe_rules(state, guarded),
        "protection": describe_protection(state, guarded, now_ns=now_ns),
        "stops": _resting_stops(state, position.key.symbol),
        "covered_since": None if guarded.covered_ns == 0 else _moment(guarded.covered_ns),
        "covered_after_s": _after_s(guarded),
        "degraded": [each.value for each in guarded.degraded],
    }


def _figures(guarded: Guarded) -> dict[str, object]:
    """How the liquidation price is known: our own figure's confidence, and whether a second source bears it out."""
    found = guarded.liquidation
    return {
        "liquidation_confidence": None if found.confidence is None else found.confidence.value,
        "liquidation_disagrees": found.disagrees,
        "liquidation_said_by_one": _text(found.alone),
        "liquidation_figures": found.text,
    }


def _resting_stops(state: GuardState, symbol: str) -> list[dict[str, object]]:
    orders: Mapping[str, Order] = {key: known.order for key, known in state.orders.get(symbol, {}).items()}
    return [
        {
            "client_order_id": order.client_order_id,
            "stop_price": _text(order.stop_price),
            "quantity": order.quantity,
            "ours": is_ours(state.account, order.client_order_id),
        }
        for order in orders.values()
        if order.is_resting_stop
    ]


def _after_s(guarded: Guarded) -> float | None:
    if guarded.covered_ns == 0 or guarded.known_ns == 0:
        return None
    return round((guarded.covered_ns - guarded.known_ns) / 1e9, 3)


def _switch(switch: Switch, *, mode: str, now_ns: int) -> dict[str, object]:
    described: dict[str, object] = {"mode": mode, "state": switch.state.value}
    if switch.state is SwitchState.ARMED:
        described["expires_in_s"] = round((switch.expires_ns - now_ns) / 1e9, 1)
    if switch.problem:
        described["problem"] = switch.problem
    return described


def _since_s(since_ns: int, now_ns: int) -> float:
    return round(max(0, now_ns - since_ns) / 1e9, 3) if since_ns else 0.0


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def _text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")
