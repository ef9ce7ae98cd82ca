"""Modules of strangers that end the interpreter, cannot describe themselves, or are no plug-in at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.cli.options import choose_engines
from bakeoff.plugins import Plugins
from tests.cli.conftest import Refused

_ENGINES = {
    "leaving": "import sys; sys.exit(5)\n",
    "hollow": "from bakeoff import hookimpl\n@hookimpl\ndef bakeoff_engine(): return object()\n",
    "mute": "from bakeoff import hookimpl\n"
    "class Engine:\n"
    "    servers = worker_command = connect = lambda self, *_: ()\n"
    "    def info(self, settings=None): raise ValueError('no info\\nsecond line')\n"
    "@hookimpl\ndef bakeoff_engine(): return Engine()\n",
    "vague": "from bakeoff import hookimpl\n"
    "class Engine:\n"
    "    servers = worker_command = connect = lambda self, *_: ()\n"
    "    def info(self, settings=None): return {'title': 'vague'}\n"
    "@hookimpl\ndef bakeoff_engine(): return Engine()\n",
    "late": "from bakeoff import hookimpl\n"
    "from bakeoff_inline.engine import InlineEngine\n"
    "class Engine(InlineEngine):\n"
    "    def info(self, settings=None):\n"
    "        if settings is not None: raise ValueError('not with settings')\n"
    "        return super().info(None)\n"
    "@hookimpl\ndef bakeoff_engine(): return Engine()\n",
    "empty": "",
}
_REASONS = {
    "leaving": "SystemExit: 5",
    "hollow": "it has no info(), servers(), worker_command(), connect()",
    "mute": "ValueError: no info second line",
    "vague": "its info() returns dict, not EngineInfo",
    "late": "ValueError: not with settings",
    "empty": "returns 0 engines",
}


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution whose engine and command plug-ins fail in every one of these ways."""
    site = tmp_path / "site"
    info = site / "strangers-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    engines = "".join(f"{name} = strangers_{name}\n" for name in _ENGINES)
    (info / "entry_points.txt").write_text(
        f"[bakeoff.engines]\n{engines}[bakeoff.commands]\nleaving = strangers_leaving\n"
    )
    for name, text in _ENGINES.items():
        (site / f"strangers_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("strangers")
def test_the_others_still_work_and_one_line_each_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    names = [chosen.name for chosen in choose_engines(None)]

    assert "inline" in names
    assert not set(names) & set(_ENGINES)
    warnings = capfd.readouterr().err.splitlines()
    for name in _ENGINES:
        assert len([line for line in warnings if f"engine {name!r}" in line]) == 1, warnings
    assert len(warnings) == len(_ENGINES), warnings


@pytest.mark.usefixtures("strangers")
def test_every_command_is_there(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scenarios"]) == 0

    assert "command plug-in 'leaving' cannot be loaded: SystemExit: 5" in capfd.readouterr().err


@pytest.mark.usefixtures("strangers")
def test_engines_shows_what_is_wrong_with_each(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["engines"]) == 0
    assert "Traceback" not in capfd.readouterr().err

    assert run(["engines", "--json"]) == 0
    told = {one["name"]: one.get("problem") or "" for one in json.loads(capfd.readouterr().out)["engines"]}
    assert not told["inline"]
    for name, reason in _REASONS.items():
        assert reason in told[name]


@pytest.mark.parametrize("name", _ENGINES)
@pytest.mark.usefixtures("strangers")
def test_asked_for_by_name_it_is_one_line(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--only", "sagas", "--engine", name]) == 2

    errors = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("warning:")]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: engine {name!r}")


@pytest.mark.usefixtures("strangers")
def test_a_plugin_without_the_hook_is_no_engine() -> None:
    with pytest.raises(Exception, match="returns 0 engines"):
        Plugins().engine("empty")


@pytest.mark.parametrize("text", ["import sys; sys.exit(3)\n", "raise RuntimeError('a\\nb')\n"])
def test_a_saga_module_that_ends_the_interpreter_is_refused(home: Path, refused: Refused, text: str) -> None:
    (home / "leaving_sagas.py").write_text(text)

    assert "saga leaving_sagas:SAGA: cannot import 'leaving_sagas': " in refused(
        "run --only sagas --engine inline --saga leaving_sagas:SAGA"
    )
