"""Fail when a test was skipped for a reason that is not on the list, or when no test ran at all.

Usage: skips.py REPORT.xml ALLOWED, where REPORT.xml is pytest's JUnit report.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def allowed_reasons(path: Path) -> list[re.Pattern[str]]:
    """Return the patterns of the list, comments and blank lines left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def main(report: Path, allowed_list: Path) -> int:
    """Print each skip with its verdict; return 1 if one is not allowed or nothing ran."""
    allowed = allowed_reasons(allowed_list)
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - written by our own test run
    skips = [(case, skip) for case in cases for skip in case.iter("skipped")]
    unexpected = 0
    for case, skip in skips:
        reason = skip.get("message", "")
        known = any(pattern.match(reason) for pattern in allowed)
        unexpected += not known
        print(f"{'skipped' if known else 'NOT ALLOWED'}: {case.get('classname')}.{case.get('name')}: {reason}")  # noqa: T201
    print(f"{len(cases) - len(skips)} tests ran, {len(skips)} skipped, {unexpected} of them without leave")  # noqa: T201
    return 1 if unexpected or len(cases) == len(skips) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
