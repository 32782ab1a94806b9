"""From the click on Deploy to the first 200, for HistGradientBoosting with 20 columns.

    python bench/deploy/bench_first_answer.py [--rounds 5]

The floor is what no server of a scikit-learn model can go below: a Python that imports what the
model needs, loads it and predicts one row. Files are in the page cache for both. Prints
milliseconds and their ratio; take the ratio from a machine that is busy, not the times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from perijove.adapters.mlflow.registry import MlflowRegistry
from perijove.adapters.serving.target import LocalTarget
from perijove.contracts.deploy import DeployRequest, Field, ModelFacts, Signature
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.core.files import sha256_file
from perijove.core.gate import GateRegistry
from perijove.deploy.service import DeployService

FLOOR = """\
import sys
import numpy as np
import pandas as pd
import sklearn.ensemble
import skops.io
model = skops.io.load(sys.argv[1], trusted=sys.argv[3:])
model.predict_proba(pd.DataFrame(np.zeros((1, 20)), columns=[f"c{i}" for i in range(20)]))
open(sys.argv[2], "w").write("done")
"""


def make_model(root: Path) -> tuple[Path, list[str]]:
    import mlflow.sklearn
    import skops.io
    from sklearn.ensemble import HistGradientBoostingClassifier

    random = np.random.default_rng(0)
    columns = [f"c{i}" for i in range(20)]
    frame = pd.DataFrame(random.normal(size=(20_000, 20)), columns=columns)
    model = HistGradientBoostingClassifier().fit(frame, (frame["c0"] > 0).astype(int))
    trusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    folder = root / "model"
    mlflow.sklearn.save_model(
        model, folder, serialization_format="skops", skops_trusted_types=trusted,
        pip_requirements=[],
    )  # fmt: skip
    return folder, trusted


def floor(folder: Path, trusted: list[str], done: Path) -> float:
    done.unlink(missing_ok=True)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", FLOOR, str(folder / "model.skops"), str(done), *trusted], check=True
    )
    return time.perf_counter() - start


def click(service: DeployService, name: str, row: dict[str, float]) -> tuple[float, float]:
    start = time.perf_counter()
    service.deploy(DeployRequest(model="bench", endpoint=name), by="bench")
    returned = time.perf_counter() - start
    while True:
        try:
            if service.invoke(name, [row]).status == 200:
                break
        except UnavailableError:
            time.sleep(0.005)
    first = time.perf_counter() - start
    service.stop(name, by="bench")
    service.wait(name)
    return returned, first


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(root / "rt")
        (root / "perijove.toml").write_text('[project]\nname = "bench"\n')
        folder, trusted = make_model(root)
        project = ProjectContext.open(root)
        row = {f"c{i}": 0.0 for i in range(20)}
        facts = ModelFacts(
            run_id="r", uri="models:/bench/1", folder="model", flavor="sklearn", format="skops",
            manifest={
                str(p.relative_to(folder)): sha256_file(p) for p in folder.rglob("*") if p.is_file()
            },
            signature=Signature(
                inputs=[Field(name=name, type="FP64") for name in row],
                outputs=[
                    Field(name="prediction", type="INT64"),
                    Field(name="probability_0", type="FP64"),
                    Field(name="probability_1", type="FP64"),
                ],
            ),
            sample=row,
        )  # fmt: skip
        project.chain.add("model", "bench", facts, by="bench")
        service = DeployService(
            project, GateRegistry(), {"local": LocalTarget(project)}, MlflowRegistry(project)
        )
        floor(folder, trusted, root / "done")
        floors, clicks, returns = [], [], []
        for number in range(rounds):
            floors.append(floor(folder, trusted, root / "done"))
            returned, first = click(service, f"bench{number}", row)
            returns.append(returned)
            clicks.append(first)
        low, high = statistics.median(floors), statistics.median(clicks)
        print(f"deploy() returns          {statistics.median(returns) * 1000:8.0f} ms")
        print(f"floor: import, load, row  {low * 1000:8.0f} ms   (python, scikit-learn, skops)")
        print(f"click to first 200        {high * 1000:8.0f} ms   worst {max(clicks) * 1000:.0f}")
        print(f"ratio                     {high / low:8.2f}")


if __name__ == "__main__":
    main()
