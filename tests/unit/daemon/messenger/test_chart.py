"""The picture in a message: a PNG of bounded size, whatever the figures are."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from daemon.messenger.chart import HEIGHT, WIDTH, draw
from daemon.messenger.wire import Chart, Mark, Track
from daemon.shell.alerts.trial import sample_chart

prices = st.one_of(st.none(), st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))


def seen(content: bytes) -> Image.Image:
    """Open the picture."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def test_price_stop_and_liquidation_are_drawn_in_their_colours() -> None:
    """Each track has a colour of its own, which the picture holds."""
    image = seen(draw(sample_chart(1_795_390_205 * 10**9)))
    assert (image.format, image.size) == ("PNG", (WIDTH, HEIGHT))
    colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or []}
    assert {(31, 97, 141), (211, 132, 0), (176, 32, 32)} <= colours


def test_nothing_known_is_nothing_drawn() -> None:
    """No price at all: said, not drawn."""
    with pytest.raises(ValueError, match="no price"):
        draw(Chart(title="x", times_s=(1.0,), tracks=(Track(name="mark", prices=(None,)),)))


@settings(max_examples=15, deadline=None)
@given(
    columns=st.lists(st.tuples(prices, prices), min_size=1, max_size=12),
    title=st.text(max_size=60),
    texts=st.lists(st.text(max_size=90), max_size=9),
)
def test_whatever_the_figures_a_picture_or_a_plain_refusal(
    columns: list[tuple[float | None, float | None]], title: str, texts: list[str]
) -> None:
    """Gaps, one point, equal prices, enormous ones, signs of every alphabet: never another error."""
    times_s = tuple(float(number) for number in range(len(columns)))
    mark, stop = zip(*columns, strict=True)
    chart = Chart(
        title=title,
        times_s=times_s,
        tracks=(Track(name="mark", prices=mark), Track(name="stop", prices=stop)),
        marks=tuple(Mark(at_s=float(number), text=text) for number, text in enumerate(texts)),
    )
    try:
        assert seen(draw(chart)).size == (WIDTH, HEIGHT)
    except ValueError as error:
        assert "no price" in str(error)  # noqa: PT017 - either a picture or this
