"""What the status says of proof and freshness: who saw the stops when, what may still arrive, who told what when.

It only reads. Prices are text; times are ages in seconds, None for "never".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from daemon.core.folding import foreign
from daemon.core.ledger import StreamFacts
from daemon.core.memory.witnesses import Witness
from daemon.core.protecting import protection
from daemon.core.protecting.protection import Protector, Stage
from daemon.core.state import Guarded, GuardState
from daemon.core.writes import outcomes


def describe_protection(state: GuardState, guarded: Guarded, *, now_ns: int) -> dict[str, object]:
    """Return the proof of one position's cover, or since when it is naked."""
    stage = protection.stage(state, guarded)
    described: dict[str, object] = {
        "stage": stage.value,
        "proof": [_protector(each, now_ns) for each in protection.proof(state, guarded)],
        "fields": {
            "quantity": {"stream": _witness(guarded.stream, now_ns), "query": _witness(guarded.query, now_ns)},
            "liquidation_price": {"stream": _line(guarded.stream, now_ns), "query": _line(guarded.query, now_ns)},
        },
    }
    if stage not in {Stage.PROVED, Stage.NOT_NEEDED}:
        described["naked_for_s"] = _age_s(guarded.uncovered_ns, now_ns)
    return described


def _protector(protector: Protector, now_ns: int) -> dict[str, object]:
    return {
        "client_order_id": protector.client_order_id,
        "order_id": protector.order_id,
        "ours": protector.is_ours,
        "side": protector.side.value,
        "trigger": format(protector.trigger, "f"),
        "quantity": protector.quantity,
        "seen_by": protector.seen_by,
        "seen_age_s": _age_s(protector.seen_ns, now_ns),
    }


def _witness(witness: Witness | None, now_ns: int) -> dict[str, object] | None:
    if witness is None:
        return None
    return {"quantity": witness.quantity, "age_s": _age_s(witness.at_ns, now_ns)}


def _line(witness: Witness | None, now_ns: int) -> dict[str, object] | None:
    if witness is None or witness.liquidation_price is None:
        return None
    return {"price": format(witness.liquidation_price, "f"), "age_s": _age_s(witness.at_ns, now_ns)}


def describe_freshness(
    state: GuardState, *, now_ns: int, market: StreamFacts | None = None, account: StreamFacts | None = None
) -> dict[str, object]:
    """Return three facts about each stream (socket, pong, data), and the age of what each topic and field said.

    Args:
        state: What the core knows.
        now_ns: The present time.
        market: What is known of the stream at this moment; left out: what the core was told, some seconds ago at most.
        account: The same of the other stream.
    """
    ledger = state.ledger
    return {
        "market": _stream(market or ledger.market, now_ns),
        "account": {**_stream(account or ledger.account, now_ns), "mute": list(state.health.account.mute)},
        "marks": {symbol: _age_s(mark.at_ns, now_ns) for symbol, mark in sorted(state.marks.items())},
        "picture_age_s": _age_s(state.pictures.taken_ns, now_ns),
    }


def _stream(facts: StreamFacts, now_ns: int) -> dict[str, object]:
    return {
        "connected_s": _age_s(facts.connected_ns, now_ns),
        "pong_age_s": _age_s(facts.pong_ns, now_ns),
        "data_age_s": _age_s(facts.data_ns, now_ns),
        "topics": {topic: _age_s(told_ns, now_ns) for topic, told_ns in sorted(facts.topics.items())},
    }


def describe_budget(state: GuardState, *, now_ns: int) -> dict[str, object] | None:
    """Return what is left of the request budget; None where nothing is known of it."""
    budget = state.ledger.budget
    if budget is None:
        return None
    return {
        "tokens": budget.tokens,
        "capacity": budget.capacity,
        "reserve": budget.reserve,
        "paused_for_s": round(max(0, budget.paused_until_ns - now_ns) / 1e9, 1),
        "banned": budget.is_banned and now_ns < budget.paused_until_ns,
        "read_age_s": _age_s(state.ledger.at_ns, now_ns),
    }


def describe_unproved(state: GuardState, *, now_ns: int) -> list[dict[str, object]]:
    """Return the requests that may still take effect."""
    return [
        {
            "kind": entry.kind.value,
            "symbol": entry.symbol,
            "client_order_id": entry.client_order_id,
            "for_s": _age_s(entry.first_ns, now_ns),
            "provable_in_s": round(max(0, outcomes.expired_ns(state, entry) - now_ns) / 1e9, 1),
        }
        for _, entry in sorted(state.unproved.items())
    ]


def describe_others(state: GuardState) -> dict[str, dict[str, int]]:
    """Return, by symbol, how many open orders of others there are, and of which kinds."""
    return {symbol: foreign.as_counts(count) for symbol, count in sorted(foreign.counted(state).items())}


# ---------------------------------------------------------------------- in words


def freshness_lines(freshness: Mapping[str, Any]) -> Iterator[str]:
    """A line for each stream: socket, pong and data are three facts."""
    for name in ("market", "account"):
        stream = freshness.get(name)
        if not stream:
            continue
        topics = ", ".join(f"{topic} {age:.0f} s" for topic, age in stream["topics"].items() if age is not None)
        mute = f"; keeps back: {', '.join(stream['mute'])}" if stream.get("mute") else ""
        yield (
            f"{name} stream: {_since('connected', stream['connected_s'])}, {_since('last pong', stream['pong_age_s'])},"
            f" {_since('last data', stream['data_age_s'])}" + (f" ({topics})" if topics else "") + mute
        )


def budget_line(budget: Mapping[str, Any] | None) -> list[str]:
    """What is left of the request budget."""
    if budget is None:
        return []
    pause = ""
    if budget["banned"]:
        pause = f"; the venue refuses this address for {budget['paused_for_s']:.0f} s more at least"
    elif budget["paused_for_s"]:
        pause = f"; paused for {budget['paused_for_s']:.0f} s"
    left = f"{budget['tokens']} of {budget['capacity']} a minute, {budget['reserve']} kept for what protects"
    return [f"request budget: {left}{pause}"]


def proof_lines(position: Mapping[str, Any]) -> Iterator[str]:
    """Which orders prove a position's cover, or for how long it has been naked."""
    found = position.get("protection")
    if not found or found["stage"] == Stage.NOT_NEEDED.value:
        return
    symbol = position["symbol"]
    if "naked_for_s" in found:
        yield f"{symbol}: NAKED for {found['naked_for_s'] or 0:.1f} s ({found['stage']})"
    for each in found["proof"]:
        amount = "all" if each["quantity"] is None else each["quantity"]
        whose = "" if each["ours"] else ", placed by somebody else"
        yield (
            f"{symbol}: covered by {each['client_order_id'] or each['order_id']}: {each['side']} {amount} at"
            f" {each['trigger']}, seen by {each['seen_by']} {each['seen_age_s'] or 0:.0f} s ago{whose}"
        )


def may_exist_lines(entries: list[Mapping[str, Any]]) -> Iterator[str]:
    """Requests that may still take effect."""
    for each in entries:
        yield (
            f"may exist: {each['kind']} {each['client_order_id']} ({each['symbol']}), for {each['for_s'] or 0:.0f} s;"
            f" to be proved in {each['provable_in_s']:.0f} s at the earliest"
        )


def other_lines(others: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Orders that are not the guard's."""
    for symbol, count in others.items():
        parts = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in count.items() if number)
        yield f"others' orders in {symbol}: {parts}; left alone"


def _since(what: str, age_s: float | None) -> str:
    if age_s is None:
        return f"not {what}" if what == "connected" else f"no {what.removeprefix('last ')}"
    return f"{what} {age_s:.0f} s" + ("" if what == "connected" else " ago")


def _age_s(at_ns: int, now_ns: int) -> float | None:
    return round(max(0, now_ns - at_ns) / 1e9, 3) if at_ns else None
