"""The metrics that Perijove measures itself, by scikit-learn's names.

Only the list is here: it costs nothing to import. What computes them is in
``perijove.adapters.metrics``.
"""

from __future__ import annotations

from perijove.contracts.problem import Metric

METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(name="roc_auc", title="Area under the ROC curve", direction="maximize",
               task="classification"),
        Metric(name="average_precision", title="Average precision", direction="maximize",
               task="classification"),
        Metric(name="accuracy", title="Accuracy", direction="maximize", task="classification"),
        Metric(name="balanced_accuracy", title="Balanced accuracy", direction="maximize",
               task="classification"),
        Metric(name="f1", title="F1", direction="maximize", task="classification"),
        Metric(name="precision", title="Precision", direction="maximize", task="classification"),
        Metric(name="recall", title="Recall", direction="maximize", task="classification"),
        Metric(name="log_loss", title="Log loss", direction="minimize", task="classification"),
        Metric(name="brier", title="Brier score", direction="minimize", task="classification"),
        Metric(name="rmse", title="Root mean squared error", direction="minimize",
               task="regression"),
        Metric(name="mae", title="Mean absolute error", direction="minimize", task="regression"),
        Metric(name="mape", title="Mean absolute percentage error", direction="minimize",
               task="regression"),
        Metric(name="r2", title="R²", direction="maximize", task="regression"),
    )
}  # fmt: skip


def meets(value: float, target: float, direction: str) -> bool:
    """Whether a value is as good as the target; NaN never is."""
    return value >= target if direction == "maximize" else value <= target


def sign(direction: str) -> str:
    """Say a direction before a bound: ``≥`` where more is better."""
    return "≥" if direction == "maximize" else "≤"


def better(value: float, than: float, direction: str) -> bool:
    """Whether a value is strictly better; NaN never is."""
    return value > than if direction == "maximize" else value < than
