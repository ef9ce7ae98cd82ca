"""What a search may change about an engine, and what it would give up by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bakeoff.cli.options import choose_engines
from bakeoff.engine import EngineInfo, Support
from bakeoff.settings import ConfigClass, Setting
from bakeoff.tuned import as_text
from bakeoff_bench.crash.contestants import Contestant

#: ``{setting: text}`` that differ from class ``recommended``.
Changes = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the user fixed.

    Attributes:
        engine: Its name.
        sets: Texts of ``--set`` that concern it.
    """

    engine: str
    sets: tuple[str, ...] = ()

    @property
    def fixed(self) -> dict[str, str]:
        """``{setting: text}`` of those."""
        return dict(text.partition(".")[2].partition("=")[::2] for text in self.sets)

    def contestant(self, changes: Changes) -> Contestant:
        """The engine in class ``recommended`` with what the user fixed, and these values on top.

        Raises:
            UsageError: For a setting or value that the engine does not know.
        """
        texts = (*self.sets, *(f"{self.engine}.{name}={text}" for name, text in changes.items()))
        chosen = choose_engines([self.engine], config=ConfigClass.RECOMMENDED, sets=self._in_force(texts))[0]
        words = [f"{name}={text}" for name, text in changes.items() if chosen.settings.applies(name)]
        return Contestant(
            label=f"{self.engine}[{', '.join(words) or 'recommended'}]",
            engine=chosen.engine,
            settings=chosen.settings,
            sets=self._in_force(texts),
            raws=(),
        )

    def _in_force(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Without those that another one of them leaves without effect: a broker's own, with the other."""
        kept: list[str] = []
        # The condition of a setting is one that was declared, and so is tried, before it.
        for text in texts:
            chosen = choose_engines([self.engine], sets=kept)[0]
            if text in self.sets or chosen.settings.applies(text.partition("=")[0].partition(".")[2]):
                kept.append(text)
        return tuple(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A setting of which other values are tried.

    Attributes:
        name: Without the engine's prefix.
        texts: The values, as ``--set`` takes them.
    """

    name: str
    texts: tuple[str, ...]


def knobs_of(given: Given, only: Sequence[str] = ()) -> Iterator[Knob]:
    """The declared knobs of an engine that the user did not fix, in the order of their declaration.

    Args:
        given: The engine.
        only: Names of those to be tried; empty for all.
    """
    for setting in given.contestant({}).engine.info().settings:
        if setting.tries and setting.name not in given.fixed and (not only or setting.name in only):
            yield Knob(name=setting.name, texts=texts_of(setting))


def texts_of(setting: Setting) -> tuple[str, ...]:
    """The values to be tried, the recommended one among them."""
    return tuple(dict.fromkeys(as_text(value) for value in (setting.recommended, *setting.tries)))


def given_up(before: EngineInfo, after: EngineInfo) -> list[str]:
    """What the engine no longer promises, in words; nothing if it keeps everything."""
    lost = [
        f"{capability}: {after.claims[capability].reason}"
        for capability, claim in before.claims.items()
        if claim.support is not Support.ABSENT and after.claims[capability].support is Support.ABSENT
    ]
    return lost + [f"surviving {one}" for one in sorted(before.survives - after.survives)]
