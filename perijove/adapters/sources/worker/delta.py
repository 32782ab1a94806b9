"""The files of a Delta table's newest version."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from perijove.adapters.sources.worker.failures import SourceError

UNKNOWN = {"deletionVectors": "deletion vectors", "columnMapping": "mapped columns"}


def delta(report: Callable[..., None], *, folder: str) -> dict[str, Any]:
    """Return the version and its files, relative to the folder, in the order of their names."""
    import deltalake
    from deltalake.exceptions import DeltaError

    try:
        table = deltalake.DeltaTable(folder)
        features = set(table.protocol().reader_features or [])
        mapped = table.metadata().configuration.get("delta.columnMapping.mode", "none")
        uris = table.file_uris()
    except (DeltaError, OSError) as error:
        raise SourceError(
            "unreadable", f"its log cannot be read: {str(error).splitlines()[0][:200]}"
        ) from error
    found = [words for feature, words in UNKNOWN.items() if feature in features]
    if mapped not in {"none", None} and UNKNOWN["columnMapping"] not in found:
        found.append(UNKNOWN["columnMapping"])
    if found:
        raise SourceError(
            "unsupported",
            f"it has {' and '.join(found)}, so that its files do not say which rows it holds\n"
            "Rewrite it without them (REORG TABLE ... APPLY (PURGE)), or export it to Parquet.",
        )
    root = os.path.realpath(folder)
    files = [os.path.realpath(_path(uri, root)) for uri in uris]
    return {"version": table.version(), "files": sorted(os.path.relpath(f, root) for f in files)}


def _path(uri: str, root: str) -> str:
    parts = urlsplit(uri)
    path = unquote(parts.path) if parts.scheme == "file" else uri
    return path if os.path.isabs(path) else os.path.join(root, path)


ACTIONS = {"delta": delta}
