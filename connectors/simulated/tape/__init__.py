"""The price tape: candle files and seeded scenarios, played as prices of every contract."""
