"""A seed is one run: whoever plays it, wherever, sees the same events and the same decisions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_PLAY = """
from hashlib import sha256
from tests.simulation.world import Plan, World, play, to_the_end
journals = []
async def script(world):
    await to_the_end(world)
    journals.extend(guard.disk.segments() for guard in world.guards)
play(Plan(seed=5, minutes=1.0, guards=2, troubles=2), script)
print(sha256(repr(journals).encode()).hexdigest())
"""


def _played(hash_seed: str) -> str:
    """Play one world in a process with its own order of sets of strings; return the digest of all journals."""
    run = subprocess.run(
        [sys.executable, "-c", _PLAY],
        cwd=REPOSITORY,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return run.stdout.strip()


def test_a_seed_is_one_run_in_every_process() -> None:
    """P9: hash order, addresses and the machine's clock reach no decision; the journals are the same bytes."""
    assert _played("1") == _played("2")
