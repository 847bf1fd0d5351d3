"""Pictures as inline SVG: prices with stop and liquidation, the worth of both accounts, bars by rule.

Why inline: the page opens from a file, without a network and for years. Colours are the page's CSS classes, so light
and dark follow the reader's system.

Pure. Coordinates are pixels of a fixed view box; the page scales it. Prices are those of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from daemon.backtest.plan import SAT
from daemon.backtest.record import Bucket, Ending, Exit, LaneRecord
from daemon.backtest.words import clock_time, price_text

WIDTH, HEIGHT, LOW_HEIGHT = 920, 320, 180
SMALL_WIDTH = 340
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 16, 28
MOST_STEPS = 1_500
MOST_WIDENED = 0.75
"""A picture of prices grows by this part of their span, each way, to show levels that they never reached."""
LEAST_SPAN = 0.05
"""Of calm prices, as a share of the price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """From times and values to pixels."""

    start_ms: int
    end_ms: int
    low: float
    high: float
    height: int = HEIGHT
    width: int = WIDTH
    ticks: int = 4
    """Of the axis of time."""

    def x(self, at_ms: int) -> float:
        """Pixels from the left."""
        share = (at_ms - self.start_ms) / max(1, self.end_ms - self.start_ms)
        return LEFT + (self.width - LEFT - RIGHT) * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        share = (self.high - value) / ((self.high - self.low) or 1.0)
        return TOP + (self.height - TOP - BOTTOM) * min(max(share, 0.0), 1.0)


def price_picture(title: str, buckets: Sequence[Bucket], lane: LaneRecord, scale: float) -> str:
    """Return the picture of a lane: its marks, and where stop and liquidation stood."""
    lows, highs = min(one.low for one in buckets) / scale, max(one.high for one in buckets) / scale
    lows, highs = _with_levels(lows, highs, lane, scale)
    margin = (highs - lows) * 0.06 or highs * 0.01
    on = Scale(start_ms=buckets[0].at_ms, end_ms=buckets[-1].at_ms, low=lows - margin, high=highs + margin)
    parts = [
        *_grid(on, price_text),
        _range(buckets, scale, on),
        _steps("stop", ((one.at_ms, one.stop) for one in lane.levels), scale, on),
        _steps("liq", ((one.at_ms, one.liquidation) for one in lane.levels), scale, on),
        *_moments(lane, scale, on),
    ]
    return _svg(title, parts, on.height)


def _with_levels(low: float, high: float, lane: LaneRecord, scale: float) -> tuple[float, float]:
    """Widen a range of prices for stops and liquidations that stand near it; far ones would flatten the prices."""
    reach = max(high - low, high * LEAST_SPAN) * MOST_WIDENED
    levels = [value / scale for one in lane.levels for value in (one.stop, one.liquidation) if value is not None]
    near = [value for value in levels if low - reach <= value <= high + reach]
    return min([low, *near]), max([high, *near])


def equity_picture(title: str, lane: LaneRecord, *, beside: Sequence[LaneRecord] = (), is_small: bool = False) -> str:
    """Return the picture of what both accounts have won or lost, in XBT.

    Args:
        title: What it shows, for those who cannot see it.
        lane: Whose.
        beside: Others that it is compared with: all are drawn on one scale.
        is_small: For a row of several; its text is as large as that of a whole one.
    """
    points = lane.equity
    values = [value / SAT for one in (lane, *beside) for _, *both in one.equity for value in both] or [0.0]
    margin = (max(values) - min(values)) * 0.08 or 0.01
    on = Scale(
        start_ms=points[0][0],
        end_ms=points[-1][0],
        low=min(values) - margin,
        high=max(values) + margin,
        height=LOW_HEIGHT,
        width=SMALL_WIDTH if is_small else WIDTH,
        ticks=1 if is_small else 4,
    )
    guarded = [(at_ms, one / SAT) for at_ms, one, _ in points]
    unguarded = [(at_ms, one / SAT) for at_ms, _, one in points]
    lines = [_line("unguarded", unguarded, on), _line("guarded", guarded, on)]
    return _svg(title, [*_grid(on, lambda value: f"{value:+.2f}"), *lines], on.height, on.width)


def bars_picture(title: str, bars: Sequence[tuple[str, float, str]]) -> str:
    """Return horizontal bars: (name, value, what is written at its end), above and below zero."""
    widest = max((abs(value) for _, value, _ in bars), default=0.0) or 1.0
    middle, reach, row = 470.0, 250.0, 26
    parts = [f'<line class="grid" x1="{middle}" x2="{middle}" y1="4" y2="{row * len(bars) + 4}"/>']
    for place, (name, value, text) in enumerate(bars):
        length = reach * abs(value) / widest
        x, y = (middle if value >= 0 else middle - length), 8 + row * place
        css = "gain" if value >= 0 else "loss"
        parts += [
            f'<text class="label" x="10" y="{y + 13}">{escape(name)}</text>',
            f'<rect class="{css}" x="{x:.1f}" y="{y}" width="{max(length, 1):.1f}" height="16"/>',
            f'<text class="axis" x="{WIDTH - 10}" y="{y + 13}" text-anchor="end">{escape(text)}</text>',
        ]
    return _svg(title, parts, row * max(1, len(bars)) + 12)


def _svg(title: str, parts: Iterable[str], height: int, width: int = WIDTH) -> str:
    inside = "\n".join(part for part in parts if part)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">\n{inside}\n</svg>'


def _grid(on: Scale, text_of: Callable[[float], str]) -> list[str]:
    rows = []
    for step in range(5):
        value = on.low + (on.high - on.low) * step / 4
        y = on.y(value)
        rows.append(f'<line class="grid" x1="{LEFT}" x2="{on.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        rows.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text_of(value)}</text>')
    for step in range(on.ticks + 1):
        at_ms = on.start_ms + (on.end_ms - on.start_ms) * step // on.ticks
        anchor = {0: "start", on.ticks: "end"}.get(step, "middle")
        rows.append(
            f'<text class="axis" x="{on.x(at_ms):.1f}" y="{on.height - 8}" text-anchor="{anchor}">'
            f"{clock_time(at_ms)}</text>"
        )
    return rows


def _range(buckets: Sequence[Bucket], scale: float, on: Scale) -> str:
    """Draw the marks as a band from lowest to highest, so that no spike is lost."""
    up = [f"{on.x(one.at_ms):.1f},{on.y(one.high / scale):.1f}" for one in buckets]
    down = [f"{on.x(one.at_ms):.1f},{on.y(one.low / scale):.1f}" for one in reversed(buckets)]
    middle = " ".join(f"{on.x(one.at_ms):.1f},{on.y(one.last / scale):.1f}" for one in buckets)
    return f'<polygon class="range" points="{" ".join(up + down)}"/><polyline class="mark" points="{middle}"/>'


def _line(css: str, points: Sequence[tuple[int, float]], on: Scale) -> str:
    path = " ".join(f"{on.x(at_ms):.1f},{on.y(value):.1f}" for at_ms, value in points)
    return f'<polyline class="{css}" points="{path}"/>'


def _steps(css: str, levels: Iterable[tuple[int, float | None]], scale: float, on: Scale) -> str:
    """Draw a level as it stood, with gaps where there was none."""
    found = list(levels)
    stride = -(-len(found) // MOST_STEPS) or 1
    parts: list[str] = []
    for place in range(0, len(found), stride):
        at_ms, value = found[place]
        ends = found[place + stride][0] if place + stride < len(found) else on.end_ms
        if value is not None and on.low <= value / scale <= on.high:
            y = on.y(value / scale)
            parts.append(f"M{on.x(at_ms):.1f} {y:.1f}H{on.x(ends):.1f}")
    return f'<path class="{css}" d="{"".join(parts)}"/>' if parts else ""


def _moments(lane: LaneRecord, scale: float, on: Scale) -> list[str]:
    drawn = []
    for one in lane.rounds:
        drawn.append(_dot("entry", "both enter", one.opened_ms, one.guarded.entry_price / scale, on))
        for name, taken in (("unguarded", one.unguarded.exit), ("guarded", one.guarded.exit)):
            if taken is not None:
                drawn.append(_dot(_css(taken), _label(name, taken), taken.at_ms, taken.price / scale, on))
    return drawn


def _css(taken: Exit) -> str:
    return {Ending.LIQUIDATED: "taken", Ending.CLOSED: "closed"}.get(taken.ending, "saved")


def _label(name: str, taken: Exit) -> str:
    by = f" by {taken.rule}" if taken.rule else ""
    return f"{name}: {taken.ending.value.replace('_', ' ')}{by}"


def _dot(css: str, label: str, at_ms: int, price: float, on: Scale) -> str:
    return (
        f'<circle class="{css}" cx="{on.x(at_ms):.1f}" cy="{on.y(price):.1f}" r="4">'
        f"<title>{escape(label)} at {price_text(price)} · {clock_time(at_ms)}</title></circle>"
    )
