"""Rules applied to an Arrow table: cast, fix, drop, and quarantine what stays wrong.

Casts come first, since later rules look at the column's new type. Then one pass tells who fails
what. Fixes of values touch only rows that fail their rule, one rule after the other; where one
changed something, a second pass over everything decides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perijove.adapters.duckdb.expressions import Known, RuleFaultError
from perijove.adapters.duckdb.masks import WORD, Pass, Source, blocks, outcome, shown
from perijove.adapters.duckdb.predicates import (
    fails,
    known,
    mended,
    rule_columns,
    unreadable,
    wanted_type,
)
from perijove.contracts.quality import Rule, RuleResult
from perijove.data.rules import TABLE_CHECKS

if TYPE_CHECKING:
    import duckdb

FAILED = "_failed"
VALUE_FIXES = frozenset(["trim", "fill", "clip"])
ROW_FIXES = frozenset(["drop", "deduplicate"])
Rows = np.ndarray[Any, np.dtype[np.int64]]


class Application:
    """One application of rules to one table.

    Parameters
    ----------
    db
        A session of its own; see :func:`perijove.adapters.duckdb.rules.session`.
    references
        For each rule's ``references``, a table of one column.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        table: pa.Table,
        rules: Sequence[Rule],
        references: Mapping[str, pa.Table],
    ) -> None:
        self._db = db
        self._table = table
        self._rules = list(rules)
        self._faults: dict[int, str] = {}
        self._failed: dict[int, int] = {}
        self._mended: dict[int, int] = {}
        self._examples: dict[int, list[str]] = {}
        self._details: dict[int, str] = {}
        self._uncast: dict[int, Rows] = {}
        self._changed = np.zeros(table.num_rows, dtype=bool)
        self._references = {
            key: _register(db, f"held_by_{at}", other, "v")
            for at, (key, other) in enumerate(references.items())
        }
        self.results: list[RuleResult] = []
        self.blocked = False
        self.fixed = 0
        self.dropped = 0

    def run(self) -> tuple[pa.Table, pa.Table]:
        """Return the rows that may pass, and those that may not as they came in."""
        work = self._cast(self._table)
        found, passed = self._evaluate(work)
        work, again = self._fix(work, found)
        if again:
            found, passed = self._evaluate(work)
        bits = _Bits(found, len(self._rules))
        quarantined = np.zeros(work.num_rows, dtype=bool)
        dropped = np.zeros(work.num_rows, dtype=bool)
        for at, rule in enumerate(self._rules):
            rows = self._failing(bits, at)
            if rule.action == "quarantine" or (rule.fix not in ROW_FIXES and rule.fix is not None):
                quarantined[rows] = True
            elif rule.fix in ROW_FIXES:
                dropped[rows] = True
        dropped &= ~quarantined
        self._report(work, bits, passed, dropped)
        keep = ~(quarantined | dropped)
        self.dropped = int(dropped.sum())
        self.fixed = int((self._changed & keep).sum())
        kept = work if keep.all() else _filter(work, keep)
        return kept, self._with_reasons(np.flatnonzero(quarantined), bits)

    # Steps

    def _cast(self, work: pa.Table) -> pa.Table:
        for at, rule in enumerate(self._rules):
            if rule.fix != "cast":
                continue
            for name in rule.columns:
                try:
                    work = self._cast_column(work, at, rule, name)
                except RuleFaultError as error:
                    self._faults[at] = str(error)
        return work

    def _cast_column(self, work: pa.Table, at: int, rule: Rule, name: str) -> pa.Table:
        source = self._source(work, [name])
        column, wanted = known(source.columns, name), wanted_type(rule.type)
        if column.type == wanted:
            return work
        bad = unreadable(column, wanted)
        turned = self._db.sql(
            f"SELECT CASE WHEN {bad} THEN NULL ELSE TRY_CAST({column.sql} AS {wanted}) END AS v, "
            f"{bad} AS bad FROM {source.table}"
        ).to_arrow_table()
        wrong = np.flatnonzero(turned["bad"].to_numpy()).astype(np.int64)
        self._uncast[at] = np.union1d(self._uncast.get(at, wrong), wrong)
        there = ~turned["v"].is_null().to_numpy()
        self._changed |= there
        self._mended[at] = self._mended.get(at, 0) + int(there.sum())
        self._details[at] = f"{name} was {column.type}"
        return work.set_column(work.column_names.index(name), name, turned["v"])

    def _evaluate(self, work: pa.Table) -> tuple[pa.Table, Pass]:
        source = self._source(work, self._names())
        ready = Pass(self._db, source, self._rules, self._references, self._twice)
        found = ready.evaluate(lambda sql: self._db.sql(sql).to_arrow_table())
        for at, fault in ready.faults.items():
            self._faults.setdefault(at, fault)
        return found, ready

    def _fix(self, work: pa.Table, found: pa.Table) -> tuple[pa.Table, bool]:
        """Mend values; return whether any changed."""
        mending = [
            at for at, rule in enumerate(self._rules)
            if rule.fix in VALUE_FIXES and at not in self._faults
        ]  # fmt: skip
        bits = _Bits(found, len(self._rules))
        concerned = np.unique(np.concatenate([bits.rows(at) for at in mending] or [_none()]))
        if not len(concerned):
            return work, False
        names = [name for name in self._names() if name in work.column_names]
        part = _decoded(work.select(names).take(pa.array(concerned)))
        before = part
        for at in mending:
            part, rows = self._mend(part, at)
            self._changed[concerned[rows]] = True
        for name in names:
            if part[name] is not before[name]:
                place = work.column_names.index(name)
                column = _scatter(_plain(work[name]), concerned, part[name])
                work = work.set_column(place, name, column)
        return work, True

    def _mend(self, part: pa.Table, at: int) -> tuple[pa.Table, Rows]:
        """Mend what fails one rule, among few rows; return those that were."""
        rule = self._rules[at]
        rows = self._rows_failing(part, rule)
        self._failed[at] = len(rows)
        if not len(rows):
            return part, rows
        wrong = part.take(pa.array(rows))
        source = self._source(wrong, part.column_names)
        self._examples[at] = shown(self._db, source, rule, source.table)
        try:
            for name in rule.columns:
                column = known(source.columns, name)
                # Where a rule names several columns, only those that fail are mended.
                single = _single(rule, name)
                bad = "true" if rule.check == "foreign_key" else fails(single, source.columns)
                values = self._db.sql(
                    f"SELECT CASE WHEN {bad} THEN CAST({mended(rule, name, column)} AS "
                    f"{column.type}) ELSE {column.sql} END AS v FROM {source.table}"
                ).to_arrow_table()["v"]
                place = part.column_names.index(name)
                part = part.set_column(place, name, _scatter(part[name], rows, values))
        except RuleFaultError as error:
            self._faults[at] = str(error)
            return part, _none()
        self._mended[at] = len(rows) - len(self._rows_failing(part.take(pa.array(rows)), rule))
        return part, rows

    def _rows_failing(self, part: pa.Table, rule: Rule) -> Rows:
        ready = Pass(self._db, self._source(part, part.column_names), [rule], self._references)
        found = ready.evaluate(lambda sql: self._db.sql(sql).to_arrow_table())
        return _Bits(found, 1).rows(0)

    # Results

    def _failing(self, bits: _Bits, at: int) -> Rows:
        return self._uncast[at] if at in self._uncast else bits.rows(at)

    def _report(self, work: pa.Table, bits: _Bits, passed: Pass, dropped: Any) -> None:
        for at, rule in enumerate(self._rules):
            if rule.check in TABLE_CHECKS:
                self.results.append(self._table_result(passed, at, rule))
                continue
            rows = self._failing(bits, at)
            if at not in self._examples and len(rows) and at not in self._faults:
                self._examples[at] = self._shown(work, rows, at)
            fixed = int(dropped[rows].sum()) if rule.fix in ROW_FIXES else self._mended.get(at, 0)
            self.results.append(
                outcome(
                    rule, self._failed.get(at, len(rows)), fixed=fixed,
                    left=0 if rule.fix in ROW_FIXES else len(rows),
                    fault=self._faults.get(at, ""), detail=self._details.get(at, ""),
                    examples=self._examples.get(at, []),
                )
            )  # fmt: skip
        self.blocked = blocks(self.results)

    def _table_result(self, passed: Pass, at: int, rule: Rule) -> RuleResult:
        try:
            holds, detail = passed.table_result(at, self._table.num_rows)
        except RuleFaultError as error:
            return outcome(rule, 0, fault=str(error))
        return outcome(rule, 0 if holds else 1, detail=detail)

    def _shown(self, work: pa.Table, rows: Rows, at: int) -> list[str]:
        rule = self._rules[at]
        first = pa.array(rows[:50])
        table = self._table if at in self._uncast else work
        names = [name for name in dict.fromkeys(rule_columns(rule)) if name in table.column_names]
        source = self._source(table.select(names).take(first), names, first)
        return shown(self._db, source, rule, source.table)

    def _with_reasons(self, rows: Rows, bits: _Bits) -> pa.Table:
        """Return rows as they came in, with the ids of the rules that they fail."""
        fails_it = np.zeros((len(rows), len(self._rules)), dtype=bool)
        for at in range(len(self._rules)):
            fails_it[:, at] = np.isin(rows, self._failing(bits, at), assume_unique=True)
        kinds, which = (
            np.unique(np.packbits(fails_it, axis=1), axis=0, return_inverse=True)
            if len(rows)
            else (np.zeros((0, 1), dtype=np.uint8), np.zeros(0, dtype=np.int64))
        )
        reasons = [
            [rule.id for rule, bit in zip(self._rules, np.unpackbits(kind), strict=False) if bit]
            for kind in kinds
        ]
        column = pa.array(reasons, pa.list_(pa.string())).take(pa.array(which.reshape(-1)))
        table = self._table.take(pa.array(rows)) if len(rows) else self._table.slice(0, 0)
        if FAILED in table.column_names:
            table = table.drop_columns([FAILED])
        return table.append_column(FAILED, column)

    # Tables

    def _names(self) -> list[str]:
        named = (name for rule in self._rules for name in rule_columns(rule))
        return list(dict.fromkeys(named))

    def _source(self, table: pa.Table, names: Sequence[str], rows: Any = None) -> Source:
        """Show a table's columns to SQL as ``c0``, ``c1``..., and the row's number as ``r0``."""
        single = [name for name in names if table.column_names.count(name) == 1]
        arrays = [_plain(table[name]) for name in single]
        at = [i for i, array in enumerate(arrays) if not _unknown(array.type)]
        number = pa.array(np.arange(table.num_rows)) if rows is None else rows
        view = pa.table(
            [*(arrays[i] for i in at), number], names=[*(f"c{i}" for i in at), "r0"]
        )  # fmt: skip
        self._view = view
        self._db.register("arrow_rows", view)
        types = {row[0]: row[1] for row in self._db.execute("DESCRIBE arrow_rows").fetchall()}
        columns = {single[i]: Known(f"c{i}", types[f"c{i}"]) for i in at}
        return Source("arrow_rows", "r0", columns)

    def _twice(self, keys: Sequence[str]) -> str:
        """Write which rows may have a key that is there twice: much faster than a GROUP BY."""
        column = self._view[keys[0]] if keys[0] in self._view.column_names else None
        if len(keys) == 1 and column is not None and pa.types.is_integer(column.type):
            numbers = column.drop_null().to_numpy()
            low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
            if high - low <= 2 * len(numbers):
                if numbers.dtype.kind == "i":  # small signed types have no room for a difference
                    numbers = numbers.astype(np.int64, copy=False)
                apart = numbers - numbers.dtype.type(low)
                counts = np.bincount(apart.astype(np.int64, copy=False))
                many = np.flatnonzero(counts > 1).astype(numbers.dtype) + numbers.dtype.type(low)
                return self._among(keys[0], pa.array(many, column.type))
        there = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        hashed = f"hash({', '.join(keys)})"
        hashes = self._db.sql(
            f"SELECT CASE WHEN {there} THEN greatest({hashed}, 1) ELSE 0 END::UBIGINT AS h "
            "FROM arrow_rows"
        ).to_arrow_table()["h"].to_numpy()  # fmt: skip
        with ThreadPoolExecutor(2) as threads:
            halves = threads.map(
                lambda half: _repeated(hashes[hashes >> np.uint64(63) == half]), (0, 1)
            )
            many = np.concatenate(list(halves))
        return self._among(f"greatest({hashed}, 1)", pa.array(many[many > 0]))

    def _among(self, value: str, many: pa.Array) -> str:
        if not len(many):
            return "false"
        self._db.register("arrow_keys", pa.table([many], names=["v"]))
        return f"{value} IN (SELECT v FROM arrow_keys)"


class _Bits:
    """Which rows fail which rule."""

    def __init__(self, found: pa.Table, rules: int) -> None:
        numbers = found["r"].to_numpy()
        order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[order].astype(np.int64)
        words = -(-rules // WORD)
        self._words = [found[f"m{word}"].to_numpy()[order] for word in range(words)]

    def rows(self, at: int) -> Rows:
        """Return the numbers of the rows that fail a rule, in order."""
        word, bit = divmod(at, WORD)
        failing: Rows = self._numbers[(self._words[word] >> bit) & 1 == 1]
        return failing


def _register(
    db: duckdb.DuckDBPyConnection, name: str, table: pa.Table, column: str
) -> tuple[str, Known]:
    db.register(name, pa.table([_plain(table.column(0))], names=[column]))
    ((_, type_, *_rest),) = db.execute(f"DESCRIBE {name}").fetchall()
    return name, Known(column, type_)


def _single(rule: Rule, name: str) -> Rule:
    import msgspec

    return msgspec.structs.replace(rule, columns=[name])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give a column a type that DuckDB has."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return column.cast(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    return column


def _unknown(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal256(kind) or pa.types.is_union(kind))


def _decoded(table: pa.Table) -> pa.Table:
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def _scatter(column: pa.ChunkedArray, rows: Rows, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Put values into rows of a column, chunk by chunk."""
    flat = values.cast(column.type).combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    chunks, start = [], 0
    for chunk in column.chunks:
        low, high = np.searchsorted(rows, [start, start + len(chunk)])
        if low < high:
            mask = np.zeros(len(chunk), dtype=bool)
            mask[rows[low:high] - start] = True
            chunk = pc.replace_with_mask(chunk, pa.array(mask), flat.slice(low, high - low))
        chunks.append(chunk)
        start += len(chunk)
    return pa.chunked_array(chunks, column.type)


def _filter(table: pa.Table, keep: Any) -> pa.Table:
    """Filter column by column on all cores."""
    mask = pa.array(keep)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        columns = list(threads.map(lambda column: column.filter(mask), table.columns))
    return pa.table(columns, schema=table.schema)


def _repeated(numbers: Any) -> Any:
    """Return the numbers that are there more than once."""
    numbers = np.sort(numbers)
    return np.unique(numbers[1:][numbers[1:] == numbers[:-1]])


def _none() -> Rows:
    return np.zeros(0, dtype=np.int64)
