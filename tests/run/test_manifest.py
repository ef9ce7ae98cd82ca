"""What is stored and printed of a run holds no credentials."""

from __future__ import annotations

import pytest

from bakeoff.settings import Value, shown_raw


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("broker_password", "hunter2", "***"),
        ("result_backend", "redis://:hunter2@host:6379/0", "redis://***@host:6379/0"),
        ("worker_max_tasks_per_child", 100, 100),
        ("pool", "prefork", "prefork"),
    ],
)
def test_raw_settings_are_shown_without_credentials(key: str, value: Value, shown: Value) -> None:
    assert shown_raw(key, value) == shown
