"""How each block of the documentation is held to what it says, page by page, by its first line.

A key that ends with ``...`` is the beginning of that line.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.docs import stages
from tests.docs.how import Elsewhere, Exempt, How, Level, Parsed, Ran

_DOCS = "tests/docs"
_QUICKSTART = f"{_DOCS}/test_quickstart.py::test_from_nothing_to_a_decision"
_QUICK_START = "tests/cli/test_quick_start.py"
_BUSINESS = "tests/business/test_pages.py"
_FAULTS = "tests/crash/test_faults_page.py"
_CHECKLIST = f"{_DOCS}/test_checklist.py::test_the_page_works_from_its_first_line_to_its_last"
_OWN_SERVERS = f"{_DOCS}/test_own_servers.py::test_the_page_works_from_its_first_line_to_its_last"
_PURISTA = "tests/purista/test_example.py::test_the_lines_of_the_page"
_REPORT = "tests/report/test_report.py::test_the_lines_of_the_page_work"
_OWN_TEMPORAL = f"{_DOCS}/test_operate_page.py::test_a_temporal_server_of_your_own"
_CODE = f"{_DOCS}/test_page_code.py"
_ENGINE_PAGE = f"{_DOCS}/test_write_an_engine_page.py::test_the_lines_of_the_page"
_SHOWN_ENGINE = "tests/contract/test_write_an_engine.py::test_page_shows_the_package_as_it_is"
_SHOWN_FAULT = f"{_FAULTS}::test_page_shows_the_example_as_it_is"
_MEASURED = Parsed("it made the numbers below, in hours; test_generated holds the page against them")

#: One kill of a worker, where the saga could lose its payment.
_ONE_KILL = "--broker valkey --kills 1"
#: A load of seconds; on a busy machine it may come to nothing.
_SHORT_LOAD = "--rate 4 --duration 4 --rounds 1"
#: One test of the contract suite.
_ONE_TEST = "-k test_all_steps_act_once_in_order -p no:cacheprovider"

BLOCKS: Mapping[str, Mapping[str, How]] = {
    "README.md": {
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[all]'...": Elsewhere(
            f"{_DOCS}/test_readme.py::test_the_main_job", Level.REDUCED
        ),
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'...": Parsed(
            "this test is part of what it runs; .ci/run takes the line from here"
        ),
        "# Which guarantees does an engine keep?...": Elsewhere(
            f"{_DOCS}/test_readme.py::test_the_three_uses", Level.REDUCED
        ),
        "bakeoff up --engine temporal": Elsewhere(f"{_QUICK_START}::test_three_terminals"),
        "bakeoff up --engine temporal --set...": Elsewhere(_OWN_TEMPORAL),
    },
    "CONTRIBUTING.md": {
        "python3 -m venv...": Parsed("the same line stands in README.md, from where .ci/run takes it"),
    },
    "docs/benchmarks.md": {
        "pytest bench": Elsewhere("tests/bench_suite/test_page.py::test_engines", Level.REDUCED),
        "pytest bench --engine=dramatiq...": Elsewhere(
            "tests/bench_suite/test_page.py::test_two_files_and_a_histogram", Level.REDUCED
        ),
    },
    "docs/bridge.md": {
        "pytest --engine=inline --bridge nats": Ran({"pytest...": _ONE_TEST}, told="1 passed"),
        "bakeoff run --engine inline --bridge nats --only sagas --quick": Elsewhere(
            f"{_BUSINESS}::test_services_behind_a_bridge"
        ),
        "from bakeoff.bridge.commands import command": Elsewhere(f"{_CODE}::test_a_command_of_your_own"),
        "bakeoff up --engine dramatiq --bridge nats": Elsewhere(
            f"{_BUSINESS}::test_an_order_over_services_of_a_deployment"
        ),
        "bakeoff crash --engine inline --bridge nats...": Ran(
            {"bakeoff crash...": ""}, told="would have duplicated", thorough=True
        ),
        '[project.entry-points."bakeoff.bridges"]': Elsewhere(f"{_CODE}::test_a_bridge_of_a_plug_in"),
        "from bakeoff.hookspecs import hookimpl": Elsewhere(f"{_CODE}::test_a_bridge_of_a_plug_in"),
    },
    "docs/checklist.md": {
        "bakeoff up --engine temporal --bridge nats": Elsewhere(_CHECKLIST),
        "bakeoff decide docs/examples/requirements/crud.toml docs/results/facts.json": Elsewhere(_CHECKLIST),
        "bakeoff start fulfilment-days order-128": Elsewhere(_CHECKLIST),
        "python -m examples.purista.ask...": Elsewhere(_CHECKLIST),
        "import asyncio": Elsewhere(_CHECKLIST),
        "python carrier.py": Elsewhere(_CHECKLIST),
        "bakeoff start order order-126 --wait": Elsewhere(_CHECKLIST),
        "bakeoff describe order-126": Elsewhere(_CHECKLIST),
        "from datetime import timedelta": Elsewhere(_CHECKLIST),
        "bakeoff start order order-127 --wait": Elsewhere(_CHECKLIST),
    },
    "docs/ci.md": {
        "name: bakeoff": Elsewhere(
            f"{_DOCS}/test_ci_page.py::test_a_broken_promise_and_a_lost_order_fail_their_steps", Level.REDUCED
        ),
        "bakeoff load --engine inline...": Ran(
            {"bakeoff load...": "--duration 3 --rounds 1", "bakeoff compare...": ""},
            instead={" --fail-if p95:50%": ""},  # which three seconds do not tell
            codes=(0, 1),
            told="**bakeoff compare**: A is `before`, B is `after`",
            thorough=True,
        ),
    },
    "docs/cli.md": {
        '[project.entry-points."bakeoff.commands"]': Elsewhere(f"{_CODE}::test_a_command_of_a_plug_in"),
        "import typer": Elsewhere(f"{_CODE}::test_a_command_of_a_plug_in"),
    },
    "docs/contract.md": {
        "pytest --engine=temporal...": Ran(
            {"pytest --engine=inline...": "-p no:cacheprovider"}, told=" passed"
        ),
    },
    "docs/crash.md": {
        "bakeoff crash --engine celery --engine temporal --point charge_payment": Ran(
            {"bakeoff crash...": f"--profile ci {_ONE_KILL}"},
            instead={"--point charge_payment": "--point charge_payment.after_effect"},
            codes=(0, 1),  # a kill may be void three times on a busy machine
            told="temporal",
        ),
    },
    "docs/decide.md": {
        "bakeoff run --quick --out runs/first": Elsewhere(
            "tests/decide/test_from_run_to_decision.py"
            "::test_the_lines_of_the_page_end_in_a_recommendation_whose_sentences_lead_to_evidence",
            Level.REDUCED,
        ),
        "bakeoff decide requirements.toml runs/crash runs/load runs/contract.json": Elsewhere(
            "tests/decide/test_decide_command.py::test_the_line_and_the_file_of_the_page_work"
        ),
        "format = 1": Elsewhere(
            "tests/decide/test_decide_command.py::test_the_line_and_the_file_of_the_page_work"
        ),
    },
    "docs/domain-faults.md": {"number(k) =...": Exempt("a formula")},
    "docs/engines/celery-sagalog.md": {'message "look at charge_payment...': Exempt("a drawing")},
    "docs/engines/choreography.md": {"saga.order-1.started...": Exempt("a drawing")},
    "docs/engines/temporal.md": {
        "export BAKEOFF_TEMPORAL_ADDRESS=127.0.0.1:7233...": Elsewhere(_OWN_TEMPORAL, Level.REDUCED),
        "bakeoff up --engine temporal...": Elsewhere(_OWN_TEMPORAL),
    },
    "docs/faults.md": {
        "bakeoff crash --engine dramatiq --fault worker-pause...": Ran(
            {"bakeoff crash...": f"--config ci {_ONE_KILL}"}, told="worker-pause", thorough=True
        ),
    },
    "docs/load.md": {
        "bakeoff load": Ran(
            {"bakeoff load": "--engine inline --closed 4 --duration 2 --rounds 1"},
            codes=(0, 1),
            told="4 in flight",
        ),
        "bakeoff load --engine celery...": Ran(
            {
                "bakeoff load --engine...": f"{_SHORT_LOAD} --broker valkey",
                "bakeoff load --scenario...": f"{_SHORT_LOAD} --broker valkey --config ci",
                "bakeoff scenarios": "",
            },
            codes=(0, 1),
            told="order-worker-crash",
            thorough=True,
        ),
        "bakeoff compare runs/before runs/after...": Ran(
            {"bakeoff compare...": "", "bakeoff combine...": "", "bakeoff export...": ""},
            instead={"p95:10%": "p50:10%"},  # all that these short runs tell
            told="rows in loads.csv",
            stage=stages.stored_loads,
        ),
    },
    "docs/locust.md": {
        "locust -f scenarios/locustfile.py --scenario order-steady...": Elsewhere(
            f"{_DOCS}/test_readme.py::test_the_three_uses", Level.REDUCED
        ),
        "locust -f scenarios/locustfile.py --scenario order-worker-crash...": Ran(
            {"locust...": "--rate 3 --duration 6 --arm-after 1 --config-class ci"},
            codes=(0, 1),
            told="ledger: ",
            stage=stages.checkout,
            thorough=True,
        ),
        "locust -f scenarios/locustfile.py --engine celery --rate 200...": Ran(
            {"locust...": "--rate 4 --duration 4 --master-port {port} --master-bind-port {port}"},
            codes=(0, 1),
            told="ledger: valid",
            stage=stages.checkout,
            thorough=True,
        ),
        "dramatiq[valkey, ci] is up...": Elsewhere(
            f"{_DOCS}/test_locust_page.py::test_several_machines", Level.REDUCED
        ),
        "locust -f scenarios/locustfile.py --master...": Elsewhere(
            f"{_DOCS}/test_locust_page.py::test_several_machines", Level.REDUCED
        ),
    },
    "docs/mutation.md": {
        "copy=$(mktemp -d)...": Parsed("some minutes; docs/mutation.md says what came of it"),
    },
    "docs/operate.md": {
        "bakeoff up --engine temporal": Elsewhere(
            f"{_QUICK_START}::test_an_approval_as_docs_operate_shows_it"
        ),
        "temporal server start-dev": Elsewhere(_OWN_TEMPORAL),
        "bakeoff start order-approval order-128": Elsewhere(
            f"{_QUICK_START}::test_an_approval_as_docs_operate_shows_it"
        ),
        "bakeoff stuck": Elsewhere(
            f"{_DOCS}/test_operate_page.py::test_a_saga_that_came_to_no_end", Level.REDUCED
        ),
    },
    "docs/ordeals.md": {
        "bakeoff ordeal": Ran({"bakeoff ordeal": ""}, told="under-load"),  # tests/ordeals does each, smaller
    },
    "docs/orders-file.md": {
        "order_id,sku,quantity,unit_price": Elsewhere(f"{_CODE}::test_the_orders_of_the_page_can_be_read"),
        '{"order_id": "1001"...': Elsewhere(f"{_CODE}::test_the_orders_of_the_page_can_be_read"),
    },
    "docs/overhead.md": {
        "bakeoff bench overhead...": Parsed("an hour; tests/overhead measures a round"),
    },
    "docs/own-saga.md": {
        "def screen_user(call: Call) -> None:": Elsewhere(f"{_CODE}::test_the_page_shows_the_example"),
        "cd docs/examples": Ran(
            {"bakeoff run...": "--engine inline --count 20 --only sagas"}, stage=stages.checkout
        ),
        "def facts(user: str)...": Elsewhere(f"{_CODE}::test_the_page_shows_the_example"),
    },
    "docs/own-servers.md": {
        "export BAKEOFF_CELERY_BROKER_URL...": Elsewhere(_OWN_SERVERS),
        "rabbitmqctl add_vhost bakeoff": Elsewhere(_OWN_SERVERS),
        "createdb...": Elsewhere(_OWN_SERVERS),
        "temporal operator namespace create...": Elsewhere(_OWN_SERVERS),
        "export BAKEOFF_TEMPORAL_ADDRESS='REGION...": Elsewhere(_OWN_SERVERS),
        "export BAKEOFF_BRIDGE...": Elsewhere(
            f"{_DOCS}/test_own_servers.py::test_a_bridge_over_nats_of_your_own", Level.REDUCED
        ),
        "bakeoff load --engine celery --broker valkey --rate 5...": Elsewhere(_OWN_SERVERS, Level.REDUCED),
        'python -c "import os, redis': Elsewhere(_OWN_SERVERS),
    },
    "docs/processes.md": {
        "bakeoff run --saga fulfilment...": Elsewhere(f"{_BUSINESS}::test_a_process_comes_out_as_planned"),
        "bakeoff up --engine celery --saga billing": Elsewhere(f"{_BUSINESS}::test_a_saga_per_period"),
        "bakeoff crash --engine inline --saga billing...": Ran(
            {"bakeoff crash...": "--deadline 5", "bakeoff load...": "--duration 4 --rounds 1"},
            instead={"--point escalate_invoice": "--point escalate_invoice.after_effect"},
            codes=(0, 1),  # a process of its own is what inline does not survive
            told="billing",
            thorough=True,
        ),
        "bakeoff up --engine dramatiq --saga approval": Elsewhere(
            f"{_BUSINESS}::test_what_waits_for_a_person"
        ),
    },
    "docs/purista.md": {
        "bakeoff up --engine temporal --bridge nats": Elsewhere(_PURISTA),
        "python -m examples.purista.ask PaymentService describeOrder...": Elsewhere(_PURISTA),
        "bakeoff serve InventoryService ShippingService EmailService": Elsewhere(_PURISTA),
        "purista.<messageType>...": Exempt("a format; tests/bridge/test_wire.py is about it"),
        "python -m examples.purista.ask ShippingService confirmDelivery...": Elsewhere(_PURISTA),
    },
    "docs/quickstart.md": {
        "python3 -m venv .venv": Elsewhere(
            f"{_DOCS}/test_quickstart.py::test_it_installs_what_there_is", Level.PARSED
        ),
        "bakeoff run --quick --out runs/first": Elsewhere(_QUICKSTART, Level.REDUCED),
        "pytest --engine=celery --contract-json contract.json": Elsewhere(_QUICKSTART, Level.REDUCED),
        "bakeoff decide --init...": Elsewhere(_QUICKSTART),
        "bakeoff decide requirements.toml docs/results/facts.json": Elsewhere(_QUICKSTART),
    },
    "docs/report.md": {
        "bakeoff report runs/first runs/crash...": Elsewhere(_REPORT),
        "bakeoff trace runs/first order-123": Elsewhere(_REPORT),
    },
    "docs/results/crash.md": {
        "bakeoff crash...": Parsed("it made the numbers below, in hours; by hand, from crash.csv")
    },
    "docs/results/kills.md": {
        "bakeoff crash --engine all...": _MEASURED,
        "bakeoff crash --engine dramatiq...": _MEASURED,
    },
    "docs/results/load.md": {"bakeoff load...": _MEASURED},
    "docs/results/load-indicative.md": {"bakeoff load...": _MEASURED},
    "docs/results/overhead.md": {"bakeoff bench overhead...": _MEASURED},
    "docs/results/run.md": {"bakeoff run...": _MEASURED},
    "docs/results/tuned.md": {
        "BAKEOFF_TUNED=...": Parsed("a load of minutes; test_tuned brings the engines up to their settings")
    },
    "docs/run.md": {
        "bakeoff run --quick": Ran(
            {
                "bakeoff run --quick": "--engine inline --count 6 --only sagas",  # all of it: test_readme
                "bakeoff run --engine...": "--only sagas --rounds 1",
                "bakeoff run --only sagas": "--engine inline --count 6",
                "bakeoff check...": "",
            },
            instead={"--engine temporal --engine celery": "--engine inline"},
            told="valid",
            stage=stages.orders,
        ),
        "manifest.json...": Elsewhere(f"{_CODE}::test_the_folder_of_a_run_holds_what_the_page_lists"),
    },
    "docs/speed.md": {
        "bakeoff bench speed...": Parsed("minutes; tests/run/test_speed.py measures a round"),
    },
    "docs/statistics.md": {
        "python -m tests.significance.simulation...": Parsed(
            "minutes; tests/significance is part of the tests, and takes its numbers from the simulation"
        ),
        "from bakeoff_bench.significance import compare_all, rounds_for": Elsewhere(
            f"{_CODE}::test_statistics_in_code"
        ),
    },
    "docs/sweep.md": {
        "bakeoff sweep...": Ran(
            {"bakeoff sweep...": f"{_ONE_KILL} --point charge_payment.after_effect --deadline 20"},
            instead={"visibility_timeout=12,20,45": "visibility_timeout=12"},
            codes=(0, 1),  # a message that was acknowledged early comes back never
            told="task_acks_late=false",
            thorough=True,
        ),
    },
    "docs/telemetry.md": {
        'pip install "bakeoff[otel]"': Elsewhere(
            "tests/telemetry/test_page.py::test_the_command_of_the_page_exports_every_order"
        ),
        "docker run...": Exempt("Jaeger's own container; there is no Docker here"),
    },
    "docs/temporal-vs-celery.md": {
        "bakeoff decide...": Elsewhere(f"{_DOCS}/test_answers.py::test_the_line_of_the_page_works"),
    },
    "docs/tune.md": {
        "bakeoff tune --engine celery": Ran(
            {"bakeoff tune...": "--set celery.broker=valkey --knob pool"}, told="bakeoff-tuned.toml"
        ),
        "bakeoff load --engine celery --config recommended --config tuned": Ran(
            {
                "bakeoff load...": f"{_SHORT_LOAD} --broker valkey",
                "pytest...": _ONE_TEST,
            },
            codes=(0, 1),
            told="1 passed",
            stage=stages.tuned,
        ),
        "format = 1": Elsewhere(f"{_CODE}::test_the_tuned_file_of_the_page_is_used"),
    },
    "docs/write-a-fault.md": {
        "[build-system]": Elsewhere(_SHOWN_FAULT),
        '"""A broker without memory left...': Elsewhere(_SHOWN_FAULT),
        "pip install -e .": Exempt("the tests of the page install it into a folder of their own"),
        "bakeoff crash --engine celery --broker valkey...": Elsewhere(
            f"{_FAULTS}::test_the_example_is_found_and_does_what_the_page_says"
        ),
        '"""The fault alone...': Elsewhere(_SHOWN_FAULT),
        "pytest test_broker_full.py": Elsewhere(f"{_FAULTS}::test_the_tests_of_the_example_pass"),
    },
    "docs/write-an-engine.md": {
        "[build-system]": Elsewhere(_SHOWN_ENGINE),
        '"""The plug-in: imports everywhere...': Elsewhere(_SHOWN_ENGINE),
        '"""An engine that runs every step in a thread...': Elsewhere(_SHOWN_ENGINE),
        '"""The client, and the loop over the steps."""': Elsewhere(_SHOWN_ENGINE),
        "pip install -e .": Elsewhere(_ENGINE_PAGE, Level.REDUCED),
        "pytest --engine=threads --contract-reviewed...": Elsewhere(_ENGINE_PAGE, Level.REDUCED),
    },
}
