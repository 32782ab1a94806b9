"""The chain in the words of OpenLineage (spec 2-0-2): jobs, their runs, and datasets."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from perijove import __version__
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import RunFacts, facts_of
from perijove.core.context import ProjectContext

PRODUCER: Final = f"https://pypi.org/project/perijove/{__version__}"
_SPEC: Final = "https://openlineage.io/spec"
SCHEMA_URL: Final = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS: Final = {
    "schema": "1-1-1/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "dataQualityAssertions": "1-0-1/DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "1-0-2/DataQualityMetricsInputDatasetFacet",
    "jobType": "2-0-3/JobTypeJobFacet",
}
_ENDS: Final = {"FINISHED": "COMPLETE", "KILLED": "ABORT"}
Event = dict[str, Any]


class Events:
    """Makes the events of one project.

    Parameters
    ----------
    namespace
        Of the jobs; datasets are named by where they lie, so that other tools mean the same.
    """

    def __init__(self, project: ProjectContext, namespace: str) -> None:
        self._project = project
        self._chain = project.chain
        self._namespace = namespace

    def of(self, node: Node) -> list[Event]:
        """Return the events of a node that was made at once; none of a kind that is no job."""
        inputs: list[Event] = []
        outputs: list[Event] = []
        if node.kind == "data":
            facts = facts_of(node, DataFacts)
            inputs = [self._dataset(found) for found in self._inputs(facts)]
            outputs = [self._output(node, facts)]
            word = "curate" if facts.kind in ("curated", "quarantine") else "register"
        elif node.kind == "quality":
            checked = self._chain.find(facts_of(node, QualityFacts).dataset)
            if checked is None:
                return []
            inputs, word = [self._checked(checked, facts_of(node, QualityFacts))], "check"
        elif node.kind == "endpoint":
            inputs = [self._artifact(model) for model in self._chain.sources(node.ref, "model")]
            outputs, word = [self._artifact(node)], "deploy"
        else:
            return []
        return [
            self._event(kind, node.at, node.ref, f"{word}.{node.name}", word, inputs, outputs)
            for kind in ("START", "COMPLETE")
        ]

    def run_started(self, run: Node) -> Event:
        return self._training("START", run, run.at, [])

    def run_ended(self, run: Node, status: str, at: int) -> Event:
        models = self._chain.results(run.ref, "model")
        return self._training(_ENDS.get(status, "FAIL"), run, at, models)

    def model_made(self, model: Node, run: Node) -> Event:
        """A model that was logged when its run had ended."""
        return self._training("OTHER", run, model.at, [model])

    def _training(self, kind: str, run: Node, at: int, models: list[Node]) -> Event:
        notebook = facts_of(run, RunFacts).notebook
        data = {node.ref: node for node in self._chain.sources(run.ref, "data")}
        for split in self._chain.sources(run.ref, "split"):
            data |= {node.ref: node for node in self._chain.sources(split.ref, "data")}
        return self._event(
            kind, at, run.ref, f"train.{notebook}" if notebook else "train", "train",
            [self._dataset(node) for node in data.values()],
            [self._artifact(model) for model in models],
        )  # fmt: skip

    def _event(
        self,
        kind: str,
        at: int,
        ref: str,
        job: str,
        word: str,
        inputs: list[Event],
        outputs: list[Event],
    ) -> Event:
        return {
            "eventType": kind,
            "eventTime": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
            "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._namespace}/{ref}"))},
            "job": {
                "namespace": self._namespace,
                "name": job,
                "facets": _facet(
                    "jobType",
                    processingType="BATCH",
                    integration="PERIJOVE",
                    jobType=word.upper(),
                ),
            },
            "inputs": inputs,
            "outputs": outputs,
            "producer": PRODUCER,
            "schemaURL": SCHEMA_URL,
        }

    def _inputs(self, facts: DataFacts) -> list[Node]:
        return [node for ref in facts.inputs if (node := self._chain.find(ref)) is not None]

    def _dataset(self, node: Node) -> Event:
        facts = facts_of(node, DataFacts)
        fields = [{"name": column.name, "type": column.type} for column in facts.columns]
        return {
            **self._place(facts.path),
            "facets": {
                **_facet("schema", fields=fields),
                **_facet("version", datasetVersion=str(node.version)),
            },
        }

    def _output(self, node: Node, facts: DataFacts) -> Event:
        dataset = self._dataset(node)
        if facts.kind == "quarantine":
            dataset["facets"] |= self._copied(facts)
        dataset["outputFacets"] = _facet("outputStatistics", rowCount=facts.rows, size=facts.bytes)
        return dataset

    def _copied(self, facts: DataFacts) -> Event:
        """Columns of quarantined rows are those of the rows' dataset, as they were.

        What a curation's function does with columns nobody but its author knows: nothing is said.
        """
        rows = [facts_of(node, DataFacts) for node in self._inputs(facts)]
        fields = {}
        for column in facts.columns:
            sources = [
                {**self._place(found.path), "field": column.name}
                for found in rows
                if column.name in {other.name for other in found.columns}
            ]
            if sources:
                fields[column.name] = {"inputFields": sources}
        return _facet("columnLineage", fields=fields) if fields else {}

    def _checked(self, node: Node, quality: QualityFacts) -> Event:
        assertions = [
            {"assertion": result.rule.check, "success": result.failed == 0}
            | ({"column": column} if column else {})
            for result in quality.results
            for column in (result.rule.columns or [""])
        ]
        return {
            **self._dataset(node),
            "inputFacets": {
                **_facet("dataQualityAssertions", assertions=assertions),
                **_facet("dataQualityMetrics", rowCount=quality.rows, columnMetrics={}),
            },
        }

    def _artifact(self, node: Node) -> Event:
        """A model or an endpoint: what the chain makes that is no table."""
        return {
            "namespace": self._namespace,
            "name": f"{node.kind}.{node.name}",
            "facets": _facet("version", datasetVersion=str(node.version)),
        }

    def _place(self, path: str) -> Event:
        """Name a dataset by where it lies, as OpenLineage's naming says."""
        parts = urlsplit(path)
        if parts.scheme and parts.netloc:
            address = parts.netloc.rpartition("@")[2]
            name = parts.path.strip("/") or "/"
            return {"namespace": f"{parts.scheme}://{address}", "name": name}
        return {"namespace": "file", "name": str(self._project.paths.absolute(path))}


def _facet(name: str, **content: Any) -> Event:
    file = _FACETS[name].rpartition("/")[2]
    return {
        name: {
            "_producer": PRODUCER,
            "_schemaURL": f"{_SPEC}/facets/{_FACETS[name]}.json#/$defs/{file}",
            **content,
        }
    }
