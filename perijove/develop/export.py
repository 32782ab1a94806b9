"""Runs that leave the page: the table as CSV, the cells of one as a notebook."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any, Final

from perijove.contracts.base import to_float
from perijove.contracts.develop import Run
from perijove.contracts.tracker import RunRow, RunsRequest
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import read_column
from perijove.develop.ports import RunQueries
from perijove.develop.table import RunTables

MOST_RUNS: Final = 100_000
PAGE: Final = 1000
HEAD: Final = ("run_id", "name", "state", "started", "ended", "notebook", "verdict")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a text must not begin with where a spreadsheet would take it for a formula."""


class Exports:
    """Writes runs into files for other programs.

    Parameters
    ----------
    tables
        Reads a request as the page does.
    queries
        Searches among runs.
    """

    def __init__(self, tables: RunTables, queries: RunQueries) -> None:
        self._tables = tables
        self._queries = queries

    def csv(self, request: RunsRequest) -> bytes:
        """Return all runs that match as CSV: UTF-8, commas, a line that names the columns.

        A text that a spreadsheet would run as a formula begins with an apostrophe.

        Raises
        ------
        InvalidInputError
            For a search that cannot be followed, or that too many runs match.
        """
        verdicts = self._tables.judgements.read().words
        query, _ = self._tables.query(request, verdicts)
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow([*HEAD, *(_safe(name) for name in request.columns)])
        offset = 0
        while True:
            runs, total = self._queries.find(query, offset=offset, limit=PAGE)
            if total > MOST_RUNS:
                raise InvalidInputError(
                    f"{total:,} runs match: more than a table of {MOST_RUNS:,} rows.",
                    "Narrow the search.",
                )
            for row in self._tables.rows(runs, request.columns, verdicts):
                writer.writerow(_line(row, request.columns))
            offset += len(runs)
            if not runs or offset >= total:
                break
        # The mark tells spreadsheets that it is UTF-8.
        return b"\xef\xbb\xbf" + out.getvalue().encode()


def _line(row: RunRow, columns: list[str]) -> list[str]:
    head = [
        row.run_id, _safe(row.name), row.state, _moment(row.started),
        "" if row.ended is None else _moment(row.ended), _safe(row.notebook), row.verdict,
    ]  # fmt: skip
    return head + [_cell(name, value) for name, value in zip(columns, row.values, strict=True)]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    holds = read_column(name).holds
    if holds == "time":
        return _moment(int(value))
    if holds == "number":
        return repr(to_float(value))
    return _safe(str(value))


def _safe(text: str) -> str:
    if not text.startswith(FORMULA):
        return text
    try:
        float(text)  # a number with a sign is no formula
    except ValueError:
        return "'" + text
    return text


def _moment(at: int) -> str:
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return str(at)


def notebook(run: Run) -> bytes:
    """Return the executed cells of a run as a notebook, with a first cell that says what it is."""
    summary = run.summary
    about = [
        f"# {summary.name}",
        "",
        f"The cells of run `{summary.run_id}`"
        + (f" of `{summary.notebook}`" if summary.notebook else "")
        + ", in the order in which they ran.",
        "",
        *(f"- reads `{ref}`" for ref in run.inputs),
        *([f"- commit `{run.git_commit}`{' with changes' * run.git_dirty}"]
          if run.git_commit else []),
        *([f"- seed {run.seed}"] if run.seed is not None else []),
        *([f"- Python {run.environment['python']}"] if "python" in run.environment else []),
    ]  # fmt: skip
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "markdown",
            "id": "about",
            "metadata": {},
            "source": "\n".join(about),
        }
    ]
    cells += [
        {
            "cell_type": "code",
            "id": f"cell-{at}",
            "metadata": {"perijove": {"execution_count": cell.number}},
            "execution_count": None,
            "outputs": [],
            "source": cell.source,
        }
        for at, cell in enumerate(run.cells)
    ]
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "perijove": {"run_id": summary.run_id},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
