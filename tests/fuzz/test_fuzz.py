"""The parsers under mutation, without the fuzzer: what once broke one, every seed, and a share of mutations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import structlog

from tests.fuzz import seeds
from tests.fuzz.mutations import mutated
from tests.fuzz.run import _targets
from tests.fuzz.targets import TARGETS

_MUTATIONS = {"account_stream": 60, "market_stream": 60, "settings_file": 60}
"""Inputs of each target in a run of the suite; the others get this many."""
_OTHERS = 300
FRESH = int(os.environ["FUZZ_START"])
"""Drawn anew in each run of the suite, and part of the test's name; FUZZ_START repeats one."""
REGRESSIONS = [(target, name) for target in TARGETS for name in seeds.regressions(target)]


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize(("target", "name"), REGRESSIONS, ids=str)
def test_what_once_broke_a_parser_does_so_no_more(target: str, name: str) -> None:
    """P12: every input that ended a task once is taken now."""
    TARGETS[target](seeds.regressions(target)[name])


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_taken(target: str) -> None:
    """The inputs that a fuzzer starts from are no finding themselves."""
    for content in seeds.written(target):
        TARGETS[target](content)


@pytest.mark.parametrize("target", ["account_stream", "market_stream", "mark_scanner"])
def test_recorded_frames_are_taken(target: str, real_data: Path) -> None:
    """Frames of the real venue, of a foreign account and of symbols that nobody holds, go all the way to the core."""
    for content in seeds.recorded(target, real_data)[:60]:
        TARGETS[target](content)


@pytest.mark.parametrize("start", [1, FRESH])
@pytest.mark.parametrize("target", TARGETS)
def test_no_mutation_ends_a_task(target: str, start: int) -> None:
    """P12: nearly right frames, answers, files and requests: each is taken, or named unreadable."""
    known = [*seeds.written(target), *seeds.regressions(target).values()]
    for number in range(_MUTATIONS.get(target, _OTHERS)):
        random = Random(f"{target} {start} {number}")
        content = mutated(random.choice(known), random)
        try:
            TARGETS[target](content)
        except BaseException as error:
            raise AssertionError(f"{target} broke on {content[:2000]!r}") from error


def test_the_fuzzer_finds_every_target() -> None:
    """`make fuzz` reads the names as text."""
    assert _targets() == list(TARGETS)
