"""The routes table: every REST call of the server, declared once.

The server makes its handlers from it, the OpenAPI document is written from it, and a test walks
it to see that no route answers without a token. ``resource`` and ``action`` are what the Jupyter
server's authorizer is asked, before anything else happens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from perijove.contracts import (
    alerts,
    chain,
    data,
    deploy,
    develop,
    jobs,
    monitor,
    operate,
    problem,
    quality,
    sources,
    table,
    tracker,
)
from perijove.contracts.base import Done, Struct

Step = Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
ARROW = "application/vnd.apache.arrow.stream"
BYTES = "application/octet-stream"
CSV = "text/csv"
NOTEBOOK = "application/x-ipynb+json"


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
          "Who did what, newest first", query=chain.AuditQuery),
    Route("anchor_audit", "POST", "audit/anchor", "problem", "write", chain.Audit,
          "Write the audit's head into a file that can be committed"),
    # data: datasets and versions
    Route("list_datasets", "GET", "datasets", "data", "read", data.Datasets,
          "Registered and curated datasets"),
    Route("register_dataset", "POST", "datasets", "data", "write", data.Dataset,
          "Register what lies at a location, or its changed content as a new version",
          body=data.DatasetRegister),
    Route("get_dataset", "GET", "datasets/{name}", "data", "read", data.Dataset,
          "One dataset and one of its versions", query=data.DatasetQuery),
    Route("declare_dataset", "PUT", "datasets/{name}", "data", "write", data.Dataset,
          "Declare target, time, tags and what is known when", body=data.DatasetSettings),
    Route("get_snippet", "GET", "datasets/{name}/snippet", "data", "read", data.Snippet,
          "Code that loads the dataset in a notebook", query=data.SnippetQuery),
    Route("list_versions", "GET", "datasets/{name}/versions", "data", "read", data.DataVersions,
          "Every version, newest first"),
    Route("diff_versions", "GET", "datasets/{name}/diff", "data", "read", data.VersionDiff,
          "Two versions' schema, rows and distributions", query=data.DiffQuery),
    Route("split_dataset", "POST", "datasets/{name}/split", "data", "write", data.Dataset,
          "Fix a version's train, validation and test rows", body=data.SplitRequest),
    Route("make_again", "POST", "datasets/{name}/make-again", "data", "execute", jobs.Job,
          "Make a curated version again in a process of its own, and compare",
          body=data.MakeAgainRequest),
    Route("curate_dataset", "POST", "datasets/{name}/curate", "data", "execute", jobs.Job,
          "Run a recorded curation on its inputs' newest versions"),
    # data: tables
    Route("open_view", "POST", "datasets/{name}/views", "data", "read", table.View,
          "Filter and sort a version", body=table.ViewSpec),
    Route("get_view", "GET", "datasets/{name}/views/{view}", "data", "read", table.View,
          "How far a view is"),
    Route("get_rows", "GET", "datasets/{name}/rows", "data", "read", ARROW,
          "A page of rows as an Arrow IPC stream", query=table.RowsQuery),
    Route("get_cell", "GET", "datasets/{name}/cell", "data", "read", table.CellValue,
          "One value whole", query=table.CellQuery),
    Route("find_cell", "POST", "datasets/{name}/find", "data", "read", table.Found,
          "The next cell that holds a text", body=table.FindRequest),
    Route("get_code", "POST", "datasets/{name}/code", "data", "read", data.Snippet,
          "Code that makes a view", body=table.CodeRequest),
    Route("export_view", "POST", "datasets/{name}/export", "data", "write", table.Task,
          "Write a view into a file of the project", body=table.ExportRequest),
    Route("get_profile", "GET", "datasets/{name}/profile", "data", "read", table.Profile,
          "Figures of every column", query=table.ProfileQuery),
    Route("start_profile", "POST", "datasets/{name}/profile", "data", "read", table.Task,
          "Profile all rows in the background", body=table.ProfileRequest),
    Route("get_leaks", "GET", "datasets/{name}/leaks", "data", "read", table.LeakReport,
          "How well each column alone predicts a target", query=table.LeakQuery),
    Route("get_task", "GET", "tasks/{task}", "data", "read", table.Task,
          "How far work in the background is"),
    Route("cancel_task", "DELETE", "tasks/{task}", "data", "write", table.Task,
          "Stop work in the background"),
    # data: rules
    Route("get_rules", "GET", "datasets/{name}/rules", "data", "read", quality.RuleSet,
          "The quality rules of a dataset"),
    Route("save_rules", "PUT", "datasets/{name}/rules", "data", "write", quality.RuleSet,
          "Write the quality rules", body=quality.RuleSave),
    Route("suggest_rules", "GET", "datasets/{name}/rules/suggested", "data", "read",
          quality.Suggestions, "Rules that a version's profile suggests"),
    Route("import_rules", "POST", "datasets/{name}/rules/import", "data", "read",
          quality.Suggestions, "Rules that a pandera schema says", body=quality.RulesImport),
    Route("check_rules", "POST", "datasets/{name}/check", "data", "write", table.Task,
          "Check a version against the rules", body=quality.CheckRequest),
    Route("list_quality", "GET", "datasets/{name}/quality", "data", "read",
          quality.QualityHistory, "What checks found, newest first"),
    # data: sources
    Route("list_sources", "GET", "sources", "data", "read", sources.Sources,
          "Where data may come from"),
    Route("allow_sources", "PUT", "sources", "data", "write", sources.Sources,
          "Change the allow-list", body=sources.SourcesChange),
    Route("list_entries", "GET", "sources/entries", "data", "read", sources.SourceEntries,
          "What lies in a source", query=sources.EntriesQuery),
    # develop
    Route("list_runs", "GET", "runs", "develop", "read", develop.Runs,
          "Runs, newest first", query=RunsQuery),
    Route("get_run", "GET", "runs/{run_id}", "develop", "read", develop.Run,
          "A run and what made it"),
    Route("get_series", "GET", "runs/{run_id}/series", "develop", "read", develop.RunSeries,
          "The curves of a run", query=SeriesQuery),
    Route("get_run_table", "POST", "runs/table", "develop", "read", tracker.RunTable,
          "A page of the table of runs: filtered, sorted, grouped", body=tracker.RunsRequest),
    Route("get_curves", "POST", "runs/curves", "develop", "read", tracker.CurveSet,
          "Curves of several runs in one window", body=tracker.CurvesRequest),
    Route("change_runs", "POST", "runs/change", "develop", "write", tracker.RunNames,
          "Star, pin, tag, rename runs, or write a note", body=tracker.RunsChange),
    Route("delete_runs", "POST", "runs/delete", "develop", "write", tracker.RunNames,
          "Put runs away; they can be restored", body=tracker.RunsChosen),
    Route("restore_runs", "POST", "runs/restore", "develop", "write", tracker.RunNames,
          "Bring deleted runs back", body=tracker.RunsChosen),
    Route("compare_runs", "POST", "runs/compare", "develop", "read", tracker.Comparison,
          "Runs side by side", body=tracker.CompareRequest),
    Route("get_importance", "POST", "runs/importance", "develop", "read", tracker.Importance,
          "Which parameters a metric depends on", body=tracker.ImportanceRequest),
    Route("export_runs", "POST", "runs/export", "develop", "read", CSV,
          "The table's runs as CSV", body=tracker.RunsExport),
    Route("list_artifacts", "GET", "runs/{run_id}/artifacts", "develop", "read",
          tracker.Artifacts, "What a run left", query=tracker.ArtifactsQuery),
    Route("preview_artifact", "GET", "runs/{run_id}/artifacts/preview", "develop", "read",
          tracker.ArtifactPreview, "An artifact as it can be shown",
          query=tracker.ArtifactQuery),
    Route("get_artifact", "GET", "runs/{run_id}/artifacts/content", "develop", "read", BYTES,
          "An artifact's bytes", query=tracker.ArtifactQuery),
    Route("get_run_notebook", "GET", "runs/{run_id}/notebook", "develop", "read", NOTEBOOK,
          "The cells that made a run, as a notebook"),
    Route("rerun_run", "POST", "runs/{run_id}/rerun", "develop", "execute", jobs.Job,
          "Run a run's recorded cells in a fresh environment, and compare",
          body=develop.RerunRequest),
    # deploy
    Route("list_models", "GET", "models", "deploy", "read", deploy.Models,
          "Model versions, newest first"),
    Route("register_model", "POST", "models", "deploy", "write", deploy.ModelVersion,
          "Make a model that a run logged a version", body=deploy.ModelRegister),
    Route("get_model_card", "GET", "models/{name}/versions/{version}/card", "deploy", "read",
          deploy.ModelCard, "A version's model card"),
    Route("set_alias", "PUT", "models/{name}/aliases/{alias}", "deploy", "write", deploy.Models,
          "Let an alias stand for a version", body=deploy.AliasChange),
    Route("remove_alias", "DELETE", "models/{name}/aliases/{alias}", "deploy", "write",
          deploy.Models, "Remove an alias"),
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
    Route("list_alerts", "GET", "alerts", "monitor", "read", alerts.Alerts,
          "What needs a person"),
    Route("acknowledge_alert", "POST", "alerts/{alert}/acknowledge", "monitor", "write",
          alerts.Alerts, "Say that somebody looks after it", body=alerts.AlertAcknowledge),
    # operate
    Route("get_operate", "GET", "operate", "operate", "read", operate.OperateReport,
          "The machine and the project's processes"),
    Route("list_jobs", "GET", "jobs", "operate", "read", jobs.Jobs,
          "Jobs, newest first"),
    Route("get_job", "GET", "jobs/{job}", "operate", "read", jobs.Job,
          "One job"),
    Route("get_job_log", "GET", "jobs/{job}/log", "operate", "read", jobs.JobLog,
          "What a job printed", query=jobs.JobLogQuery),
    Route("stop_job", "POST", "jobs/{job}/stop", "operate", "execute", jobs.Job,
          "Stop a job"),
    Route("retry_job", "POST", "jobs/{job}/retry", "operate", "execute", jobs.Job,
          "Do a job's work again, or go on with it", body=jobs.JobRetry),
    Route("list_executors", "GET", "executors", "operate", "read", jobs.Executors,
          "Where jobs run"),
    Route("stop_activity", "POST", "operate/stop", "operate", "execute", Done,
          "Stop a run or an endpoint", body=operate.StopRequest),
)  # fmt: skip

EVENTS_PATH = "events"
OPENAPI_PATH = "openapi.json"
