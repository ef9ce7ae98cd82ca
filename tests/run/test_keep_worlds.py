"""One database that has died takes no other one's ledger along."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from bakeoff_bench.run import folder
from bakeoff_bench.run.folder import keep_worlds


def test_the_others_are_kept_and_the_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []

    def keep(source: object, file: Path) -> None:
        if file.name == "dead":
            raise OperationalError("", {}, Exception("server closed the connection"))
        kept.append(file.name)

    monkeypatch.setattr(folder, "keep_world", keep)
    elsewhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/x")
    here = create_engine("sqlite://")

    with pytest.raises(OperationalError, match="server closed"):
        keep_worlds(
            [(elsewhere, tmp_path / "dead"), (here, tmp_path / "file"), (elsewhere, tmp_path / "alive")]
        )

    assert kept == ["alive"], "a file is kept already"
