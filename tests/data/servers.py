"""Real servers on loopback, for sources: databases, stores of objects, a web server."""

from __future__ import annotations

import base64
import functools
import glob
import http.server
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PASSWORD = "sesame-17"


def parquet(rows: list[tuple[int, str | None]]) -> bytes:
    """A file with the columns ``number`` and ``word``."""
    sink = pa.BufferOutputStream()
    numbers, words = [row[0] for row in rows], [row[1] for row in rows]
    pq.write_table(pa.table({"number": numbers, "word": pa.array(words, pa.string())}), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def postgresql_binaries() -> Path | None:
    """The newest installed server's programs; Debian keeps them off the PATH."""
    found = sorted(
        glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda p: float(p.split("/")[4])
    )
    if found:
        return Path(found[-1]).parent
    named = shutil.which("postgres")
    return Path(named).resolve().parent if named and shutil.which("initdb") else None


class PostgreSql:
    """A server with a database ``builds``, a user ``reader`` and that user's password."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"postgresql://reader@127.0.0.1:{port}/builds"

    def run(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.url, password=PASSWORD, autocommit=True) as db:
            for statement in statements:
                db.execute(statement)  # type: ignore[arg-type]


@contextmanager
def postgresql(binaries: Path) -> Iterator[PostgreSql]:
    """A server in a folder of its own; it refuses to run as root."""
    # Not below pytest's own folder, into which only root may look.
    folder = Path(tempfile.mkdtemp(prefix="perijove-pg-"))
    user = None
    if os.getuid() == 0:
        user = "postgres" if _has_user("postgres") else "nobody"
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data, port = folder / "data", free_port()
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "reader", "-A", "scram-sha-256",
             "--pwfile", secret, "-E", "UTF8", "--locale", "C", "-N"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            stdout=log, stderr=log, user=user, cwd=folder,
        )  # fmt: skip
        try:
            opened = PostgreSql(port)
            _until(lambda: _answers(port), server)
            _create(opened)
            yield opened
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            server.wait(timeout=20)
            log.close()
    finally:
        shutil.rmtree(folder)


def _create(server: PostgreSql) -> None:
    import psycopg

    deadline = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(
                f"postgresql://reader@127.0.0.1:{server.port}/postgres",
                password=PASSWORD, autocommit=True,
            ) as db:  # fmt: skip
                db.execute("CREATE DATABASE builds")
                return
        except psycopg.OperationalError:  # it listens before it lets anybody in
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def mariadb_binary() -> Path | None:
    """The installed server; Debian keeps it off an ordinary user's PATH."""
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/libexec")
    return Path(found) if found and shutil.which("mariadb-install-db") else None


class MariaDb:
    """A server with a database ``builds``, a user ``reader`` and that user's password."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"mysql+pymysql://reader@127.0.0.1:{port}/builds"

    def run(self, *statements: str, user: str = "owner") -> None:
        import pymysql

        with (
            pymysql.connect(
                host="127.0.0.1", port=self.port, user=user, password=PASSWORD, database="builds",
                autocommit=True,
            ) as db,
            db.cursor() as cursor,
        ):  # fmt: skip
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def mariadb(binary: Path) -> Iterator[MariaDb]:
    """A server in a folder of its own, with two users who come by the network."""
    folder = Path(tempfile.mkdtemp(prefix="perijove-maria-"))
    user = []
    if os.getuid() == 0:
        name = "mysql" if _has_user("mysql") else "nobody"
        os.chown(folder, pwd.getpwnam(name).pw_uid, -1)
        user = [f"--user={name}"]
    start = folder / "start.sql"
    # The reader may do everything, so that it is not its rights that keep it from writing.
    start.write_text(
        "CREATE DATABASE builds;\n"
        + "".join(
            f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {name}@'127.0.0.1' WITH GRANT OPTION;\n"
            for name in ("owner", "reader")
        )
    )
    data, port = folder / "data", free_port()
    try:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", *user,
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [binary, "--no-defaults", *user, f"--datadir={data}", f"--port={port}",
             "--bind-address=127.0.0.1", f"--socket={folder}/s", f"--pid-file={folder}/pid",
             f"--init-file={start}", "--innodb-flush-log-at-trx-commit=0",
             "--skip-name-resolve", "--innodb-buffer-pool-size=32M"],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
        try:
            _until(lambda: _answers(port), server)
            yield MariaDb(port)
        finally:
            server.terminate()
            server.wait(timeout=20)
            log.close()
    finally:
        shutil.rmtree(folder)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: object, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not ready():  # type: ignore[operator]
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.05)


@contextmanager
def s3() -> Iterator[str]:
    """moto's server, which keeps buckets in its memory; its URL."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c",
         "import sys; from moto.server import main; main(sys.argv[1:])",
         "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: _answers(port), server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@contextmanager
def gcs() -> Iterator[str]:
    """A store that speaks Google's protocol and keeps the bucket ``box`` in its memory; its URL."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1",
         "--port", str(port), "--in-memory", "--default-bucket=box"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: _answers(port), server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


AZURE_KEY = "c2VzYW1lLTE3LXNlc2FtZS0xNy1zZXNhbWUtMTc="


@contextmanager
def azure(program: str) -> Iterator[str]:
    """Azurite with the account ``account``; what connects to it."""
    port = free_port()
    server = subprocess.Popen(
        [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence",
         "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "AZURITE_ACCOUNTS": f"account:{AZURE_KEY}"},
    )  # fmt: skip
    try:
        _until(lambda: _answers(port), server)
        yield (
            f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={AZURE_KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/account"
        )
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # Node may have been started by a wrapper
        server.wait(timeout=10)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A server that answers everything with one status; its host and port."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            answer = b'{"error": {"code": %d, "message": "ada does not have access"}}' % status
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_HEAD = do_GET  # noqa: N815 - named by http.server

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """A web server of a folder's files; its URL."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            login = "Basic " + base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
            if self.path.startswith("/secret") and self.headers.get("Authorization") != login:
                self.send_error(401)
            else:
                super().do_GET()

        def do_HEAD(self) -> None:
            if self.path.startswith("/secret") and "Authorization" not in self.headers:
                self.send_error(401)
            else:
                super().do_HEAD()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word; its host and port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"127.0.0.1:{listening.getsockname()[1]}"
