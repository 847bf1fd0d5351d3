"""One market at a time: prices, liquidity, indices, and whether it takes orders."""
