"""`seawall positions | protection | orders | alerts`: one question to the running guard, a table or JSON back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from daemon.console.paint import Paint, paint_for, plain
from daemon.console.view import length
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import socket_of
from daemon.shell.control.client import DaemonUnreachable, call

Row = Mapping[str, Any]


def show(options: argparse.Namespace) -> int:
    """Answer the question that the options name.

    Raises:
        CommandFailed: If no daemon answers, or it does not know yet.
    """
    path = options.socket or socket_of(options.config)
    try:
        status, answer = call(path, "GET", f"/v1/{options.question}")
    except DaemonUnreachable as error:
        raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    if status != 200:
        code = ExitCode.VENUE_UNREACHABLE if status == 503 else ExitCode.REFUSED
        raise CommandFailed(str(answer.get("error", f"the daemon answered {status}")), code)
    if options.as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        lines = _LINES[options.question](answer, paint_for(sys.stdout))
        sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.OK


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return aligned columns; None is a dash.

    Example:
        >>> table(["symbol", "stop"], [["XBTUSD", None]])
        ['symbol  stop', 'XBTUSD  -']
    """
    cells = [[*titles], *([("-" if cell is None else plain(str(cell))) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _memory(answer: Row) -> Iterator[str]:
    if answer["mode"] in {"starting", "blind"}:
        yield f"the guard is {answer['mode']} and does not see: this is the last that was known, and may be old"


def _positions(answer: Row, paint: Paint) -> list[str]:
    rows = answer["positions"]
    if not rows:
        return [*_memory(answer), "no open positions"]
    titles = ["symbol", "quantity", "entry", "mark", "liquidation", "room %", "stop", "tier"]
    names = [
        "symbol",
        "quantity",
        "entry_price",
        "mark_price",
        "liquidation_price",
        "room_percent",
        "stop_trigger",
        "tier",
    ]
    head, *body = table(titles, [[row[name] for name in names] for row in rows])
    return [*_memory(answer), paint.style(head, "bold"), *body]


def _protection(answer: Row, paint: Paint) -> list[str]:
    lines = [*_memory(answer)]
    for proof in answer["protection"]:
        lines.append(f"{proof['symbol']} {proof['quantity']:+d}: {_cover(proof, paint)}")
        lines += [f"  {line}" for line in [*_borne_out(proof, paint), *_beside(proof)]]
        lines += [f"  degraded: {state}" for state in proof["degraded"]]
    return lines if answer["protection"] else [*lines, "no open positions"]


def _borne_out(proof: Row, paint: Paint) -> Iterator[str]:
    """How far the proof has got, the orders it is made of, and who said what of the position, and when."""
    known = proof["protection"]
    if not known:
        return
    naked = f", naked for {length(known['naked_for_s'])}" if known.get("naked_for_s") is not None else ""
    if known["stage"] != "not_needed":
        yield f"stage: {known['stage']}{naked}"
    yield from _headed(["covered by", "whose", "side", "at", "contracts", "seen by", "ago"], _orders_of(known), paint)
    yield from _headed(["of the position", "says", "is", "ago"], _facts_of(known), paint)


def _headed(titles: Sequence[str], rows: Sequence[Sequence[object]], paint: Paint) -> list[str]:
    if not rows:
        return []
    head, *body = table(titles, rows)
    return [paint.style(head, "dim"), *body]


def _orders_of(known: Row) -> list[list[object]]:
    return [
        [
            each["client_order_id"] or each["order_id"],
            "ours" if each["ours"] else "somebody else's",
            each["side"],
            each["trigger"],
            "all" if each["quantity"] is None else each["quantity"],
            each["seen_by"],
            _ago(each["seen_age_s"]),
        ]
        for each in known["proof"]
    ]


def _facts_of(known: Row) -> list[list[object]]:
    return [
        [name.replace("_", " "), who, said.get("quantity", said.get("price")), _ago(said["age_s"])]
        for name, witnesses in known["fields"].items()
        for who, said in witnesses.items()
        if said is not None
    ]


def _ago(age_s: float | None) -> str | None:
    return None if age_s is None else length(age_s)


def _beside(proof: Row) -> list[str]:
    """The stops that rest and are no part of the proof."""
    proved = {each["client_order_id"] for each in (proof["protection"] or {}).get("proof", ())}
    return [_stop(stop) for stop in proof["stops"] if stop["client_order_id"] not in proved]


def _cover(proof: Row, paint: Paint) -> str:
    if proof["covered_since"]:
        return paint.style(f"covered since {proof['covered_since']}", "green")
    if proof["cover"] == "nothing":
        return paint.style("needs no stop: no price in range liquidates it", "dim")
    return paint.style("NO CONFIRMED STOP", "alarm")


def _stop(stop: Row) -> str:
    whose = "ours" if stop["ours"] else "somebody else's"
    size = "the whole position" if stop["quantity"] is None else f"{stop['quantity']} contracts"
    return (
        f"rests, and proves nothing: stop at {stop['stop_price']} for {size}, {whose}: {plain(stop['client_order_id'])}"
    )


def _orders(answer: Row, paint: Paint) -> list[str]:
    rows = answer["orders"]
    if not rows:
        return [*_memory(answer), "no open orders"]
    titles = ["symbol", "whose", "side", "kind", "left", "price", "stop", "may add", "confirmed", "client order id"]
    cells = [
        [
            row["symbol"],
            row["whose"],
            row["side"],
            row["kind"],
            "all" if row["close"] else row["leaves_quantity"],
            row["price"],
            row["stop_price"],
            "yes" if row["may_add"] else "no",
            "yes" if row["is_confirmed"] else "no",
            row["client_order_id"],
        ]
        for row in rows
    ]
    head, *body = table(titles, cells)
    return [*_memory(answer), paint.style(head, "bold"), *body]


def _alerts(answer: Row, paint: Paint) -> list[str]:
    lines = [line for each in answer["alerts"] for line in _alert(each, paint)]
    lines += [_silence(each) for each in answer["silences"]]
    return [*(lines or ["nothing that people would have to know of holds"]), *_deliveries(answer["deliveries"])]


def _deliveries(figures: Row) -> Iterator[str]:
    """One line for all, one for each channel with what it does not do."""
    counts = [f"{name} {value}" for name, value in figures.items() if type(value) is int]
    unsaved = ["not saved: a restart would forget what waits"] if figures.get("saved") is False else []
    yield f"deliveries: {', '.join([*counts, *unsaved])}"
    for name, channel in figures.get("channels", {}).items():
        done = [
            f"{word.replace('_', ' ')} {value}"
            for word, value in channel.items()
            if type(value) is int and (value or word in _ALWAYS_SAID)
        ]
        trouble = f"; {length(channel['problem_ago_s'])} ago: {channel['problem']}" if channel.get("problem") else ""
        standing = " DOES NOT DELIVER," if channel["failing"] else ""
        yield plain(f"channel {name} ({channel['kind']}):{standing} {', '.join(done)}{trouble}")
    if problem := figures.get("heartbeat", {}).get("problem"):
        yield plain(f"the outside heartbeat is not heard: {problem}")


def _alert(each: Row, paint: Paint) -> Iterator[str]:
    level, key = str(each["level"]), each["key"]
    age = f" for {length(each['for_s'])}" if each.get("for_s") is not None else ""
    taken = f" (acknowledged by {plain(str(each['acknowledged_by']))})" if each.get("is_acknowledged") else ""
    text = plain(str(each.get("text") or each.get("title") or ""))
    yield f"{paint.style(level, 'yellow')}{age} {key}{taken}: {text}"


def _silence(each: Row) -> str:
    parts = ", ".join(f"{name} {each[name]}" for name in ("topic", "state", "symbol") if each.get(name))
    left = length(each["left_s"])
    return plain(
        f"silenced as {each['name']} by {each['who']} for {left} more: {parts or 'everything'}; {each['comment']}"
    )


_ALWAYS_SAID = frozenset({"waiting", "delivered"})
_LINES = {"positions": _positions, "protection": _protection, "orders": _orders, "alerts": _alerts}
