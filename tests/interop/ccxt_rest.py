"""ccxt's `bitmex` over REST: `ccxt_rest.py sync` or `ccxt_rest.py async`."""

import asyncio
import sys

import ccxt_cases  # noqa: F401 - writes the checks down
from ccxt_subject import main

asyncio.run(main(sys.argv[1]))
