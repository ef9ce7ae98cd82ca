"""``docs/telemetry.md``: its command works as it stands, and its tables name what is exported."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from tests.telemetry.receiver import receiving

PAGE = (Path(__file__).parents[2] / "docs/telemetry.md").read_text()


def test_the_command_of_the_page_exports_every_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install, command = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
    monkeypatch.chdir(tmp_path)

    with receiving() as receiver:
        code = run(shlex.split(command.replace("http://127.0.0.1:4318", receiver.url))[1:])

    assert code == 0, capfd.readouterr().err
    assert install == 'pip install "bakeoff[otel]"'
    sagas = receiver.named("saga order")
    assert len({span.trace for span in sagas}) == len(sagas) == 20
    for span in receiver.spans:
        verb = span.name.split()[0]
        assert f"| `{verb} " in PAGE, span.name
        for key in span.attributes:
            last = f"`.{key.partition('.')[2]}`"
            assert f"`{key}`" in PAGE or last in PAGE, key
