"""Profiles by the data worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from perijove.adapters.duckdb.workers import Workers, place_of
from perijove.contracts.data import SplitFacts
from perijove.contracts.table import Profile
from perijove.data.ports import Table, Work
from perijove.data.profiler import Telling

FOOTER_SECONDS = 30.0
SAMPLE_SECONDS = 60.0
FULL_SECONDS = 1800.0
LEAKS_SECONDS = 300.0
"""To find the bounds of a part, one column of the whole table is read."""


class DuckDbProfiler:
    """Implements ``perijove.data.profiler.Profiler``.

    Parameters
    ----------
    workers
        The processes that read user files.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def footer(self, table: Table) -> Profile:
        reply = self._workers.ask(
            {"do": "profile_footer", **place_of(table)}, table.files, FOOTER_SECONDS
        )
        return _profile("footer", reply)

    def sample(self, table: Table, time: str) -> Profile:
        reply = self._workers.ask(
            {"do": "profile_sample", "time_column": time, **place_of(table)},
            table.files,
            SAMPLE_SECONDS,
        )
        return _profile("sample" if reply["seen"] < reply["rows"] else "full", reply)

    def full(self, table: Table, time: str, work: Work) -> Profile:
        reply = self._workers.work(
            {"do": "profile_full", "time_column": time, **place_of(table)},
            table.files,
            FULL_SECONDS,
            work,
        )
        return _profile("full", reply)

    def leaks(
        self,
        table: Table,
        names: Sequence[str],
        target: str,
        split: SplitFacts | None = None,
        part: str = "",
    ) -> Telling:
        chosen = next((p for p in split.parts if p.name == part), None) if split else None
        reply = self._workers.work(
            {
                "do": "leaks",
                "names": list(names),
                "target": target,
                "part": {"method": split.method, "column": split.column,
                         "start": chosen.start, "rows": chosen.rows}
                if split is not None and chosen is not None
                else None,
                **place_of(table),
            },
            table.files,
            LEAKS_SECONDS,
        )  # fmt: skip
        return Telling(
            rows=reply["rows"],
            part=part if reply["within"] else "",
            scores={one["column"]: one["score"] for one in reply["scores"]},
        )


def _profile(stage: str, reply: dict[str, Any]) -> Profile:
    columns = [{"type": "", **column} for column in reply.pop("columns")]
    return msgspec.convert({"ref": "", "stage": stage, "columns": columns, **reply}, Profile)
