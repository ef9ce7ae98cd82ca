"""The same beat with the configuration of the saga log's workers."""

from __future__ import annotations

from functools import cache

from celery import Celery

from bakeoff_celery.beat import beat_app
from bakeoff_celery.sagalog.settings import celery_configuration


def __getattr__(name: str) -> Celery:
    """Build ``app`` when the Celery command asks for it, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    return beat_app(celery_configuration)
