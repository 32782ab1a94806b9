"""The audit's anchor: its head, in a file that can be committed.

A chain of hashes shows an edited row. Whoever can write the ledger could make the whole chain
anew, or take rows off its end: the anchor, kept where the project's history is kept, shows that.
"""

from __future__ import annotations

import tomllib
from typing import Final

import msgspec

from perijove.contracts.chain import Audit, AuditAnchor, AuditQuery
from perijove.core.errors import ConflictError
from perijove.core.files import locked, write_atomically
from perijove.core.ledger import Ledger, now
from perijove.core.paths import ProjectPaths

ANCHOR_FILE: Final = "perijove.audit"
DAY_MS: Final = 24 * 3600 * 1000
_TEXT: Final = """\
# The head of this project's audit, written by `perijove audit anchor`. Commit this file: an audit
# whose entries were edited, or lost off the end, does not match it any more.
seq = {seq}
hash = "{hash}"
at = {at}
"""


class Anchor:
    """The anchor of one project's audit.

    Parameters
    ----------
    paths
        The project's paths.
    ledger
        Whose audit is anchored.
    """

    def __init__(self, paths: ProjectPaths, ledger: Ledger) -> None:
        self.path = paths.root / ANCHOR_FILE
        self._paths = paths
        self._ledger = ledger

    def audit(self, only: AuditQuery | None = None) -> Audit:
        """Return audit rows, and whether the chain of hashes and the anchor hold."""
        try:
            anchor = self._read()
        except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError):
            found = self._ledger.read_audit(only)
            return msgspec.structs.replace(
                found,
                intact=False,
                fault=found.fault
                or f"{ANCHOR_FILE} cannot be understood. Restore it from your "
                "project's history, or remove it and anchor again.",
            )
        return self._ledger.read_audit(only, anchor)

    def write(self, *, by: str) -> Audit:
        """Write the head of the audit as it is now.

        Raises
        ------
        ConflictError
            When the audit does not match itself or the anchor that is there: a new anchor would
            hide that.
        """
        with locked(self._paths.make_state() / "anchor.lock"):
            self._check()
            self._ledger.audit(by, "anchor audit", ANCHOR_FILE)
            self._put(self._ledger.audit_head())
        return self.audit()

    def refresh(self) -> None:
        """Bring an anchor that is there up to date, at most once a day; a fault stays visible."""
        try:
            before = self._read()
        except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError):
            return
        if before is None or now() - before.at < DAY_MS:
            return
        with locked(self._paths.make_state() / "anchor.lock"):
            head = self._ledger.audit_head()
            if head.seq > before.seq and self.audit(AuditQuery(limit=0)).intact:
                self._put(head)

    def _check(self) -> None:
        found = self.audit(AuditQuery(limit=0))
        if not found.intact:
            raise ConflictError(
                f"The audit is not intact, and a new anchor would hide that. {found.fault}",
                f"Find out what happened. To begin anew, remove {ANCHOR_FILE}, or restore the "
                "ledger from a backup.",
                code="audit_broken",
            )

    def _put(self, anchor: AuditAnchor) -> None:
        text = _TEXT.format(seq=anchor.seq, hash=anchor.hash, at=anchor.at)
        write_atomically(self.path, text.encode())

    def _read(self) -> AuditAnchor | None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return msgspec.convert(tomllib.loads(text), AuditAnchor)
