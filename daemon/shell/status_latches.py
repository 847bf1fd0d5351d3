"""What `seawall status` says of latches and of the ladder: what holds, what it did, how to lift it, what comes next.

It only reads. The ladder's figures are worked out when somebody asks, and only for accounts of few positions: on paper
every cut of every position is tried, and a question must not hold the guard up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from config.ladder import Step
from config.policy import Tier
from daemon.core.emergency import flat_proof, ladder
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.restraint import latches
from daemon.core.state import Guarded, GuardState
from daemon.core.tiers import RANK

MOST_PLANNED: Final = 20
"""Accounts of more positions see the names of the steps alone."""


def describe_latches(state: GuardState, *, now_ns: int) -> list[dict[str, object]]:
    """Return every latch that holds, the oldest first."""
    found = sorted(state.latches.values(), key=lambda latch: (latch.since_ns, latch.name))
    return [_latch(state, latch, now_ns) for latch in found]


def _latch(state: GuardState, latch: Latch, now_ns: int) -> dict[str, object]:
    described: dict[str, object] = {
        "name": latch.name,
        "kind": latch.kind.value,
        "symbols": list(latch.symbols),
        "cause": latch.text,
        "for_s": round(max(0, now_ns - latch.since_ns) / 1e9, 3),
        "lift": latches.how_to_lift(latch),
        "cancelled": latch.cancelled,
        "still_forbidden": sum(latch.concerns(each.symbol) for each in state.frozen_orders.values()),
    }
    if latch.kind is LatchKind.FLATTEN:
        described["proved_flat"] = bool(latch.proven_ns)
        described["clean_reads"] = latch.clean_reads
        described["still_open"] = flat_proof.still_open(state, latch)
    return described


def describe_plan(state: GuardState, guarded: Guarded) -> dict[str, object] | None:
    """Return what the ladder does to a position at the next tier that has steps; None where no such tier is left."""
    tier = _next_tier(state, guarded)
    if tier is None:
        return None
    if _holds_many(state):
        steps = [{"step": step.value} for step in ladder.steps_of(state, tier)]
    else:
        planned = ladder.plans(state, guarded.position.key.symbol, tier)
        steps = [{"step": each.step.value, "text": each.text} for each in planned]
    return {"tier": tier.value, "mode": state.policy.ladder.mode.value, "steps": steps}


def _holds_many(state: GuardState) -> bool:
    """Whether more positions are open than are planned for; asked for each of them, so it counts no further."""
    held = (guarded for guarded in state.positions.values() if guarded.position.quantity)
    return next(islice(held, MOST_PLANNED, None), None) is not None


def _next_tier(state: GuardState, guarded: Guarded) -> Tier | None:
    above = [tier for tier in Tier if RANK[tier] > RANK[guarded.tier]]
    acting = (tier for tier in above if any(step is not Step.ALERT for step in ladder.steps_of(state, tier)))
    return next(acting, None)


# ---------------------------------------------------------------------- for people


def latch_lines(described: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each latch."""
    return [_latch_line(latch) for latch in described]


def _latch_line(latch: Mapping[str, Any]) -> str:
    scope = ", ".join(latch["symbols"]) or "the account"
    if latch["kind"] == LatchKind.FREEZE.value:
        what = f"frozen: {scope}, {latch['cancelled']} orders cancelled"
    elif latch["proved_flat"]:
        what = f"flat and kept flat: {scope}, {latch['cancelled']} orders cancelled"
    else:
        left = ", ".join(latch["still_open"]) or f"nothing known to be open, {latch['clean_reads']} of 2 clean reads"
        what = f"closing: {scope}, {latch['cancelled']} orders cancelled, still open: {left}"
    forbidden = f", {latch['still_forbidden']} to go" if latch["still_forbidden"] else ""
    return f"latch {latch['name']}: {what}{forbidden}, for {latch['for_s']:.0f} s ({latch['cause']}); {latch['lift']}"


def plan_line(position: Mapping[str, Any]) -> list[str]:
    """Return what the ladder does next to a position, if it does anything."""
    plan = position.get("ladder")
    if not plan:
        return []
    steps = "; ".join(f"{each['step']}: {each['text']}" if "text" in each else each["step"] for each in plan["steps"])
    would = "would do" if plan["mode"] == "shadow" else "does"
    return [f"{position['symbol']}: at {plan['tier'].upper()} the ladder {would} {steps}"]
