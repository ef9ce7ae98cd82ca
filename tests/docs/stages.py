"""What must be there before a block of the documentation can be run."""

from __future__ import annotations

import shutil
import tarfile

from tests.cli.terminal import Terminal
from tests.docs.fences import ROOT, block_of

_STORED = ROOT / "tests" / "runs" / "load-format-1.tar.gz"


def checkout(terminal: Terminal) -> None:
    """The folders of a checkout that commands name, so that what they write does not go into it."""
    for name in ("docs", "scenarios"):
        (terminal.folder / name).symlink_to(ROOT / name)


def stored_loads(terminal: Terminal) -> None:
    """Load runs of other days."""
    with tarfile.open(_STORED) as stored:
        stored.extractall(terminal.temporary, filter="data")
    for name in ("before", "after", "monday", "tuesday", "load"):
        shutil.copytree(terminal.temporary / "run", terminal.folder / "runs" / name)
    shutil.rmtree(terminal.temporary / "run")


def orders(terminal: Terminal) -> None:
    """Orders of somebody's own, and a folder for runs."""
    (terminal.folder / "runs").mkdir()
    lines = block_of("docs/orders-file.md", "order_id,sku").text
    (terminal.folder / "my-orders.csv").write_text(lines)


def tuned(terminal: Terminal) -> None:
    """What ``bakeoff tune`` is shown to have found."""
    (terminal.folder / "bakeoff-tuned.toml").write_text(block_of("docs/tune.md", "format = 1").text)
