"""Examples, run from the checkout; nothing of them is installed."""
