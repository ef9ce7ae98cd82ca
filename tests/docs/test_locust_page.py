"""docs/locust.md, on several machines: all of them are this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.processes import free_ports
from tests.cli.terminal import Terminal
from tests.docs.fences import block_of, lines_of
from tests.docs.stages import checkout
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)]

_MASTER, _WORKER = lines_of(block_of("docs/locust.md", "locust -f scenarios/locustfile.py --master"))
#: Servers and a ledger that other machines reach; here the engine is in the processes themselves.
_SERVERS = (
    "--engine celery "
    "--set celery.broker_url=redis://broker.example:6379/0 --ledger postgresql://user@ledger.example/empty"
)
#: What the page shows of a master's words, as far as it is the same of any load.
_SAMPLE = block_of("docs/locust.md", "dramatiq[valkey, ci] is up").text
_SAID = (
    *("load 1: order-steady on ", " sagas by 2 generators (", "seconds, by distribution"),
    *("order-accepted ", "order-completed-settled ", "order-completed-told ", "of warm-up left out"),
    *("too few: fewer values than a percentile needs", "ledger: valid; "),
)
_PATIENCE_S = 120


@thorough
def test_several_machines(tmp_path: Path) -> None:
    assert _SERVERS in _MASTER
    assert "--rate 500" in _MASTER
    terminal = Terminal(tmp_path)
    checkout(terminal)
    (port,) = free_ports(1)
    master_line = _MASTER.replace(_SERVERS, "--engine inline").replace("--rate 500", "--rate 6 --duration 4")
    worker_line = f"{_WORKER.replace('master.example', '127.0.0.1')} --master-port {port}"
    with (
        terminal.open(f"{master_line} --master-bind-port {port}") as master,
        terminal.open(worker_line) as first,
        terminal.open(worker_line) as second,
    ):
        codes = [one.popen.wait(_PATIENCE_S) for one in (master, first, second)]

    told = master.text + first.text + second.text
    assert codes[0] in (0, 1), told  # void, beside other tests
    assert codes[1:] == [0, 0], told
    for words in _SAID:
        assert words in _SAMPLE
        assert words in master.text
    assert "Traceback" not in told
