"""Entry point of `python -m daemon.messenger`, which the guard starts; nobody else has a use for it."""

from __future__ import annotations

from daemon.messenger.office import main

raise SystemExit(main())
