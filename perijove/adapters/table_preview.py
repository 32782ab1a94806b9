"""The first rows of a file, read by the data worker: the file is a user's, and may be anything."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perijove.core.paths import ProjectPaths
from perijove.data.ports import Table, TableInfo

if TYPE_CHECKING:
    from perijove.data.ports import DataEngine


class TablePreviews:
    """Reads tables among artifacts.

    Parameters
    ----------
    engine
        Reads files in processes of their own.
    paths
        The project's; twins of text files are kept in its cache.
    """

    def __init__(self, engine: DataEngine, paths: ProjectPaths) -> None:
        self._engine = engine
        self._paths = paths

    def read(self, file: Path, rows: int) -> tuple[list[str], list[list[str]], int]:
        """Return the columns, the first rows as texts, and how many rows there are.

        Raises
        ------
        UnreadableDataError
            When it is no table, with the reason.
        """
        table, info = self._open(file)
        count = min(rows, info.rows)
        names = [column.name for column in info.columns]
        if not count or not names:
            return names, [], info.rows
        return names, _texts(self._engine.page(table, 0, count)), info.rows

    def _open(self, file: Path) -> tuple[Table, TableInfo]:
        stat = file.stat()
        content = f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}"
        key = hashlib.sha256(content.encode()).hexdigest()
        if file.suffix.lower() == ".parquet":
            table = Table((file,), key, 0)
            return table, self._engine.inspect(table)
        twin = self._paths.cache / "previews" / f"{key[:32]}.parquet"
        if twin.is_file():
            table = Table((twin,), key, 0)
            return table, self._engine.inspect(table)
        info = self._engine.twin(file, twin)
        return Table((twin,), key, info.rows), info


def _texts(page: bytes) -> list[list[str]]:
    import pyarrow as pa

    columns = [
        [_text(value) for value in column.to_pylist()]
        for column in pa.ipc.open_stream(page).read_all().columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return value.hex() if isinstance(value, bytes) else str(value)
