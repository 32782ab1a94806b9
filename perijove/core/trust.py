"""Which projects this user trusts to start programs by themselves.

Endpoints load models and schedules run recorded curations: both are code that lies in the
project's folder. Whoever gets a folder from somebody else looks at it without running it, until
an own action in it, or ``perijove trust``, says otherwise. As with Jupyter's notebooks, the record
lies outside the project, and is signed with a key of the user's: a folder cannot vouch for itself.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from perijove.contracts.base import Facts
from perijove.core.errors import ReadOnlyError
from perijove.core.files import sha256_text, write_atomically
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths


class _Record(Facts):
    root: str
    mac: str
    """Of the root and the ledger's identity: a moved project, or another ledger, is unknown."""


class Trust:
    """Whether one project may start programs unasked.

    Parameters
    ----------
    paths
        The project's paths.
    ledger
        Its ledger: trust ends when another one takes its place.
    """

    def __init__(self, paths: ProjectPaths, ledger: Ledger) -> None:
        self._paths = paths
        self._ledger = ledger

    def given(self) -> bool:
        """Whether this user trusts the project."""
        try:
            record = msgspec.json.decode(self._file().read_bytes(), type=_Record)
            key = _key_file().read_bytes()
        except (OSError, msgspec.DecodeError):
            return False
        return hmac.compare_digest(record.mac, self._mac(key))

    def give(self) -> None:
        """Trust the project from now on; nothing happens where it is trusted already.

        Raises
        ------
        ReadOnlyError
            When Jupyter's data folder cannot be written.
        """
        if self.given():
            return
        file = self._file()
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            record = _Record(str(self._paths.root), self._mac(_key()))
            write_atomically(file, msgspec.json.encode(record))
        except OSError as error:
            raise ReadOnlyError(
                f"{file.parent} cannot be written: {error.strerror}.",
                "Give yourself write access to it: which projects you trust is kept there.",
            ) from error

    def _file(self) -> Path:
        # Without a suffix: in a kernel, what ends like data and is read counts as an input.
        return _folder() / "trusted" / sha256_text(str(self._paths.root))[:32]

    def _mac(self, key: bytes) -> str:
        text = f"{self._paths.root}\0{self._ledger.identity}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _folder() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir(), "perijove")


def _key_file() -> Path:
    return _folder() / "trust.key"


def _key() -> bytes:
    """Return the user's key; whoever needs it first makes it."""
    file = _key_file()
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    if not file.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as made:
                made.write(secrets.token_bytes(32))
            # A link fails where another process was faster: its key is the one.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return file.read_bytes()
