"""Object stores and the web, through fsspec: copied when somebody registers, with the hash."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import msgspec

from perijove.adapters.sources.process import SourceProcess
from perijove.contracts.sources import SourceEntry
from perijove.core.paths import ProjectPaths
from perijove.data.ports import Snapshot, Work
from perijove.data.versions import FileHash, digest_of


class Remote:
    """One file, or all files below a prefix, of a store that fsspec knows.

    Implements :class:`perijove.data.ports.DataSource`; a subclass says which store. Credentials
    come from where the store's own library looks for them.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[str]
    schemes: ClassVar[frozenset[str]]
    modules: ClassVar[tuple[str, ...]]
    """What must be installed."""
    access: ClassVar[str]
    """Where the credentials are looked for."""
    remote = True

    def __init__(self, paths: ProjectPaths, process: SourceProcess | None = None) -> None:
        self._process = process or SourceProcess()

    def available(self) -> bool:
        return all(find_spec(module) is not None for module in self.modules)

    def accepts(self, location: str) -> bool:
        return location.partition("://")[0] in self.schemes

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        reply = self._process.ask(
            {"do": "list", "url": location, "limit": limit}, location, access=self.access
        )
        return [msgspec.convert(entry, SourceEntry) for entry in reply["entries"]]

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot | None:
        reply = self._process.ask(
            {"do": "fetch", "url": location, "into": str(into), "etag": etag},
            location,
            work,
            access=self.access,
        )
        if reply["same"]:
            return None
        files = tuple(msgspec.convert(file, FileHash) for file in reply["files"])
        whole = reply["root"]
        return Snapshot(
            kind="remote",
            root=Path(whole),
            files=files,
            sha256=digest_of(files) if Path(whole).is_dir() else files[0].sha256,
            bytes=sum(file.bytes for file in files),
            etag=reply["etag"],
            fetched=True,
        )


class S3(Remote):
    """Amazon S3, and stores that speak its protocol (``AWS_ENDPOINT_URL``)."""

    kind = "s3"
    label = "Amazon S3"
    example = "s3://bucket/builds/2026.parquet"
    needs = "perijove[s3]"
    schemes = frozenset(["s3"])
    modules = ("s3fs",)
    access = (
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for the kernel and the "
        "server; for a public bucket FSSPEC_S3_ANON=true."
    )


class Gcs(Remote):
    """Google Cloud Storage."""

    kind = "gcs"
    label = "Google Cloud Storage"
    example = "gs://bucket/builds/2026.parquet"
    needs = "perijove[gcs]"
    schemes = frozenset(["gs"])
    modules = ("gcsfs",)
    access = (
        "Set GOOGLE_APPLICATION_CREDENTIALS for the kernel and the server, or run "
        "`gcloud auth application-default login`."
    )


class Azure(Remote):
    """Azure Blob Storage and Data Lake Storage Gen2."""

    kind = "azure"
    label = "Azure Storage"
    example = "abfs://container@account.dfs.core.windows.net/builds/2026.parquet"
    needs = "perijove[azure]"
    schemes = frozenset(["abfs"])
    modules = ("adlfs",)
    access = (
        "Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and "
        "AZURE_STORAGE_ACCOUNT_KEY, for the kernel and the server, or run `az login`; for a public "
        "container AZURE_STORAGE_ANON=true."
    )


class Web(Remote):
    """A file that a web server has."""

    kind = "http"
    label = "Web"
    example = "https://example.org/builds.csv"
    needs = "perijove[http]"
    schemes = frozenset(["http", "https"])
    modules = ("fsspec", "aiohttp")
    access = "Write a login for the server into ~/.netrc."
