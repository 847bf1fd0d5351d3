"""Tests for copies of large frozen values."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import msgspec
import pytest

from config.policy import Policy
from daemon.core.altered import altered
from daemon.core.mode import Mode
from daemon.core.state import Guarded, initial_state
from tests.builders import a_position


def test_a_copy_is_what_replace_makes() -> None:
    """The named fields change, all others stay, and the value copied is untouched."""
    before = initial_state(7, Policy())
    after = altered(before, now_ns=5, mode=Mode.BLIND)
    assert after == replace(before, now_ns=5, mode=Mode.BLIND)
    assert before == initial_state(7, Policy())


def test_a_copy_is_frozen() -> None:
    """Nothing can be written to a copy either."""
    copy = altered(Guarded(position=a_position(), taken_ns=1), known_ns=5)
    with pytest.raises(FrozenInstanceError):
        copy.known_ns = 6  # type: ignore[misc]


def test_a_name_that_is_no_field_is_refused() -> None:
    """A typing error is loud: no value carries what nobody reads."""
    with pytest.raises(TypeError, match="Guarded has no field knwon_ns"):
        altered(Guarded(position=a_position(), taken_ns=1), knwon_ns=5)


def test_a_value_read_from_a_journal_is_copied_whole() -> None:
    """A row that leaves fields at their default, as an older journal does, is as good as one that names them."""
    whole = Guarded(position=a_position(), taken_ns=1)
    row = {"position": msgspec.to_builtins(whole.position), "taken_ns": 1}
    read = msgspec.convert(row, Guarded)
    assert altered(read, ruled_by="fixed") == replace(whole, ruled_by="fixed")
