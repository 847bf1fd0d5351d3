"""A seed is one run: whoever plays it, wherever, sees the same events and decisions; so is a part of its agenda."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.simulation import agenda
from tests.simulation.agenda import Item, agenda_of
from tests.simulation.plans import Plan, plan_of
from tests.simulation.scene import Scene
from tests.simulation.shrink import attempt, shrink, smallest
from tests.simulation.troubles.bots import BOT_ACTS
from tests.simulation.troubles.trouble import Trouble
from tests.simulation.world import World, play, to_the_end

REPOSITORY = Path(__file__).resolve().parents[2]
_PLAY = """
from dataclasses import replace
from hashlib import sha256
from tests.simulation.plans import plan_of
from tests.simulation.world import play, to_the_end
journals = []
async def script(world):
    await to_the_end(world)
    journals.extend(guard.disk.segments() for guard in world.guards)
plan = replace(plan_of(5, minutes=1.0), guards=2, troubles=3)
report = play(replace(plan, only=ONLY), script)
print(sha256(repr((journals, report.log, report.hits, report.density)).encode()).hexdigest())
"""


def _played(hash_seed: str, only: frozenset[int] | None) -> str:
    """Play one world in a process with its own order of sets of strings; return the digest of all that happened."""
    run = subprocess.run(
        [sys.executable, "-c", _PLAY.replace("ONLY", repr(only))],
        cwd=REPOSITORY,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return run.stdout.strip()


@pytest.mark.parametrize("only", [None, frozenset(range(1, 30, 2))], ids=["whole", "every other item"])
def test_a_seed_is_one_run_in_every_process(only: frozenset[int] | None) -> None:
    """P9: hash order, addresses and the machine's clock reach no decision; the journals are the same bytes."""
    assert _played("1", only) == _played("2", only)


def test_an_agenda_is_a_function_of_its_seed() -> None:
    """The same seed gives the same items; another one gives others; numbers are in order of time."""
    items = agenda_of(7, plan_of(7))
    assert items == agenda_of(7, plan_of(7)) != agenda_of(8, plan_of(7))
    assert [item.number for item in items] == list(range(1, len(items) + 1))
    assert [item.at_s for item in items] == sorted(item.at_s for item in items)


def test_what_is_left_out_changes_nothing_of_the_randomness_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item draws the same whether or not the others are there, and so do prices."""
    drawn: dict[float, float] = {}

    async def draw(scene: Scene, guard: object, random: Random) -> None:
        drawn[scene.loop.time()] = random.random()

    monkeypatch.setitem(agenda.TROUBLES, "draws", Trouble(name="draws", listed="", cast=draw))
    whole = Plan(
        seed=3, minutes=1.0, items=tuple(Item(number, 5.0 * number, "draws", 0, 70 + number) for number in range(1, 9))
    )

    def lived(plan: Plan) -> tuple[dict[float, float], list[object]]:
        prices: list[object] = []

        async def script(world: World) -> None:
            await to_the_end(world)
            prices.extend(world.prices.mark(symbol) for symbol in ("XBTUSD", "ETHUSD"))

        drawn.clear()
        play(plan, script)
        return dict(drawn), prices

    everything, prices = lived(whole)
    some, prices_of_some = lived(replace(whole, only=frozenset({2, 5})))
    assert len(everything) == 8
    assert some.items() <= everything.items()
    assert len(some) == 2
    assert prices == prices_of_some


def test_the_smallest_failure_is_found() -> None:
    """Delta debugging: of forty items, two that only fail together are left."""
    tried: list[int] = []

    def fails(numbers: object) -> bool:
        tried.append(1)
        return {7, 31} <= set(numbers)  # type: ignore[call-overload]

    assert smallest(range(1, 41), fails) == [7, 31]
    assert len(tried) < 80
    assert smallest([1, 2, 3], lambda _: True) == []


@pytest.mark.timeout(120)
def test_a_failure_is_made_small_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world in which one kind of trouble breaks a promise comes down to one item, with what led to it."""

    async def break_it(scene: Scene, guard: object, random: Random) -> None:
        scene.promises.broken("P5", "as told")

    monkeypatch.setitem(agenda.TROUBLES, "breaks", Trouble(name="breaks", listed="", cast=break_it))
    acts = tuple(Item(number, 4.0 * number, BOT_ACTS, 0, number) for number in range(1, 6))
    failed = attempt(Plan(seed=3, minutes=0.5, items=(*acts, Item(6, 20.5, "breaks", 0, 1))))
    assert failed.promises == {"P5"}
    assert any("bot acts" in line for line in failed.report.before_failure)
    small = shrink(failed)
    assert [item.number for item in small.report.agenda] == [6]
    assert small.first == "P5 at 20.500 s: as told"
