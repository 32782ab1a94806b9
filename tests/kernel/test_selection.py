"""Which cells a training cell takes along, told from their texts."""

from __future__ import annotations

import pytest

from perijove.core.errors import InvalidInputError
from perijove.kernel.effects import Effects, shell_effect
from perijove.kernel.history import Executed
from perijove.kernel.names import names_of, python_of
from perijove.kernel.selection import Selection


@pytest.mark.parametrize(
    ("source", "needs", "later", "defines"),
    [
        ("x = x + 1", "x", "", "x"),
        ("n += 1", "n", "", "n"),
        ("for i in rows:\n    total = i\ntotal", "rows", "", "i total"),
        ("def f(a=d):\n    return a + h", "d", "h", "f"),
        ("class A(Base):\n    n = size\n    def m(self):\n        return other", "Base size", "other", "A"),
        ("z = [k for k in rows if k > low]", "rows low", "", "z"),
        ("import a.b, c as d\nfrom e import f as g", "", "", "a d g"),
        ("with opened as (p, [q]), lock:\n    r = p", "opened lock", "", "p q r"),
        ("try:\n    go\nexcept E as e:\n    e\nelse:\n    s = 1", "go E", "", "e s"),
        ("x[i] = v\no.a = w", "v x i w o", "", ""),
        ("(n := m)\ndel n", "m", "", ""),
        ("match v:\n    case {'k': [a, *b], **c} if a > low:\n        d = a", "v low", "", "a b c d"),
        ("def f():\n    global g\n    g = y", "", "y", "g f"),
        ("await q\nasync with r as s:\n    pass\n[t async for t in u]", "q r u", "", "s"),
        ("%%train --name n\nmodel = net(rows)", "net rows", "", "model"),
        ("%%time\nx = y", "y", "", "x"),
        ("%time x = y", "y", "", "x"),
        ("%%capture out\nx = y", "y", "", "x out"),
        ("files = !ls {folder} $HOME", "get_ipython", "folder HOME", "files"),
        ("%%bash\nls", "get_ipython", "", ""),
        ("lambda: a", "", "a", ""),
    ],
)  # fmt: skip
def test_names_of_a_cell(source: str, needs: str, later: str, defines: str) -> None:
    names = names_of(python_of(source))
    assert " ".join(names.needs) == needs
    assert " ".join(names.later) == later
    assert sorted(names.defines) == sorted(defines.split())


@pytest.mark.parametrize(
    "line",
    [
        "ls -la | wc -l",
        "pip list",
        "git log -3",
        "nvidia-smi 2>/dev/null",
        "find . -name '*.csv'",
        "FOO=1 echo $FOO",
        "ls 2>&1",
        "python --version",
    ],
)
def test_shell_lines_that_only_look(line: str) -> None:
    assert shell_effect(line) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cat x > y", "writes a file"),
        ("pip install torch", "installs"),
        ("python -m pip install x", "installs"),
        ("git push origin main", "pushes"),
        ("git commit -m x", "git"),
        ("ls; rm -rf x", "write outside"),
        ("find . -delete", "write outside"),
        ("aws s3 cp a s3://b", "write outside"),
        ("echo 'open", "write outside"),
    ],
)
def test_shell_lines_that_may_write(line: str, said: str) -> None:
    assert said in shell_effect(line)


def test_effects_of_cells_in_their_order() -> None:
    effects = Effects()

    def of(source: str) -> str:
        return ", ".join(effects.of(python_of(source)))

    assert of("import perijove as p\nfrom perijove import deploy as ship") == ""
    assert of("def go():\n    p.deploy('x')") == ""
    assert of("go()") == "it deploys a model"
    assert of("ship('x')") == "it deploys a model"
    assert of("def go():\n    return 1") == ""
    assert of("go()") == ""
    assert of("v = pj.log_model(m)") == "it logs a model"
    assert of("pj.endpoint('b').record_outcomes(f)") == "it records outcomes"
    assert of("import subprocess\nsubprocess.run(['git', 'push'])") == "it pushes to git"
    assert of("!pip install x\nimport torch") == "it installs packages"
    assert of("requests.post(u)") == "it sends a request"
    assert of("%%train\nx = 1") == "it is another training cell"
    assert of("%%bash\n# all\nls\nrm x") == "its shell line may write outside: rm x"
    assert of("x = model.deploy") == ""


def selection(*sources: str, failed: int = 0, **namespace: object) -> Selection:
    cells = [Executed(n, source, n == failed) for n, source in enumerate(sources, 1)]
    return Selection(cells[:-1], cells[-1], namespace)


def test_what_stays_behind_says_why() -> None:
    found = selection(
        "import perijove as pj",
        "%deploy m",
        "x = 1  # perijove: skip later",
        "# perijove: skip\ny = 1",
        "1 / 0",
        "x = (",
        "%%train\nw = x",
        failed=5,
    )
    reasons = {c.number: c.reason for c in found.candidates if not c.wanted}
    assert reasons == {
        2: "it deploys a model",
        4: "it is marked to be skipped",
        5: "it failed",
        6: "it does not parse",
    }
    assert found.chosen() == [1, 3]
    assert found.chosen(every=True) == [1, 2, 3, 4, 6]
    assert found.chosen([3, 1]) == [1, 3]
    with pytest.raises(InvalidInputError, match="number 9"):
        found.chosen([9])


def test_names_that_nobody_sends_are_told_with_who_defines_them() -> None:
    found = selection(
        "m = pj.log_model(n)",
        "lr = 1",
        "def use():\n    return scale, undefined_and_never_called",
        "%%train\nuse()\nprint(m, lr, hidden, nowhere, _, __, In)",
        failed=2, hidden=1, scale=2, pj=0, n=0,
    )  # fmt: skip
    said = [str(one) for one in found.missing(found.chosen())]
    assert said == [
        "scale: this kernel has it, and no cell that ran defines it",
        "m: cell 1 defines it, which stays behind: it logs a model",
        "lr: cell 2 defines it, which stays behind: it failed",
        "hidden: this kernel has it, and no cell that ran defines it",
        "nowhere: nothing defines it, here neither",
    ]


def test_a_training_cell_goes_along_when_its_names_are_needed() -> None:
    found = selection(
        "%%train --name base\nbase = 1", "%%train\nother = 2", "%%train\nfine = base + 1"
    )
    assert found.chosen() == [1]
    assert found.candidates[0].reason == "a training cell whose base is needed; it logs nothing"
    assert found.missing(found.chosen()) == []


def test_star_imports_and_run_scripts_are_believed() -> None:
    found = selection("from math import *", "%run setup.py", "%%train\nsqrt(ready)", ready=1)
    assert found.missing(found.chosen()) == []
    assert found.missing([1])[0].name == "ready"


def test_order_counts_at_the_top_and_not_within_functions() -> None:
    found = selection("def f():\n    return late", "late = 1", "%%train\nf()")
    assert found.missing(found.chosen()) == []
    early = selection("early = late", "late = 1", "%%train\nearly")
    assert str(early.missing([1, 2])[0]) == "late: cell 1 uses it before cell 2 defines it"


def test_parameters_are_defined() -> None:
    cells = [Executed(1, "%%train --param rate=1\nrate")]
    assert Selection([], cells[0], {}, params=["rate"]).missing([]) == []


def test_what_is_needed_goes_along_where_nobody_chooses() -> None:
    found = selection("v = pj.log_model(n)", "%deploy x", "%%train\nv", pj=0, n=0)
    assert found.chosen() == []
    assert found.sufficient() == [1]
