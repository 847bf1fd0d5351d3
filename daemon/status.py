"""`seawall status`: asks the running daemon and shows the answer.

The daemon answers over its control socket (`daemon.shell.control`); this is the other end.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from daemon.core.mode import Mode
from daemon.shell.control.client import ask_status
from daemon.shell.status_account_rules import account_rule_lines
from daemon.shell.status_bots import bot_lines
from daemon.shell.status_inputs import missing_lines
from daemon.shell.status_latches import latch_lines, plan_line
from daemon.shell.status_lines import account_line, alert_lines, position_lines
from daemon.shell.status_proofs import budget_line, freshness_lines, may_exist_lines, other_lines, proof_lines
from daemon.shell.status_rules import rule_lines

_COLUMNS = (
    ("symbol", "symbol"),
    ("quantity", "quantity"),
    ("mark", "mark_price"),
    ("liquidation", "liquidation_price"),
    ("room %", "room_percent"),
    ("volatilities", "room_volatilities"),
    ("touch in 1 h", "touch_probability"),
    ("stop", "stop_trigger"),
    ("tier", "tier"),
    ("covered since", "covered_since"),
)

_LAST_KNOWN = frozenset({Mode.STARTING.value, Mode.BLIND.value})
"""Modes in which prices, tiers and cover are memories: blind must never look like safe."""


def show_status(path: Path, *, as_json: bool) -> None:
    """Ask the daemon behind the socket and write its status to standard output.

    Raises:
        DaemonUnreachable: If no daemon answers there.
    """
    status = ask_status(path)
    text = msgspec.json.encode(status).decode() if as_json else in_words(status)
    sys.stdout.write(text + "\n")


def in_words(status: Mapping[str, Any]) -> str:
    """Return the status for people."""
    lines = [_first_line(status)]
    if status.get("pause"):
        lines.append(_pause(status["pause"]))
    if "feeds" in status:
        lines += [_feeds(status["feeds"]), _switch(status["switch"])]
    lines += [*freshness_lines(status.get("freshness", {})), *budget_line(status.get("budget"))]
    lines += _degraded(status)
    lines += latch_lines(status.get("latches", []))
    lines += bot_lines(status.get("bots", []))
    lines += account_rule_lines(status.get("rules", []))
    lines += missing_lines(status.get("inputs", {}))
    lines += alert_lines(status.get("alerts", {}))
    if status["mode"] in _LAST_KNOWN:
        lines.append("the guard does not see: what follows is the last that was known, and may be old")
    if "positions" not in status:
        lines.append("nothing is known of the account yet, and nothing is guarded")
    else:
        lines += _table(status["positions"]) if status["positions"] else ["no open positions"]
        for position in status["positions"]:
            lines += [*proof_lines(position), *rule_lines(position), *position_lines(position)]
        lines += [line for position in status["positions"] for line in plan_line(position)]
        lines += [*may_exist_lines(status.get("may_exist", [])), *other_lines(status.get("others", {}))]
        lines += [account_line(account) for account in status.get("accounts", [])]
    return "\n".join(lines)


def _first_line(status: Mapping[str, Any]) -> str:
    observing = " (observing: sends nothing)" if status.get("observe") else ""
    account = f", account {status['account']}" if "account" in status else ""
    return (
        f"{status['mode']}{observing}{account} on {status['venue']}, "
        f"up {status['uptime_s']:.0f} s, version {status['version']}"
    )


def _pause(pause: Mapping[str, Any]) -> str:
    what = "PAUSED" if pause["kind"] == "pause" else "IN SHADOW"
    kept = "only what a person asks for is sent" if pause["kind"] == "pause" else "nothing is sent"
    until = f"until {pause['until']} ({pause['left_s']:.0f} s more)"
    return f"{what} by {pause['who']} {until}: {kept}; seawall resume ends it"


def _feeds(feeds: Mapping[str, Mapping[str, Any]]) -> str:
    words = [
        f"{name} {'live' if feed['live'] else 'lost (' + feed.get('reason', '') + ')'}, {feed['age_s']:.1f} s old"
        for name, feed in feeds.items()
    ]
    return "feeds: " + "; ".join(words)


def _switch(switch: Mapping[str, Any]) -> str:
    countdown = f", fires in {switch['expires_in_s']:.0f} s if not fed" if "expires_in_s" in switch else ""
    trouble = f"; {switch['problem']}" if "problem" in switch else ""
    return f"dead man's switch: {switch['state']} (mode {switch['mode']}){countdown}{trouble}"


def _degraded(status: Mapping[str, Any]) -> list[str]:
    lines = [f"degraded: {each['state']} for {each['for_s']:.0f} s" for each in status.get("degraded", [])]
    for position in status.get("positions", []):
        lines += [f"degraded: {position['symbol']}: {state}" for state in position["degraded"]]
    return lines


def _table(positions: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [[title for title, _ in _COLUMNS]]
    rows += [[_cell(position[key]) for _, key in _COLUMNS] for position in positions]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
