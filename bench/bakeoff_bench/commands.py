"""The commands that this package adds to the command line; imported at every start, so it stays light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def bakeoff_register_commands(cli: typer.Typer) -> None:
    """Add every command that runs, judges or shows an experiment."""
    import typer

    from bakeoff_bench.crash.command import crash
    from bakeoff_bench.decide.command import decide
    from bakeoff_bench.judge.command import judge
    from bakeoff_bench.lines.command import lines
    from bakeoff_bench.load.command import load
    from bakeoff_bench.ordeals.command import ordeal
    from bakeoff_bench.overhead.command import overhead
    from bakeoff_bench.report.command import report
    from bakeoff_bench.run.command import check, scenarios
    from bakeoff_bench.runs.command import combine, compare, export
    from bakeoff_bench.speed.command import speed
    from bakeoff_bench.sweep.command import sweep
    from bakeoff_bench.trace.command import trace
    from bakeoff_bench.tune.command import tune
    from bakeoff_bench.whole.command import run

    cli.command("run")(run)
    cli.command("check")(check)
    cli.command("scenarios")(scenarios)
    cli.command("crash")(crash)
    cli.command("sweep")(sweep)
    cli.command("load")(load)
    cli.command("tune")(tune)
    cli.command("compare")(compare)
    cli.command("combine")(combine)
    cli.command("export")(export)
    cli.command("report")(report)
    cli.command("trace")(trace)
    cli.command("decide")(decide)
    cli.command("ordeal")(ordeal)
    bench = typer.Typer(help="Measure bakeoff itself on this machine.", rich_markup_mode=None)
    bench.command("speed")(speed)
    bench.command("overhead")(overhead)
    bench.command("judge")(judge)
    bench.command("lines")(lines)
    # The callback keeps typer from folding a group of one into its only command.
    bench.callback()(_bench)
    cli.add_typer(bench, name="bench")


def _bench() -> None:
    """Measure bakeoff itself on this machine."""
