"""Real models in MLflow's own format, put on a project's chain as ``pj.log_model`` does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perijove.contracts.deploy import FeatureProfile, Field, ModelFacts, Signature
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
from perijove.core.files import sha256_file

SLOW = """\
import time

from sklearn.base import BaseEstimator, ClassifierMixin


class Slow(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = [0, 1]
        self.fitted_ = True
        return self

    def predict(self, X):
        time.sleep(float(X["size"].max()) if len(X) else 0)
        return [0] * len(X)
"""

SIGNATURE = Signature(
    inputs=[
        Field(name="size", type="FP64"),
        Field(name="files", type="INT64"),
        Field(name="team", type="BYTES"),
        Field(name="night", type="BOOL", required=False),
    ],
    outputs=[
        Field(name="prediction", type="INT64"),
        Field(name="probability_0", type="FP64"),
        Field(name="probability_1", type="FP64"),
    ],
)
SAMPLE = {"size": 1.5, "files": 3, "team": "core", "night": True}
TEAMS = ["core", "web", "infra"]


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": random.normal(size=rows),
            "files": random.integers(0, 50, rows),
            "team": random.choice(TEAMS, rows),
            "night": random.random(rows) < 0.3,
        }
    )


def classifier(flip: bool = False) -> Any:
    """A pipeline that knows three teams and raises on a fourth."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rows = frame(400)
    target = (rows["size"] > 0).astype(int)
    return make_pipeline(
        ColumnTransformer(
            [("team", OneHotEncoder(sparse_output=False), ["team"])], remainder="passthrough"
        ),
        LogisticRegression(),
    ).fit(rows, 1 - target if flip else target)


def save(model: Any, folder: Path, **options: Any) -> None:
    import mlflow.sklearn
    import skops.io

    if options.setdefault("serialization_format", "skops") == "skops":
        trusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
        options.setdefault("skops_trusted_types", trusted)
    mlflow.sklearn.save_model(model, folder, pip_requirements=[], **options)


def profile() -> list[FeatureProfile]:
    rows = frame(400)
    edges = [float(v) for v in np.quantile(rows["size"], np.arange(1, 10) / 10)]
    counts = np.bincount(np.digitize(rows["size"], edges), minlength=10)
    teams = [int((rows["team"] == team).sum()) for team in TEAMS]
    return [
        FeatureProfile(feature="size", counts=[int(n) for n in counts], edges=edges),
        FeatureProfile(feature="team", counts=[*teams, 0], labels=TEAMS),
    ]


def log(
    project: ProjectContext,
    saved: Path,
    name: str = "builds",
    *,
    format: Any = "skops",  # noqa: A002
    signature: Signature | None = SIGNATURE,
    sample: dict[str, Any] | None = SAMPLE,
) -> str:
    """Put a saved model on the chain; return its reference."""
    number = len(project.chain.versions("model", name)) + 1
    folder = project.paths.state / "artifacts" / f"{name}-{number}"
    shutil.copytree(saved, folder)
    run = project.chain.add(
        "run", f"r{name}{number}", RunFacts(run_id=f"r{name}{number}"), by="ada"
    )
    facts = ModelFacts(
        run_id=run.name,
        uri=f"models:/{name}/{number}",
        folder=project.paths.relative(folder),
        flavor="sklearn",
        format=format,
        manifest={
            str(path.relative_to(folder)): sha256_file(path)
            for path in folder.rglob("*")
            if path.is_file()
        },
        signature=signature,
        sample=sample,
        profile=profile(),
    )
    return project.chain.add("model", name, facts, by="ada", sources={run.ref: "made"}).ref
