"""Quality on the chain: rules of a dataset, checks of its versions, curation, and alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perijove.contracts.data import DataFacts
from perijove.contracts.quality import CheckRequest, QualityFacts, Rule, RuleSave, RulesImport
from perijove.core.call import Call
from perijove.core.chain import facts_of
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    ProjectFileError,
)
from perijove.core.ledger import now
from perijove.data.references import References
from perijove.data.routes import HANDLERS
from perijove.data.service import DataService

CSV = "id,size,state\n1,10,on\n2,,off\n2,30,of\n3,-4,\n"


@pytest.fixture
def raw(data: DataService, folder: Path) -> str:
    (folder / "raw.csv").write_text(CSV)
    return data.registry.register("raw.csv", by="ada").ref


def _write(folder: Path, name: str, text: str) -> None:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / f"{name}.toml").write_text(text)


def _rules(*rules: tuple[str, str]) -> str:
    return "\n".join(f'[[rule]]\nid = "{name}"\n{text}\n' for name, text in rules)


ALL = _rules(
    ("size", 'check = "not_null"\ncolumns = ["size"]'),
    ("low", 'check = "range"\ncolumns = ["size"]\nminimum = 0\naction = "quarantine"'),
    ("key", 'check = "unique"\ncolumns = ["id"]\naction = "fix"\nfix = "deduplicate"'),
    ("state", 'check = "set"\ncolumns = ["state"]\nvalues = ["on", "off"]\naction = "quarantine"'),
)


def _call(data: DataService, op: str, name: str, body: Any = None) -> Any:
    return HANDLERS[op](data, Call(actor="ada", path={"name": name}, body=body))


def test_rules_are_saved_read_and_checked_by_the_routes(
    data: DataService, raw: str, folder: Path
) -> None:
    rule = Rule(id="low", check="range", columns=["size"], minimum="0", action="quarantine")
    saved = _call(data, "save_rules", "raw", RuleSave(rules=[rule], revision=""))
    assert _call(data, "get_rules", "raw") == saved
    assert (folder / "rules" / "raw.toml").is_file()
    task = _call(data, "check_rules", "raw", CheckRequest())
    assert data.tasks.wait(task.id, 60).state == "finished"
    (result,) = _call(data, "list_quality", "raw").items
    assert (result.ref, result.version, result.by) == ("quality:raw@1", 1, "ada")
    facts = result.facts
    assert (facts.dataset, facts.rows, facts.kept, facts.quarantined) == (raw, 4, 4, 0)
    (found,) = facts.results
    assert (found.failed, found.state, found.examples) == (1, "warn", ["-4"])
    assert found.detail == "a curation would quarantine them"
    assert [n.ref for n in data.project.chain.sources("quality:raw@1")] == [raw]
    left = _call(data, "import_rules", "raw", RulesImport(schema="schema_type: dataframe\n"
                                                          "columns: {}\nstrict: true"))  # fmt: skip
    assert left.left_out == ["strict of the schema"]


def test_a_profile_suggests_rules_that_are_not_there_yet(data: DataService, folder: Path) -> None:
    lines = [f"{at},{at % 3},{'on' if at % 2 else 'off'}" for at in range(400)]
    (folder / "t.csv").write_text("\n".join(["id,n,state", *lines]))
    data.registry.register("t.csv", by="ada")
    found = _call(data, "suggest_rules", "t").items
    said = {(item.rule.check, *item.rule.columns) for item in found}
    assert {("not_null", "id"), ("unique", "id"), ("range", "id"), ("set", "state")} <= said
    assert all(item.reason for item in found)
    rules = [item.rule for item in found]
    _call(data, "save_rules", "t", RuleSave(rules=rules, revision=""))
    assert _call(data, "suggest_rules", "t").items == []
    task = _call(data, "check_rules", "t", CheckRequest())
    assert data.tasks.wait(task.id, 60).state == "finished"
    results = data.quality.history("t").items[0].facts.results
    assert {result.state for result in results} == {"pass"}


def test_a_pattern_that_is_none_is_not_saved(data: DataService, folder: Path) -> None:
    rule = Rule(id="p", check="regex", columns=["x"], pattern="(a")
    with pytest.raises(InvalidInputError, match="no regular expression"):
        data.quality.save("raw", [rule], "", by="ada")
    typed = Rule(id="t", check="type", columns=["x"], type="COLOUR")
    with pytest.raises(InvalidInputError, match="no type"):
        data.quality.save("raw", [typed], "", by="ada")
    assert not (folder / "rules").exists()


def test_a_check_needs_rules_and_a_dataset(data: DataService, raw: str) -> None:
    with pytest.raises(NotFoundError, match="no rules"):
        data.quality.check("raw", by="ada")
    with pytest.raises(NotFoundError):
        data.quality.check("nothing", by="ada")
    with pytest.raises(NotFoundError):
        data.quality.history("nothing")


def test_a_curation_keeps_fixes_and_sets_aside(data: DataService, raw: str, folder: Path) -> None:
    _write(folder, "clean", ALL)
    table = data.registry.read(data.registry.resolve("raw"))
    node = data.curation.commit("clean", table, inputs=[raw], source="f", by="ada")
    kept = data.registry.read(node).to_pylist()
    assert kept == [{"id": 1, "size": 10, "state": "on"}, {"id": 2, "size": None, "state": "off"}]
    facts = facts_of(node, DataFacts)
    check = facts_of(data.project.chain.get(facts.quality), QualityFacts)
    assert (check.dataset, check.rows, check.kept, check.quarantined) == (node.ref, 4, 2, 2)
    assert {r.rule.id: (r.failed, r.state) for r in check.results} == {
        "size": (1, "warn"), "low": (1, "quarantined"), "key": (1, "fixed"),
        "state": (1, "quarantined"),
    }  # fmt: skip
    aside = data.registry.read(data.project.chain.get(check.quarantine)).to_pylist()
    assert [(row["id"], row["_failed"]) for row in aside] == [(2, ["key", "state"]), (3, ["low"])]


def test_a_broken_file_lets_nothing_through(data: DataService, raw: str, folder: Path) -> None:
    _write(folder, "clean", '[[rule]]\nid = "a"\ncheck = "nothing"\n')
    text = (folder / "rules" / "clean.toml").read_text()
    with pytest.raises(ProjectFileError, match=r"rules/clean\.toml, line 3"):
        data.curation.commit("clean", pa.table({"x": [1]}), inputs=[raw], source="f", by="ada")
    with pytest.raises(ProjectFileError):
        data.quality.save("clean", [], data.quality.rules("clean").revision, by="ada")
    assert (folder / "rules" / "clean.toml").read_text() == text
    assert data.project.chain.versions("data", "clean") == []


def test_a_block_is_recorded_alerted_and_mended(data: DataService, raw: str, folder: Path) -> None:
    _write(folder, "clean", _rules(("rows", 'check="row_count"\nminimum=9\naction="block"')))
    table = data.registry.read(data.registry.resolve("raw"))
    with pytest.raises(ConflictError, match="rows"):
        data.curation.commit("clean", table, inputs=[raw], source="f", by="ada")
    assert data.project.chain.versions("data", "clean") == []
    (alert,) = data.quality.watch()
    assert (alert.id, alert.level, alert.subject) == ("quality:clean", "failed", "quality:clean@1")
    assert "4 rows" in alert.detail
    _write(folder, "clean", _rules(("rows", 'check="row_count"\nminimum=1\naction="block"')))
    data.curation.commit("clean", table, inputs=[raw], source="f", by="ada")
    assert data.quality.watch() == []


def test_a_foreign_key_is_looked_up_in_the_version_that_was_read(
    data: DataService, folder: Path
) -> None:
    hosts = folder / "my.hosts.csv"
    hosts.write_text("name,n\na,1\nb,2\n")
    first = data.registry.register(hosts.name, name="my.hosts", by="ada").ref
    _write(
        folder, "clean",
        _rules(("host", 'check="foreign_key"\ncolumns=["h"]\nreferences="my.hosts.name"\n'
                        'action="quarantine"')),
    )  # fmt: skip
    table = pa.table({"h": ["a", "b", "c", None]})
    assert data.quality.apply("clean", table).kept["h"].to_pylist() == ["a", "b", None]
    hosts.write_text("name,n\nc,1\n")
    assert data.quality.apply("clean", table).kept["h"].to_pylist() == ["c", None]
    pinned = data.quality.apply("clean", table, inputs=[first])
    assert pinned.kept["h"].to_pylist() == ["a", "b", None]
    _write(
        folder, "clean", _rules(("host", 'check="foreign_key"\ncolumns=["h"]\nreferences="a.b"'))
    )
    assert data.quality.apply("clean", table).results[0].state == "error"


def test_a_check_records_what_foreign_keys_were_looked_up_in(
    data: DataService, raw: str, folder: Path
) -> None:
    """Two datasets could be meant: the longest name that has the column counts, then and now."""
    (folder / "hosts.csv").write_text("up.name\nz\n")
    (folder / "hosts.up.csv").write_text("name\na\nb\n")
    for name in ("hosts", "hosts.up"):
        data.registry.register(f"{name}.csv", name=name, by="ada")
    _write(
        folder, "clean",
        _rules(("host", 'check="foreign_key"\ncolumns=["h"]\nreferences="hosts.up.name"\n'
                        'action="quarantine"')),
    )  # fmt: skip
    table = pa.table({"h": ["a", "z", None]})
    made = data.curation.commit("clean", table, inputs=[raw], source="f", by="ada")
    assert made.version == 1
    facts = facts_of(made, DataFacts)
    checked = facts_of(data.project.chain.get(facts.quality), QualityFacts)
    assert checked.references == {"hosts.up.name": "data:hosts.up@1"}
    (folder / "hosts.up.csv").write_text("name\nz\n")
    assert data.quality.apply("clean", table).references == {"hosts.up.name": "data:hosts.up@2"}

    references = References(data.project, data.registry)
    older = msgspec.structs.replace(checked, references={})  # as it was not recorded once
    for known in (checked, older):
        then = references.then(known, facts.inputs, made.at)
        held = references.read(then)["hosts.up.name"]
        assert held.to_pydict() == {"name": ["a", "b"]}

    task = data.quality.check("clean", by="ada")
    assert data.tasks.wait(task.id, 60).state == "finished"
    newest = data.quality.history("clean").items[0].facts
    assert newest.references == {"hosts.up.name": "data:hosts.up@2"}


def test_a_check_of_files_looks_up_foreign_keys_and_can_be_cancelled(
    data: DataService, raw: str, folder: Path
) -> None:
    pq.write_table(pa.table({"k": [1, 2]}), folder / "ids.parquet")
    data.registry.register("ids.parquet", by="ada")
    _write(folder, "raw", _rules(("fk", 'check="foreign_key"\ncolumns=["id"]\n'
                                        'references="ids.k"\naction="block"')))  # fmt: skip
    task = data.quality.check("raw", by="ada")
    assert data.tasks.wait(task.id, 60).state == "finished"
    (result,) = data.quality.history("raw").items
    assert result.facts.blocked
    assert (result.facts.results[0].failed, result.facts.results[0].examples) == (1, ["3"])
    task = data.quality.check("raw", by="ada")
    if data.tasks.cancel(task.id).state == "cancelled":
        assert len(data.quality.history("raw").items) == 1


def test_old_data_and_other_columns_raise_alerts(data: DataService, folder: Path) -> None:
    def declare(text: str) -> None:
        definition = folder / "perijove.toml"
        kept = definition.read_text().partition("\n[data.t]")[0]
        definition.write_text(f"{kept}\n[data.t]\npath = 't.parquet'\n{text}\n")

    stamp = pa.array([(now() - 3 * 86_400_000) * 1000], pa.timestamp("us"))
    pq.write_table(pa.table({"at": stamp, "gone": [1], "kind": [1]}), folder / "t.parquet")
    data.registry.register("t.parquet", name="t", by="ada")
    declare('fresh = "2 days"')
    assert data.quality.watch() == []  # registered just now
    declare('fresh = "2 days"\ntime = "at"')
    (alert,) = data.quality.watch()
    assert alert.id == "freshness:t"
    assert alert.detail == "Its newest at is 3 days ago."
    declare('fresh = "1 week"\ntime = "at"')
    assert data.quality.watch() == []
    declare('fresh = "soon"')
    assert "no age" in data.quality.watch()[0].title
    declare("")
    pq.write_table(pa.table({"at": stamp, "kind": ["a"], "new": [1]}), folder / "t.parquet")
    data.registry.resolve("t")
    (alert,) = data.quality.watch()
    assert (alert.id, alert.subject) == ("schema:t", "data:t@2")
    assert alert.detail == (
        "gone (BIGINT) is gone; new (BIGINT) is new; kind was BIGINT and is VARCHAR."
    )
    pq.write_table(pa.table({"at": stamp, "kind": ["b"], "new": [1]}), folder / "t.parquet")
    data.registry.resolve("t")
    assert data.quality.watch() == []


def test_a_rule_of_freshness_takes_the_declared_time(data: DataService, folder: Path) -> None:
    pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("ms"))}), folder / "t.parquet")
    data.registry.register("t.parquet", name="t", time="at", by="ada")
    _write(folder, "t", _rules(("fresh", 'check="freshness"\nwithin="2 days"')))
    task = data.quality.check("t", by="ada")
    assert data.tasks.wait(task.id, 60).state == "finished"
    (result,) = data.quality.history("t").items[0].facts.results
    assert (result.state, result.detail) == ("warn", "the newest is 1970-01-01 00:00:00")
