"""The ways in which the guard is broken on purpose.

Each stands for a mistake that somebody could make, or has made in software of this kind. Add one for each bug that was
found the hard way, and for each rule whose loss would cost somebody a position.
"""

from __future__ import annotations

from typing import Final

from tests.mutants.machinery import MUTANTS_OF_MACHINERY
from tests.mutants.mutant import Mutant
from tests.mutants.orders import MUTANTS_OF_ORDERS
from tests.mutants.people import MUTANTS_OF_PEOPLE
from tests.mutants.settings import MUTANTS_OF_SETTINGS

MUTANTS: Final[tuple[Mutant, ...]] = (
    *MUTANTS_OF_ORDERS,
    *MUTANTS_OF_MACHINERY,
    *MUTANTS_OF_PEOPLE,
    *MUTANTS_OF_SETTINGS,
)
