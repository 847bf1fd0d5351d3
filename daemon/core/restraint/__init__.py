"""What holds the guard back, or bids it act: observing, a pause, latches."""
