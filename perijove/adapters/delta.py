"""Curated tables as Delta Lake folders: a commit is whole or not there, versions stay readable."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from perijove.core.errors import NotFoundError, ReadOnlyError, UnsupportedError
from perijove.core.files import locked, sha256_file
from perijove.data.ports import ArrowTable, Commit


class DeltaLake:
    """Implements ``perijove.data.ports.Lake``."""

    def commit(self, folder: Path, table: ArrowTable) -> Commit:
        import deltalake
        from deltalake.exceptions import DeltaError

        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f".{folder.name}.lock"):
            try:
                deltalake.write_deltalake(
                    str(folder), _storable(table), mode="overwrite", schema_mode="overwrite"
                )
            except (DeltaError, OSError) as error:
                raise ReadOnlyError(
                    f"{folder.name} could not be committed: {str(error).splitlines()[0]}.",
                    "Earlier versions are as they were. Check free space and permissions.",
                    code="commit_failed",
                ) from error
            version = deltalake.DeltaTable(str(folder)).version()
        files = self.files(folder, version)
        digest = hashlib.sha256()
        for file in files:
            digest.update(sha256_file(file).encode())
        return Commit(
            version=version,
            files=files,
            sha256=digest.hexdigest(),
            bytes=sum(file.stat().st_size for file in files),
        )

    def files(self, folder: Path, version: int) -> list[Path]:
        import deltalake
        from deltalake.exceptions import DeltaError

        try:
            table = deltalake.DeltaTable(str(folder), version=version)
        except (DeltaError, OSError) as error:
            raise NotFoundError(
                f"Version {version} of {folder.name} is not in the lake: "
                f"{str(error).splitlines()[0]}.",
                "Curate it again.",
                code="version_gone",
            ) from error
        # A writer numbers its files in row order: part-00000, part-00001, ...
        return sorted(Path(unquote(urlparse(uri).path)) for uri in table.file_uris())


def _storable(table: Any) -> Any:
    """Cast what Delta has no type for; refuse what would lose values."""
    import pyarrow as pa

    fields = []
    for field in table.schema:
        kind = field.type
        if pa.types.is_timestamp(kind) and kind.unit != "us":
            kind = pa.timestamp("us", tz=kind.tz)
        elif pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif pa.types.is_null(kind):
            kind = pa.string()
        elif pa.types.is_uint64(kind):
            kind = pa.decimal128(20, 0)
        elif pa.types.is_unsigned_integer(kind):
            kind = {8: pa.int16(), 16: pa.int32(), 32: pa.int64()}[kind.bit_width]
        fields.append(pa.field(field.name, kind, field.nullable))
    try:
        return table.cast(pa.schema(fields), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UnsupportedError(
            f"The table cannot be stored: {error}.", "Convert the column to another type first."
        ) from error
