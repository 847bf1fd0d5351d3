"""How much of a journal is to stay, as people write it. Without other imports, so that `--help` is instant."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import Final

_SIZE = re.compile(r"(\d{1,9})(KB|MB|GB|h|d)?")
BYTES: Final = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}
SECONDS: Final = {"h": 3600, "d": 86_400}


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """How much stays: files, bytes, or everything that is younger."""

    amount: int
    unit: str
    """One of `BYTES` or `SECONDS`; empty for files."""


def keep(text: str) -> Keep:
    """Read "20", "500MB", "2GB", "36h" or "30d".

    Raises:
        argparse.ArgumentTypeError: If it is none of these.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"must be like 20 (files), 500MB, 2GB, 36h or 30d, not {text!r}")
    return Keep(amount=int(match[1]), unit=match[2] or "")
