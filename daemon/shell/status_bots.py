"""What `seawall status` and the control API say of the bots: who is heard, who is silent, what that led to.

It only reads. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.bots import BotPolicy
from daemon.core import bots
from daemon.core.state import GuardState


def describe_bots(state: GuardState, *, now_ns: int) -> list[dict[str, object]]:
    """Return every bot of the settings, by name."""
    return [standing_of(name, policy, state, now_ns=now_ns) for name, policy in sorted(state.policy.bots.items())]


def standing_of(name: str, policy: BotPolicy, state: GuardState | None, *, now_ns: int) -> dict[str, object]:
    """Return how one bot stands: "unheard", "alive" or "silent"; "unheard" too while the guard is opening."""
    described: dict[str, object] = {
        "bot": name,
        "standing": "unheard",
        "heartbeat": policy.heartbeat.value,
        "silent_after_s": float(policy.silent_after_s),
        "on_silence": policy.on_silence.value,
        "must_be_alive": policy.must_be_alive,
    }
    known = None if state is None else state.bots.get(name)
    if state is None or known is None:
        return described
    if known.is_silent:
        described["standing"] = "silent"
        described["silent_for_s"] = _seconds(now_ns - known.silent_ns)
        described["cancelled"] = known.cancelled
    elif known.heard_ns:
        described["standing"] = "alive"
    if known.heard_ns:
        described["heard_ago_s"] = _seconds(now_ns - known.heard_ns)
        described["heard_by"] = None if known.heard_by is None else known.heard_by.value
    described["quiet_s"] = _seconds(known.quiet_ns)
    described["silences"] = known.silences
    described["keeps_switch_unfed"] = name in bots.missing(state)
    return described


def bot_lines(described: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each bot, for people."""
    return [_bot_line(bot) for bot in described]


def _bot_line(bot: Mapping[str, Any]) -> str:
    heard = f"heard {bot['heard_ago_s']:.0f} s ago by {bot['heard_by']}" if "heard_ago_s" in bot else "never heard"
    line = f"bot {bot['bot']}: {bot['standing']}, {heard} (silent after {bot['silent_after_s']:.0f} s)"
    if bot["standing"] == "silent":
        line += f", silent for {bot['silent_for_s']:.0f} s, {bot['cancelled']} orders cancelled ({bot['on_silence']})"
    if bot.get("keeps_switch_unfed"):
        line += "; it must be alive: the dead man's switch is not fed, nobody's new exposure is let through"
    return line


def _seconds(duration_ns: int) -> float:
    return round(max(0, duration_ns) / 1e9, 3)
