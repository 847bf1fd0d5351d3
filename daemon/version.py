"""Which Seawall this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("seawall")
    except PackageNotFoundError:
        return "from source"


VERSION = _installed()
"""As installed; "from source" in a checkout that is not."""
