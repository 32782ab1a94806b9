"""The alert book: what needs a person, in the ledger, until it is mended.

An alert is in place, not a fact: it is raised, may change its words, is acknowledged, is cleared.
What happened to it, and by whom, is in the audit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from perijove.contracts.alerts import Alert
from perijove.core.errors import NotFoundError
from perijove.core.ledger import SYSTEM, Ledger, now, read_kept


class AlertBook:
    """The open alerts of one project.

    Parameters
    ----------
    ledger
        Where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def standing(self, step: str = "") -> list[Alert]:
        """Return the open alerts, newest first; acknowledged ones are open until mended."""
        rows = self._ledger.rows("SELECT value FROM wanted WHERE kind='alert'")
        alerts = [read_kept(value, Alert) for (value,) in rows]
        return sorted(
            (alert for alert in alerts if not step or alert.step == step),
            key=lambda alert: (-alert.since, alert.id),
        )

    def worst(self, step: str) -> Alert | None:
        """Return the worst alert of a step that nobody looks after; of equals, the newest."""
        open_ = [alert for alert in self.standing(step) if not alert.acknowledged_by]
        return min(open_, key=lambda alert: alert.level != "failed", default=None)

    def find(self, alert: str) -> Alert | None:
        rows = self._ledger.rows("SELECT value FROM wanted WHERE kind='alert' AND name=?", (alert,))
        return read_kept(rows[0][0], Alert) if rows else None

    def raise_(self, alert: Alert, *, by: str = SYSTEM) -> Alert:
        """Raise an alert, or bring the words of one that stands up to date.

        Since when it stands is kept, and who looks after it, unless it has become worse.
        """
        before = self.find(alert.id)
        if before is not None and _renewed(alert, before) == before:
            return before
        with self._ledger.write() as db:
            before = self.find(alert.id)
            if before is not None:
                alert = _renewed(alert, before)
            _put(db, alert)
            if before is None or before.level != alert.level:
                self._ledger.audit(
                    by, "raise alert", alert.subject, alert=alert.id, level=alert.level,
                    title=alert.title,
                )  # fmt: skip
        return alert

    def clear(self, alert: str, *, by: str = SYSTEM) -> None:
        """Take an alert away, for what it was about is mended; nothing happens without one."""
        if self.find(alert) is None:
            return
        with self._ledger.write() as db:
            found = self.find(alert)
            if found is not None:
                db.execute("DELETE FROM wanted WHERE kind='alert' AND name=?", (alert,))
                self._ledger.audit(by, "clear alert", found.subject, alert=alert)

    def acknowledge(self, alert: str, note: str = "", *, by: str) -> Alert:
        """Note that somebody looks after it.

        Raises
        ------
        NotFoundError
            When the alert does not stand any more.
        """
        with self._ledger.write() as db:
            found = self.find(alert)
            if found is None:
                raise NotFoundError(
                    f"There is no open alert {alert[:80]!r}.",
                    "It may have been mended meanwhile.",
                    code="alert_not_found",
                )
            found = msgspec.structs.replace(
                found, acknowledged_by=by, acknowledged_at=now(), note=note
            )
            _put(db, found)
            self._ledger.audit(by, "acknowledge alert", found.subject, alert=alert, note=note)
        return found

    def sync(self, step: str, alerts: Iterable[Alert], *, apart: tuple[str, ...] = ()) -> None:
        """Have just these alerts of a step stand: raise what is new, clear what is gone.

        Parameters
        ----------
        apart
            First words of the ids, before the colon, that somebody else raises and clears.
        """
        wanted = {alert.id: alert for alert in alerts}
        for alert in wanted.values():
            self.raise_(alert)
        for alert in self.standing(step):
            if alert.id not in wanted and alert.id.partition(":")[0] not in apart:
                self.clear(alert.id)


def _renewed(alert: Alert, before: Alert) -> Alert:
    """The alert as it stands now: who looks after it stays, unless it has become worse."""
    alert = msgspec.structs.replace(alert, since=before.since)
    if before.level == "attention" and alert.level == "failed":
        return alert
    return msgspec.structs.replace(
        alert,
        acknowledged_by=before.acknowledged_by,
        acknowledged_at=before.acknowledged_at,
        note=before.note,
    )


def _put(db: sqlite3.Connection, alert: Alert) -> None:
    db.execute(
        "INSERT OR REPLACE INTO wanted VALUES ('alert',?,?,?)",
        (alert.id, msgspec.json.encode(alert), now()),
    )
