"""Latencies as HDR histograms: from 1 us to 10 min with three digits, one per distribution, mergeable."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter

from bakeoff.errors import UsageError
from bakeoff_bench.load.generator.sample import Sample

_LOWEST_US, _HIGHEST_US, _DIGITS = 1, 600_000_000, 3
_SUFFIX = ".hlog"
#: What the library lets out of a file that is none of its own, or no longer.
_DAMAGE = (
    *(HdrCookieException, HdrHistogramSettingsException, HdrLengthException, zlib.error),
    *(ValueError, LookupError, TypeError, RuntimeError),
)


def latencies_s(sample: Sample, until_s: float | None = None) -> Iterator[tuple[str, float]]:
    """``(distribution, seconds)`` of one sample: seen in the ledger, told by the engine, and the start.

    ``KIND-STATUS-settled`` and ``-told`` count from when the saga was due, ``KIND-accepted`` from the
    intended start.

    Args:
        sample: Of one saga.
        until_s: When nobody looked any more. A saga that had not settled by then is as slow as that at least:
            left out, the slowest would make the others look quick. ``None``: they are left out.
    """
    if sample.settled_s is not None:
        yield f"{sample.kind}-{sample.status}-settled", sample.settled_s - sample.due_s
        if sample.told_s is not None:
            yield f"{sample.kind}-{sample.status}-told", sample.told_s - sample.due_s
    elif until_s is not None and not sample.shed:
        yield f"{sample.kind}-{sample.status}-settled", max(0.0, until_s - sample.due_s)
    if sample.accepted_s is not None:
        yield f"{sample.kind}-accepted", sample.accepted_s - sample.intended_s


class Histograms:
    """``{distribution: histogram of microseconds}``."""

    def __init__(self) -> None:
        self._by_name: dict[str, HdrHistogram] = {}

    def add(self, sample: Sample, until_s: float | None = None) -> None:
        """Record what is known of one saga; arguments as for ``latencies_s``."""
        for name, seconds in latencies_s(sample, until_s):
            self._of(name).record_value(min(_HIGHEST_US, max(_LOWEST_US, round(seconds * 1e6))))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._by_name))

    def count(self, name: str) -> int:
        """Values in one distribution; 0 if there is none of this name."""
        return int(self._by_name[name].get_total_count()) if name in self._by_name else 0

    def percentile_s(self, name: str, share: float) -> float | None:
        """Seconds that this share of the values do not exceed; ``None`` of nothing."""
        if not self.count(name):
            return None
        return float(self._by_name[name].get_value_at_percentile(100 * share)) / 1e6

    def encoded(self) -> dict[str, str]:
        """As text, to be sent to another process."""
        return {name: one.encode().decode() for name, one in self._by_name.items()}

    def merge(self, encoded: Mapping[str, str]) -> None:
        """Add what another process has ``encoded``."""
        for name, text in encoded.items():
            self._of(name).decode_and_add(text)

    def merge_all(self, other: Histograms) -> None:
        """Add the values of others."""
        self.merge(other.encoded())

    def store(self, folder: Path) -> None:
        """One ``.hlog`` per distribution (HdrHistogram log format 1.2), values in microseconds."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, histogram in self._by_name.items():
            with (folder / f"{name}{_SUFFIX}").open("w", encoding="utf-8") as file:
                log = HistogramLogWriter(file)
                log.output_comment(f"[{name}, microseconds]")
                log.output_log_format_version()
                log.output_legend()
                log.output_interval_histogram(histogram, max_value_unit_ratio=1.0)

    @classmethod
    def load(cls, folder: Path) -> Histograms:
        """What ``store`` wrote; nothing of a folder without histograms.

        Raises:
            UsageError: If a file is damaged.
        """
        found = cls()
        for file in sorted(folder.glob(f"*{_SUFFIX}")):
            reader = HistogramLogReader(str(file), _empty())
            try:
                while (interval := reader.get_next_interval_histogram()) is not None:
                    found._of(file.stem).add(interval)
            except _DAMAGE as error:
                raise UsageError(f"{file} is damaged: {str(error) or type(error).__name__}") from error
            finally:
                reader.input_file.close()
            if not found.count(file.stem):  # a line that is cut off ends the reader without a word
                raise UsageError(f"{file} is damaged: it holds no histogram")
        return found

    def _of(self, name: str) -> HdrHistogram:
        return self._by_name.setdefault(name, _empty())


def _empty() -> HdrHistogram:
    return HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)
