"""`seawall exchange scenarios`: what `--scenario` takes besides a file of one's own."""

from __future__ import annotations

import sys

from connectors.simulated.tape.scenario_file import EXAMPLES, examples
from connectors.simulated.tape.scenarios import Scenario
from daemon.exit_codes import ExitCode


def write_scenarios() -> int:
    """List the built-in histories and the shipped scenario files."""
    lines = [f"{one.value:<14} built in" for one in Scenario]
    lines += [f"{name:<14} {title}" for name, title in examples().items()]
    sys.stdout.write("\n".join([*lines, f"files: {EXAMPLES}"]) + "\n")
    return ExitCode.OK
