"""Runs scenarios on engines, stores what happened, judges it and reports."""
