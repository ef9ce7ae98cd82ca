"""Kills at named points, on paper and on real engines."""
