"""What a page of a table of 10,000 runs costs at the server, and the curves of 20 of them.

    python bench/develop/bench_table.py [--runs 10000] [--points 10000] [--repeats 5] [--json]
        [--cpu] [--trackio PYTHON]

Runs have 40 columns: 20 metrics, 12 parameters, 4 tags and 4 attributes. One file in MLflow's own
schema is searched by all: by ``RunTables.page`` with everything that a request costs at the server
(journals looked at, verdicts, columns, states, JSON), by MLflow's ``search_runs``, and by the least
that SQL can do, the sorted ids alone. MLflow is asked twice: on the file as MLflow leaves it, and
after ``ANALYZE``, which it never runs and Perijove does. The curves are 20 x 10,000 points, against
what MLflow's own page asks (at most 700 points a curve) and its whole history.

``--trackio`` names a Python that has trackio (it needs gradio, so it is apart): as many runs are
logged to its storage, and all of them read with their last values, which is what sorting takes
there. W&B offline has no way to list runs without its server. All on one machine in one run, each
the best of its repeats; the first page of a process, which counts the columns, is told apart.
``--cpu`` counts the CPU's time of this process and not the clock's, for a machine that others use.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from perijove.adapters.importance import weigh_by_forest
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.mlflow.database import own_uri
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.adapters.mlflow.stores import open_run_queries
from perijove.adapters.optuna import OptunaStudies
from perijove.contracts.table import Compare, SortKey
from perijove.contracts.tracker import CurvesRequest, RunsRequest
from perijove.core.context import ProjectContext
from perijove.develop.ingester import Ingester
from perijove.develop.ports import Batch, Point
from perijove.develop.service import DevelopService
from perijove.develop.tracker import TrackerEngines

METRICS = ["val_auc", "val_loss", *(f"metric_{at}" for at in range(18))]
PARAMS = [f"param_{at}" for at in range(12)]
TAGS = [f"tag_{at}" for at in range(4)]
COLUMNS = [
    *(f"metrics.{name}" for name in METRICS), *(f"params.{name}" for name in PARAMS),
    *(f"tags.{name}" for name in TAGS), "attributes.status", "attributes.duration",
    "attributes.start_time", "attributes.notebook",
]  # fmt: skip
CURVES = 20
START = 1_790_000_000_000
clock: Callable[[], float] = time.perf_counter

TRACKIO = """
import sys, time, tempfile, os, json
os.environ["TRACKIO_DIR"] = tempfile.mkdtemp()
runs, metrics = int(sys.argv[1]), json.loads(sys.argv[2])
from trackio.sqlite_storage import SQLiteStorage as storage
import random
for at in range(runs):
    storage.bulk_log("p", f"run-{at}", [{name: random.random() for name in metrics}])
started = time.perf_counter()
found = []
for name in storage.get_runs("p"):
    rows = storage.get_logs("p", name)
    found.append((rows[-1]["val_auc"], name))
found.sort(reverse=True)
print(json.dumps((time.perf_counter() - started) * 1000))
"""


def fill(store: SqliteRunStore, runs: int, points: int) -> list[str]:
    """Write runs past the journals, as fast as SQLite takes them; return those with curves."""
    rng = random.Random(7)
    ids = [uuid.UUID(int=rng.getrandbits(128)).hex for _ in range(runs)]
    with sqlite3.connect(store.path) as db:
        db.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, "
            "lifecycle_stage, artifact_uri, experiment_id) "
            "VALUES (?, ?, 'UNKNOWN', 'ada', 'FINISHED', ?, ?, 'active', '', 0)",
            [
                (run_id, f"run {at}", START + 1000 * at, START + 1000 * at + rng.randrange(900_000))
                for at, run_id in enumerate(ids)
            ],
        )
        for run_id in ids:
            values = [(name, rng.random(), START, run_id, 0, False) for name in METRICS]
            for table in ("metrics", "latest_metrics"):
                db.executemany(
                    f"INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    values,
                )
            db.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [
                    (name, f"{10 ** rng.uniform(-4, 0):.5g}" if at % 2 else rng.choice("abcd"),
                     run_id)
                    for at, name in enumerate(PARAMS)
                ],
            )  # fmt: skip
            db.executemany(
                "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
                [
                    *((name, rng.choice(("red", "green", "blue")), run_id) for name in TAGS),
                    ("mlflow.runName", "run", run_id), ("mlflow.user", "ada", run_id),
                    ("perijove.notebook", "train.ipynb", run_id),
                ],
            )  # fmt: skip
    db.close()
    chosen = ids[-CURVES:]
    for run_id in chosen:
        for first in range(0, points, 1000):
            steps = range(first, min(first + 1000, points))
            store.write(
                run_id, Batch([Point("loss", rng.random(), START + 10 * at, at) for at in steps])
            )
    return chosen


def best(repeats: int, work: Callable[[], Any]) -> float:
    """Return the milliseconds of the quickest of some repeats."""
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append((clock() - started) * 1000)
    return min(times)


def measure(runs: int, points: int, repeats: int, trackio: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "perijove.toml").write_text("[project]\n")
        project = ProjectContext.open(root)
        store = SqliteRunStore(project)
        curves = fill(store, runs, points)
        found = {
            "mlflow": _mlflow(own_uri(project.paths), repeats, curves),
            "floor": _floor(store.path, repeats),
        }
        with sqlite3.connect(store.path) as db:
            db.execute("ANALYZE")
        db.close()
        found["mlflow_analyzed"] = _mlflow(own_uri(project.paths), repeats, curves)
        found["perijove"] = _perijove(project, store, repeats, curves, points)
        store.close()
        project.chain.ledger.close()
    if trackio:
        command = [trackio, "-c", TRACKIO, str(runs), json.dumps(METRICS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found["trackio"] = {"sort": json.loads(done.stdout.splitlines()[-1])}
    return {"runs": runs, "points": points, "milliseconds": found}


def _perijove(
    project: ProjectContext, store: SqliteRunStore, repeats: int, curves: list[str], points: int
) -> dict[str, float]:
    engines = TrackerEngines(
        open_run_queries(store),
        weigh_by_forest,
        lambda file, rows: ([], [], 0),
        OptunaStudies(project.paths),
    )
    service = DevelopService(
        project, store, Ingester(project, store), JobBoard(project), None, lambda ref: "", engines  # type: ignore[arg-type]
    )  # fmt: skip
    tracker = service.tracker

    def page(**request: Any) -> Callable[[], object]:
        wanted = RunsRequest(columns=COLUMNS, limit=100, **request)
        return lambda: msgspec.json.encode(tracker.table.page(wanted))

    def read(**request: Any) -> Callable[[], object]:
        wanted = CurvesRequest(run_ids=curves, keys=["loss"], **request)
        return lambda: msgspec.json.encode(tracker.curves.read(wanted))

    def second() -> None:
        for run_id in curves:
            fresh, _ = store.points_since(run_id, cursors[run_id] - 10)
            assert len(fresh) <= 10

    first = best(1, page())
    found = {
        "first page, columns counted": first,
        "newest": best(repeats, page()),
        "sort": best(repeats, page(sort=[SortKey(column="metrics.val_auc", descending=True)])),
        "sort by a parameter": best(repeats, page(sort=[SortKey(column="params.param_1")])),
        "filter": best(
            repeats, page(filter=Compare(column="metrics.metric_3", op=">", value="0.5"))
        ),
        "filter and sort": best(
            repeats,
            page(
                search="metrics.metric_3 > 0.5 and params.param_2 = 'a'",
                sort=[SortKey(column="metrics.val_loss")],
            ),
        ),
        "words": best(repeats, page(search="77")),
        "groups of 4 columns": best(
            repeats,
            lambda: tracker.table.page(RunsRequest(group_by="params.param_0", columns=COLUMNS[:4])),
        ),
        "curves": best(1, read()),
        "curves, again": best(repeats, read()),
        "curves, a fifth": best(repeats, read(start=0.4 * points, end=0.6 * points)),
    }
    cursors = {run_id: store.points_since(run_id, 0)[1] for run_id in curves}
    found["new points of a second"] = best(repeats, second)
    return found


def _mlflow(uri: str, repeats: int, curves: list[str]) -> dict[str, float]:
    from mlflow import MlflowClient
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    client = MlflowClient(tracking_uri=uri)
    store = SqlAlchemyStore(uri, "artifacts")

    def search(words: str = "", order: str = "attributes.start_time DESC") -> Callable[[], object]:
        return lambda: client.search_runs(["0"], words, max_results=100, order_by=[order])

    few = max(1, repeats // 3)
    found = {
        "newest": best(few, search()),
        "sort": best(1, search(order="metrics.val_auc DESC")),
        "sort by a parameter": best(1, search(order="params.param_1 ASC")),
        "filter": best(1, search("metrics.metric_3 > 0.5")),
        "filter and sort": best(
            1,
            search("metrics.metric_3 > 0.5 and params.param_2 = 'a'", "metrics.val_loss ASC"),
        ),
        "curves": best(
            few,
            lambda: store.get_metric_history_bulk_interval(curves, "loss", 700, None, None),
        ),
        "curves, all points": best(
            1, lambda: [client.get_metric_history(run_id, "loss") for run_id in curves]
        ),
    }
    store._dispose_engine()
    return found


def _floor(path: Path, repeats: int) -> dict[str, float]:
    with sqlite3.connect(path) as db:
        sql = (
            "SELECT r.run_uuid FROM runs r LEFT JOIN latest_metrics m ON m.key='val_auc' "
            "AND m.run_uuid=r.run_uuid ORDER BY m.value DESC LIMIT 100"
        )
        found = {"sort": best(repeats, lambda: db.execute(sql).fetchall())}
    db.close()
    return found


def main() -> None:
    global clock
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trackio", default="", metavar="PYTHON")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clock = time.process_time if options.cpu else clock
    found = measure(options.runs, options.points, options.repeats, options.trackio)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    times = found["milliseconds"]
    own = times["perijove"]
    others = [name for name in times if name != "perijove"]
    print(f"{'ms':30} {'perijove':>10} " + " ".join(f"{name:>18}" for name in others))
    for row in dict.fromkeys([*own, *(key for name in others for key in times[name])]):
        mine = own.get(row)
        cells = []
        for name in others:
            value = times[name].get(row)
            ratio = f" {value / mine:6.1f}x" if value is not None and mine else ""
            cells.append("" if value is None else f"{value:9.1f}{ratio}")
        shown = "" if mine is None else f"{mine:10.1f}"
        print(f"{row:30} {shown:>10} " + " ".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
