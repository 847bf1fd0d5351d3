"""The board: whom a fault meets, how often, how long, and by what chance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulated.engine.faults.board import MOST_SET, FaultBoard
from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.inputs import ClearFault, FaultBit, SetFault
from connectors.simulated.engine.refusals import Refused


def bites(board: FaultBoard, at_ms: int = 0, **scope: object) -> bool:
    """Whether a stop is refused here and now."""
    return board.bites("stop-refused", at_ms=at_ms, **({"account": 1, "symbol": "XBTUSD"} | scope)) is not None


def with_fault(**fields: Any) -> FaultBoard:
    """A board on which stops are refused."""
    board = FaultBoard()
    board.set(SetFault(name="stop-refused", **fields), at_ms=0)
    return board


def test_a_limited_fault_bites_so_often() -> None:
    """A count of two is two."""
    board = with_fault(count=2)
    assert [bites(board) for _ in range(4)] == [True, True, False, False]


def test_a_fault_meets_only_whom_it_names() -> None:
    """Other accounts and symbols go on; letters of any case name the symbol."""
    board = with_fault(account=1, symbol="xbt*")
    assert bites(board)
    assert bites(board, symbol="XBTH27")
    assert not bites(board, symbol="ETHUSD")
    assert not bites(board, account=2)


def test_a_fault_has_a_beginning_and_an_end() -> None:
    """It bites from its delay on and stops at the end of its duration."""
    board = with_fault(delay_ms=10, duration_ms=5)
    assert [bites(board, at_ms) for at_ms in (9, 10, 14, 15)] == [False, True, True, False]


def test_a_fault_that_is_over_makes_room() -> None:
    """The board forgets what has ended when the next fault comes."""
    board = with_fault(duration_ms=5)
    board.set(SetFault(name="overload"), at_ms=6)
    assert [one.fault.name for one in board.active.values()] == ["overload"]


def test_chance_is_a_function_of_the_seed() -> None:
    """The same seed draws the same, another one something else, and about the share asked for."""

    def drawn(seed: int) -> list[bool]:
        board = with_fault(probability=Decimal("0.3"), seed=seed)
        return [bites(board) for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 40 <= sum(drawn(1)) <= 80


def test_bites_outside_count_here() -> None:
    """What the doors report is remembered, and never goes down."""
    board = FaultBoard()
    one = board.set(SetFault(name="overload", count=3), at_ms=0)
    board.count_bite(FaultBit(number=one.number, hits=2))
    board.count_bite(FaultBit(number=one.number, hits=1))
    assert one.hits == 2
    assert one.is_on(0, hits=one.hits)


def test_faults_are_cleared_by_number_by_name_and_all() -> None:
    """What is named goes; naming what is not set is refused."""
    board = FaultBoard()
    for name in ("overload", "overload", "reply-lost", "request-lost"):
        board.set(SetFault(name=name), at_ms=0)
    assert board.clear(ClearFault(name="overload")) == 2
    assert board.clear(ClearFault(number=3)) == 1
    with pytest.raises(Refused, match="fault 3 is not set"):
        board.clear(ClearFault(number=3))
    assert board.clear(ClearFault()) == 1
    assert board.clear(ClearFault()) == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (SetFault(name="nonsense"), "no fault 'nonsense'"),
        (SetFault(name="overload", symbol="XBTUSD"), "cannot be limited by symbol; it can by account, operation"),
        (SetFault(name="clock-skewed", account=1), "cannot be limited by account; it is for all"),
        (SetFault(name="overload", probability=Decimal(2)), "probability must be from 0 to 1"),
        (SetFault(name="overload", count=0), "count must be 1 or more"),
        (SetFault(name="overload", duration_ms=0), "nor end before it begins"),
        (SetFault(name="switch-fired", count=2), "happens at once and is over"),
    ],
)
def test_what_does_not_fit_is_refused(fault: SetFault, reason: str) -> None:
    """Nothing is set then."""
    board = FaultBoard()
    with pytest.raises(Refused, match=reason):
        board.set(fault, at_ms=0)
    assert not board.active


def test_the_board_is_bounded() -> None:
    """A harness that forgets to clear is told."""
    board = FaultBoard()
    for _ in range(MOST_SET):
        board.set(SetFault(name="overload"), at_ms=0)
    with pytest.raises(Refused, match="clear some"):
        board.set(SetFault(name="overload"), at_ms=0)


def test_standing_are_those_of_the_place() -> None:
    """The stream does not hear of the tape's faults."""
    board = FaultBoard()
    for name in ("frame-lost", "mark-frozen", "frame-twice"):
        board.set(SetFault(name=name), at_ms=0)
    found = [one.fault.name for one in board.standing(Place.STREAM, {"account": 1, "table": "order", "symbol": None})]
    assert found == ["frame-lost", "frame-twice"]
