"""What arrives in a ``traceparent``, and what a span of ours says when it leaves."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind

from bakeoff.errors import HandledError
from bakeoff.telemetry.names import ids_of
from bakeoff.telemetry.spans import begin, context_in

_TRACE, _SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (f"00-{_TRACE}-{_SPAN}-01", True),
        (f"00-{_TRACE}-{_SPAN}-00", False),
        (f"00-{_TRACE}-{_SPAN}-03", True),
        (f"cc-{_TRACE}-{_SPAN}-01-what-comes-after-level-1", True),
    ],
)
def test_a_context_is_read_as_w3c_has_it(text: str, sampled: bool) -> None:
    found = context_in({"traceparent": text})

    assert found is not None
    assert (f"{found.trace_id:032x}", f"{found.span_id:016x}") == (_TRACE, _SPAN)
    assert found.trace_flags.sampled is sampled
    assert found.is_remote


@pytest.mark.parametrize(
    "text",
    ["", "00", f"00-{_TRACE}-{_SPAN}", f"00-{'z' * 32}-{_SPAN}-01", f"00-{'0' * 32}-{_SPAN}-01"],
)
def test_nonsense_is_no_context(text: str) -> None:
    """Whoever sends it, the saga goes on."""
    assert context_in({"traceparent": text}) is None


def test_what_a_span_sends_is_read_as_its_child() -> None:
    parent = begin("parent", SpanKind.CLIENT, None, {})
    child = begin("child", SpanKind.SERVER, context_in(parent.headers), {})

    assert child.parent is not None
    assert (child.context.trace_id, child.parent.span_id) == (parent.context.trace_id, parent.context.span_id)
    assert child.context.span_id != parent.context.span_id


def test_a_service_that_declines_says_itself_what_it_was() -> None:
    span = begin("serve", SpanKind.SERVER, None, {})
    span.failed(HandledError("no money", 409, {"type": "BusinessError"}))
    ended = span.ended(Resource.get_empty())

    assert ended.attributes == {"error.type": "BusinessError"}
    assert ended.status.description == "no money"
    assert [event.name for event in ended.events] == ["exception"]
    assert (ended.end_time or 0) >= span.started_ns


def test_ids_follow_from_deployment_and_workflow_id() -> None:
    """The same everywhere, another one in every deployment."""
    assert ids_of("a", "order-1") == ids_of("a", "order-1")
    assert len({ids_of("a", "order-1"), ids_of("b", "order-1"), ids_of("a", "order-2")}) == 3
