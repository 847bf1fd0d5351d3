"""Fixtures every folder of tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded market data; skip where it is not installed."""
    named = os.environ.get("SEAWALL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no recorded market data here; set SEAWALL_DATA to its folder")
    return folder
