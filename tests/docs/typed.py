"""Whether a command line of a page could be typed: its program reads it, its names are looked up."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.contract.contestants import Wishes, find_contestants
from tests.docs.bakeoff_lines import read_bakeoff
from tests.docs.fences import ROOT

#: What else the pages use; each such line is executed by the test that is named for its block, or not at all.
_OTHERS = {
    *("cd", "cp", "export", "mkdir", "mktemp", "createdb", "dropdb", "rabbitmqctl", "temporal", "docker"),
    *("npm", "python3", "pytest-benchmark", "."),
}
#: Of our own pages' plug-ins, which only their tests install.
_ENGINE_OF_A_PAGE = "threads"


def commands_in(lines: Sequence[str]) -> Iterator[list[str]]:
    """The words of every command, without variables set in front of it and without redirections."""
    lexer = shlex.shlex("\n".join(lines), posix=True, punctuation_chars="();|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    for token in [*lexer, "\n"]:
        if token.strip("();|&\n"):
            words.append(token)
            continue
        while words and re.match(r"\w+=", words[0]):
            words.pop(0)
        if words:
            yield list(takewhile(lambda word: not word.startswith(">"), words))
        words = []


def check_typed(words: Sequence[str], config: pytest.Config) -> None:
    """Read one command as its program does, before that would start anything.

    Args:
        words: The program first.
        config: Of the pytest that runs, which knows the options of every plug-in here.

    Raises:
        AssertionError, BakeoffError, click's and pytest's errors: For what is misspelt, or is gone.
    """
    program, arguments = Path(words[0]).name or words[0], list(words[1:])
    if program == "bakeoff":
        read_bakeoff(arguments)
    elif program == "pytest":
        _read_pytest(arguments, config)
    elif program == "python":
        _read_python(arguments)
    elif program == "pip":
        _read_pip(arguments)
    elif program == "locust":
        _read_locust(arguments)
    elif program == "mutmut":
        done = subprocess.run([sys.executable, "-m", "mutmut", *arguments, "--help"], capture_output=True)
        assert done.returncode == 0, done.stderr
    else:
        assert program in _OTHERS, f"nobody here knows the program {program!r}"


def _read_pytest(arguments: Sequence[str], config: pytest.Config) -> None:
    if "bench" in arguments:  # its options are added by the conftest.py of that folder
        arguments = _without_options_of_benchmarks(arguments)
    given, unknown = config._parser.parse_known_and_unknown_args(list(arguments))
    paths = [ROOT / path for path in given.file_or_dir if not path.startswith("test_")]
    assert unknown == []
    assert [path for path in paths if not path.exists()] == []
    find_contestants(
        Wishes(
            engines=[name for name in given.engine or () if name != _ENGINE_OF_A_PAGE],
            sets=given.set,
            raws=given.set_raw,
            broker=given.broker,
            bridge=given.bridge or IN_PROCESS,
            config_class="ci" if given.config in (None, "tuned") else given.config,
        )
    )
    tests = _names_of_tests(paths or [ROOT / "core" / "bakeoff" / "contract"])
    for word in re.findall(r"\w+", given.keyword):
        assert word in ("and", "or", "not") or any(word in name for name in tests), f"-k {word}"
    markers = {re.split(r"[:(]", line)[0].strip() for line in config.getini("markers")}
    for word in re.findall(r"\w+", given.markexpr):
        assert word in ("and", "or", "not") or word in markers, f"-m {word}"


def _without_options_of_benchmarks(arguments: Sequence[str]) -> list[str]:
    declared = set(re.findall(r'addoption\(\s*"(--[\w-]+)"', (ROOT / "bench" / "conftest.py").read_text()))
    words, kept = iter(arguments), list[str]()
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in declared:
            kept.append(word)
        elif not equals:
            next(words)
    return kept


def _names_of_tests(paths: Sequence[Path]) -> list[str]:
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))]
    functions = [
        node.name
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]
    return [*functions, *(file.stem for file in files)]


def _read_python(arguments: Sequence[str]) -> None:
    if arguments[0] == "-m":
        assert importlib.util.find_spec(arguments[1]) is not None, arguments[1]


def _read_pip(arguments: Sequence[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [name for word in arguments for name in re.findall(r"\[([\w,]+)\]", word)]
    assert {one for names in asked for one in names.split(",")} <= set(extras)


def _read_locust(arguments: Sequence[str]) -> None:
    """Its own options are read when it is run: importing it would change this process."""
    assert (ROOT / arguments[arguments.index("-f") + 1]).is_file()
    if "--engine" in arguments:
        find_contestants(Wishes(engines=[arguments[arguments.index("--engine") + 1]]))
