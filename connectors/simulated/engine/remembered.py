"""Fields that are no state: what was worked out once and is kept to save the time.

Why: a snapshot carries state only, so that the same state is the same bytes whatever was asked of
it before. A field made by `remembered` is left out and starts empty after a load.
"""

from __future__ import annotations

from dataclasses import Field, field
from typing import Any

_MARK = "remembered"


def remembered(*, is_copied: bool = True) -> Any:  # noqa: ANN401 - a dataclass field has the type of what it will hold
    """Return a dataclass field, None at first, for what can be worked out again; None in copies unless `is_copied`."""
    return field(default=None, init=is_copied, compare=False, repr=False, metadata={_MARK: True})


def is_remembered(one: Field[Any]) -> bool:
    """Return whether a dataclass field was made by `remembered`."""
    return bool(one.metadata.get(_MARK))
