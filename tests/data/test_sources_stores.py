"""The contract of a source, kept by stores of objects, a web server and any store of fsspec."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from perijove.adapters.sources.remote import S3, Azure, Gcs, Remote, Web
from perijove.core.errors import UnavailableError
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
    """What a store of somebody else has in common with ours: fsspec's interface."""

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


@pytest.fixture(scope="module")
def google() -> Iterator[str]:
    pytest.importorskip("gcsfs")
    pytest.importorskip("gcp_storage_emulator")
    with servers.gcs() as url:
        yield url


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("no Azurite is installed: npm install --global azurite")
    with servers.azure(program) as connection:
        yield connection


class TestGoogle(DataSourceSuite):
    @pytest.fixture
    def source(
        self, paths: ProjectPaths, google: str, monkeypatch: pytest.MonkeyPatch
    ) -> DataSource:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", google)
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        return Gcs(paths)

    @pytest.fixture
    def place(self, google: str) -> object:
        class Place:
            location = "gs://box/raw/builds.parquet"
            missing = "gs://box/raw/nothing.parquet"
            folder = "gs://box/raw"

            def put(self, rows: Rows) -> None:
                to = f"{google}/upload/storage/v1/b/box/o?uploadType=media&name=raw/builds.parquet"
                with urlopen(Request(to, data=parquet(rows), method="POST")) as answer:
                    assert answer.status == 200

        return Place()


class TestAzure(DataSourceSuite):
    @pytest.fixture
    def source(
        self, paths: ProjectPaths, azurite: str, monkeypatch: pytest.MonkeyPatch
    ) -> DataSource:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite)
        return Azure(paths)

    @pytest.fixture
    def place(self, azurite: str) -> object:
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import BlobServiceClient

        client = BlobServiceClient.from_connection_string(azurite)
        with suppress(ResourceExistsError):
            client.create_container("box")
        box = "abfs://box@account.dfs.core.windows.net"

        class Place:
            location = f"{box}/raw/builds.parquet"
            missing = f"{box}/raw/nothing.parquet"
            folder = f"{box}/raw"

            def put(self, rows: Rows) -> None:
                blob = client.get_blob_client("box", "raw/builds.parquet")
                blob.upload_blob(parquet(rows), overwrite=True)

        return Place()

    def test_a_key_that_is_wrong(
        self, source: DataSource, tmp_path: Path, azurite: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrong = "d3JvbmctMTctd3JvbmctMTctd3JvbmctMTc="
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING", azurite.replace(servers.AZURE_KEY, wrong)
        )
        with pytest.raises(UnavailableError) as error:
            source.entries("abfs://box@account.dfs.core.windows.net/", 10)
        assert error.value.code == "source_refused"
        assert "AZURE_STORAGE_CONNECTION_STRING" in error.value.hint
        assert wrong not in str(error.value)


def test_a_connection_string_of_another_account_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("adlfs")
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        "DefaultEndpointsProtocol=http;AccountName=ours;AccountKey=aGVsbG8=;"
        f"BlobEndpoint=http://127.0.0.1:{servers.free_port()}/ours",
    )
    with pytest.raises(UnavailableError, match="ours, not of theirs") as error:
        Azure(ProjectPaths(tmp_path)).entries("abfs://box@theirs.dfs.core.windows.net/", 10)
    assert error.value.code == "source_refused"


@pytest.mark.parametrize("status", [401, 403])
def test_google_refuses(status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with servers.refusing(status) as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{host}")
        with pytest.raises(UnavailableError) as error:
            Gcs(ProjectPaths(tmp_path)).snapshot("gs://box/a.parquet", "", tmp_path)
    assert error.value.code == "source_refused"
    assert "GOOGLE_APPLICATION_CREDENTIALS" in error.value.hint


def test_google_is_told_of_a_login_that_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of `gcloud auth application-default login`, months later."""
    pytest.importorskip("gcsfs")
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization as form

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with servers.refusing(401) as host:
        login = {
            "type": "service_account", "project_id": "p", "private_key": key.decode(),
            "client_email": "ada@example.org", "token_uri": f"http://{host}/token",
        }  # fmt: skip
        (tmp_path / "login.json").write_text(json.dumps(login))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "login.json"))
        with pytest.raises(UnavailableError) as error:
            Gcs(ProjectPaths(tmp_path)).snapshot("gs://box/a.parquet", "", tmp_path)
    assert error.value.code == "source_refused"


@pytest.mark.parametrize("kind", ["gcs", "azure"])
def test_stores_that_are_silent_are_given_up(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gcsfs" if kind == "gcs" else "adlfs")
    monkeypatch.setenv("PERIJOVE_SOURCE_PATIENCE", "3")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    paths = ProjectPaths(tmp_path)
    source: DataSource = Gcs(paths) if kind == "gcs" else Azure(paths)
    place = "gs://box" if kind == "gcs" else "abfs://box@account.dfs.core.windows.net/"
    with servers.silent() as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{host}")
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING",
            f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={servers.AZURE_KEY};"
            f"BlobEndpoint=http://{host}/account",
        )
        with pytest.raises(UnavailableError) as error:
            source.entries(place, 10)
    assert error.value.code == "source_silent"


def test_google_and_azure_are_found_by_their_urls(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    assert Gcs(paths).accepts("gs://bucket/a.parquet")
    assert Azure(paths).accepts("abfs://box@account.dfs.core.windows.net/a.parquet")
    assert not S3(paths).accepts("gs://bucket/a.parquet")
