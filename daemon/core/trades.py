"""What executions tell: above all, that the venue liquidated a position in spite of us."""

from __future__ import annotations

from connectors.vocabulary import Execution, ExecutionKind
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.reasons import Reason


def take_execution(draft: Draft, execution: Execution) -> None:
    """Fold one execution: a liquidation is told once per position episode."""
    if execution.account != draft.account or execution.kind is not ExecutionKind.LIQUIDATION:
        return
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
