"""The contract of a source, kept by an S3 server, a web server and any store of fsspec."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters.sources.remote import S3, Azure, Gcs, Remote, Web
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataSource
from perijove.testing.data_source import DataSourceSuite
from tests.data import servers
from tests.data.conftest import BUCKET
from tests.data.servers import parquet

Rows = list[tuple[int, str | None]]


class TestS3(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths, store: Any) -> DataSource:
        return S3(paths)

    @pytest.fixture
    def place(self, store: Any) -> object:
        class Place:
            location = f"s3://{BUCKET}/raw/builds.parquet"
            missing = f"s3://{BUCKET}/raw/nothing.parquet"
            folder = f"s3://{BUCKET}/raw"

            def put(self, rows: Rows) -> None:
                store.put_object(Bucket=BUCKET, Key="raw/builds.parquet", Body=parquet(rows))

        return Place()


class TestWeb(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return Web(paths)

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[object]:
        folder = tmp_path / "www"
        folder.mkdir()
        with servers.web(folder) as url:

            class Place:
                location = f"{url}/builds.parquet"
                missing = f"{url}/nothing.parquet"
                folder = ""

                def put(self, rows: Rows) -> None:
                    (folder / "builds.parquet").write_bytes(parquet(rows))

            made = Place()
            folder_of_files = folder
            assert folder_of_files.is_dir()
            yield made


class _Shelf(Remote):
    """Any store of fsspec: here one that keeps files on the disk, in the worker's own way."""

    kind = "shelf"
    label = "Shelf"
    example = "shelf://bucket/builds.parquet"
    needs = ""
    schemes = frozenset(["shelf"])
    modules = ("fsspec",)
    access = ""


SHELF = """
import fsspec, os
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

class Shelf(DirFileSystem):
    protocol = "shelf"
    def __init__(self, **options):
        super().__init__(os.environ["SHELF"], LocalFileSystem())

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("shelf://").strip("/")

fsspec.register_implementation("shelf", Shelf, clobber=True)
"""


class TestAnyStoreOfFsspec(DataSourceSuite):
    """What Google's and Azure's stores have in common with S3: fsspec's interface."""

    @pytest.fixture
    def source(
        self, paths: ProjectPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> DataSource:
        site = tmp_path / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SHELF)
        before = os.environ.get("PYTHONPATH")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), before])))
        monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))
        return _Shelf(paths)

    @pytest.fixture
    def place(self, tmp_path: Path) -> object:
        folder = tmp_path / "shelf" / "bucket" / "builds"

        class Place:
            location = "shelf://bucket/builds/"
            missing = "shelf://bucket/nothing"
            folder = "shelf://bucket"

            def put(self, rows: Rows) -> None:
                (tmp_path / "shelf" / "bucket" / "builds").mkdir(parents=True, exist_ok=True)
                for old in folder_of.glob("*"):
                    old.unlink()
                for at, row in enumerate(rows):
                    (folder_of / f"{at}.parquet").write_bytes(parquet([row]))

        folder_of = folder
        return Place()


def test_google_and_azure_are_found_by_their_urls(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    assert Gcs(paths).accepts("gs://bucket/a.parquet")
    assert Azure(paths).accepts("abfs://box@account.dfs.core.windows.net/a.parquet")
    assert not S3(paths).accepts("gs://bucket/a.parquet")
