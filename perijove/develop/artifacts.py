"""What a run left behind: listed, shown, handed out."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from perijove.contracts.tracker import Artifact, ArtifactPreview, Artifacts
from perijove.core.call import Content
from perijove.core.errors import UnsupportedError
from perijove.develop.ports import RunStore, StoredArtifact

Kind = Literal["folder", "image", "table", "text", "json", "markdown", "plot", "model", "binary"]

TEXT_BYTES: Final = 256 * 1024
PREVIEW_ROWS: Final = 200
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of one artifact through the server; what is bigger is fetched from where it lies."""
MODEL_FILE: Final = "MLmodel"

IMAGES: Final = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".webp": "image/webp", ".bmp": "image/bmp", ".svg": "image/svg+xml",
}  # fmt: skip
"""What a browser may show. An SVG may hold scripts: it is only ever sent into a sandbox."""
TABLES: Final = frozenset((".csv", ".tsv", ".parquet", ".arrow", ".feather", ".jsonl", ".ndjson"))
TEXTS: Final = frozenset((
    ".txt", ".log", ".py", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".html", ".xml", ".sql",
    ".sh", ".r", ".js", ".ts", ".css", ".tex", ".env", ".lock", ".out", ".err",
))  # fmt: skip

ReadTable = Callable[[Path, int], tuple[list[str], list[list[str]], int]]
"""Returns the columns and the first rows of a file of a table, and how many rows it has."""


class ArtifactRoom:
    """Shows the artifacts of runs. Nothing that a user wrote is parsed in this process.

    Parameters
    ----------
    store
        Where runs are kept.
    read_table
        Reads a table, in a process of its own.
    """

    def __init__(self, store: RunStore, read_table: ReadTable) -> None:
        self._store = store
        self._read_table = read_table

    def list(self, run_id: str, path: str = "") -> Artifacts:
        """Return what lies in a folder of a run's artifacts; folders first."""
        entries = self._store.list_artifacts(run_id, path)
        models = {entry.path for entry in entries if entry.folder and self._is_model(run_id, entry)}
        items = [
            Artifact(
                path=entry.path,
                name=PurePosixPath(entry.path).name,
                folder=entry.folder,
                bytes=entry.bytes,
                kind="model" if entry.path in models else kind_of(entry.path, folder=entry.folder),
            )
            for entry in entries
        ]
        items.sort(key=lambda item: (not item.folder, item.name.lower(), item.name))
        return Artifacts(items=items, place=self._store.artifact_place(run_id))

    def _is_model(self, run_id: str, entry: StoredArtifact) -> bool:
        if "://" in self._store.artifact_place(run_id):
            return False  # one call a folder over the network is too much
        inside = self._store.list_artifacts(run_id, entry.path)
        return any(PurePosixPath(one.path).name == MODEL_FILE for one in inside)

    def preview(self, run_id: str, path: str) -> ArtifactPreview:
        """Return an artifact as it can be shown.

        Raises
        ------
        NotFoundError
            When the run has no such file.
        UnreadableDataError
            For a table that is none.
        """
        file = self._store.artifact_file(run_id, path)
        size, kind = file.stat().st_size, kind_of(path)
        if kind == "table":
            columns, rows, total = self._read_table(file, PREVIEW_ROWS)
            return ArtifactPreview(
                path=path,
                kind="table",
                bytes=size,
                columns=columns,
                rows=rows,
                total_rows=total,
                cut=total > len(rows),
            )
        if kind == "image":
            return ArtifactPreview(path=path, kind="image", bytes=size)
        with file.open("rb") as opened:
            head = opened.read(TEXT_BYTES)
        if kind == "binary" and b"\0" not in head[:8192] and _is_text(head[:8192]):
            kind = "text"
        if kind == "binary":
            return ArtifactPreview(path=path, kind="binary", bytes=size)
        cut = size > len(head)
        if kind == "json" and not cut and _is_plot(head):
            kind = "plot"
        return ArtifactPreview(
            path=path, kind=kind, bytes=size, text=head.decode("utf-8", "replace"), cut=cut
        )

    def content(self, run_id: str, path: str) -> Content:
        """Return an artifact's bytes, to be saved or shown as an image.

        Raises
        ------
        NotFoundError
            When the run has no such file.
        UnsupportedError
            When it is too big to go through the server.
        """
        file = self._store.artifact_file(run_id, path)
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise UnsupportedError(
                f"{path} has {size:,} bytes: too many to send through the server.",
                f"Copy it from {file}.",
                code="artifact_too_big",
            )
        media = IMAGES.get(file.suffix.lower(), "application/octet-stream")
        return Content(file.read_bytes(), media, file.name)


def kind_of(path: str, *, folder: bool = False) -> Kind:
    """Tell by its name how an artifact can be shown."""
    if folder:
        return "folder"
    name = PurePosixPath(path).name.lower()
    ending = PurePosixPath(name).suffix
    if ending in IMAGES:
        return "image"
    if ending in TABLES:
        return "table"
    if name.endswith((".vl.json", ".vega.json", ".vl", ".vg.json")):
        return "plot"
    if ending in (".json", ".ipynb", ".geojson"):
        return "json"
    if ending in (".md", ".markdown", ".rst"):
        return "markdown" if ending != ".rst" else "text"
    if ending in TEXTS or name in ("mlmodel", "dockerfile", "makefile", "requirements"):
        return "text"
    return "binary"


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # its last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(head)


def _is_plot(text: bytes) -> bool:
    """Whether JSON says that it is a chart of Vega-Lite."""
    return b'"$schema"' in text and b"vega.github.io/schema/vega-lite" in text.replace(b"\\/", b"/")
