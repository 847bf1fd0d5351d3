"""Which liquidation price may be acted on at the market: one that a second source bears out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.vocabulary import Side
from daemon.core.memory.second_opinion import Chosen, Figure, choose, nearest_sure

D = Decimal


def a_figure(price: str, source: str, **changes: bool) -> Figure:
    """A candidate of some source."""
    return Figure(price=D(price), source=source, **changes)


CASES = [
    # alone: nobody bears it out
    ([a_figure("990", "query")], None),
    # the other channel says the same, or nearly, or nearer
    ([a_figure("990", "query"), a_figure("985", "stream", is_candidate=False)], D(990)),
    ([a_figure("990", "query"), a_figure("995", "stream", is_candidate=False)], D(990)),
    # it says something else
    ([a_figure("990", "query"), a_figure("900", "stream", is_candidate=False)], None),
    # ours bears it out, and it bears ours out
    ([a_figure("990", "query"), a_figure("985", "own")], D(990)),
    # ours is far: ours stands if real rows confirm its kind, and does not if they do not
    ([a_figure("990", "query"), a_figure("900", "own", stands_alone=True)], D(900)),
    ([a_figure("900", "query"), a_figure("990", "own")], D(900)),
    # two figures of one source are one
    ([a_figure("990", "own"), a_figure("985", "own")], None),
]


@pytest.mark.parametrize(("figures", "sure"), CASES)
def test_a_figure_needs_a_second_source_or_real_rows(figures: list[Figure], sure: Decimal | None) -> None:
    """For a long, and mirrored for a short."""
    assert nearest_sure(figures, Side.LONG) == sure
    mirrored = [
        Figure(price=2000 - f.price, source=f.source, stands_alone=f.stands_alone, is_candidate=f.is_candidate)
        for f in figures
    ]
    assert nearest_sure(mirrored, Side.SHORT) == (None if sure is None else 2000 - sure)


LONE = [a_figure("990", "query"), a_figure("900", "own", stands_alone=True)]


@pytest.mark.parametrize(
    ("figures", "has_room", "chosen"),
    [
        (LONE, True, Chosen(price=D(990), is_sure=False)),
        (LONE, False, Chosen(price=D(900), is_sure=True)),
        (LONE[:1], False, Chosen(price=D(990), is_sure=False)),
        ([*LONE, a_figure("989", "stream", is_candidate=False)], False, Chosen(price=D(990), is_sure=True)),
    ],
)
def test_a_lone_figure_counts_while_a_stop_fits_in_front_of_it(
    figures: list[Figure], has_room: bool, chosen: Chosen
) -> None:
    """With room the stop goes there; without, the price that is borne out counts, if there is one."""
    assert choose(D(990), figures, Side.LONG, has_room=has_room) == chosen
