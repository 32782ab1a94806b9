"""Files of object stores and web servers, by fsspec."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from perijove.adapters.sources.worker.failures import SourceError
from perijove.core.files import sha256_text
from perijove.data.versions import ENDINGS, MOST_FILES

Report = Callable[..., None]
TELL_SECONDS: Final = 0.25
BLOCK: Final = 2**22


def entries(report: Report, *, url: str, limit: int) -> dict[str, Any]:
    """List what lies below a prefix: folders first, then files that can be registered."""
    fs, path = _open(url)
    if _is_web(url):
        raise SourceError(
            "unsupported", "a web server does not tell which files it has\nName the file itself."
        )
    found = []
    for info in fs.ls(path, detail=True):
        name = info["name"].rstrip("/").rpartition("/")[2]
        folder = info["type"] == "directory"
        if name and name[0] not in "._" and (folder or _ending(name) in ENDINGS):
            found.append((not folder, name, info))
    found.sort(key=lambda entry: entry[:2])
    base = url.partition("#")[0].rstrip("/")
    return {
        "entries": [
            {
                "name": name,
                "location": f"{base}/{name}" + ("/" if not file else ""),
                "kind": "table" if file else "folder",
                "bytes": info.get("size") if file else None,
                "modified": _millis(info),
            }
            for file, name, info in found[:limit]
        ]
    }


def fetch(report: Report, *, url: str, into: str, etag: str) -> dict[str, Any]:
    """Copy one file, or all data files below a prefix, unless they are still those of ``etag``."""
    fs, path = _open(url)
    info = fs.info(path)
    many = info["type"] == "directory"
    found = _below(fs, path) if many else {"": info}
    known = _etag(found)
    if etag and known == etag:
        return {"same": True}
    total = sum(int(item.get("size") or 0) for item in found.values())
    free = shutil.disk_usage(into).free
    if total > free:
        raise SourceError(
            "disk", f"it has {total / 2**20:,.0f} MB and the disk {free / 2**20:,.0f} MB of room"
        )
    root = Path(into) / ("files" if many else f"data.{_ending(urlsplit(url).path)}")
    done = _Done(report, total)
    files = []
    for name, item in found.items():
        target = (root / name if many else root).resolve()
        if many and not target.is_relative_to(root.resolve()):
            raise SourceError("unreadable", f"the name {name[:80]!r} leads out of its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        fs.get_file(item["name"], str(target), callback=done.callback())
        size = target.stat().st_size
        if item.get("size") is not None and size != int(item["size"]):
            raise SourceError("changed", "it was changed while it was being read")
        files.append({"path": name or root.name, "sha256": _hash(target, done), "bytes": size})
    fs.invalidate_cache()
    again = _below(fs, path) if many else {"": fs.info(path)}
    if _etag(again) != known or _sizes(again) != _sizes(found):
        raise SourceError("changed", "it was changed while it was being read")
    return {"same": False, "root": str(root), "files": files, "etag": known}


def _open(url: str) -> tuple[Any, str]:
    import fsspec

    options: dict[str, Any] = {"use_listings_cache": False}
    if _is_web(url):
        options["client_kwargs"] = {"trust_env": True}  # ~/.netrc and the proxy's variables
    _same_account(url)
    fs, path = fsspec.core.url_to_fs(url, **options)
    if url.startswith("gs://"):
        # Asked for once, here: later gcsfs tries a login that has ended for half a minute.
        fs.credentials.maybe_refresh()
    return fs, path


def _same_account(url: str) -> None:
    """Refuse a connection string of another account than the URL's, which adlfs would follow."""
    said = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    parts = urlsplit(url)
    if parts.scheme != "abfs" or "@" not in parts.netloc or not said:
        return
    settings = dict(pair.partition("=")[::2] for pair in said.split(";"))
    named, account = (parts.hostname or "").partition(".")[0], settings.get("AccountName", "")
    if account.lower() != named:
        raise SourceError(
            "refused",
            f"AZURE_STORAGE_CONNECTION_STRING is that of the account {account or 'of nobody'}, "
            f"not of {named}",
        )


def _below(fs: Any, path: str) -> dict[str, Any]:
    base = path.rstrip("/") + "/"
    found = {}
    for name, info in fs.find(path, detail=True).items():
        relative = name.removeprefix(base)
        if relative.startswith("_delta_log/"):
            raise SourceError(
                "unsupported",
                "it is a Delta table, whose files alone do not say which rows it holds\n"
                "Copy it to a folder and register that.",
            )
        parts = relative.split("/")
        if all(part and part[0] not in "._" for part in parts) and _ending(name) in ENDINGS:
            found[relative] = info
    if not found:
        raise SourceError("missing", "no data files are there")
    if len(found) > MOST_FILES:
        raise SourceError("unreadable", f"it has more than {MOST_FILES:,} files")
    return dict(sorted(found.items(), key=lambda entry: entry[0].split("/")))


def _etag(found: dict[str, Any]) -> str:
    """Return what the store calls these bytes; empty where it does not say."""
    tags = {
        name: str(info.get("ETag") or info.get("etag") or "").strip('"')
        for name, info in found.items()
    }
    if not all(tags.values()):
        return ""
    if len(tags) == 1 and "" in tags:
        return tags[""]
    return sha256_text("".join(f"{name}\0{tag}\n" for name, tag in tags.items()))


def _sizes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: info.get("size") for name, info in found.items()}


def _hash(file: Path, done: _Done) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            digest.update(block)
            done.tell()
    return digest.hexdigest()


class _Done:
    """Tells how much was copied, now and then."""

    def __init__(self, report: Report, total: int) -> None:
        self._report = report
        self._total = total
        self._bytes = 0
        self._told = 0.0

    def callback(self) -> Any:
        from fsspec.callbacks import Callback

        done = self

        class Copied(Callback):  # type: ignore[misc, unused-ignore]
            def relative_update(self, inc: int = 1) -> None:
                done.tell(inc)

        return Copied()

    def tell(self, more: int = 0) -> None:
        self._bytes += more
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._report(
                min(0.99, self._bytes / self._total) if self._total else 0.0,
                f"{self._bytes / 2**20:,.0f} MB",
            )


def _ending(name: str) -> str:
    return unquote(name).rpartition(".")[2].lower()


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _millis(info: dict[str, Any]) -> int | None:
    at = info.get("LastModified") or info.get("last_modified") or info.get("mtime")
    return int(at.timestamp() * 1000) if isinstance(at, datetime) else None


ACTIONS = {"list": entries, "fetch": fetch}
