"""Names of the latches that people and the ladder set: what `seawall lift` is told.

Pure: no input or output.
"""

from __future__ import annotations

from typing import Final

OPERATOR: Final = "operator"
"""Name of the freeze that a person asked for."""
OPERATOR_FLATTEN: Final = "operator-flatten"
LADDER: Final = "ladder"
LADDER_FLATTEN: Final = "ladder-flatten"
