"""BitMEX behind the three ports.

`protocol/` is the pure half. The modules beside it do input and output and hold no opinions. Production, testnet and
the embedded exchange differ only in `config.venue.VenueSettings`.
"""

from connectors.bitmex.drop_copy import BitmexDropCopy
from connectors.bitmex.market_data import BitmexMarketData
from connectors.bitmex.order_entry import BitmexOrderEntry

__all__ = ["BitmexDropCopy", "BitmexMarketData", "BitmexOrderEntry"]
