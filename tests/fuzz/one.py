"""Fuzzes one target: `python -m tests.fuzz.one TARGET CORPUS [libFuzzer options]`, in the environment of `run.py`.

Half of the inputs are mutated as libFuzzer pleases, the other half by `mutations.py`, which keeps frames JSON.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["connectors", "daemon", "config"]):
    from tests.fuzz import seeds, targets

import structlog

from tests.fuzz.mutations import mutated

LONGEST = 20_000


def custom_mutator(content: bytes, most: int, seed: int) -> bytes:
    """Mutate as one of the two ways does."""
    random = Random(seed)
    if random.random() < 0.5:
        return bytes(atheris.Mutate(content, most))
    return mutated(content, random)[:most]


def main() -> None:
    """Write the seeds into the corpus, then fuzz until the time is up."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    name, corpus = sys.argv[1], Path(sys.argv[2])
    recordings = Path(os.environ.get("SEAWALL_DATA") or seeds.ROOT.parent / "shared" / "data")
    begin = [*seeds.written(name), *seeds.regressions(name).values(), *seeds.recorded(name, recordings)]
    for number, seed in enumerate(begin):
        (corpus / f"seed-{number}").write_bytes(seed[:LONGEST])
    target = targets.TARGETS[name]
    atheris.Setup(
        [sys.argv[0], *sys.argv[2:]],
        target,
        custom_mutator=custom_mutator,
        internal_libfuzzer=True,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
