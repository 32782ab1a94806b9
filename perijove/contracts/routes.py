"""The routes table: every REST call of the server, declared once.

The server makes its handlers from it, the OpenAPI document is written from it, and a test walks
it to see that no route answers without a token. ``resource`` and ``action`` are what the Jupyter
server's authorizer is asked, before anything else happens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from perijove.contracts import chain, data, deploy, develop, monitor, operate, problem
from perijove.contracts.base import Done, Struct

Step = Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
ARROW = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True, slots=True)
class Route:
    """One call.

    Parameters
    ----------
    op
        The operation's name; the key under which a step's ``routes.py`` answers it.
    path
        Below ``<base_url>perijove/api/``, with ``{name}`` for parameters.
    reply
        The struct of the answer, or a media type where the answer is bytes.
    project
        Whether the call is about one project, named by the ``project`` query parameter.
    """

    op: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    step: Step
    action: Literal["read", "write", "execute"]
    reply: type[Struct] | str
    summary: str
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    project: bool = True

    @property
    def resource(self) -> str:
        return f"perijove:{self.step}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


class LineageQuery(Struct):
    ref: str = ""
    """Only what leads to this node and what came of it; the whole chain when empty."""


class AuditQuery(Struct):
    limit: int = 200


class RowsQuery(Struct):
    version: int = 0
    """0 is the newest."""
    offset: int = 0
    limit: int = 512


class SnippetQuery(Struct):
    language: Literal["python"] = "python"


class RunsQuery(Struct):
    notebook: str = ""
    """Only the runs of this notebook, by its path relative to the project."""
    limit: int = 200


class SeriesQuery(Struct):
    points: int = 700


class GateQuery(Struct):
    model: str
    endpoint: str = ""


class MonitorQuery(Struct):
    minutes: int = 60


ROUTES: tuple[Route, ...] = (
    # problem
    Route("list_projects", "GET", "projects", "problem", "read", problem.Projects,
          "Projects below the server's root", project=False),
    Route("create_project", "POST", "projects", "problem", "write", problem.ProjectSummary,
          "Make a project, or the example", body=problem.ProjectCreate, project=False),
    Route("list_metrics", "GET", "metrics", "problem", "read", problem.Metrics,
          "Metrics that Perijove measures", project=False),
    Route("get_lifecycle", "GET", "lifecycle", "problem", "read", chain.Lifecycle,
          "The five steps at a glance"),
    Route("get_project", "GET", "project", "problem", "read", problem.Project,
          "The project's definition"),
    Route("update_project", "PUT", "project", "problem", "write", problem.Project,
          "Change the definition", body=problem.ProjectUpdate),
    Route("sign_off", "POST", "project/signoff", "problem", "write", problem.Project,
          "Sign the targets as they stand", body=problem.SignOffRequest),
    Route("list_kpis", "GET", "kpis", "problem", "read", problem.KpiStatuses,
          "How each target stands"),
    Route("get_lineage", "GET", "lineage", "problem", "read", chain.Lineage,
          "The chain, or a node's ancestors and descendants", query=LineageQuery),
    Route("get_audit", "GET", "audit", "problem", "read", chain.Audit,
          "Who did what, newest first", query=AuditQuery),
    # data
    Route("list_datasets", "GET", "datasets", "data", "read", data.Datasets,
          "Registered datasets"),
    Route("register_dataset", "POST", "datasets", "data", "write", data.Dataset,
          "Register a file, or its changed content as a new version",
          body=data.DatasetRegister),
    Route("get_dataset", "GET", "datasets/{name}", "data", "read", data.Dataset,
          "One dataset"),
    Route("declare_dataset", "PUT", "datasets/{name}", "data", "write", data.Dataset,
          "Declare target, time and what is known when", body=data.DatasetSettings),
    Route("get_rows", "GET", "datasets/{name}/rows", "data", "read", ARROW,
          "A page of rows as an Arrow IPC stream", query=RowsQuery),
    Route("get_snippet", "GET", "datasets/{name}/snippet", "data", "read", data.Snippet,
          "Code that loads the dataset in a notebook", query=SnippetQuery),
    # develop
    Route("list_runs", "GET", "runs", "develop", "read", develop.Runs,
          "Runs, newest first", query=RunsQuery),
    Route("get_run", "GET", "runs/{run_id}", "develop", "read", develop.Run,
          "A run and what made it"),
    Route("get_series", "GET", "runs/{run_id}/series", "develop", "read", develop.RunSeries,
          "The curves of a run", query=SeriesQuery),
    # deploy
    Route("list_models", "GET", "models", "deploy", "read", deploy.Models,
          "Model versions, newest first"),
    Route("get_gate", "GET", "gate", "deploy", "read", deploy.Gate,
          "Every check of a model version", query=GateQuery),
    Route("list_targets", "GET", "targets", "deploy", "read", deploy.DeployTargets,
          "Where a model can be deployed"),
    Route("list_endpoints", "GET", "endpoints", "deploy", "read", deploy.Endpoints,
          "Endpoints and their revisions"),
    Route("deploy_model", "POST", "endpoints", "deploy", "execute", deploy.Endpoint,
          "Deploy a model version", body=deploy.DeployRequest),
    Route("get_endpoint", "GET", "endpoints/{name}", "deploy", "read", deploy.Endpoint,
          "One endpoint"),
    Route("rollback_endpoint", "POST", "endpoints/{name}/rollback", "deploy", "execute",
          deploy.Endpoint, "Let an earlier revision answer", body=deploy.RollbackRequest),
    Route("start_endpoint", "POST", "endpoints/{name}/start", "deploy", "execute",
          deploy.Endpoint, "Start a stopped endpoint"),
    Route("stop_endpoint", "POST", "endpoints/{name}/stop", "deploy", "execute",
          deploy.Endpoint, "Stop an endpoint; its revisions stay"),
    Route("invoke_endpoint", "POST", "endpoints/{name}/invoke", "deploy", "execute",
          deploy.InvokeReply, "Ask for predictions", body=deploy.InvokeRequest),
    # monitor
    Route("get_monitor", "GET", "endpoints/{name}/monitor", "monitor", "read",
          monitor.MonitorReport, "Traffic, latency, errors, drift and live KPIs",
          query=MonitorQuery),
    Route("record_outcomes", "POST", "endpoints/{name}/outcomes", "monitor", "write",
          Done, "Record what turned out to be true", body=monitor.OutcomesRequest),
    # operate
    Route("get_operate", "GET", "operate", "operate", "read", operate.OperateReport,
          "The machine and the project's processes"),
    Route("stop_activity", "POST", "operate/stop", "operate", "execute", Done,
          "Stop a run or an endpoint", body=operate.StopRequest),
)  # fmt: skip

EVENTS_PATH = "events"
OPENAPI_PATH = "openapi.json"
