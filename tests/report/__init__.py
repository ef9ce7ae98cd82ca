"""The report, and what a browser makes of it."""
