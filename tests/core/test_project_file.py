"""``perijove.toml``: understood or refused with a line, and edited beside people."""

from __future__ import annotations

import pytest

from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, ProjectFileError
from perijove.core.project_file import parse


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('[project]\nname = "a\n', 2, "Illegal character"),
        ('[project]\nname = "a"\n\n[[kpi]]\nmetric = "f1"\ndata = "d"\ntarget = "x"\n', 7, "float"),
        ('[project]\nname = "a"\ncolour = 1\n', 3, "colour"),
        ('[data.b]\npath = "x"\n[data.b.columns.size]\nknown = "later"\n', 4, "later"),
        ('[[kpi]]\nmetric = "f1"\ndata = "a"\ntarget = 1.0\n\n[[kpi]]\nmetric = "f1"\n', 6, "data"),
        ('[data."../up"]\npath = "x"\n', 1, "../up"),
    ],
)
def test_a_broken_file_names_line_and_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(ProjectFileError) as caught:
        parse(text)
    assert caught.value.line == line
    assert reason in caught.value.message


def test_an_edit_keeps_comments(project: ProjectContext) -> None:
    project.file.change(lambda document: document["project"].update({"owner": "Grace"}))
    text = project.file.text()
    assert "# kept by every edit" in text
    assert "# why this one" in text
    assert project.definition.project.owner == "Grace"


def test_a_stale_edit_is_refused(project: ProjectContext) -> None:
    _, seen = project.file.read()
    project.file.change(lambda document: document["project"].update({"owner": "Grace"}))
    with pytest.raises(ConflictError):
        project.file.change(lambda d: d["project"].update({"owner": "Bob"}), revision=seen)
    assert project.definition.project.owner == "Grace"


def test_a_broken_file_is_never_written(project: ProjectContext) -> None:
    broken = project.file.text() + "\n[[kpi]\n"
    project.paths.definition.write_text(broken)
    with pytest.raises(ProjectFileError):
        project.file.change(lambda document: document["project"].update({"owner": "Grace"}))
    assert project.paths.definition.read_text() == broken
