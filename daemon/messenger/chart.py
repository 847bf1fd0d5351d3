"""A chart as PNG: mark price, stop and liquidation price over time, and what was done. The only module that draws.

Units: prices as floats, seconds since 1970 UTC.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from daemon.messenger.wire import Chart

WIDTH: Final = 900
HEIGHT: Final = 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 150, 50, 70
_BACKGROUND, _INK, _FAINT = (250, 250, 247), (40, 44, 52), (214, 214, 208)
_COLOURS: Final = {"mark": (31, 97, 141), "stop": (211, 132, 0), "liquidation": (176, 32, 32), "entry": (110, 110, 110)}
_MOST_MARKS = 6
_LONGEST_MARK = 70

Point = tuple[float, float]


def draw(chart: Chart) -> bytes:
    """Return the picture.

    Raises:
        ValueError: If nothing is known that could be drawn.
    """
    plot = _Plot(chart)
    image = Image.new("RGB", (WIDTH, HEIGHT), _BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((_LEFT, 14), chart.title, fill=_INK, font=_font(18))
    plot.draw_frame(pen)
    plot.draw_tracks(pen)
    plot.draw_marks(pen)
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    return content.getvalue()


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


class _Plot:
    """Prices and times to places."""

    def __init__(self, chart: Chart) -> None:
        prices = [price for track in chart.tracks for price in track.prices if price is not None]
        if not prices or not chart.times_s:
            raise ValueError("no price is known")
        self._chart = chart
        room = (max(prices) - min(prices)) * 0.06 or abs(max(prices)) * 0.001 or 1.0
        self._low, self._high = min(prices) - room, max(prices) + room
        self._begun_s = chart.times_s[0]
        self._span_s = max(1.0, chart.times_s[-1] - self._begun_s)

    def _x(self, at_s: float) -> float:
        share = min(1.0, max(0.0, (at_s - self._begun_s) / self._span_s))
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def _y(self, price: float) -> float:
        return _TOP + (self._high - price) / (self._high - self._low) * (HEIGHT - _TOP - _BOTTOM)

    def draw_frame(self, pen: ImageDraw.ImageDraw) -> None:
        """Faint lines with prices, and the first and the last time."""
        right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        for part in range(5):
            y = _TOP + part * (bottom - _TOP) / 4
            pen.line([(_LEFT, y), (right, y)], fill=_FAINT)
        pen.text((_LEFT, bottom + 4), _clock(self._begun_s), fill=_INK, font=_font(12))
        pen.text((right, bottom + 4), f"{_clock(self._chart.times_s[-1])} UTC", fill=_INK, font=_font(12), anchor="ra")

    def draw_tracks(self, pen: ImageDraw.ImageDraw) -> None:
        """Each track, and its name and last price at the right, one below the other where they would overlap."""
        ends: list[tuple[float, str, tuple[int, int, int]]] = []
        for track in self._chart.tracks:
            colour = _COLOURS.get(track.name, _INK)
            for run in _runs(zip(self._chart.times_s, track.prices, strict=True)):
                places = [(self._x(at_s), self._y(price)) for at_s, price in run]
                pen.line(
                    places if len(places) > 1 else [*places, (places[0][0] + 4, places[0][1])], fill=colour, width=2
                )
            last = next((price for price in reversed(track.prices) if price is not None), None)
            if last is not None:
                ends.append((self._y(last) - 8, f"{track.name} {last:,.8g}", colour))
        lowest = 0.0
        for y, words, colour in sorted(ends):
            lowest = max(y, lowest)
            pen.text((WIDTH - _RIGHT + 8, lowest), words, fill=colour, font=_font(14))
            lowest += 17

    def draw_marks(self, pen: ImageDraw.ImageDraw) -> None:
        """What was done, the newest: a line at its time, the words below."""
        for number, mark in enumerate(self._chart.marks[-_MOST_MARKS:], 1):
            x, top = self._x(mark.at_s), _TOP
            pen.line([(x, top), (x, HEIGHT - _BOTTOM)], fill=_FAINT, width=1)
            pen.text((x, top - 14), str(number), fill=_INK, font=_font(12), anchor="ma")
            column, row = divmod(number - 1, 3)
            words = f"{number}  {_clock(mark.at_s)}  {mark.text[:_LONGEST_MARK]}"
            pen.text((_LEFT + column * 440, HEIGHT - 48 + row * 15), words, fill=_INK, font=_font(12))


def _runs(points: Iterable[tuple[float, float | None]]) -> Iterator[list[Point]]:
    """The unbroken parts of a track."""
    run: list[Point] = []
    for at_s, price in points:
        if price is not None:
            run.append((at_s, price))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _clock(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%H:%M:%S")
