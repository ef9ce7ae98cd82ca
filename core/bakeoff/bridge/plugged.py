"""The bridges that are installed: ours and those of other packages, each by the hook ``bakeoff_bridge``."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pluggy

from bakeoff import hookspecs
from bakeoff.credentials import hide_credentials
from bakeoff.errors import EngineUnavailableError, UnknownNameError
from bakeoff.plugins import in_a_line

if TYPE_CHECKING:
    from bakeoff.bridge.kind import BridgeKind

BRIDGES_GROUP = "bakeoff.bridges"
#: They come in by the same hook, and are found without a look at every package that is installed.
_OURS = (
    EntryPoint("in-process", "bakeoff.bridge.without", BRIDGES_GROUP),
    EntryPoint("nats", "bakeoff.bridge.over_nats", BRIDGES_GROUP),
)
_METHODS = ("choose", "server", "connect", "forget")


def bridge_called(name: str) -> BridgeKind:
    """Load one bridge and only that one.

    Raises:
        UnknownNameError: If nobody installed a bridge of this name.
        EngineUnavailableError: If its plug-in cannot be imported, or returns something else.
    """
    for entry in _OURS:
        if entry.name == name:
            return _loaded(entry)
    strangers = {entry.name: entry for entry in entry_points(group=BRIDGES_GROUP)}
    if name in strangers:
        return _loaded(strangers[name])
    close = difflib.get_close_matches(name, _names(), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"--bridge {hide_credentials(name)}: there is no such bridge; {_known()}.{hint}")


def bridge_of_scheme(scheme: str) -> BridgeKind:
    """The bridge whose servers have such URLs, ours first; one that cannot be loaded has none.

    Raises:
        UnknownNameError: If there is none.
    """
    for kind in _kinds():
        if scheme in kind.schemes:
            return kind
    raise UnknownNameError(f"--bridge {scheme}://...: no bridge has such URLs; {_known()}")


def _known() -> str:
    urls = [f"{scheme}://host:port" for kind in _kinds() for scheme in kind.schemes]
    return f"give {', '.join(_names())}, or the URL of a server of yours: {', '.join(urls)}"


def _names() -> list[str]:
    return list(dict.fromkeys(entry.name for entry in (*_OURS, *entry_points(group=BRIDGES_GROUP))))


def _kinds() -> Sequence[BridgeKind]:
    """Those that can be loaded."""
    found: list[BridgeKind] = []
    for entry in (*_OURS, *entry_points(group=BRIDGES_GROUP)):
        with contextlib.suppress(EngineUnavailableError):
            found.append(_loaded(entry))
    return found


def _loaded(entry: EntryPoint) -> BridgeKind:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(entry.load(), name=entry.name)
        manager.check_pending()
        found = [kind for kind in manager.hook.bakeoff_bridge() if kind is not None]
        if len(found) != 1:
            raise TypeError(f"its plug-in returns {len(found)} bridges, not one")
        kind: BridgeKind = found[0]
        missing = [name for name in _METHODS if not callable(getattr(kind, name, None))]
        if missing:
            raise TypeError(f"{kind!r} is no bridge: it has no {', '.join(f'{name}()' for name in missing)}")
        kind.name, kind.schemes = entry.name, tuple(getattr(kind, "schemes", ()))
    except (Exception, SystemExit) as error:  # a stranger's module may fail in any way at all
        raise EngineUnavailableError(f"bridge {entry.name!r} cannot be loaded: {in_a_line(error)}") from error
    return kind
