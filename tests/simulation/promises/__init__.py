"""The promises of docs/promises.md, by number, checked against what happens at the exchange.

Why: a promise that only its keeper checks is worth little. Nothing here uses the guard's own reasoning: orders and
positions are read off the exchange, the line and the clock off the simulated world, and of the guard only its events
and commands are seen. Each promise is a module of its own and counts how often it was put to the test; `joint.Promises`
holds them together.
"""

from tests.simulation.promises.book import OURS
from tests.simulation.promises.ground import WHOLE_AGAIN_S, Violation
from tests.simulation.promises.joint import Promises
from tests.simulation.promises.p04_one_stop_per_position import TOO_MUCH_S
from tests.simulation.promises.p08_protection_comes_first import StormError

__all__ = ["OURS", "TOO_MUCH_S", "WHOLE_AGAIN_S", "Promises", "StormError", "Violation"]
