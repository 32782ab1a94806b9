"""What tests of data share: the service of a project, and a store that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from perijove.data.service import DataService
from tests.data import servers

BUCKET = "builds-bucket"


@pytest.fixture
def data(project: ProjectContext) -> Iterator[DataService]:
    service = Workbench(project).data
    yield service
    service.close()


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    with servers.s3() as url:
        yield url


@pytest.fixture
def store(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the server; its key stands in the environment, as a user's does."""
    import botocore.session

    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush-hush-secret",
        "AWS_ENDPOINT_URL": s3_url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    return client
