"""A small tracking server that speaks MLflow's REST contract, for tests that kill it.

    python tracking_server.py DATABASE PORT ARTIFACTS

The full ``mlflow`` package, whose server this stands for, is not installed with us. What is kept
and refused is MLflow's own store's decision; only the way there is ours.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos import service_pb2 as pb
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.proto_json_utils import message_to_json, parse_dict

PREFIX = "/api/2.0/mlflow/"


class Calls:
    def __init__(self, store):
        self.store = store

    def experiments_get_by_name(self, ask, answer):
        found = self.store.get_experiment_by_name(ask.experiment_name)
        if found is None:
            raise MlflowException("no such experiment", error_code=RESOURCE_DOES_NOT_EXIST)
        answer.experiment.MergeFrom(found.to_proto())

    def experiments_get(self, ask, answer):
        answer.experiment.MergeFrom(self.store.get_experiment(ask.experiment_id).to_proto())

    def experiments_create(self, ask, answer):
        answer.experiment_id = self.store.create_experiment(ask.name)

    def runs_create(self, ask, answer):
        tags = [RunTag.from_proto(tag) for tag in ask.tags]
        run = self.store.create_run(
            ask.experiment_id, ask.user_id, ask.start_time, tags, ask.run_name
        )
        answer.run.MergeFrom(run.to_proto())

    def runs_get(self, ask, answer):
        answer.run.MergeFrom(self.store.get_run(ask.run_id or ask.run_uuid).to_proto())

    def runs_update(self, ask, answer):
        ended = ask.end_time if ask.HasField("end_time") else None
        status = ask.status if ask.HasField("status") else None
        info = self.store.update_run_info(ask.run_id, status, ended, ask.run_name)
        answer.run_info.MergeFrom(info.to_proto())

    def runs_search(self, ask, answer):
        page = self.store.search_runs(
            list(ask.experiment_ids), ask.filter, ViewType.from_proto(ask.run_view_type),
            ask.max_results, list(ask.order_by), ask.page_token or None,
        )  # fmt: skip
        answer.runs.extend([run.to_proto() for run in page])
        if page.token:
            answer.next_page_token = page.token

    def runs_log_batch(self, ask, answer):
        self.store.log_batch(
            ask.run_id, [Metric.from_proto(m) for m in ask.metrics],
            [Param.from_proto(p) for p in ask.params], [RunTag.from_proto(t) for t in ask.tags],
        )  # fmt: skip

    def runs_set_tag(self, ask, answer):
        self.store.set_tag(ask.run_id, RunTag(ask.key, ask.value))

    def runs_log_metric(self, ask, answer):
        self.store.log_metric(ask.run_id, Metric(ask.key, ask.value, ask.timestamp, ask.step))

    def runs_log_parameter(self, ask, answer):
        self.store.log_param(ask.run_id, Param(ask.key, ask.value))

    def metrics_get_history(self, ask, answer):
        history = self.store.get_metric_history(ask.run_id or ask.run_uuid, ask.metric_key)
        answer.metrics.extend([metric.to_proto() for metric in history])


MESSAGES = {
    "experiments/get-by-name": pb.GetExperimentByName,
    "experiments/get": pb.GetExperiment,
    "experiments/create": pb.CreateExperiment,
    "runs/create": pb.CreateRun,
    "runs/get": pb.GetRun,
    "runs/update": pb.UpdateRun,
    "runs/search": pb.SearchRuns,
    "runs/log-batch": pb.LogBatch,
    "runs/set-tag": pb.SetTag,
    "runs/log-metric": pb.LogMetric,
    "runs/log-parameter": pb.LogParam,
    "metrics/get-history": pb.GetMetricHistory,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    calls: Calls

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path == "/version":
            self._send(200, b"3.17.2", "text/plain")
        else:
            self._answer(parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(urlsplit(self.path).path, json.loads(body))

    def _answer(self, path, body):
        call = path.removeprefix(PREFIX)
        if call not in MESSAGES:
            self._send(404, b'{"error_code": "ENDPOINT_NOT_FOUND", "message": "no such call"}')
            return
        ask, answer = MESSAGES[call](), MESSAGES[call].Response()
        parse_dict(body, ask)
        try:
            getattr(self.calls, call.replace("/", "_").replace("-", "_"))(ask, answer)
        except MlflowException as error:
            self._send(error.get_http_status_code(), error.serialize_as_json().encode())
        else:
            self._send(200, message_to_json(answer).encode())

    def _send(self, status, content, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def main(database, port, artifacts):
    Handler.calls = Calls(SqlAlchemyStore(f"sqlite:///{database}", artifacts))
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
