"""The data engine: DuckDB in the data worker, and pyarrow for whole tables in the caller."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import msgspec

from perijove.adapters.duckdb.worker import read_message, write_message
from perijove.contracts.data import Column
from perijove.core.errors import UnavailableError, UnreadableDataError, UnsupportedError
from perijove.data.ports import ArrowTable, TableInfo

PAGE_SECONDS = 30.0
TWIN_SECONDS = 600.0


class DuckDbEngine:
    """Implements ``perijove.data.ports.DataEngine``.

    The worker starts with the first request that needs it. One that reaches a limit is ended, the
    caller is told, and the next request starts another.

    Parameters
    ----------
    root
        The project's root. Folders outside it are opened only for files that are asked for.
    """

    def __init__(self, root: Path) -> None:
        self._folders = [str(root)]
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def twin(self, source: Path, parquet: Path) -> TableInfo:
        parquet.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix.lower() in {".arrow", ".feather"}:
            return self._arrow_twin(source, parquet)
        reply = self._ask(
            {"do": "twin", "source": str(source), "parquet": str(parquet)},
            [source, parquet],
            TWIN_SECONDS,
        )
        return _info(reply)

    def _arrow_twin(self, source: Path, parquet: Path) -> TableInfo:
        import pyarrow as pa
        import pyarrow.feather
        import pyarrow.parquet

        try:
            table = pa.feather.read_table(source, memory_map=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableDataError(f"{source.name} cannot be read: {error}.") from error
        partial = parquet.with_suffix(".part")
        pa.parquet.write_table(table, partial, compression="zstd")
        partial.replace(parquet)
        return self.inspect(parquet)

    def inspect(self, parquet: Path) -> TableInfo:
        return _info(self._ask({"do": "inspect", "files": [str(parquet)]}, [parquet], PAGE_SECONDS))

    def page(self, files: list[Path], offset: int, limit: int) -> bytes:
        reply = self._ask(
            {"do": "page", "files": [str(f) for f in files], "offset": offset, "limit": limit},
            files,
            PAGE_SECONDS,
        )
        arrow: bytes = reply["arrow"]
        return arrow

    def read(self, files: list[Path], columns: list[str] | None = None) -> ArrowTable:
        import pyarrow as pa
        import pyarrow.parquet

        try:
            tables = [pa.parquet.read_table(f, columns=columns, partitioning=None) for f in files]
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableDataError(
                f"{files[0].name} cannot be read: {str(error).splitlines()[0]}.",
                "The table's file is damaged or gone: register or curate it again.",
            ) from error
        return pa.concat_tables(tables)

    def ordered(self, table: ArrowTable, column: str, start: int, rows: int) -> ArrowTable:
        import numpy as np
        import pyarrow.compute as pc

        if column:
            order = pc.sort_indices(table.select([column]), sort_keys=[(column, "ascending")])
            return table.take(order.slice(start, rows))
        # splitmix64 of the row number: the same rows on every machine and in every version.
        x = np.arange(1, table.num_rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        order = np.argsort(x ^ (x >> np.uint64(31)), kind="stable")
        return table.take(np.sort(order[start : start + rows]))

    def to_table(self, frame: Any) -> ArrowTable:
        import pyarrow as pa

        if isinstance(frame, pa.Table):
            return frame
        module = type(frame).__module__.partition(".")[0]
        if module == "pandas":
            return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        if module == "polars":
            return frame.to_arrow()
        raise UnsupportedError(
            f"A {type(frame).__name__} is no table.",
            "Return a pandas or Polars frame, or a pyarrow Table.",
        )

    def info(self, table: ArrowTable) -> TableInfo:
        """Describe a table in the words that DuckDB uses for a file's columns."""
        return TableInfo(
            rows=table.num_rows,
            columns=[
                Column(name=name, type=_duckdb_type(str(column.type)), nulls=column.null_count)
                for name, column in zip(table.column_names, table.columns, strict=True)
            ],
        )

    def fingerprint(self, table: ArrowTable) -> str:
        import pyarrow as pa

        digest = hashlib.sha256()

        class Sink:
            closed = False

            def write(self, data: Any) -> int:
                digest.update(data)
                return len(data)

            def flush(self) -> None: ...

            def close(self) -> None: ...

        clean = table.combine_chunks().replace_schema_metadata(None)
        with pa.ipc.new_stream(pa.PythonFile(Sink(), mode="w"), clean.schema) as writer:
            writer.write_table(clean)
        return digest.hexdigest()

    def _ask(self, request: dict[str, Any], files: list[Path], seconds: float) -> dict[str, Any]:
        with self._lock:
            worker = self._ready_worker(files)
            late = threading.Event()
            timer = threading.Timer(seconds, _end_late, (worker, late))
            timer.start()
            try:
                write_message(_pipe(worker.stdin), msgspec.msgpack.encode(request))
                message = read_message(_pipe(worker.stdout))
            except BrokenPipeError:
                message = None
            finally:
                timer.cancel()
            if message is None:
                worker.kill()
                worker.wait()
                self._worker = None
                raise UnavailableError(
                    f"The data worker was stopped reading {files[0].name}: "
                    + (
                        f"it took more than {seconds:.0f} s."
                        if late.is_set()
                        else "it reached its memory limit or crashed."
                    ),
                    "A new worker starts with the next request. Try a smaller file.",
                    code="data_worker_stopped",
                )
        reply: dict[str, Any] = msgspec.msgpack.decode(message)
        if "error" in reply:
            kind = UnavailableError if reply["kind"] == "memory" else UnreadableDataError
            raise kind(
                f"{files[0].name} cannot be read: {reply['error']}.",
                "Check the file in an editor: is it the format that its name says?",
            )
        return reply

    def _ready_worker(self, files: list[Path]) -> subprocess.Popen[bytes]:
        missing = [
            str(file.parent)
            for file in files
            if not any(file.is_relative_to(folder) for folder in self._folders)
        ]
        if missing and self._worker is not None:
            self.close()
        self._folders += missing
        if self._worker is None or self._worker.poll() is not None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "perijove.adapters.duckdb.worker", *self._folders],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # A kernel's interrupt goes to its whole process group; this is not meant by it.
                start_new_session=True,
            )
        return self._worker

    def close(self) -> None:
        """End the worker; the next request starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            _pipe(worker.stdin).close()
            try:
                worker.wait(timeout=2)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            _pipe(worker.stdout).close()


def _end_late(worker: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    worker.kill()


def _pipe(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None  # both are pipes: see Popen above
    return pipe


def _info(reply: dict[str, Any]) -> TableInfo:
    return TableInfo(
        rows=reply["rows"], columns=[msgspec.convert(c, Column) for c in reply["columns"]]
    )


_TYPES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float": "FLOAT", "double": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR",
    "large_string": "VARCHAR", "date32[day]": "DATE", "binary": "BLOB",
}  # fmt: skip


def _duckdb_type(arrow: str) -> str:
    if arrow in _TYPES:
        return _TYPES[arrow]
    if arrow.startswith("timestamp"):
        return "TIMESTAMP WITH TIME ZONE" if "tz=" in arrow else "TIMESTAMP"
    return arrow.upper()
