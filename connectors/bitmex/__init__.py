"""BitMEX behind the three ports: `BitmexMarketData`, `BitmexDropCopy`, `BitmexOrderEntry`.

`protocol/` is the pure half. The modules beside it do input and output and hold no opinions. Production, testnet and
the embedded exchange differ only in `config.venue.VenueSettings`.
"""
