"""Traces of sagas."""
