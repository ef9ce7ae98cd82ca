"""``bakeoff run``: from options to an exit code and a page."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.bridge.bridges import IN_PROCESS, choose_bridge
from bakeoff.cli.options import (
    BridgeOption,
    ChosenEngine,
    ConfigOption,
    EngineOption,
    LedgerOption,
    OtlpOption,
    SagaOption,
    SetOption,
    SetRawOption,
    SlotsOption,
    WorkersOption,
    check_slots_of,
    choose_engines,
    choose_receiver,
    choose_saga,
)
from bakeoff.cli.screen import complain, say, warn
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.processes import run_interruptibly
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.command import kill_all
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.load.check import measured_nothing
from bakeoff_bench.load.command import measure
from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.report.command import check_output, is_markdown, write_report
from bakeoff_bench.report.drawing import check_drawing
from bakeoff_bench.run.command import (
    CountOption,
    JsonOption,
    OrdersOption,
    OutOption,
    ParticipantsChoice,
    check_json,
    check_ledger_of_run,
    orders_of,
    run_folder,
    write_json,
)
from bakeoff_bench.run.conduct import all_stacks_were_up, conduct
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.journal import MANIFEST
from bakeoff_bench.run.plan import Contestant, RunPlan, contestants, expected_seconds
from bakeoff_bench.run.preflight import with_servers
from bakeoff_bench.run.result import result_of
from bakeoff_bench.run.tables import show_result
from bakeoff_bench.whole.kills import asked_of, broken_promises
from bakeoff_bench.whole.loads import plan_of
from bakeoff_bench.whole.parts import RunPart, ours
from bakeoff_scenarios import find_scenario

_ROUNDS, _QUICK_ROUNDS = 4, 2
#: Where the page goes if the run itself is not kept.
_PAGE = Path("bakeoff-report.html")


def run(
    engine: EngineOption = None,
    saga: SagaOption = "order",
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="`bakeoff scenarios` lists them.")
    ] = "orders",
    orders: OrdersOption = None,
    count: CountOption = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=10_000, help="Sagas in flight per engine.")
    ] = 8,
    workers: WorkersOption = 1,
    slots: SlotsOption = 4,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, max=100, help="Turns of each engine.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the faults that are drawn.")] = 1,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    ledger: LedgerOption = "sqlite",
    bridge: BridgeOption = IN_PROCESS,
    otlp: OtlpOption = None,
    participants: Annotated[
        ParticipantsChoice,
        typer.Option(help="`naive` switches the idempotency keys off, to see what happens twice."),
    ] = ParticipantsChoice.IDEMPOTENT,
    only: Annotated[
        list[RunPart] | None, typer.Option("--only", help="Only this part; repeat for several.")
    ] = None,
    out: OutOption = None,
    json_: JsonOption = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help=f"Where the page goes: DIR/report.html, or {_PAGE}."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer orders, two crash points, one load: a few minutes in all.")
    ] = False,
) -> None:
    """Run the same saga on every engine, kill its workers, put it under load; judge it all by the ledger.

    Three parts: sagas with the same orders and faults; one kill of a worker at every crash point, with short
    leases; a short load. Then a page with the answer and all the evidence.

    Exit code 0: every verdict is valid, and no engine lost what it declares to keep. 1: otherwise. 2: it
    could not start.

    \b
    Examples:
        bakeoff run --quick
        bakeoff run --engine temporal --engine celery --orders my-orders.csv --out runs/first
        bakeoff run --saga my_package.my_module:MY_SAGA --only sagas
        bakeoff run --scenario scarcity --only sagas
    """
    began_s = time.monotonic()
    chosen = choose_engines(engine, config=config, sets=set_, raws=set_raw)
    check_slots_of(chosen, slots)
    the_saga, references = choose_saga(saga)
    check_ledger_of_run(ledger, len(chosen))
    between = choose_bridge(bridge)
    receiver = choose_receiver(otlp)
    check_json(json_, out)
    page = None if no_report else _page(report, out, whole=not only)
    book = orders_of(orders, count, quick)
    if count is not None and len(book.orders) < count:
        warn(f"--count {count}: {book.source} holds {len(book.orders)} usable orders")
    chosen = run_interruptibly(with_servers(chosen, named=bool(engine) and "all" not in (engine or [])))
    plan = RunPlan(
        engines=chosen,
        saga=the_saga,
        references=references,
        scenario=find_scenario(scenario),
        book=book,
        seed=seed,
        rounds=min(rounds or (_QUICK_ROUNDS if quick else _ROUNDS), len(book.orders)),
        concurrency=concurrency,
        workers=workers,
        slots=slots,
        ledger=ledger,
        participants=participants.value,
        prefix=f"bakeoff-{secrets.token_hex(3)}-",
        bridge=between,
        otlp=receiver,
    )
    parts = _Parts(plan, saga, set_ or (), set_raw or (), only or (), quick=quick)
    with run_folder(out) as folder:
        say(parts.announcement())
        try:
            failed = _do(parts, folder, began_s, json_, out)
        except BakeoffError as error:
            if not _judged(folder):
                raise
            complain(" ".join(str(error).split()))  # what was judged before stands, and is told
            failed = True
        if page is not None:
            written = write_report([folder.path], page, unkept=None if out else folder.path)
            say()
            say(written.answer, "bold")
            say(f"the whole story: {page}" + ("" if is_markdown(page) else "; open it in a browser"))
        say(
            f"{time.monotonic() - began_s:.0f} s in all; "
            + (_kept(folder) if out else "not kept: --out DIR keeps it, to judge again or decide by")
        )
    if failed:
        raise typer.Exit(1)


class _Parts:
    """Which parts there are, and what each is to do; found out before anything starts."""

    def __init__(
        self,
        plan: RunPlan,
        saga: str,
        sets: Sequence[str],
        raws: Sequence[str],
        only: Sequence[RunPart],
        *,
        quick: bool,
    ) -> None:
        self.plan = plan
        self.sagas: list[Contestant] | None = None
        self.asked: Asked | None = None
        self.load: LoadPlan | None = None
        self._named = bool(only)
        wanted = tuple(only) or tuple(RunPart)
        if RunPart.SAGAS in wanted:
            self.sagas = contestants(plan)
        mine = self._mine() if RunPart.CRASH in wanted else []
        if mine:
            self.asked = self._or_none(
                RunPart.CRASH,
                lambda: asked_of(
                    mine,
                    saga,
                    plan.saga,
                    sets,
                    raws,
                    plan.seed,
                    bridge=plan.bridge,
                    quick=quick,
                    otlp=plan.otlp,
                ),
            )
        if RunPart.LOAD in wanted and self._can_load():
            self.load = plan_of(
                plan.engines,
                plan.saga,
                plan.references,
                sets,
                raws,
                plan.seed,
                workers=plan.workers,
                slots=plan.slots,
                ledger=plan.ledger,
                bridge=plan.bridge,
                otlp=plan.otlp,
                quick=quick,
            )
            if self.load is None:
                self._leave_out(RunPart.LOAD, "no engine is left that can take it")
        if self.sagas is None and self.asked is None and self.load is None:
            raise UsageError("nothing is left to do: see the warnings above")

    def _mine(self) -> list[ChosenEngine]:
        """The engines whose processes may be killed."""
        mine, theirs = ours(self.plan.engines)
        if theirs:
            names = ", ".join(one.name for one in theirs)
            self._leave_out(RunPart.CRASH, f"{names} has a server of yours, and nothing is killed there")
        if self.plan.bridge.url is not None:
            self._leave_out(RunPart.CRASH, "the bridge's server is yours, and nothing is killed there")
            return []
        if "://" in self.plan.ledger:
            self._leave_out(RunPart.CRASH, "it needs a ledger of its own, and --ledger names yours")
            return []
        return mine

    def _can_load(self) -> bool:
        if "://" in self.plan.ledger:
            self._leave_out(RunPart.LOAD, "it needs a ledger of its own, and --ledger names yours")
            return False
        if self.plan.participants != "idempotent":
            self._leave_out(RunPart.LOAD, "a load is judged with idempotent services")
            return False
        try:
            check_extra()
        except UsageError as error:
            self._leave_out(RunPart.LOAD, str(error))
            return False
        return True

    def _or_none(self, part: RunPart, make: Any) -> Any:
        """What a part is to do; a saga that it cannot take leaves it out."""
        try:
            asked = make()
            asked.plan()
        except UsageError as error:
            self._leave_out(part, str(error))
            return None
        return asked

    def _leave_out(self, part: RunPart, why: str) -> None:
        if self._named:
            raise UsageError(f"--only {part}: {why}")
        warn(f"the {part} part is left out: {why}")

    def announcement(self) -> str:
        """What will be done, and how long that takes."""
        words, seconds = [], 0.0
        if self.sagas is not None:
            names = ", ".join(one.chosen.name for one in self.sagas)
            words.append(f"{len(self.plan.book.orders)} {self.plan.saga.name} sagas on each engine ({names})")
            seconds += expected_seconds(self.plan, self.sagas)
        if self.asked is not None:
            crash = self.asked.plan()
            leases = {one.label: one.lease_s for series in crash.series for one in series.contestants}
            words.append(f"{crash.kills_in_all} kills")
            seconds += crash.expected_seconds(leases)
        if self.load is not None:
            words.append(f"a load on {len(self.load.contestants)} contestants")
            seconds += self.load.expected_s()
        about = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
        return f"{', then '.join(words)}: about {about} in all"


def _judged(folder: RunFolder) -> bool:
    """Whether a part has come to results."""
    kept = (
        folder.path / MANIFEST,
        folder.path / "crash" / "kills.jsonl",
        folder.path / "load" / "loads.jsonl",
    )
    return all_stacks_were_up(folder) if kept[0].exists() else any(one.exists() for one in kept[1:])


def _kept(folder: RunFolder) -> str:
    """Where what can be judged again lies."""
    places = (folder.path, folder.path / "crash", folder.path / "load")
    lines = [f"bakeoff check {place}" for place in places if (place / MANIFEST).exists()]
    return f"kept in {folder.path}; judge it again with: {', '.join(lines)}"


def _do(parts: _Parts, folder: RunFolder, began_s: float, json_: Path | None, out: Path | None) -> bool:
    """Every part that there is; return whether something is not as it should be."""
    result: dict[str, Any] = {}
    failed = False
    if parts.sagas is not None:
        result = _sagas(parts.plan, parts.sagas, folder, began_s, out)
        failed = result["validity"] != "valid"
        write_json(result, json_)
    if parts.asked is not None:
        say()
        killed = kill_all(parts.asked, CrashFolder.create(folder.path / "crash"), keeps=out is not None)
        if broken := broken_promises(killed):
            say(f"came to harm though they declare to survive it: {', '.join(broken)}", "bold red")
            failed = True
        result["crash"] = killed
        write_json(result, json_)
    if parts.load is not None:
        say()
        kept = None if out is None else folder.path / "load"
        result["load"] = measure(parts.load, folder.path / "load", None, None, kept)
        failed = failed or result["load"]["validity"] == "invalid"
        if measured_nothing(result["load"]):
            warn(
                "a load came to nothing, on a machine that was busy or too slow: it fails nothing, and "
                "says nothing"
            )
        write_json(result, json_)
    return failed


def _sagas(
    plan: RunPlan, all_of_them: list[Contestant], folder: RunFolder, began_s: float, out: Path | None
) -> dict[str, Any]:
    """Run them and show the result."""
    try:
        run_interruptibly(conduct(plan, all_of_them, folder, began_s))
    except KeyboardInterrupt:
        say("broken off; " + (f"judge what was done: bakeoff check {out}" if out else "nothing kept"))
        raise
    result = result_of(folder)
    show_result(result)
    first = result["first_settled_s"]
    if first is not None:
        say(f"first saga settled {first:.1f} s after the start")
    return result


def _page(report: Path | None, out: Path | None, *, whole: bool) -> Path | None:
    """Where the page goes; found out before the run that it cannot. A part alone makes none unasked."""
    if report is None and out is None and not whole:
        return None
    try:
        if report is None or not is_markdown(report):
            check_drawing()
    except UsageError as error:
        if report is not None:
            raise
        warn(f"no page: {error}")
        return None
    page = report or (out / "report.html" if out is not None else _PAGE)
    if report is not None or out is None:
        check_output(page)
    return page
