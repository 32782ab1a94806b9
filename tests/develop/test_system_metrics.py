"""What a run takes of the machine. Tests of GPUs run on a simulated NVML library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder of a simulated libnvidia-ml.so.1."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("simulated: no C compiler")
    folder = tmp_path_factory.mktemp("nvml")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", SOURCE], check=True
    )
    return folder


def run_code(code, tmp_path, library=None, state=""):
    env = dict(os.environ)
    if library is not None:
        (tmp_path / "gpus").write_text(state)
        env |= {"LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(tmp_path / "gpus")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_simulated_gpus_and_their_processes(library, tmp_path):
    found = run_code(
        """
        import json, os
        from perijove.adapters import nvml
        gpus = nvml.sample_gpus()
        shares = nvml.gpu_shares({77, 78})
        print(json.dumps([[g.name, g.percent, g.memory_used, g.memory_total] for g in gpus]
              + [nvml.gpu_processes(), nvml.gpu_processes(1)]
              + [[s.index, s.memory, s.percent] for s in shares]))
        """,
        tmp_path,
        library,
        "gpu A100 1000 600 80\ngpu L4 500 5 0\nprocess 0 77 400 30\nprocess 0 78 100 20\n"
        "process 0 99 50 10\nprocess 1 78 5 0\n",
    )
    assert found == [
        ["A100", 80.0, 600, 1000], ["L4", 0.0, 5, 500],
        [[77, 400], [78, 100], [99, 50], [78, 5]], [[78, 5]],
        [0, 500, 50.0], [1, 5, 0.0],
    ]  # fmt: skip


def test_without_a_driver_there_are_no_gpus(tmp_path):
    code = """
        import json
        from perijove.adapters import nvml
        print(json.dumps([nvml.sample_gpus(), nvml.gpu_processes(), nvml.gpu_shares({1})]))
        """
    assert run_code(code, tmp_path) in ([[], [], []], pytest.approx([]))


SAMPLED = """
    import json, os, subprocess, sys, time, threading
    from perijove.kernel import system_metrics
    system_metrics.SECONDS = 0.05
    records, enough = [], threading.Event()
    def write(record):
        records.append(record)
        if len(records) >= 3:
            enough.set()
    sampler = system_metrics.SystemMetrics(write)
    {setup}
    sampler.start()
    {work}
    enough.wait(20)
    usage = sampler.stop()
    count = len(records)
    time.sleep(0.15)
    import msgspec
    print(json.dumps([records, msgspec.to_builtins(usage), count == len(records)]))
    """


def test_a_run_that_goes_on_counts_on(tmp_path):
    from perijove.core.process_journal import ProcessJournal
    from perijove.kernel.system_metrics import SystemMetrics

    journal = ProcessJournal(tmp_path)
    journal.append(("m", 1, 41, {"system/process_memory_megabytes": 1.0}))
    journal.append(("m", 2, 900, {"loss": 1.0}))
    journal.close()
    records, came = [], threading.Event()
    sampler = SystemMetrics(lambda record: (records.append(record), came.set()), after=tmp_path)
    sampler.start()
    assert came.wait(20)
    sampler.stop()
    assert records[0][2] == 42


def test_a_second_of_a_run_as_metrics_and_its_sum(tmp_path):
    work = """
    held = bytearray(60_000_000)
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    child = "import time; e = time.process_time() + 0.3\\nwhile time.process_time() < e: pass"
    subprocess.run([sys.executable, "-c", child])
    """
    code = SAMPLED.format(setup="", work=textwrap.dedent(work).strip().replace("\n", "\n    "))
    records, usage, quiet = run_code(code, tmp_path)
    assert quiet
    for kind, at, _step, metrics in records:
        assert (kind, at > 1_600_000_000_000) == ("m", True)
        assert 0 <= metrics["system/cpu_utilization_percentage"] <= 100
        assert metrics["system/process_memory_megabytes"] > 10
        assert metrics["system/process_cpu_percentage"] >= 0
    assert [record[2] for record in records] == list(range(len(records)))
    assert usage["cpu_seconds"] >= 0.55  # of the process and of its child, which has ended
    assert usage["peak_memory"] > 60_000_000
    assert usage.get("gpus", []) == []
    assert usage["seconds"] > 0


def test_simulated_gpu_use_by_process(library, tmp_path):
    setup = """
    with open(os.environ["FAKE_NVML"], "w") as file:
        file.write("gpu A100 80000000000 30000000000 90\\ngpu A100 80000000000 10 3\\n"
                   f"process 0 {os.getpid()} 20000000000 85\\nprocess 1 1 10 3\\n")
    """
    code = SAMPLED.format(setup=textwrap.dedent(setup).strip().replace("\n", "\n    "), work="pass")
    records, usage, _ = run_code(code, tmp_path, library)
    metrics = records[-1][3]
    assert metrics["system/gpu_0_utilization_percentage"] == 90
    assert metrics["system/gpu_0_memory_usage_megabytes"] == 30_000
    assert metrics["system/process_gpu_0_memory_megabytes"] == 20_000
    assert metrics["system/process_gpu_0_utilization_percentage"] == 85
    assert not any("gpu_1" in key for key in metrics)  # others' work
    assert usage["gpus"] == [0]
    assert 0 < usage["gpu_seconds"] <= usage["seconds"] + 0.1
    assert usage["peak_gpu_memory"] == 20_000_000_000
