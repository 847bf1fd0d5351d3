"""How a settings value is refused when it is made: one exception that names the key, and a short way to raise it.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations


class PolicyError(ValueError):
    """A policy value that cannot be meant. `field` names it as in the settings file."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name} {problem}")
        self.field = field_name
        self.problem = problem


def require(condition: bool, field_name: str, problem: str) -> None:
    """Refuse a value.

    Args:
        condition: What must hold.
        field_name: Table and key, as in the settings file: "stop.buffer_percent".
        problem: What is wrong, to be read after the name.

    Raises:
        PolicyError: If it does not hold.
    """
    if not condition:
        raise PolicyError(field_name, problem)
