"""What will be played, known before anything is started: so a bad choice of tape is found at once.

The exchange builds the same tape from the same options; only its title, its two ends and its length are needed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.simulated.tape.candles import CandleFileError
from connectors.simulated.tape.source import TapeChoiceError, tape_of_file, tape_of_scenario
from connectors.simulated.tape.tape import Tape
from daemon.demo.options import DemoOptions
from daemon.demo.words import iso_time
from daemon.exit_codes import CommandFailed, ExitCode

LOWEST_PRICE: Final = Decimal(100)
HIGHEST_PRICE: Final = Decimal(300_000)
"""What the positions of `plan.py` fit: the venue limits the size and the price of an order with XBTUSD in mind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Programme:
    """One tape in outline."""

    title: str
    start_ms: int
    end_ms: int
    real_s: float
    """About how long it will play."""

    def progress(self, tape_ms: int) -> float:
        """How much of the tape is over, 0 to 1."""
        return min(1.0, max(0.0, (tape_ms - self.start_ms) / (self.end_ms - self.start_ms)))


def programme_of(options: DemoOptions) -> Programme:
    """Return what the options ask to be played.

    Raises:
        CommandFailed: If they name no tape that ends, in one line.
    """
    try:
        tape = _tape(options)
    except (CandleFileError, TapeChoiceError) as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    _require_bitcoin(tape)
    end_ms, real_ms = tape.end_ms, tape.real_total_ms
    if end_ms is None or real_ms is None:
        raise CommandFailed(f"{tape.reel.title} never ends, so a demo of it would not either", ExitCode.BAD_INPUT)
    start_ms = tape.reel.start_ms
    title = tape.reel.title if options.candles is None else f"{options.candles.name} from {iso_time(start_ms)[:10]}"
    return Programme(title=f"{title}, seed {options.seed}", start_ms=start_ms, end_ms=end_ms, real_s=real_ms / 1000)


def _require_bitcoin(tape: Tape) -> None:
    """Refuse a file whose prices cannot be XBTUSD's, before the exchange refuses the orders."""
    price = tape.reel.first_price
    if not LOWEST_PRICE <= price <= HIGHEST_PRICE:
        raise CommandFailed(
            f"{tape.reel.title}: begins at a price of {price.normalize():f}; the demo trades XBTUSD and needs prices "
            f"from {LOWEST_PRICE} to {HIGHEST_PRICE:,}",
            ExitCode.BAD_INPUT,
        )


def _tape(options: DemoOptions) -> Tape:
    if options.candles is None:
        return tape_of_scenario(options.scenario, seed=options.seed, speed=options.speed)
    return tape_of_file(
        options.candles,
        seed=options.seed,
        since=options.since,
        until=options.until,
        speed=options.speed,
        pick_day=True,
    )
