"""``--otlp``: what it takes, what it refuses, and who knows of it."""

from __future__ import annotations

import builtins
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.options import choose_receiver
from bakeoff.deployment import Deployment
from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.telemetry import Otlp, carried, carrying, check_otlp, headers_in, is_listened_to, with_headers
from tests.cli.conftest import Refused, home, refused

__all__ = ["home", "refused"]

_HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.mark.parametrize("text", [None, ""])
def test_without_an_address_nothing_is_traced(text: str | None) -> None:
    assert check_otlp(text) is None


@pytest.mark.parametrize("text", ["http://127.0.0.1:4318", "https://collector.example/otlp"])
def test_any_address_of_http_will_do(text: str) -> None:
    """Nobody need listen there."""
    assert check_otlp(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("localhost:4318", "give the URL of an OTLP/HTTP receiver"),
        ("grpc://127.0.0.1:4317", "gRPC, usually on port 4317, is not spoken"),
        ("http://", "give the URL"),
        ("http://127.0.0.1:many", "give the URL"),
        ("http://127.0.0.1:99999", "give the URL"),
        ("http://me:secret@collector:4318", "OTEL_EXPORTER_OTLP_HEADERS"),
    ],
)
def test_other_addresses_are_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)) as refusal:
        check_otlp(text)

    assert "secret" not in str(refusal.value)


def test_a_receiver_that_is_not_there_is_told_about(capfd: pytest.CaptureFixture[str]) -> None:
    """At once, not after an hour without spans; it may still come, so nothing is refused."""
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}"
        assert choose_receiver(url) == url
        assert capfd.readouterr().err == ""
    assert choose_receiver(url) == url
    assert f"--otlp {url}: nobody listens there" in capfd.readouterr().err


def test_what_is_no_name_of_a_host_listens_nowhere() -> None:
    assert not is_listened_to("http://a..b:4318")


@pytest.mark.parametrize("command", ["up", "run", "load", "crash"])
def test_every_command_refuses_before_it_starts_anything(refused: Refused, command: str) -> None:
    assert "--otlp nowhere" in refused(f"{command} --engine dramatiq --otlp nowhere")


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(f"No module named {name!r}")
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(EngineUnavailableError, match=r'pip install "bakeoff\[otel\]"'):
        check_otlp("http://127.0.0.1:4318")


@pytest.mark.parametrize("otlp", [None, Otlp(url="http://127.0.0.1:4318", seed="x")])
def test_workers_and_services_know_by_the_deployment(otlp: Otlp | None, tmp_path: Path) -> None:
    settings = resolve("inline", Plugins().engine("inline").info().settings, ConfigClass.CI)
    own = Deployment(engine="inline", settings=settings, addresses={}, world_url="sqlite://", otlp=otlp)
    own.save(tmp_path / "deployment.json")

    assert Deployment.load(tmp_path / "deployment.json").otlp == otlp


def test_headers_are_carried_where_they_are_meant_to_be() -> None:
    seen: list[object] = []

    def look() -> None:
        seen.append(carried())

    with carrying(_HEADERS):
        look()
    look()
    with_headers(_HEADERS, look)()
    look()

    assert seen == [_HEADERS, None, _HEADERS, None]
    assert with_headers(None, look) is look


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (None, None),
        ({}, None),
        ({"traceparent": None}, None),
        ({"tracestate": "a=b"}, None),
        ({**_HEADERS, "id": "7", "retries": 1}, _HEADERS),
        ({**_HEADERS, "tracestate": "a=b"}, {**_HEADERS, "tracestate": "a=b"}),
    ],
)
def test_a_trace_context_is_found_among_other_headers(
    message: dict[str, object] | None, found: dict[str, str] | None
) -> None:
    assert headers_in(message) == found
