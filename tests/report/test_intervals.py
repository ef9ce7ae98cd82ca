"""Every number of a page says of how many it is, and between what it lies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.load import measured
from bakeoff_bench.load.comparison import comparisons
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Cell, Figure, Mood, Page, Table
from bakeoff_bench.report.sections import parts
from bakeoff_bench.report.sections.rounds import in_short, spread
from bakeoff_bench.report.sources import read_sources
from tests.report.synthetic import CLOSED, blocks_of, load_result, write

pytestmark = pytest.mark.service

#: Sections whose tables hold numbers that were measured.
_MEASURED = {
    *("answer", "correctness", "contract", "crashes", "recovery", "load", "struck", "cost", "guarantees"),
    *("adapters", "harness", "time"),
}
#: What engines declare and how they are set was not measured.
_DECLARED = {"contract-capabilities", "harness-differences"}
_HOW_MANY = re.compile(r"\bn\b|\brounds\b|\bsagas\b|\bkills\b", re.I)
_BETWEEN = re.compile(r"interval|lowest|shortest|95 %", re.I)
ONE_LOAD = "one load: no interval"


def _tables(page: Page) -> dict[str, tuple[Table, str]]:
    """``{id: (table, all that is said beside it)}``; a picture's table under the picture's id."""
    found = {}
    for block in (block for section in page.sections if section.id in _MEASURED for block in section.blocks):
        table = block.table if isinstance(block, Figure) else block
        found[block.id] = (table, " ".join([*table.columns, block.conditions, table.conditions]))
    return found


def _page(tmp_path: Path, result: Mapping[str, Any], *more: Path) -> Page:
    return page_of(read_sources([write(tmp_path, "load.json", result), *more]))


def _cells(page: Page, id_: str) -> list[dict[str, str]]:
    """``[{column: text}]`` of one table."""
    table, _ = _tables(page)[id_]
    return [
        {
            name: one if isinstance(one, str) else one.text
            for name, one in zip(table.columns, row, strict=True)
        }
        for row in table.rows
    ]


def _of(rows: list[dict[str, str]], contestant: str, **columns: str) -> dict[str, str]:
    wanted = {"contestant": contestant, **columns}
    (found,) = [row for row in rows if all(row[name].startswith(text) for name, text in wanted.items())]
    return found


@pytest.mark.parametrize("rounds", [1, 3])
def test_every_table_of_measured_numbers_names_n_and_interval(
    runs: Path, tmp_path: Path, rounds: int
) -> None:
    struck = load_result(rounds=rounds)
    struck["plan"]["fault"] = "worker-kill:charge_payment.after_effect"
    fault = {
        **{"missed": "", "at_s": 2.0, "in_flight": 3, "in_flight_lost": 0, "open_before": 1, "open_after": 4},
        **{"silent_s": 1.5, "recovery_s": None, "drained_s": 4.0},
    }
    for row in struck["loads"]:
        row["measured"]["fault"] = fault
    struck["blocks"][0]["parts"] = [_part(0, 5, 10)]
    tables = _tables(_page(tmp_path, struck, runs))
    told = {id_: words for id_, (_, words) in tables.items()}
    left = {id_ for id_ in told if not any(id_.startswith(one) for one in _DECLARED)}

    assert {id_.partition("-")[0] for id_ in left} == _MEASURED - {"harness"}
    assert [id_ for id_ in sorted(left) if not _HOW_MANY.search(told[id_])] == []
    assert [id_ for id_ in sorted(left) if not _BETWEEN.search(told[id_])] == []


def test_costs_lie_between_the_lowest_round_and_the_highest(tmp_path: Path) -> None:
    row = _of(_cells(_page(tmp_path, load_result(rounds=3)), "cost-table-0"), "dramatiq[valkey]")

    assert row["CPU s, total"] == "20.2 (20 to 20.4)"
    assert row["rounds"] == "3 of 3"
    assert row["sagas"] == "1200"
    assert row["load"] == "90%, 54.0/s"


def test_of_one_round_there_is_no_interval(tmp_path: Path) -> None:
    page = _page(tmp_path, load_result(rounds=1, searched=0))

    assert {row["rounds"] for row in _cells(page, "cost-table-0")} == {f"1 of 1; {ONE_LOAD}"}
    assert {row["rounds"] for row in _cells(page, "load-stick-0")} == {f"1 of 1; {ONE_LOAD}"}
    assert {row["rounds"] for row in _cells(page, "load-blocks-0-none")} == {f"1 of 1; {ONE_LOAD}"}
    assert "(one load)" in _of(_cells(page, "answer-table"), "temporal")["CPU s per 1,000 sagas"]
    assert "(" not in _of(_cells(page, "cost-table-0"), "temporal")["CPU s, total"]


def test_a_result_from_before_rounds_were_kept_says_so(tmp_path: Path) -> None:
    older = load_result(rounds=3)
    del older["loads"]
    page = _page(tmp_path, older)

    assert (
        _of(_cells(page, "cost-table-0"), "inline")["rounds"]
        == "3 of 3; not kept round by round: no interval"
    )
    assert _of(_cells(page, "cost-table-0"), "inline")["CPU s, total"] == "30.3"


def test_loads_that_hold_no_cost_give_it_no_interval(tmp_path: Path) -> None:
    result = load_result(rounds=3)
    for row in result["loads"]:
        del row["measured"]["cost"]
    page = _page(tmp_path, result)

    assert "no interval" in _of(_cells(page, "cost-table-0"), "inline")["rounds"]
    assert "how far costs of rounds lie apart in load.json" in repr(page.sections[-1])
    assert _of(_cells(page, "load-stick-0"), "inline", **{"offered /s": "36.0"})["rounds"] == "3 of 3"


def test_percentiles_lie_between_the_rounds_that_show_them(tmp_path: Path) -> None:
    rows = _cells(_page(tmp_path, load_result(rounds=3)), "load-blocks-0-d1-kill-of-any-process")
    completed = _of(rows, "temporal", load="50%", outcome="completed")
    compensated = _of(rows, "temporal", load="50%", outcome="compensated")

    assert completed["p95"] == "0.178 (0.176 to 0.180)"
    assert completed["p99"] == "0.323", "1,080 sagas of all rounds show it, 360 of one do not"
    assert compensated["p95"] == "0.267", "120 and 40"
    assert completed["settled /s"] == "14.9 (14.7 to 15.0)"


def test_what_the_engine_told_stands_beside_what_the_ledger_says(tmp_path: Path) -> None:
    page = _page(tmp_path, load_result(rounds=3))
    rows = _cells(page, "load-blocks-0-d1-kill-of-any-process")
    of_one = _cells(_page(tmp_path, load_result(rounds=1)), "load-blocks-0-d1-kill-of-any-process")
    silent = _cells(page, "load-blocks-0-d1-for-workers-only")

    assert _of(rows, "temporal", load="50%", outcome="completed")[TOLD] == "0.267 (0.264 to 0.269)"
    assert _of(rows, "temporal", load="50%", outcome="compensated")[TOLD] == "0.400", (
        "only all rounds show it"
    )
    assert _of(of_one, "temporal", load="50%", outcome="compensated")[TOLD] == "too few"
    assert {row[TOLD] for row in silent} == {"-"}
    assert "to the word of its own API" in _tables(page)["load-blocks-0-none"][1]


TOLD = "told by the engine, p95, s"


def test_what_the_engine_told_under_overload_is_marked(tmp_path: Path) -> None:
    result = load_result(rounds=2)
    for row in result["loads"]:
        row["measured"]["kept_up"] = row["block"] != "90%"
    page = _page(tmp_path, {**result, "blocks": blocks_of(result["loads"])})
    row = _of(_cells(page, "load-blocks-0-none"), "inline", load="90%", outcome="completed")

    assert row[TOLD].endswith(" overload")


@pytest.mark.parametrize(("grew", "told"), [(1, ""), (3, ""), (4, " overload")])
def test_a_load_is_overload_where_its_backlog_grew_in_more_than_a_third_of_its_rounds(
    tmp_path: Path, grew: int, told: str
) -> None:
    """A bad minute of the machine is no property of a rate; how many there were is said."""
    result = load_result({"inline": "none"}, rounds=10)
    for row in result["loads"]:
        row["measured"]["kept_up"] = row["block"] != "90%" or row["round"] >= grew
    page = _page(tmp_path, {**result, "blocks": blocks_of(result["loads"])})
    row = _of(_cells(page, "load-blocks-0-none"), "inline", load="90%", outcome="completed")

    assert row["p95"].endswith(" overload") is bool(told)
    assert f"grew in {grew} of 10" in [row["backlog"] for row in _cells(page, "load-stick-0")]
    assert (f"in {grew} of 10 rounds the backlog grew" in repr(page.sections)) is not bool(told)


def test_rounds_that_were_made_shorter_say_so(tmp_path: Path) -> None:
    page = _page(tmp_path, {**load_result(rounds=2), "round_s": 8.0})

    assert " s (8 s in rounds) of which " in repr(page.sections)


def test_a_closed_loop_is_called_so_wherever_its_name_stands(tmp_path: Path) -> None:
    """Whatever is told of it: its numbers, its cost, its parts, why it does not count, what is not known."""
    result = load_result(rounds=2)
    for row in result["loads"]:
        if row["contestant"] == "inline" and row["block"] == CLOSED:
            row["measured"]["void"] = ["somebody else"]
        elif row["contestant"] == "temporal":
            row["measured"]["kept_up"] = bool(row["users"])
    result |= {"blocks": blocks_of(result["loads"]), "comparisons": comparisons(result["loads"])}
    result["blocks"][0]["parts"] = [_part(0, 5, 10)]
    page = _page(tmp_path, result)
    told = repr(page.sections)

    assert told.count(CLOSED) > 10
    assert told.count(CLOSED) == told.count(f"{CLOSED} (closed loop)")
    assert f"{CLOSED} (closed loop), " in _of(_cells(page, "cost-table-0"), "temporal")["load"]


def test_rounds_of_a_load_are_one_mark_with_a_bar_and_loads_of_the_search_one_each(tmp_path: Path) -> None:
    rows = _cells(_page(tmp_path, load_result({"inline": "none"}, rounds=5, searched=4)), "load-stick-0")

    assert [row["rounds"] for row in rows].count("5 of 5") == 2
    assert [row["rounds"] for row in rows].count(f"1 of 1; {ONE_LOAD}") == 4
    assert [row["backlog"] for row in rows].count("grew in 1 of 1") == 2
    assert _of(rows, "inline", **{"offered /s": "60.0"})["p95, s"] == "0.045 (0.044 to 0.046)"


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ([0.03, 0.04, 0.05], "0.040 (0.030 to 0.050)"),
        ([0.05, 0.06], "0.040"),  # only the busiest rounds have the values: not what all of them show
        ([0.03], "0.040"),
    ],
)
def test_a_bracket_holds_what_it_is_about(rounds: list[float], told: str) -> None:
    assert spread(0.04, rounds, "{:.3f}".format) == told


def test_a_bracket_says_how_many_rounds_it_is_of() -> None:
    assert in_short(0.04, [0.03, 0.05], 2, "{:.2f}".format) == "0.04 (0.03 to 0.05, 2 rounds)"
    assert in_short(0.04, [0.03, 0.05], 10, "{:.2f}".format) == "0.04 (0.03 to 0.05, 2 of 10 rounds)"
    assert in_short(0.04, [0.05, 0.06], 10, "{:.2f}".format) == "0.04 (10 rounds)"


def test_the_answer_says_of_how_many_rounds_and_between_what(tmp_path: Path) -> None:
    row = _of(_cells(_page(tmp_path, load_result(rounds=3)), "answer-table"), "celery[valkey]")

    assert row["sustained, sagas/s"] == "120.0 (below 132.0, 2 of 3 rounds)"
    assert row["p95 at most loaded, s"] == "0.0444 (0.044 to 0.0449, 3 rounds) at 108.0/s"
    assert row["CPU s per 1,000 sagas"] == "10.1 (10.0 to 10.2, 3 rounds)"


def test_a_price_is_of_the_same_rounds_of_both(tmp_path: Path, runs: Path) -> None:
    result = load_result({"x": "none", "inline": "none"}, rounds=3)
    for row in result["loads"]:
        if row["contestant"] == "inline" and row["round"] == 1:
            row["measured"]["void"] = ["somebody else"]
    crash = json.loads(json.dumps(read_sources([runs / "crash"])[0].result))
    crash["kills"] = [{**row, "contestant": name} for row in crash["kills"] for name in ("x", "inline")]
    about = crash["manifest"]["contestants"]["inline"]
    crash["manifest"]["contestants"] = {"x": about, "inline": about}
    page = _page(
        tmp_path, {**result, "blocks": blocks_of(result["loads"])}, write(tmp_path, "crash.json", crash)
    )
    rows = _cells(page, "guarantees-table")

    assert _of(rows, "x")["CPU, times the null engine's"] == "0.5 (0.5 to 0.5)"
    assert _of(rows, "x")["rounds"] == "3 of 3"
    assert _of(rows, "inline")["rounds"] == "2 of 3"
    assert "2 of 2 harmed (34 to 100 %)" in _of(rows, "x")["kills (95 %)"]


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ([-5e7, -6e7, -7e7], "unknown (its files shrank in 3 of 3 rounds)"),
        ([-5e7, 3e6, 4e6], "unknown (its files shrank in 1 of 3 rounds)"),
        ([2e6, 3e6, 4e6], "3 (2 to 4)"),
    ],
)
def test_files_that_shrank_are_no_gain(tmp_path: Path, rounds: list[float], told: str) -> None:
    result = load_result({"x": "none"}, rounds=3)
    for row in result["loads"]:
        row["measured"]["cost"]["per_1000"]["stored_bytes.servers"] = rounds[row["round"] % 3]
    page = _page(tmp_path, {**result, "blocks": blocks_of(result["loads"])})

    assert _of(_cells(page, "cost-table-0"), "x")["MB stored by servers"] == told


def test_what_no_platform_tells_has_a_column_and_a_reason(tmp_path: Path) -> None:
    page = _page(tmp_path, load_result())

    assert {row["MB on the wire"] for row in _cells(page, "cost-table-0")} == {"unknown"}
    assert "shares the loopback one" in _tables(page)["cost-table-0"][1]


def test_billable_actions_are_told_for_a_thousand_sagas(tmp_path: Path) -> None:
    (row,) = _cells(_page(tmp_path, load_result()), "cost-bill-0")

    assert row["events"] == "29,000"
    assert row["billable actions"] == "5,500"
    assert row["MB"] == "4"
    assert row["price"] == "0.14 of your money"
    assert row["sagas looked at"] == "40"


def test_who_survives_the_same_stands_together(tmp_path: Path) -> None:
    page = _page(tmp_path, load_result())
    shown = [id_ for id_ in _tables(page) if id_.startswith("load-blocks")]

    assert shown == [
        "load-blocks-0-d1-kill-of-any-process",
        "load-blocks-0-d1-for-workers-only",
        "load-blocks-0-none",
    ]
    assert {row["contestant"] for row in _cells(page, shown[2])} == {"celery[valkey]", "inline"}
    assert [row["contestant"] for row in _cells(page, "load-search-0")][:2] == [
        "temporal",
        "dramatiq[valkey]",
    ]


def test_a_pair_of_unequal_guarantees_says_so_and_at_which_rates(tmp_path: Path) -> None:
    page = _page(tmp_path, load_result())
    by_pair = {(row["pair"], row["load"]): row["durability"] for row in _cells(page, "load-pairs-0")}
    (rule,) = [row for row in _rules(page) if str(row[0]).startswith("14")]

    assert by_pair[("celery[valkey] / temporal", "50% (60.0/s against 15.0/s), p50")] == (
        "unequal: none / D1 (kill of any process)"
    )
    assert by_pair[("celery[valkey] / inline", "16 in flight (closed loop), settled_per_s")] == "both: none"
    unequal = sum(told.startswith("unequal") for told in by_pair.values())
    assert 0 < unequal < len(by_pair)
    assert f"{unequal} of {len(by_pair)} pairs are of unequal guarantees, and say so" in str(rule[2])


def _rules(page: Page) -> list[Any]:
    (conditions,) = [one for one in page.sections if one.id == "conditions"]
    (table,) = [one for one in conditions.blocks if one.id == "conditions-rules"]
    assert isinstance(table, Table)
    return list(table.rows)


def _part(from_s: float, until_s: float, open_at_end: int) -> dict[str, Any]:
    latency = {"n": 100, "p50": 0.1, "p90": 0.2, "p95": None}
    return {
        **{"from_s": from_s, "until_s": until_s, "offered_per_s": 20.0, "latency": latency},
        **{"open_at_end": open_at_end, "memory_bytes": None},
    }


def test_a_part_in_which_the_backlog_grew_is_marked(tmp_path: Path) -> None:
    result = load_result({"x": "none"}, rounds=2)
    for block in result["blocks"]:
        if block["block"] == "90%":
            block["parts"] = [_part(0, 10, 14), _part(10, 20, 200), _part(20, 30, 90)]
    table, _ = _tables(_page(tmp_path, result))["load-parts-0"]
    p50s = [row[table.columns.index("p50")] for row in table.rows]

    assert [one.text for one in p50s if isinstance(one, Cell)] == ["0.100", "0.100 overload", "0.100"]
    assert [one.mood for one in p50s if isinstance(one, Cell)] == [Mood.PLAIN, Mood.CAUTION, Mood.PLAIN]


def test_a_part_grows_by_the_same_measure_as_a_whole_load() -> None:
    assert (parts.GROWTH, parts.SLACK) == (measured._GROWTH, measured._SLACK)


def test_parts_of_an_earlier_bakeoff_are_held_against_what_was_open_before(tmp_path: Path) -> None:
    """And those of this one against every round by itself."""
    result = load_result({"x": "none"}, rounds=2)
    result["blocks"][1]["parts"] = [
        {**_part(0, 10, 500), "kept_up": True},
        {**_part(10, 20, 0), "kept_up": False},
    ]
    rows = _cells(_page(tmp_path, result), "load-parts-0")

    assert [row["p90"] for row in rows] == ["0.200", "0.200 overload"]


def test_rates_stand_against_services_and_generator_alone(tmp_path: Path) -> None:
    result = load_result({"quick": "none", "slow": "none"})
    assert not [id_ for id_ in _tables(_page(tmp_path, result)) if id_.startswith("load-limits")]
    result["world"] = {
        **{"orders_per_s": 200.0, "orders_per_s_of_tries": [190.0, 200.0, 210.0]},
        **{"cpu_ms_per_order": 1.5, "cpu_ms_of_tries": [1.4, 1.5, 1.6]},
    }
    for label, rate in (("quick", 101.0), ("slow", 99.0)):
        result["contestants"][label]["throughput_per_s"] = rate
    result["contestants"]["slow"]["generator_alone"] = {
        **{"offered_per_s": 297.0, "started_per_s": 250.0, "void": ["the generator was late"]},
    }
    page = _page(tmp_path, result)
    rows = _cells(page, "load-limits-0")

    assert _of(rows, "quick")["of services and ledger alone"] == "50%, bound by it"
    assert _of(rows, "quick")["generator, workers off: offered /s"] == "not measured"
    assert _of(rows, "slow")["of services and ledger alone"] == "50%"
    assert _of(rows, "slow")["generator"] == "the generator was late"
    assert "200 (190 to 210) orders/s" in _tables(page)["load-limits-0"][1]


@pytest.mark.parametrize(
    ("format_", "told"),
    [(1, "they are in no percentile"), (2, "they rank in percentiles with what they had waited")],
)
def test_unsettled_sagas_are_in_percentiles_as_far_as_the_run_ranked_them(
    tmp_path: Path, format_: int, told: str
) -> None:
    page = _page(tmp_path, {**load_result(), "format": format_})

    assert told in _tables(page)["load-blocks-0-none"][1]
    assert any(told in str(row[2]) for row in _rules(page) if str(row[0]).startswith("4 "))


def test_mean_times_say_of_how_many_sagas_and_how_sure(runs: Path) -> None:
    page = page_of(read_sources([runs / "first"]))
    (row,) = _cells(page, "time-means-0-completed")

    assert int(row["sagas"]) > 10
    assert re.fullmatch(r"\d+\.\d{3} \N{PLUS-MINUS SIGN} \d+\.\d{3}", row["in all, s"])


@pytest.mark.parametrize(
    ("recovered", "told"),
    [([0.5, 1.0, 3.0], "3 retried, 1.0 (0.5 to 3.0) s"), ([1.0], "1 retried, 1.0 s")],
)
def test_several_kills_of_a_cell_tell_the_shortest_and_the_longest(
    runs: Path, tmp_path: Path, recovered: list[float], told: str
) -> None:
    crash = json.loads(json.dumps(read_sources([runs / "crash"])[0].result))
    crash["manifest"]["series"][0]["kills"] = len(recovered)
    retried = {**crash["kills"][0], "outcome": "retried", "open": False}
    crash["kills"] = [{**retried, "recovery_s": seconds} for seconds in recovered]
    page = page_of(read_sources([write(tmp_path, "crash.json", crash)]))
    (matrix,) = [table for id_, (table, _) in _tables(page).items() if id_.startswith("crashes-0-0")]

    assert [one.text for one in matrix.rows[0][1:] if isinstance(one, Cell)] == [told]


def _no_values(result: dict[str, Any]) -> None:
    result["contestants"]["x"]["sustained"] |= {"of": 0, "confirmed": 0}


def _generator(result: dict[str, Any]) -> None:
    result["contestants"]["x"]["sustained"] |= {"bound": "generator"}


def _nothing(result: dict[str, Any]) -> None:
    result["contestants"]["x"]["sustained"] |= {"rate_per_s": None, "closest": "95th percentile of 3 s"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_no_values, "120.0 (below 132.0, one load)"),
        (_generator, "at least 120.0 (2 of 3 rounds)"),
        (_nothing, "none; closest: 95th percentile of 3 s"),
    ],
)
def test_a_sustained_rate_says_how_sure_it_is(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    result = load_result({"x": "none"})
    change(result)

    assert _of(_cells(_page(tmp_path, result), "answer-table"), "x")["sustained, sagas/s"] == told
