"""Recovery against the lease as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bakeoff.errors import UsageError
from bakeoff_bench.crash.picture import check_plot, draw


def _kill(contestant: str, lease_s: float | None, recovery_s: float | None, outcome: str = "clean") -> Any:
    return {
        "engine": contestant.partition("[")[0],
        "contestant": contestant,
        "outcome": outcome,
        "lease_s": lease_s,
        "recovery_s": recovery_s,
        "deadline_s": 60.0,
    }


def _result(*kills: Any) -> dict[str, Any]:
    settings = {"celery[valkey]": {"broker": "valkey"}, "celery[valkey, lease=5]": {"broker": "valkey"}}
    labels = {kill["contestant"] for kill in kills}
    contestants = {label: {"settings": settings.get(label, {})} for label in labels}
    return {"kills": list(kills), "manifest": {"contestants": contestants}}


def _texts(file: Path) -> str:
    tree = ElementTree.parse(file)
    return "\n".join(text.strip() for node in tree.iter() for text in (node.text, node.tail) if text)


def _marks(file: Path, kind: str) -> int:
    """Markers of a series: each a ``use`` of one path, or, where there is only one, that path."""
    (group,) = [node for node in ElementTree.parse(file).iter() if node.get("id") == kind]
    tags = [one.tag.rpartition("}")[2] for one in group.iter()]
    return tags.count("use") or tags.count("path")


def test_contestants_that_differ_in_settings_are_one_series(tmp_path: Path) -> None:
    kills = [
        _kill("celery[valkey]", 60.0, 61.0),
        _kill("celery[valkey, lease=5]", 5.0, 6.0),
        _kill("temporal", 10.0, 10.5),
    ]
    draw(_result(*kills), tmp_path / "recovery.svg")
    found = _texts(tmp_path / "recovery.svg")

    assert "celery[valkey], 2 kills" in found
    assert "temporal, 1 kills" in found
    assert "lease, seconds" in found


def test_every_kill_is_a_mark_of_its_kind(tmp_path: Path) -> None:
    kills = [
        _kill("celery[valkey]", 5.0, 6.0),
        _kill("celery[valkey]", None, 0.1, "retried"),
        _kill("celery[valkey]", 3600.0, None, "stuck"),  # not observed: the lease is longer than the deadline
        _kill("celery[valkey]", 5.0, None, "lost"),
        _kill("celery[valkey]", 5.0, None, "void"),
    ]
    draw(_result(*kills), tmp_path / "recovery.svg")

    assert _marks(tmp_path / "recovery.svg", "recovered celery[valkey]") == 2
    assert _marks(tmp_path / "recovery.svg", "not observed celery[valkey]") == 1
    assert _marks(tmp_path / "recovery.svg", "harmed celery[valkey]") == 1


def test_no_kill_at_all_is_a_picture_too(tmp_path: Path) -> None:
    draw(_result(), tmp_path / "recovery.png")

    assert (tmp_path / "recovery.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("recovery.jpeg2", "give a file that ends in"), ("nowhere/recovery.svg", "there is no folder")],
)
def test_what_cannot_be_drawn_is_refused_before_the_run(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        check_plot(tmp_path / name)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeoff_bench.crash.picture.find_spec", lambda name: None)

    with pytest.raises(UsageError, match=r"needs matplotlib: pip install 'bakeoff\[bench\]'"):
        check_plot(tmp_path / "recovery.svg")
