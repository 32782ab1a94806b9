"""MLflow's REST store for calls that may fail: briefly, and not at all while a server is away.

MLflow's own client tries for four minutes. Whoever moves journals tries again anyway, and whoever
trains must not wait.
"""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any, Final

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.rest_store import RestStore
from mlflow.tracking._tracking_service.client import TrackingServiceClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.proto_json_utils import parse_dict
from mlflow.utils.rest_utils import http_request, verify_rest_response

TIMEOUT_SECONDS: Final = 10
PAUSE_SECONDS: Final = 1.0
"""After a server could not be reached, for so long nobody asks it again."""


class BriefRestStore(RestStore):
    """One try a call.

    Parameters
    ----------
    uri
        The server's URL. Its credentials are MLflow's own: its environment variables.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(partial(get_default_host_creds, uri))
        self._away: tuple[float, str] | None = None

    def _call_endpoint(
        self,
        api: Any,
        json_body: str | None = None,
        endpoint: str | None = None,
        retry_timeout_seconds: int | None = None,
        response_proto: Any = None,
    ) -> Any:
        if self._away is not None and time.monotonic() - self._away[0] < PAUSE_SECONDS:
            raise MlflowException(self._away[1])
        infos = self._V3_METHOD_TO_INFO if api in self._V3_APIS else self._METHOD_TO_INFO
        place, verb = infos[api]
        body = json.loads(json_body) if json_body is not None else None
        try:
            response = http_request(
                self.get_host_creds(),
                endpoint or place,
                verb,
                max_retries=0,
                timeout=TIMEOUT_SECONDS,
                retry_timeout_seconds=TIMEOUT_SECONDS,
                raise_on_status=False,
                **{"params" if verb == "GET" else "json": body},
            )
        except MlflowException as error:
            self._away = time.monotonic(), str(error)
            raise
        self._away = None
        answer = response_proto or api.Response()
        verified = verify_rest_response(response, endpoint or place)
        parse_dict(js_dict=json.loads(verified.text), message=answer)
        return answer


class _BriefService(TrackingServiceClient):
    def __init__(self, uri: str) -> None:
        self._brief = BriefRestStore(uri)
        super().__init__(uri)

    @property
    def store(self) -> BriefRestStore:
        return self._brief


class BriefClient(MlflowClient):
    """MLflow's client of a remote server, one try a call."""

    def __init__(self, uri: str) -> None:
        super().__init__(tracking_uri=uri)
        self._tracking_client = _BriefService(uri)
