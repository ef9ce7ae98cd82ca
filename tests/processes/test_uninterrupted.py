"""Ctrl-C waits while a thing is made that must be removed, and is not forgotten."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.processes import scratch, scratch_folder, uninterrupted


@pytest.fixture(autouse=True)
def python_handles_ctrl_c() -> Iterator[None]:
    """A shell starts background commands with SIGINT ignored, and these tests send it to themselves."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_arrives_when_the_context_ends() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it arrives is the point
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the context")
        reached.append("what follows")

    assert reached == ["the end of the context"]


def test_an_interrupted_claim_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = scratch._claim

    def interrupted(parent: Path, purpose: str) -> tuple[int, Path]:
        signal.raise_signal(signal.SIGINT)
        claimed = claim(parent, purpose)
        assert list(tmp_path.iterdir())
        return claimed

    monkeypatch.setattr(scratch, "_claim", interrupted)

    with pytest.raises(KeyboardInterrupt), scratch_folder("test", tmp_path):
        pytest.fail("the interrupt has not arrived")

    assert list(tmp_path.iterdir()) == []
