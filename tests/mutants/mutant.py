"""What a mutant is: one deliberate break of the guard, as a change of one text in one file.

Why text and not a syntax tree: whoever reads the list sees at once what would be wrong, and a change of the code under
a mutant makes it fail loudly (its text is not found, or is found twice) instead of silently testing nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class MisplacedMutant(Exception):
    """The text to be replaced is not there exactly once. Names the mutant and the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One way to break the guard.

    Attributes:
        name: Short, unique.
        promise: Which promise is broken, "P3".
        what: What the broken guard does, in one sentence.
        path: The file, from the root of the repository.
        before: The text that is replaced; it stands there exactly once.
        after: What stands there instead.
        caught_by: Tests (as pytest takes them) of which one has to fail; quick ones first.
    """

    name: str
    promise: str
    what: str
    path: str
    before: str
    after: str
    caught_by: tuple[str, ...]

    def mutated(self, root: Path) -> str:
        """Return the text of the file with the break in it.

        Raises:
            MisplacedMutant: If the text to be replaced is not there exactly once, or nothing would change.
        """
        text = (root / self.path).read_text(encoding="utf-8")
        found = text.count(self.before)
        if found != 1:
            raise MisplacedMutant(f"{self.name}: its text is {found} times in {self.path}, it has to be there once")
        if self.before == self.after:
            raise MisplacedMutant(f"{self.name}: it changes nothing")
        return text.replace(self.before, self.after)
