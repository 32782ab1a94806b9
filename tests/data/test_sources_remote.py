"""Object stores and the web: copied when somebody registers, and given up when silent."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters.sources.process import SourceProcess
from perijove.adapters.workbench import Workbench
from perijove.contracts.data import DataFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    CancelledError,
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    ReadOnlyError,
    UnavailableError,
    UnreadableDataError,
    UnsupportedError,
)
from perijove.data.service import DataService
from tests.data import servers
from tests.data.conftest import BUCKET
from tests.data.servers import parquet


def _numbers(data: DataService, name: str, version: int = 0) -> list[int]:
    node = data.registry.resolve(name, version)
    found: list[int] = data.registry.read(node).column("number").to_pylist()
    return found


def test_a_bucket_is_asked_only_when_somebody_registers(data: DataService, store: Any) -> None:
    url = f"s3://{BUCKET}/raw/builds.parquet"
    store.put_object(Bucket=BUCKET, Key="raw/builds.parquet", Body=parquet([(1, "a")]))
    dataset = data.registry.register(url, target="word", by="ada")
    assert (dataset.name, dataset.facts.kind, dataset.facts.path) == ("builds", "remote", url)
    assert dataset.facts.etag
    data.sources.check_browser(url)  # the browser may refresh what a kernel registered
    with pytest.raises(ForbiddenPathError):
        data.sources.check_browser(f"s3://{BUCKET}/raw/other.parquet")
    assert data.registry.register(url, by="ada").version == 1
    store.put_object(Bucket=BUCKET, Key="raw/builds.parquet", Body=parquet([(1, "a"), (2, "b")]))
    assert _numbers(data, "builds") == [1]
    assert data.registry.get("builds").state == "current"
    assert data.registry.register(url, by="ada").version == 2
    assert (_numbers(data, "builds"), _numbers(data, "builds", 1)) == ([1, 2], [1])
    store.delete_object(Bucket=BUCKET, Key="raw/builds.parquet")
    with pytest.raises(NotFoundError, match="nothing of that name"):
        data.registry.register(url, by="ada")
    assert _numbers(data, "builds") == [1, 2]


def test_a_copy_that_is_gone_comes_back(data: DataService, store: Any) -> None:
    store.put_object(Bucket=BUCKET, Key="a.csv", Body=b"number,word\n1,a\n")
    url = f"s3://{BUCKET}/a.csv"
    dataset = data.registry.register(url, by="ada")
    (data.project.paths.root / dataset.facts.table).unlink()
    assert data.registry.get("a").state == "missing"
    with pytest.raises(NotFoundError, match="copy of data:a@1 is gone") as error:
        _numbers(data, "a")
    assert "Register" in error.value.hint
    assert data.registry.register(url, by="ada").version == 1
    assert _numbers(data, "a") == [1]


def test_a_damaged_copy_is_told(data: DataService, store: Any) -> None:
    store.put_object(Bucket=BUCKET, Key="a.parquet", Body=parquet([(1, "a")]))
    dataset = data.registry.register(f"s3://{BUCKET}/a.parquet", by="ada")
    table = data.project.paths.root / dataset.facts.table
    content = bytearray(table.read_bytes())
    content[10] ^= 1
    table.write_bytes(content)
    assert data.registry.get("a").state == "changed"
    with pytest.raises(NotFoundError):
        _numbers(data, "a")


def test_a_prefix_with_partitions_is_one_table(data: DataService, store: Any) -> None:
    for year in (2025, 2026):
        key = f"hive/year={year}/part.parquet"
        store.put_object(Bucket=BUCKET, Key=key, Body=parquet([(year, "a")]))
    store.put_object(Bucket=BUCKET, Key="hive/_SUCCESS", Body=b"")
    dataset = data.registry.register(f"s3://{BUCKET}/hive/", by="ada")
    assert (dataset.facts.rows, dataset.facts.partitioned) == (2, True)
    assert [column.name for column in dataset.facts.columns] == ["number", "word", "year"]
    store.put_object(Bucket=BUCKET, Key="lake/_delta_log/0.json", Body=b"{}")
    store.put_object(Bucket=BUCKET, Key="lake/a.parquet", Body=parquet([(1, "a")]))
    with pytest.raises(UnsupportedError, match="Delta table"):
        data.registry.register(f"s3://{BUCKET}/lake", by="ada")


def test_only_declared_buckets_are_for_the_browser(data: DataService, store: Any) -> None:
    store.put_object(Bucket=BUCKET, Key="raw/a.csv", Body=b"number\n1\n")
    store.put_object(Bucket=BUCKET, Key="rawer/a.csv", Body=b"number\n1\n")
    with pytest.raises(ForbiddenPathError):
        data.sources.entries(f"s3://{BUCKET}/raw")
    data.sources.allow([f"s3a://{BUCKET}/raw"], by="ada")
    (entry,) = data.sources.entries(f"s3://{BUCKET}/raw").items
    assert (entry.location, entry.kind, entry.bytes) == (f"s3://{BUCKET}/raw/a.csv", "table", 9)
    for place in ("rawer/a.csv", "raw/../rawer/a.csv", "raw/%2e%2e/rawer/a.csv"):
        with pytest.raises((ForbiddenPathError, InvalidInputError)):
            data.registry.register(f"s3://{BUCKET}/{place}", by="ada")


def test_wrong_credentials_are_said_without_them(
    data: DataService, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(UnavailableError) as error:
        data.registry.register(f"s3://{BUCKET}/a.csv", by="ada")
    assert error.value.code == "source_refused"
    assert "AWS_PROFILE" in error.value.hint


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://ada:hunter22@example.org/a.csv", ".netrc"),
        ("postgresql://ada:hunter22@example.org/db#t", "PGPASSWORD"),
        ("https://example.org/a.csv?X-Amz-Signature=hunter22", ".netrc"),
        ("https://example.org/a.csv?sig=hunter22", ".netrc"),
        ("s3://key:hunter22@bucket/a.csv", "AWS_PROFILE"),
        ("ftp://ada:hunter22@example.org/a.csv", "environment"),
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(
    data: DataService, url: str, hint: str
) -> None:
    with pytest.raises(InvalidInputError, match="holds a secret") as error:
        data.registry.register(url, by="ada")
    assert hint in error.value.hint
    assert "hunter22" not in str(error.value)
    assert "hunter22" not in data.project.file.text()


def test_a_silent_server_is_given_up(
    data: DataService, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("PERIJOVE_SOURCE_PATIENCE", "1.5")
    with servers.silent() as host:
        with pytest.raises(UnavailableError, match="did not answer") as error:
            data.registry.register(f"http://{host}/a.csv", by="ada")
        assert error.value.code == "source_silent"
    (folder / "b.csv").write_text("number\n1\n")
    data.registry.register("b.csv", by="ada")
    assert _numbers(data, "b") == [1]
    assert not list(data.project.paths.fetched.iterdir())


def test_nobody_listens(data: DataService) -> None:
    with pytest.raises(UnavailableError) as error:
        data.registry.register(f"http://127.0.0.1:{servers.free_port()}/a.csv", by="ada")
    assert error.value.code == "source_unreachable"


def test_a_login_and_a_page_that_is_no_table(
    data: DataService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.csv").write_text("<!DOCTYPE html>\n<html></html>\n")
    (tmp_path / "secret.csv").write_text("number\n1\n")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login ada password {servers.PASSWORD}\n")
    with servers.web(tmp_path) as url:
        with pytest.raises(UnavailableError) as refused:
            data.registry.register(f"{url}/secret.csv", by="ada")
        assert refused.value.code == "source_refused"
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        data.registry.register(f"{url}/secret.csv", by="ada")
        assert _numbers(data, "secret") == [1]
        with pytest.raises(UnreadableDataError, match="no header"):
            data.registry.register(f"{url}/page.csv", by="ada")
        data.sources.allow([url], by="ada")
        with pytest.raises(UnsupportedError, match="does not tell"):
            data.sources.entries(url)
    assert [dataset.name for dataset in data.registry.datasets()] == ["secret"]


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    class Work:
        def __init__(self) -> None:
            self.stop: Any = None
            self.started = threading.Event()

        def report(self, progress: float, detail: str = "") -> None: ...

        def on_cancel(self, stop: Any) -> None:
            self.stop = stop
            self.started.set()

    work, failure = Work(), []

    def ask() -> None:
        try:
            SourceProcess(patience=60).ask(
                {"do": "fetch", "url": f"http://{host}/a.csv", "into": str(tmp_path), "etag": ""},
                "there", work,
            )  # fmt: skip
        except CancelledError as error:
            failure.append(error)

    with servers.silent() as host:
        thread = threading.Thread(target=ask)
        thread.start()
        assert work.started.wait(10)
        work.stop()
        thread.join(10)
    assert failure


def test_the_process_ends_with_whoever_asked(tmp_path: Path) -> None:
    import psutil

    with servers.silent() as host:
        code = (
            "import sys\nfrom perijove.adapters.sources.process import SourceProcess\n"
            "class Work:\n"
            "    def report(self, *a): ...\n"
            "    def on_cancel(self, stop): print(stop.__self__._worker.pid, flush=True)\n"
            f"SourceProcess(60).ask({{'do': 'fetch', 'url': 'http://{host}/a.csv', "
            f"'into': {str(tmp_path)!r}, 'etag': ''}}, 'there', Work())\n"
        )
        asker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert asker.stdout is not None
        worker = psutil.Process(int(asker.stdout.readline()))
        asker.kill()
        asker.wait()
        asker.stdout.close()
        psutil.wait_procs([worker], timeout=20)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_facts_hold_no_secret(data: DataService, store: Any) -> None:
    store.put_object(Bucket=BUCKET, Key="a.csv", Body=b"number\n1\n")
    data.registry.register(f"s3://{BUCKET}/a.csv", by="ada")
    facts = facts_of(data.registry.resolve("a"), DataFacts)
    assert "hush" not in repr(facts)
    state = data.project.paths.state
    written = [p for p in state.rglob("*") if p.is_file()] + [data.project.paths.definition]
    assert not [p for p in written if b"hush-hush-secret" in p.read_bytes()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    project = disk / "project"
    shutil.copytree(folder, project)
    data = Workbench(ProjectContext.open(project, actor="ada")).data
    www = tmp_path / "www"
    www.mkdir()
    (www / "small.csv").write_text("number\n1\n")
    (www / "big.csv").write_bytes(os.urandom(9 * 2**20))
    rows = sqlite3.connect(tmp_path / "big.db")
    rows.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                 " WHERE i < 300000) SELECT hex(randomblob(32)) AS word FROM n")  # fmt: skip
    rows.close()
    try:
        with servers.web(www) as url:
            data.registry.register(f"{url}/small.csv", by="ada")
            with pytest.raises(ReadOnlyError) as error:
                data.registry.register(f"{url}/big.csv", by="ada")
            assert error.value.code == "disk_full"
        with pytest.raises(ReadOnlyError) as error:
            data.registry.register(f"sqlite:///{tmp_path}/big.db#t", name="t", by="ada")
        assert error.value.code == "disk_full"
        assert [dataset.name for dataset in data.registry.datasets()] == ["small"]
        assert _numbers(data, "small") == [1]
        assert len(list(data.project.paths.fetched.iterdir())) == 1
    finally:
        data.close()
        data.project.chain.ledger.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)
