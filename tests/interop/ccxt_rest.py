"""ccxt's `bitmex` over REST: `ccxt_rest.py sync` or `ccxt_rest.py async`."""

import asyncio
import sys

from ccxt_cases import main

asyncio.run(main(sys.argv[1]))
