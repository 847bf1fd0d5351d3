from __future__ import annotations

from connectors.simulated.tape.noise import derive, unit


def test_noise_is_spread_evenly() -> None:
    """Ten thousand places fill the ten tenths of the unit about equally."""
    tenths = [0] * 10
    for place in range(10_000):
        tenths[int(unit(derive(7, 1), place) * 10)] += 1
    assert all(900 < amount < 1_100 for amount in tenths)


def test_noise_is_the_same_for_ever() -> None:
    """Recorded values: a journal of today must replay with the code of tomorrow."""
    assert derive(1, 2, 3) == 14646323586256005469
    assert unit(1, 2) == 0.9710027535867963


def test_places_do_not_share_noise() -> None:
    """Seeds and places next to each other give unrelated values."""
    values = {derive(seed, a, b) for seed in range(10) for a in range(10) for b in range(10)}
    assert len(values) == 1_000
