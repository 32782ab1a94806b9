"""The worker's own counters, in Prometheus's text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class WorkerMetrics:
    """Counts predictions. Used from the event loop only."""

    def __init__(self, endpoint: str, revision: int) -> None:
        self._labels = f'endpoint="{endpoint}",revision="{revision}"'
        self._requests: Counter[int] = Counter()
        self._buckets = [0] * (len(SECONDS) + 1)
        self._sum = 0.0
        self.rows = 0
        self.unlogged = 0

    def count(self, status: int, rows: int, seconds: float) -> None:
        self._requests[status] += 1
        self._buckets[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds
        self.rows += rows

    def text(self, batches: int) -> str:
        """Write them down.

        Parameters
        ----------
        batches
            That the model was given.
        """
        lines = [
            "# HELP perijove_requests_total Prediction requests by HTTP status.",
            "# TYPE perijove_requests_total counter",
        ]
        lines += [
            f'perijove_requests_total{{{self._labels},status="{status}"}} {count}'
            for status, count in sorted(self._requests.items())
        ]
        errors = sum(count for status, count in self._requests.items() if status >= 400)
        for name, help_text, value in (
            ("errors", "Prediction requests that were answered 4xx or 5xx.", errors),
            ("rows", "Rows that predictions were asked for.", self.rows),
            ("batches", "Batches that the model was given.", batches),
            ("unlogged", "Predictions that the journal could not take.", self.unlogged),
        ):
            lines += [
                f"# HELP perijove_{name}_total {help_text}",
                f"# TYPE perijove_{name}_total counter",
                f"perijove_{name}_total{{{self._labels}}} {value}",
            ]
        lines += [
            "# HELP perijove_request_seconds Time from the whole request to its answer.",
            "# TYPE perijove_request_seconds histogram",
        ]
        total = 0
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'perijove_request_seconds_bucket{{{self._labels},le="{bound}"}} {total}')
        lines.append(f"perijove_request_seconds_sum{{{self._labels}}} {self._sum:.6f}")
        lines.append(f"perijove_request_seconds_count{{{self._labels}}} {total}")
        return "\n".join(lines) + "\n"
