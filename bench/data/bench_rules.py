"""What seven quality rules cost on 10 million rows, and whether bad rows get through.

    python bench/data/bench_rules.py [--rows 10000000] [--rounds 3] [--json]

One Parquet file of 12 columns; about one row in 200 breaks a rule, and nulls and NaN are among
them. Each tool gets the file's table in memory, in its own library, and is timed from there to two
tables, the rows that pass and those that do not (limit for ours: 3 s on two cores):

ours
    ``DuckDbRules.apply``: mask, kept rows, quarantined rows with their reasons.
ours, on the file
    ``DuckDbRules.check``: counts and examples in a data worker, its start included; no tables.
pointblank
    ``Validate(polars).interrogate()`` and ``get_sundered_data`` for both parts.
pandera
    ``pandera.polars`` with ``drop_invalid_rows``: only the rows that pass.

pointblank and pandera are measured where they are installed, with polars (pip install pointblank
"pandera[polars]" polars); nothing else needs them. *bad* is an independent count, by NumPy and
pyarrow.compute, of rows in the passed part that break a rule (a NaN is a missing value here, and
those that are bad only by that are counted apart), and *lost* of good rows that are not
in it. A row whose key is there twice is good where it is the first one; a tool that takes all of
them away loses it. *CPU* are the seconds that the tool's threads used, which a busy machine
stretches less. The floor is what copying the good rows costs: one filter by a ready mask.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perijove.adapters.duckdb.rules import DuckDbRules
from perijove.adapters.duckdb.workers import Workers
from perijove.contracts.quality import Rule
from perijove.data.ports import Table

STATES = ["passed", "failed", "errored", "skipped"]
RULES = [
    Rule(id="size", check="not_null", columns=["size"], action="quarantine"),
    Rule(id="key", check="unique", columns=["id"], action="quarantine"),
    Rule(id="state", check="set", columns=["state"], values=STATES, action="quarantine"),
    Rule(id="load", check="range", columns=["load"], minimum="0", maximum="1",
         action="quarantine"),
    Rule(id="code", check="regex", columns=["code"], pattern="c[0-9]+", action="quarantine"),
    Rule(id="tries", check="range", columns=["tries"], minimum="0", maximum="10",
         action="quarantine"),
    Rule(id="order", check="expression", expression="finish >= start", action="quarantine"),
]  # fmt: skip


def make(path: Path, rows: int) -> None:
    """Write the file."""
    random = np.random.default_rng(4)

    def rare(share: float = 0.001) -> Any:
        return random.random(rows) < share

    ids = np.arange(rows)
    ids[random.integers(1, rows, rows // 10_000)] = 0
    size = np.where(rare(), np.nan, random.lognormal(8, 2, rows))
    start = 1_700_000_000_000_000 + random.integers(0, 10**13, rows)
    taken = random.integers(0, 10**10, rows)
    taken[rare()] *= -1
    states = pa.array([*STATES, "unknown"])
    which = np.where(rare(), 4, random.integers(0, 4, rows))
    codes = pa.array(random.integers(0, 100_000, rows)).cast(pa.string())
    prefix = pa.array(["c", "x"]).take(pa.array(rare().astype(np.int8)))
    table = pa.table(
        {
            "id": ids,
            "size": pa.array(size, mask=rare(), from_pandas=False),
            "state": states.take(pa.array(which, mask=rare())),
            "load": pa.array(np.where(rare(), 1.5, random.random(rows)), mask=rare()),
            "code": pc.binary_join_element_wise(prefix, codes, ""),
            "tries": pa.array(np.where(rare(), 99, random.integers(0, 11, rows)), mask=rare()),
            "start": pa.array(start).cast(pa.timestamp("us")),
            "finish": pa.array(start + taken, mask=rare()).cast(pa.timestamp("us")),
            **{f"x{at}": random.standard_normal(rows) for at in range(4)},
        }
    )
    pq.write_table(table, path, row_group_size=122_880)


def broken(table: pa.Table, *, nan: bool = True) -> Any:
    """Tell which rows break a rule, without the engine that is measured.

    Parameters
    ----------
    nan
        Whether a NaN is a missing value.
    """
    size, load = (table[name].to_numpy() for name in ("size", "load"))  # null reads as NaN
    missing = np.isnan(size) if nan else table["size"].is_null().to_numpy()
    bad = missing | (load < 0) | (load > 1)
    ids = table["id"].to_numpy()
    order = np.argsort(ids, kind="stable")
    again = np.zeros(len(ids), dtype=bool)
    again[order[1:]] = ids[order[1:]] == ids[order[:-1]]
    bad |= again
    for test in (
        pc.invert(pc.is_in(table["state"], pa.array([*STATES, None]))),
        pc.invert(pc.match_substring_regex(table["code"], "^c[0-9]+$")),
        pc.or_(pc.less(table["tries"], 0), pc.greater(table["tries"], 10)),
        pc.less(table["finish"], table["start"]),
    ):
        bad |= pc.fill_null(test, False).to_numpy()
    return bad


def timed(run: Callable[[], Any], rounds: int) -> tuple[tuple[float, float], Any]:
    """Return medians of seconds and of this process's CPU seconds, and the last result."""
    times: list[tuple[float, float]] = []
    found = None
    for _ in range(rounds):
        found = None
        start, used = time.perf_counter(), time.process_time()
        found = run()
        times.append((time.perf_counter() - start, time.process_time() - used))
    return (statistics.median(t for t, _ in times), statistics.median(c for _, c in times)), found


def pointblank(path: Path) -> Callable[[], pa.Table]:
    import pointblank as pb
    import polars as pl

    frame = pl.read_parquet(path)

    def run() -> pa.Table:
        checked = (
            pb.Validate(frame)
            .col_vals_not_null("size")
            .rows_distinct(["id"])
            .col_vals_in_set("state", STATES)
            .col_vals_between("load", 0, 1, na_pass=True)
            .col_vals_regex("code", "^c[0-9]+$", na_pass=True)
            .col_vals_between("tries", 0, 10, na_pass=True)
            .col_vals_expr(pl.col("finish") >= pl.col("start"))
            .interrogate()
        )
        checked.get_sundered_data("fail")
        return checked.get_sundered_data("pass").to_arrow()

    return run


def pandera(path: Path) -> Callable[[], pa.Table]:
    import pandera.polars as pandera_polars
    import polars as pl

    check, column = pandera_polars.Check, pandera_polars.Column
    frame = pl.read_parquet(path)
    schema = pandera_polars.DataFrameSchema(
        {
            "size": column(pl.Float64, nullable=False),
            "id": column(pl.Int64, unique=True),
            "state": column(pl.String, check.isin(STATES), nullable=True),
            "load": column(pl.Float64, check.in_range(0, 1), nullable=True),
            "code": column(pl.String, check.str_matches("^c[0-9]+$"), nullable=True),
            "tries": column(pl.Int64, check.in_range(0, 10), nullable=True),
        },
        checks=check(
            lambda data: data.lazyframe.select(pl.col("finish") >= pl.col("start")),
            name="order",
        ),
        drop_invalid_rows=True,
        strict=False,
    )
    return lambda: schema.validate(frame, lazy=True).to_arrow()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "t.parquet")
        make(path, given.rows)
        table = pq.read_table(path)
        good = ~broken(table)
        ready = pa.array(good)
        expected = int(good.sum())

        def add(
            name: str, spent: tuple[float, float], passed: pa.Table | None, said: str = ""
        ) -> None:
            seconds, cpu = spent
            row: dict[str, Any] = {"tool": name, "seconds": round(seconds, 2), "note": said}
            if passed is not None:
                row["CPU"] = round(cpu, 2)
                bad = int(broken(passed).sum())
                row |= {
                    "passed": passed.num_rows,
                    "bad": bad,
                    "of them NaN": bad - int(broken(passed, nan=False).sum()),
                    "lost": expected - (passed.num_rows - bad),
                }
            found.append(row)

        spent, kept = timed(lambda: table.filter(ready), given.rounds)
        add("floor: filter by a ready mask", spent, kept)
        engine = DuckDbRules(Workers(Path(place)))
        spent, applied = timed(lambda: engine.apply(table, RULES, {}), given.rounds)
        add("ours", spent, applied.kept, f"{applied.quarantined.num_rows:,} quarantined")
        files = Table((path,), "", given.rows)
        spent, checked = timed(lambda: engine.check(files, RULES, {}), given.rounds)
        add("ours, on the file", spent, None,
            f"{sum(result.failed for result in checked.results):,} failures")  # fmt: skip
        for name, prepare in (("pointblank", pointblank), ("pandera", pandera)):
            try:
                run = prepare(path)
            except ImportError as error:
                print(f"{name} is left out: {error}")
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    spent, passed = timed(run, 1)
            except Exception as error:  # noqa: BLE001 - a peer that fails is a result
                found.append({"tool": name, "note": f"{type(error).__name__}: {error}"[:200]})
                continue
            add(name, spent, passed)
    if given.json:
        print(json.dumps({"rows": given.rows, "results": found}, indent=1))
        return
    ours = next(row["seconds"] for row in found if row["tool"] == "ours")
    print(f"{given.rows:,} rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    counts = ("CPU", "passed", "bad", "of them NaN", "lost")
    print(f"{'':32}{'seconds':>9}{'/ ours':>8}" + "".join(f"{word:>13}" for word in counts))
    for row in found:
        if "seconds" not in row:
            print(f"{row['tool']:32} {row['note']}")
            continue
        words = "".join(f"{format(row[word], ',') if word in row else '-':>13}" for word in counts)
        ratio = row["seconds"] / ours
        print(f"{row['tool']:32}{row['seconds']:9.2f}{ratio:8.2f}{words}  {row['note']}")


if __name__ == "__main__":
    main()
