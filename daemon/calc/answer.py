"""What a calculator answers: fields for machines, lines for people, and what to know beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(kw_only=True, slots=True)
class Answer:
    """One answer, built line by line."""

    title: str
    fields: dict[str, object] = field(default_factory=dict)
    """For `--json`: prices and percentages as numbers, money as whole minor units (names end in `_sat`)."""
    lines: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def say(self, label: str, text: str, **fields: object) -> None:
        """Add a line, and what it says as fields."""
        self.lines.append((label, text))
        self.fields.update(fields)


def write_answer(answer: Answer, *, as_json: bool) -> None:
    """Write the answer to standard output."""
    if as_json:
        fields = {**answer.fields, "notes": answer.notes, "warnings": answer.warnings}
        sys.stdout.write(_encode(fields).decode() + "\n")
        return
    width = max((len(label) for label, _ in answer.lines), default=0)
    lines = [answer.title, *(f"  {label:<{width}}  {text}" for label, text in answer.lines)]
    lines += [f"warning: {each}" for each in answer.warnings]
    lines += [f"note: {each}" for each in answer.notes]
    sys.stdout.write("\n".join(lines) + "\n")


def decimal_or_none(price: Decimal | None) -> Decimal | None:
    """Return the price without exponent, as JSON should show it."""
    return None if price is None else Decimal(f"{price:f}")
