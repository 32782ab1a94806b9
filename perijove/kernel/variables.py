"""The tables among a kernel's variables, shown to the browser while cells run.

The comm lives in a subshell of the kernel, so that a training cell does not hold it up. Only what
is asked for is converted: a page of a frame of any size costs what the page costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.data import Column
from perijove.contracts.variables import TARGET, Variable, VariablesReply, VariablesRequest
from perijove.core.errors import (
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    UnsupportedError,
)
from perijove.kernel.arrays import (
    MAX_TEXT,
    array_size,
    cut_array,
    cut_dataset,
    cut_tensor,
    dataset_bytes,
    dataset_size,
    shows_dataset,
    shows_tensor,
    tensor_bytes,
    tensor_size,
)
from perijove.kernel.files import unwatched

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MAX_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """How a library's tables are measured and cut."""

    type: str
    """Module and class, without what lies between."""
    size: Callable[[Any], tuple[int, int]]
    bytes: Callable[[Any], int | None]
    cut: Callable[[Any, int, int, list[int] | None], Any]
    """Takes the value, an offset, a limit and positions; returns a ``pyarrow.Table``."""
    shows: Callable[[Any], bool] = lambda value: True
    """Whether this one can be shown as a table."""


def kind_of(value: Any) -> Kind | None:
    """Tell how to look at a value; None when it is no table."""
    for base in type(value).__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        kind = KINDS.get(name)
        if kind is not None:
            return kind if kind.shows(value) else None
    return None


class Variables:
    """The tables of one namespace.

    Parameters
    ----------
    namespace
        The user's; it changes while it is looked at.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace

    def answer(self, request: VariablesRequest) -> tuple[VariablesReply, bytes]:
        """Answer a request; whatever goes wrong is an answer too."""
        try:
            with unwatched():
                return self._answer(request)
        except PerijoveError as error:
            return VariablesReply(id=request.id, error=error.body()), b""
        except Exception as error:  # noqa: BLE001 - the comm's boundary: values are the user's own code
            failed = UnsupportedError(
                f"{request.name} cannot be shown: {type(error).__name__}: {_first_line(error)}.",
                "It may have changed while it was read: try again.",
            )
            return VariablesReply(id=request.id, error=failed.body()), b""

    def _answer(self, request: VariablesRequest) -> tuple[VariablesReply, bytes]:
        match request.do:
            case "list":
                return VariablesReply(id=request.id, variables=self.tables()), b""
            case "describe":
                rows, columns = self.describe(request.name)
                return VariablesReply(id=request.id, rows=rows, columns=columns), b""
            case "rows":
                arrow = self.rows(
                    request.name, request.offset, request.limit, request.columns or None
                )
                return VariablesReply(id=request.id), arrow

    def tables(self) -> list[Variable]:
        """Return the tables that have a name, in the order of their names."""
        found = []
        # A copy: another thread may run a cell meanwhile.
        for name, value in sorted(dict(self._namespace).items()):
            if name.startswith("_"):
                continue
            try:
                seen = _seen(name, value)
            except Exception:  # noqa: BLE001 - values are the user's own code, and change meanwhile
                continue
            if seen is not None:
                found.append(seen)
        return found

    def describe(self, name: str) -> tuple[int, list[Column]]:
        """Return how many rows a table has, and its columns."""
        from perijove.adapters.duckdb.engine import duckdb_type

        value, kind = self._get(name)
        first = kind.cut(value, 0, 100, None)
        columns = [Column(name=f.name, type=duckdb_type(str(f.type))) for f in first.schema]
        return kind.size(value)[0], columns

    def rows(self, name: str, offset: int, limit: int, columns: list[int] | None) -> bytes:
        """Return rows as an Arrow IPC stream."""
        import pyarrow as pa

        if offset < 0 or not 0 <= limit <= MAX_ROWS:
            raise InvalidInputError(f"At most {MAX_ROWS:,} rows come at once.")
        value, kind = self._get(name)
        table = kind.cut(value, offset, limit, columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        arrow: bytes = sink.getvalue().to_pybytes()
        return arrow

    def _get(self, name: str) -> tuple[Any, Kind]:
        value = self._namespace.get(name)
        kind = kind_of(value)
        if kind is None:
            raise NotFoundError(
                f"{name} is no table in this kernel any more.",
                "Run the cell that makes it.",
                code="variable_not_found",
            )
        return value, kind


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:300].rstrip(".")


def _seen(name: str, value: Any) -> Variable | None:
    kind = kind_of(value)
    if kind is None:
        return None
    rows, columns = kind.size(value)
    return Variable(name=name, type=kind.type, rows=rows, columns=columns, bytes=kind.bytes(value))


def _cut_pandas(frame: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    import pyarrow as pa

    rows = frame.iloc[offset : offset + limit]
    if rows.ndim == 1:
        rows = rows.to_frame()
    if columns is not None:
        rows = rows.iloc[:, columns]
    names = [str(name) for name in rows.columns]
    arrays = [_array(rows.iloc[:, index]) for index in range(len(names))]
    return pa.Table.from_arrays(arrays, names=names)


def _array(series: Any) -> Any:
    """Turn a column into Arrow; one of mixed objects into text, as it would be printed."""
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([str(value)[:MAX_TEXT] for value in series], pa.string())


def _cut_polars(frame: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    rows = frame.slice(offset, limit)
    rows = rows.to_frame() if hasattr(rows, "to_frame") else rows
    return (rows[:, columns] if columns is not None else rows).to_arrow()


def _cut_arrow(table: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    import pyarrow as pa

    rows = table.slice(offset, limit)
    rows = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    return rows.select(columns) if columns is not None else rows


def _frame_size(frame: Any) -> tuple[int, int]:
    return len(frame), frame.shape[1] if len(frame.shape) > 1 else 1


_PANDAS_FRAME = Kind(
    "pandas.DataFrame", _frame_size, lambda f: int(f.memory_usage(deep=False).sum()), _cut_pandas
)
KINDS: Final[dict[str, Kind]] = {
    "pandas.DataFrame": _PANDAS_FRAME,
    "pandas.Series": Kind(
        "pandas.Series", _frame_size, lambda s: int(s.memory_usage(deep=False)), _cut_pandas
    ),
    "polars.DataFrame": Kind(
        "polars.DataFrame", _frame_size, lambda f: int(f.estimated_size()), _cut_polars
    ),
    "polars.Series": Kind(
        "polars.Series", _frame_size, lambda s: int(s.estimated_size()), _cut_polars
    ),
    "pyarrow.Table": Kind(
        "pyarrow.Table", lambda t: (t.num_rows, t.num_columns), lambda t: int(t.nbytes), _cut_arrow
    ),
    "pyarrow.RecordBatch": Kind(
        "pyarrow.RecordBatch",
        lambda t: (t.num_rows, t.num_columns),
        lambda t: int(t.nbytes),
        _cut_arrow,
    ),
    "numpy.ndarray": Kind(
        "numpy.ndarray",
        array_size,
        lambda a: int(a.nbytes),
        cut_array,
        lambda a: a.ndim in (1, 2),
    ),
    "torch.Tensor": Kind("torch.Tensor", tensor_size, tensor_bytes, cut_tensor, shows_tensor),
    "torch.TensorDataset": Kind(
        "torch.TensorDataset", dataset_size, dataset_bytes, cut_dataset, shows_dataset
    ),
    "torch.Subset": Kind("torch.Subset", dataset_size, dataset_bytes, cut_dataset, shows_dataset),
}


def serve(shell: InteractiveShell) -> None:
    """Answer the browser's comms; nothing happens where there is no kernel."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return
    variables = Variables(shell.user_ns)

    def opened(comm: Any, _message: dict[str, Any]) -> None:
        def asked(message: dict[str, Any]) -> None:
            try:
                request = msgspec.convert(message["content"]["data"], VariablesRequest)
            except msgspec.ValidationError as error:
                refused = InvalidInputError(f"The request is not right: {error}.")
                comm.send(msgspec.to_builtins(VariablesReply(id=-1, error=refused.body())))
                return
            reply, rows = variables.answer(request)
            comm.send(msgspec.to_builtins(reply), buffers=[rows] if rows else None)

        comm.on_msg(asked)

    kernel.comm_manager.register_target(TARGET, opened)
