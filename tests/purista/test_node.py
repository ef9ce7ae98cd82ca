"""Where Node or the packages are missing, that is said with the way out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from examples.purista.node import Node, find_node, install_packages

from bakeoff.errors import EngineUnavailableError
from tests.purista.conftest import node_or_report


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is found but those of the test's own folder, and no wheel."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def _program(folder: Path, name: str, text: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


@pytest.mark.usefixtures("nowhere")
def test_without_node_the_tests_of_the_services_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason and the way out, in the words in which the contract says it."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"not supported here: Node .* is missing .* pip install"):
        node_or_report()


@pytest.mark.usefixtures("nowhere")
def test_without_node_ci_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(EngineUnavailableError, match=r"Node .* is missing"):
        node_or_report()


@pytest.mark.usefixtures("nowhere")
def test_an_old_node_is_not_taken(tmp_path: Path) -> None:
    _program(tmp_path, "node", "echo v20.20.2")
    _program(tmp_path, "npm", "exit 1")

    with pytest.raises(EngineUnavailableError, match=r"found: 20\.20\.2\); install it: pip install"):
        find_node()


def test_a_new_node_of_the_machine_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _program(tmp_path, "node", "echo v25.0.1")
    npm = _program(tmp_path, "npm", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_node() == Node(str(own), (str(npm),))


def test_packages_are_installed_once_per_lock_file(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "package-lock.json").write_text("{}")
    npm = _program(tmp_path, "npm", "mkdir -p node_modules; echo once >> calls")
    node = Node("node", (str(npm),))
    install_packages(node, tmp_path)
    install_packages(node, tmp_path)

    assert (tmp_path / "calls").read_text() == "once\n"

    (tmp_path / "package-lock.json").write_text('{"other": 1}')
    install_packages(node, tmp_path)

    assert (tmp_path / "calls").read_text() == "once\nonce\n"


def test_what_npm_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "package-lock.json").write_text("{}")
    npm = _program(tmp_path, "npm", "echo no registry here >&2; exit 1")

    with pytest.raises(EngineUnavailableError, match="no registry here"):
        install_packages(Node("node", (str(npm),)), tmp_path)
