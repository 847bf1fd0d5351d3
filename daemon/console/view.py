"""The live view of a guard as lines: what it is, what holds, and how near each position is to its end.

    long 1000 XBTUSD   mark 60000.0   liquidation 55000.0   tier calm
      room  8.33 %  ████████┃███████████░░░░░░░░░░░░░░░░░  stop 57000 (2 resting)

The bar is the way from liquidation (left) to the mark, twenty percent at full length; the stroke in it is the stop.

Pure: a status in, lines out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from daemon.console.paint import Paint, plain

FULL_PERCENT: Final = 20.0
_COLOUR_OF_TIER: Final = {"calm": "green", "watch": "cyan", "warn": "yellow", "critical": "red", "emergency": "alarm"}
_MOST_ALERTS: Final = 3
_LEAST_BAR: Final = 10
_MOST_BAR: Final = 60

Status = Mapping[str, Any]


def lines_of(
    status: Status, paint: Paint, *, width: int, problem: str = "", alerts: tuple[Status, ...] = ()
) -> list[str]:
    """Return the whole view, the gravest first.

    Args:
        status: As `GET /v1/state` answers it; empty: nothing was heard yet.
        paint: What the terminal can show.
        width: Its columns.
        problem: Why the guard does not answer now; then the status is a memory.
        alerts: What `GET /v1/alerts` lists, the newest first.
    """
    lines = []
    if problem:
        lines.append(paint.style(f" NO ANSWER: {plain(problem)} ", "alarm"))
        lines.append(
            paint.style("what follows is the last that was known" if status else "nothing was heard yet", "dim")
        )
    if not status:
        return lines
    lines += [_first(status, paint), *_held(status, paint), *_alerts(alerts, paint), *_streams(status, paint, width)]
    if "positions" not in status:
        return [*lines, paint.style("nothing is known of the account yet, and nothing is guarded", "yellow")]
    lines += ["", _summary(status["positions"], paint)]
    lines += [
        line for position in sorted(status["positions"], key=_urgency) for line in _position(position, paint, width)
    ]
    return [*lines, *_others(status), *_bots(status, paint)]


def _is_bare(position: Status) -> bool:
    return position["covered_since"] is None and position["cover"] != "nothing"


def _urgency(position: Status) -> tuple[bool, float, str]:
    """Without a stop first, then what is nearest to its liquidation: a small window shows the beginning."""
    room = position["room_percent"]
    return not _is_bare(position), float("-inf") if room is None else float(room), str(position["symbol"])


def _summary(positions: Sequence[Status], paint: Paint) -> str:
    bare = sum(1 for each in positions if _is_bare(each))
    if not positions:
        return "no open positions"
    words = f"{len(positions)} open position{'s' if len(positions) > 1 else ''}"
    return f"{words}, {paint.style(f' {bare} WITHOUT A CONFIRMED STOP ', 'alarm')}" if bare else words


def _first(status: Status, paint: Paint) -> str:
    mode = str(status["mode"])
    style = "green" if mode == "guarding" and not status.get("pause") else "warning"
    account = f" account {status['account']}" if "account" in status else ""
    observing = paint.style(" OBSERVING: sends nothing", "yellow") if status.get("observe") else ""
    tail = f" on {status['venue']}, up {length(float(status['uptime_s']))}, version {status['version']}"
    return paint.style(f" {mode.upper()} ", "bold", style) + account + observing + paint.style(tail, "dim")


def _held(status: Status, paint: Paint) -> Iterator[str]:
    pause = status.get("pause")
    if pause:
        what = "PAUSED" if pause["kind"] == "pause" else "IN SHADOW"
        yield paint.style(f" {what} by {plain(pause['who'])} for {length(pause['left_s'])} more ", "warning")
    for latch in status.get("latches", []):
        scope = ", ".join(latch["symbols"]) or "the account"
        yield (
            paint.style(f" {latch['kind'].upper()} {latch['name']} ", "warning") + f" {scope}: {plain(latch['cause'])}"
        )
    for each in status.get("degraded", []):
        yield paint.style(f"degraded: {each['state']}", "yellow") + f" for {length(each['for_s'])}"


def _streams(status: Status, paint: Paint, width: int) -> Iterator[str]:
    words = []
    for name, feed in status.get("feeds", {}).items():
        style, what = ("green", "live") if feed["live"] else ("red", f"LOST ({feed.get('reason', '')})")
        words.append(f"{name} {paint.style(what, style)} {feed['age_s']:.1f} s")
    switch = status.get("switch")
    if switch:
        left = f", fires in {switch['expires_in_s']:.0f} s" if "expires_in_s" in switch else ""
        words.append(f"switch {paint.style(switch['state'], 'cyan')} ({switch['mode']}){left}")
    yield "   ".join(words)
    budget = status.get("budget")
    if budget and budget["capacity"]:
        part = budget["tokens"] / budget["capacity"]
        style = "green" if budget["tokens"] > budget["reserve"] else "red"
        bar = paint.bar(part, min(20, max(_LEAST_BAR, width // 4)), style)
        yield f"requests left {bar} {budget['tokens']:.0f} of {budget['capacity']:.0f}, reserve {budget['reserve']:.0f}"


def _position(position: Status, paint: Paint, width: int) -> Iterator[str]:
    tier = str(position["tier"])
    colour = _COLOUR_OF_TIER.get(tier, "yellow")
    name = paint.style(f"{position['side'] or ''} {position['quantity']:+d} {position['symbol']}", "bold")
    mark, line = position["mark_price"] or "unknown", position["liquidation_price"] or position["liquidation"]
    yield f"{name}   mark {mark}   liquidation {line}   tier {paint.style(tier, colour)}"
    yield f"  {_room(position, paint, colour, width)}  {_stop(position, paint)}"
    for state in position["degraded"]:
        yield paint.style(f"  degraded: {state}", "yellow")


def _room(position: Status, paint: Paint, colour: str, width: int) -> str:
    if position["room_percent"] is None:
        return "room unknown"
    room = float(position["room_percent"])
    columns = max(_LEAST_BAR, min(_MOST_BAR, width - 60))
    full = round(max(0.0, min(1.0, room / FULL_PERCENT)) * columns)
    solid, empty, stroke = ("#", ".", "|") if paint.is_plain_text else ("█", "░", "┃")
    cells = [solid] * full + [empty] * (columns - full)
    at = _stop_column(position, room, columns)
    before, after = "".join(cells[:at]), "".join(cells[at + 1 :])
    bar = _two(paint, before, full, colour)
    if at < columns:
        bar += paint.style(stroke, "bold") + _two(paint, after, full - at - 1, colour)
    return f"room {room:6.2f} % {bar}"


def _two(paint: Paint, cells: str, full: int, colour: str) -> str:
    full = max(0, full)
    return paint.style(cells[:full], colour) + paint.style(cells[full:], "dim")


def _stop_column(position: Status, room: float, columns: int) -> int:
    """Where on the bar the stop stands; beyond its end where there is none."""
    mark, line, stop = (_number(position[name]) for name in ("mark_price", "liquidation_price", "stop_trigger"))
    if None in {mark, line, stop} or mark == line or not position["stops"]:
        return columns
    part = (stop - line) / (mark - line)  # type: ignore[operator]  # none of them is None
    return max(0, min(columns - 1, round(part * min(room, FULL_PERCENT) / FULL_PERCENT * columns)))


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _stop(position: Status, paint: Paint) -> str:
    resting = len(position["stops"])
    if position["covered_since"] is not None:
        return paint.style(f"stop {position['stop_trigger'] or 'of another'}", "green") + f" ({resting} resting)"
    if position["cover"] == "nothing":
        return paint.style("needs no stop", "dim")
    wanted = f", wanted at {position['ruled']}" if position.get("ruled") else ""
    return paint.style(f" NO CONFIRMED STOP{wanted} ", "alarm")


def _others(status: Status) -> Iterator[str]:
    for symbol, kinds in status.get("others", {}).items():
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in kinds.items() if count)
        yield f"others' orders in {symbol}: {words}"


def _bots(status: Status, paint: Paint) -> Iterator[str]:
    for bot in status.get("bots", []):
        style = {"alive": "green", "silent": "alarm"}.get(bot["standing"], "dim")
        heard = f", heard {length(bot['heard_ago_s'])} ago" if bot.get("heard_ago_s") is not None else ""
        yield f"bot {bot['bot']} {paint.style(bot['standing'], style)}{heard}"


def _alerts(alerts: tuple[Status, ...], paint: Paint) -> Iterator[str]:
    for each in alerts[:_MOST_ALERTS]:
        level = str(each.get("level") or each.get("severity") or "")
        style = _COLOUR_OF_TIER.get(level, "yellow")
        yield (
            paint.style(f"[{level or 'alert'}]", style) + f" {plain(str(each.get('text') or each.get('title') or ''))}"
        )


def length(duration_s: float) -> str:
    """Return a length for people.

    Example:
        >>> [length(each) for each in (0.4, 75, 3_700, 200_000)]
        ['0 s', '1 min 15 s', '1 h 1 min', '2 d 7 h']
    """
    seconds = int(max(0.0, duration_s))
    for large, small, size, unit in (("d", "h", 86_400, 3_600), ("h", "min", 3_600, 60), ("min", "s", 60, 1)):
        if seconds >= size:
            return f"{seconds // size} {large} {seconds % size // unit} {small}"
    return f"{seconds} s"
