"""What executions tell: a liquidation in spite of us, a position settled with its contract, an order that is over."""

from __future__ import annotations

from connectors.vocabulary import Execution, ExecutionKind
from daemon.core.account_rules import trades_per_hour
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.folding import books
from daemon.core.reasons import Reason


def take_execution(draft: Draft, execution: Execution) -> None:
    """Fold one execution; what an ordinary trade or funding does, the position's row tells."""
    if execution.account != draft.account:
        return
    trades_per_hour.take_execution(draft, execution)
    if execution.kind is ExecutionKind.LIQUIDATION:
        _take_liquidation(draft, execution)
    elif execution.kind is ExecutionKind.SETTLEMENT:
        _take_settlement(draft, execution)
    elif execution.kind is ExecutionKind.ENDED:
        books.note_ended(draft, execution)


def _take_settlement(draft: Draft, execution: Execution) -> None:
    """The contract has ended: nobody closed the position and no stop fired, so people would wonder where it went."""
    guarded = draft.positions.get(execution.symbol)
    if guarded is None or not guarded.position.quantity:
        return
    draft.want_picture(Reason.DOUBT)
    tell(
        draft,
        Reason.FACT,
        Severity.WARNING,
        topic="position",
        state="settled",
        symbol=execution.symbol,
        text=f"{execution.symbol} was settled by the venue at {execution.price}: the position of"
        f" {guarded.position.quantity:+d} ended with its contract.",
        facts=(("quantity", guarded.position.quantity), ("price", execution.price)),
    )


def _take_liquidation(draft: Draft, execution: Execution) -> None:
    """A liquidation is told once per position episode."""
    guarded = draft.positions.get(execution.symbol)
    if guarded is not None and guarded.was_liquidated:
        return
    if guarded is not None:
        draft.change(execution.symbol, was_liquidated=True)
    draft.want_picture(Reason.DOUBT)
    covered = "unknown position" if guarded is None else ("covered" if guarded.was_covered else "never covered")
    tell(
        draft,
        Reason.FACT,
        Severity.CRITICAL,
        topic="position",
        state="liquidated",
        symbol=execution.symbol,
        text=f"{execution.symbol} is being liquidated by the venue ({covered}): {execution.quantity}"
        f" at {execution.price}.",
        facts=(("quantity", execution.quantity), ("price", execution.price), ("execution", execution.execution_id)),
    )
