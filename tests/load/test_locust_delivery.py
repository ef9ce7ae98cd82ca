"""An order on its way to a worker, and what its generator wrote on its way to the master."""

from __future__ import annotations

import json
import random
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from bakeoff_bench.load.generator.delivery import PART_BYTES, Received, Sending
from bakeoff_bench.load.generator.task import BEGAN, EFFORT, HISTORY, SAMPLES
from bakeoff_bench.load.generator.wire import received, to_send
from bakeoff_bench.load.order import LoadOrder


class Wire:
    """The two ends, and Locust's encoding between them."""

    def __init__(self, folder: Path) -> None:
        self.here, self.there = folder / "worker", folder / "master" / "generator-0"
        self.here.mkdir()
        self.received = Received(self.there)
        self.messages: list[dict[str, Any]] = []
        self.broken = False
        self.sending = Sending(self.here, self.send)

    def send(self, part: dict[str, Any]) -> None:
        """As Locust does it: a connection that is broken for a while raises."""
        if self.broken:
            raise ConnectionError
        self.messages.append(part)

    def write(self, name: str, count: int) -> None:
        """Append lines like those of a generator."""
        drawn = random.Random(count)
        with (self.here / name).open("a") as file:
            for number in range(count):
                file.write(json.dumps({"workflow_id": f"order-{number:06}", "at_s": drawn.random()}) + "\n")

    def deliver(self) -> int:
        """Everything that was sent so far; return its bytes."""
        encoded = [msgpack.dumps(("part", one, "worker")) for one in self.messages]
        self.messages.clear()
        for one in encoded:
            self.received.take(msgpack.loads(one, raw=False, strict_map_key=False)[1])
        return sum(map(len, encoded))

    def same(self, name: str) -> bool:
        return (self.here / name).read_bytes() == (self.there / name).read_bytes()


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    return Wire(tmp_path)


def test_files_arrive_as_they_are_written(wire: Wire) -> None:
    """In several parts, compressed; what is appended later goes behind them."""
    wire.write(SAMPLES, 10_000)
    wire.write(HISTORY, 100)
    wire.sending.send_new()
    assert len(wire.messages) > 2
    written = sum((wire.here / name).stat().st_size for name in (SAMPLES, HISTORY))
    assert wire.deliver() < written / 2
    wire.write(SAMPLES, 7)
    wire.sending.send_new()
    wire.sending.send_new()
    wire.deliver()

    assert wire.same(SAMPLES)
    assert wire.same(HISTORY)
    assert wire.received.end(None, wire.sending.sizes()) == ""


def test_a_part_that_is_lost_is_missed(wire: Wire) -> None:
    """The file stays a beginning of the worker's: no line of it is one that nobody wrote."""
    wire.write(SAMPLES, 20_000)
    wire.sending.send_new()
    del wire.messages[1]
    wire.deliver()
    size = (wire.here / SAMPLES).stat().st_size

    assert (wire.there / SAMPLES).read_bytes() == (wire.here / SAMPLES).read_bytes()[:PART_BYTES]
    assert (
        wire.received.end(None, wire.sending.sizes()) == f"{size - PART_BYTES} bytes of {SAMPLES} are missing"
    )


def test_a_part_that_could_not_be_sent_is_sent_again(wire: Wire) -> None:
    wire.write(SAMPLES, 10)
    wire.broken = True
    with pytest.raises(ConnectionError):
        wire.sending.send_new()
    wire.broken = False
    wire.sending.send_new()
    wire.deliver()

    assert wire.same(SAMPLES)


def test_its_effort_is_told_in_the_masters_clock(wire: Wire) -> None:
    """A worker that did not come to its end tells none."""
    (wire.here / BEGAN).write_text("5.0")
    assert wire.sending.began_s() == 5.0
    assert wire.sending.effort() is None
    (wire.here / EFFORT).write_text(json.dumps({"began_s": 5.0, "sheds": 2}))
    wire.received.begin(100.0)
    wire.received.end(wire.sending.effort(), {})

    assert json.loads((wire.there / EFFORT).read_text()) == {"began_s": 100.0, "sheds": 2}


def test_an_unknown_file_is_not_written(wire: Wire) -> None:
    wire.received.take({"file": "../../deployment.json", "at": 0, "data": b""})

    assert list(wire.there.iterdir()) == []


def _order(folder: Path, users: int = 0) -> LoadOrder:
    deployment = folder / "theirs.json"
    deployment.write_text('{"password": "secret"}')
    return LoadOrder(
        deployment=str(deployment),
        saga="order",
        load="order-steady",
        rate=1.0,
        seconds=1.0,
        process="poisson",
        seed=1,
        arrival_seed=1,
        label="x",
        users=users,
        folder=str(folder / "load-1"),
    )


def test_a_worker_has_a_folder_of_its_own_and_leaves_no_credentials(tmp_path: Path) -> None:
    with ExitStack() as folders:
        share = received(to_send(_order(tmp_path), 1, 2), folders)
        deployment = Path(share.order.deployment)
        assert (share.number, share.of) == (1, 2)
        assert deployment.read_text() == '{"password": "secret"}'
        assert stat.S_IMODE(deployment.stat().st_mode) == 0o600
        assert Path(share.order.folder) == deployment.parent
        assert tmp_path not in deployment.parents

    assert not deployment.parent.exists()


def test_a_closed_loop_is_shared_out(tmp_path: Path) -> None:
    """Five sagas in flight are five for all workers together."""
    users = [to_send(_order(tmp_path, users=5), number, 3)["order"]["users"] for number in range(3)]

    assert sorted(users) == [1, 2, 2]
