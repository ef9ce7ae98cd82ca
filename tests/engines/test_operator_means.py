"""What each engine declares of an operator's means is what its client has."""

from __future__ import annotations

import pytest

from bakeoff.engine import HasDeadLetters, Means, Redrives, Support
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff_celery.client import CeleryClient
from bakeoff_choreography.client import ChoreographyClient
from bakeoff_dramatiq.client import DramatiqClient
from bakeoff_inline.client import InlineClient
from bakeoff_temporal.client import TemporalClient

_PROTOCOLS: dict[Means, type] = {Means.REDRIVE: Redrives, Means.DEAD_LETTERS: HasDeadLetters}


@pytest.mark.parametrize(
    ("engine", "client", "overrides"),
    [
        ("celery", CeleryClient, {"broker": "valkey"}),
        ("celery", CeleryClient, {"broker": "rabbitmq"}),
        ("choreography", ChoreographyClient, {}),
        ("dramatiq", DramatiqClient, {"broker": "valkey"}),
        ("dramatiq", DramatiqClient, {"broker": "rabbitmq"}),
        ("temporal", TemporalClient, {}),
        ("inline", InlineClient, {}),
    ],
)
@pytest.mark.parametrize("means", list(Means))
def test_a_claim_has_its_methods_and_an_absence_a_reason(
    engine: str, client: type, overrides: dict[str, str], means: Means
) -> None:
    plugin = Plugins().engine(engine)
    settings = resolve(engine, plugin.info().settings, ConfigClass.CI, overrides)
    claim = plugin.info(settings).means[means]

    assert claim.reason
    assert issubclass(client, _PROTOCOLS[means]) == (claim.support is not Support.ABSENT)
