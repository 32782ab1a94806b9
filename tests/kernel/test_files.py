"""What a kernel read past Perijove: files, URLs, and what the allow-list lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from perijove.core.errors import ForbiddenPathError
from perijove.kernel.files import SUFFIXES, unwatched
from perijove.kernel.places import named_urls
from tests.data import servers
from tests.kernel import conftest
from tests.kernel.conftest import Notebook


def write_builds(path: Path, rows: int) -> None:
    """Write as somebody else does: what a kernel wrote itself is no input of it."""
    with unwatched():
        conftest.write_builds(path, rows)


@pytest.mark.parametrize(
    ("cell", "urls"),
    [
        ('pd.read_parquet("s3://raw/a.parquet")', ["s3://raw/a.parquet"]),
        ('url = "gs://raw/a"\nframe = read(url)', ["gs://raw/a"]),
        ('%time x\npl.scan_csv("https://host/a.csv.gz")', ["https://host/a.csv.gz"]),
        ('f = pd.read_csv(f"s3://raw/{year}.csv")', ["s3://raw/{year}.csv"]),
        ('e = create_engine("postgresql://ada:pw1234@host/db")', ["postgresql://ada@host/db"]),
        ('e = create_engine("postgresql+psycopg://host/db")', ["postgresql+psycopg://host/db"]),
        ('URL = "mysql://host/db"', ["mysql://host/db"]),
        ('pd.read_sql("SELECT 1", "sqlite:///a.db")', ["sqlite:///a.db"]),
        ('pd.read_csv("https://h/a.csv?sig=secret")', ["https://h/a.csv"]),
        ('read("s3://a/b.csv"', ["s3://a/b.csv"]),
        # what reads nothing
        ('frame.to_parquet("s3://out/a.parquet")', []),
        ('pj.register("s3://raw/a.parquet")', []),
        ('mlflow.set_tracking_uri("postgresql://host/mlflow")', []),
        ('MLFLOW_TRACKING_URI = "postgresql://host/mlflow"', []),
        ('study = optuna.create_study(storage="sqlite:///study.db")', []),
        ('"""See https://host/a.csv"""', []),
        ("# s3://raw/a.parquet", []),
        ('requests.get("https://host/api/items")', []),
        ('print("s3://raw/a.parquet")', []),
        ('x = "s3://"', []),
        ("", []),
        ("\x00", []),
    ],
)
def test_urls_that_a_cell_reads(cell: str, urls: list[str]) -> None:
    assert named_urls(cell, SUFFIXES) == urls


def test_an_unlisted_file_is_named_once_and_stays_an_unregistered_input(
    notebook: Notebook, root: Path, tmp_path: Path, shown: Callable[[], str]
) -> None:
    write_builds(tmp_path / "elsewhere.csv", rows=5)
    write_builds(tmp_path / "other.csv", rows=5)
    notebook.ok(f'import pandas as pd\npd.read_csv("{tmp_path}/elsewhere.csv")')
    assert "neither registered" not in shown()
    definition = root / "perijove.toml"
    definition.write_text(definition.read_text() + '\n[sources]\nallow = ["/data/raw"]\n')
    notebook.ok(f'pd.read_csv("{tmp_path}/other.csv"); pd.read_csv("data/builds.csv")')
    said = shown()
    assert said.count("neither registered") == 2  # the first cell's file too: it is unlisted now
    assert str(tmp_path / "other.csv") in said
    assert "data/builds.csv" not in said
    notebook.ok(f'pd.read_csv("{tmp_path}/other.csv")')
    assert "neither registered" not in shown()
    assert str(tmp_path / "other.csv") in notebook.session.inputs().unregistered


def test_urls_are_unregistered_inputs(
    notebook: Notebook, root: Path, tmp_path: Path, shown: Callable[[], str]
) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a.csv").write_text("n\n1\n")
    with servers.web(tmp_path / "www") as url:
        definition = root / "perijove.toml"
        definition.write_text(definition.read_text() + f'\n[sources]\nallow = ["{url}"]\n')
        notebook.ok(f'import pandas as pd\nhost = "{url}"\npd.read_csv(host + "/a.csv")')
        notebook.ok('where = "s3://raw/a.parquet"')
    said = shown()
    assert "this cell read s3://raw/a.parquet" in said
    assert f"{url}/a.csv" not in said
    assert notebook.session.inputs().unregistered == [f"{url}/a.csv", "s3://raw/a.parquet"]


def test_a_registered_url_is_no_unregistered_input(notebook: Notebook, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a.csv").write_text("n\n1\n")
    with servers.web(tmp_path / "www") as url:
        notebook.ok(f'where = "{url}/a.csv"\na = pj.register(where)')
        assert notebook.ok("len(a.read())") == 1
        notebook.ok(f'import pandas as pd\npd.read_csv("{url}/a.csv")')
    assert notebook.session.inputs().refs == ["data:a@1"]
    assert notebook.session.inputs().unregistered == []


def test_a_folder_that_is_read_directly_counts_as_its_dataset(
    notebook: Notebook, root: Path
) -> None:
    for part in ("a", "b"):
        write_builds(root / "many" / f"{part}.csv", rows=5)
    notebook.ok('pj.register("many")\nimport pandas as pd\npd.read_csv("many/a.csv")')
    inputs = notebook.session.inputs()
    assert (inputs.refs, inputs.unregistered) == (["data:many@1"], [])


def test_a_kernel_may_not_register_what_is_not_listed(
    notebook: Notebook, root: Path, tmp_path: Path
) -> None:
    write_builds(tmp_path / "elsewhere.csv", rows=5)
    definition = root / "perijove.toml"
    definition.write_text(definition.read_text() + "\n[sources]\nallow = []\n")
    result = notebook.run(f'pj.register("{tmp_path}/elsewhere.csv")')
    assert isinstance(result.error_in_exec, ForbiddenPathError)
    assert "[sources] allow" in str(result.error_in_exec)
    notebook.ok('pj.register("data/builds.csv", name="builds")')


def test_a_read_is_audited_once_a_kernel(notebook: Notebook) -> None:
    notebook.ok('b = pj.dataset("builds")\nb.read(); b.read(split="train")')
    notebook.session.inputs()
    rows = [
        entry
        for entry in notebook.bench.project.chain.ledger.read_audit().entries
        if entry.action == "read dataset"
    ]
    assert [(row.resource, row.detail) for row in rows] == [
        ("data:builds@1", {"notebook": "notebooks/train.ipynb"})
    ]


def test_a_cell_without_a_project_says_nothing(
    notebook: Notebook, root: Path, shown: Callable[[], str]
) -> None:
    (root / "perijove.toml").unlink()
    notebook.ok('x = "s3://raw/a.parquet"')
    assert "neither" not in shown()
    with pytest.raises(ValueError, match="unknown url type"):
        urlopen("nothing")
