"""The endpoint's own OpenAPI document, written from the model's signature."""

from __future__ import annotations

from typing import Any

from perijove.contracts.deploy import Field

_KINDS = {"BOOL": "boolean", "BYTES": "string", "FP32": "number", "FP64": "number"}


def document(name: str, version: str, inputs: list[Field], sample: dict[str, Any] | None) -> Any:
    """Describe every path of the endpoint."""
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string", **({"enum": [f.name for f in inputs]} if inputs else {})},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array", "items": {}},
        },
    }
    infer = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}},
    }
    record: dict[str, Any] = {
        "type": "object",
        "required": [f.name for f in inputs if f.required],
        "properties": {f.name: {"type": _KINDS.get(f.type, "integer")} for f in inputs},
    }
    if sample is not None:
        record["example"] = sample
    invocations = {
        "type": "object",
        "properties": {"dataframe_records": {"type": "array", "items": record}},
    }

    def get(summary: str) -> dict[str, Any]:
        return {"get": {"summary": summary, "responses": {"200": {"description": "OK"}}}}

    def post(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "post": {
                "summary": summary,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": schema}},
                },
                "responses": {
                    "200": {"description": "Predictions"},
                    "4XX": {"description": "A row or a request that cannot be; says which"},
                    "503": {"description": "Busy, or not ready"},
                },
            }
        }

    model = f"/v2/models/{name}"
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version},
        "paths": {
            "/v2": get("The server"),
            "/v2/health/live": get("Whether the process lives"),
            "/v2/health/ready": get("Whether the model answers"),
            model: get("The model and its tensors"),
            f"{model}/ready": get("Whether the model answers"),
            f"{model}/infer": post("Predict; one tensor a column", infer),
            f"{model}/versions/{version}": get("The model and its tensors"),
            f"{model}/versions/{version}/ready": get("Whether the model answers"),
            f"{model}/versions/{version}/infer": post("Predict; one tensor a column", infer),
            "/ping": get("Whether the process lives, as MLflow asks"),
            "/invocations": post("Predict, as MLflow asks", invocations),
            "/metrics": get("Counters, in Prometheus's format"),
        },
    }
