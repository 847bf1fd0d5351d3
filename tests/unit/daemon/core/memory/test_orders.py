"""Life of a write: every pair of state and news (P5)."""

from __future__ import annotations

import pytest

from daemon.core.errors import InvariantBroken
from daemon.core.memory.orders import TABLE, WriteInput, WriteState, next_state


@pytest.mark.parametrize("state", list(WriteState))
@pytest.mark.parametrize("news", list(WriteInput))
def test_every_pair_is_in_the_table_or_breaks_an_invariant(state: WriteState, news: WriteInput) -> None:
    """A known state or the one error."""
    if (state, news) in TABLE:
        assert isinstance(next_state(state, news), WriteState)
    else:
        with pytest.raises(InvariantBroken):
            next_state(state, news)


@pytest.mark.parametrize("state", [WriteState.IN_FLIGHT, WriteState.SUBMITTED, WriteState.UNKNOWN])
def test_every_news_about_an_open_write_is_foreseen(state: WriteState) -> None:
    """No event about a write that is still open can break the core."""
    for news in WriteInput:
        assert next_state(state, news) is TABLE[state, news]


def test_unknown_is_never_failed() -> None:
    """P5: silence leads to a question, not to the end of the write."""
    for news in (WriteInput.UNANSWERED, WriteInput.LATE, WriteInput.DUPLICATE):
        assert next_state(WriteState.IN_FLIGHT, news) is WriteState.UNKNOWN
