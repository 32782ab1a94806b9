"""What was appended is read back, whatever befalls the file's end."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.core.errors import InvalidInputError
from perijove.core.journal import (
    MAGIC,
    MAX_PAYLOAD,
    JournalFolder,
    JournalReader,
    JournalWriter,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.lists(st.tuples(st.sampled_from("mptgqo"), VALUES).map(list), max_size=8)
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, records) -> Path:
    path.unlink(missing_ok=True)
    writer = JournalWriter(path)
    for record in records:
        writer.append(record)
    writer.close()
    return path


def read(path: Path) -> list:
    return list(JournalReader(path).read_all())


@QUICK
@given(RECORDS)
def test_what_goes_in_comes_out(tmp_path, records):
    assert repr(read(write(tmp_path / "a.pj", records))) == repr(records)


@QUICK
@given(RECORDS, RECORDS, st.data())
def test_a_tail_torn_anywhere_loses_only_the_torn_record(tmp_path, records, more, data):
    path = write(tmp_path / "a.pj", records)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    reader = JournalReader(path)
    kept = list(reader.read_all())
    assert not reader.damaged
    assert repr(kept) == repr(records[: len(kept)])
    # The rest of the bytes arrives: the reader goes on where it was.
    path.write_bytes(whole)
    assert repr(kept + list(reader.read_all())) == repr(records)
    # A writer comes instead: it cuts the torn frame off, and nothing of its own is lost.
    path.write_bytes(whole[:cut])
    writer = JournalWriter(path)
    for record in more:
        writer.append(record)
    writer.close()
    assert repr(read(path)) == repr(kept + more)


def test_torn_at_every_byte(tmp_path):
    records = [["m", i, i, {"loss": i / 7}] for i in range(4)]
    whole = write(tmp_path / "a.pj", records).read_bytes()
    path = tmp_path / "b.pj"
    counts = []
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        counts.append(len(read(path)))
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert counts[-2] == 3


def test_a_flipped_byte_is_never_believed(tmp_path):
    records = [["m", i, i, {"loss": i / 7}] for i in range(3)]
    whole = write(tmp_path / "a.pj", records).read_bytes()
    path = tmp_path / "b.pj"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        kept = read(path)
        assert len(kept) < 3
        assert kept == records[: len(kept)]


def test_damage_is_told(tmp_path):
    path = write(tmp_path / "a.pj", [["m", 1, 1, {"a": 1.0}], ["m", 2, 2, {"a": 2.0}]])
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    reader = JournalReader(path)
    assert len(list(reader.read_all())) == 1
    assert reader.damaged
    path.write_bytes(b"a,b\n1,2\n3,4\n")
    reader = JournalReader(path)
    assert reader.read() == []
    assert reader.damaged


@QUICK
@given(RECORDS, st.lists(st.integers(1, 60), max_size=6))
def test_a_cursor_continues_in_small_bites(tmp_path, records, limits):
    path = write(tmp_path / "a.pj", records)
    found, offset = [], 0
    for limit in [*limits, 10**6]:
        reader = JournalReader(path, offset)
        found += reader.read(limit)
        offset = reader.offset
    assert repr(found) == repr(records)
    assert offset in (0, path.stat().st_size)


def test_floats_survive(tmp_path):
    (record,) = read(write(tmp_path / "a.pj", [["m", 0, 0, {"a": math.nan, "b": -math.inf}]]))
    assert math.isnan(record[3]["a"])
    assert record[3]["b"] == -math.inf


def test_a_full_disk_leaves_whole_frames(tmp_path):
    """The file's size limit stands in for the disk: the write that meets it is cut short."""
    path = tmp_path / "a.pj"
    writer = JournalWriter(path)
    record = ["m", 1, 1, {"loss": 0.5}]
    writer.append(record)
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for room in range(size - len(MAGIC)):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
            with pytest.raises(OSError):
                writer.append(record)
            assert path.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    writer.append(["m", 2, 2, {}])
    writer.close()
    assert read(path) == [record, ["m", 2, 2, {}]]


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    path = tmp_path / "a.pj"
    code = (
        "import sys; from pathlib import Path\n"
        "from perijove.core.journal import JournalWriter\n"
        f"writer = JournalWriter(Path({str(path)!r}))\n"
        "for i in range(10**9):\n"
        "    writer.append(['m', i, i, {}])\n"
        "    print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(200):
        acknowledged = int(process.stdout.readline())
    process.kill()
    acknowledged = max([acknowledged, *(int(x) for x in process.stdout.read().split()[:-1])])
    process.wait()
    steps = [record[1] for record in read(path)]
    assert steps == list(range(len(steps)))
    assert len(steps) > acknowledged


def test_too_large_a_record_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "a.pj"
    writer = JournalWriter(path)
    with pytest.raises(InvalidInputError, match="too large"):
        writer.append(["t", {"a": "x" * MAX_PAYLOAD}])
    writer.append(["t", {"a": "b"}])
    writer.sync()
    writer.close()
    assert read(path) == [["t", {"a": "b"}]]


def test_a_folder_reads_all_its_journals_and_finds_new_ones(tmp_path):
    folder = tmp_path / "run"
    assert JournalFolder(folder).read() == []
    one = JournalWriter(folder / "1-0.pj")
    one.append(["g", 1, 0.1])
    (folder / "note.txt").write_text("not a journal")
    journals = JournalFolder(folder)
    assert journals.read() == [["g", 1, 0.1]]
    two = JournalWriter(folder / "2-0.pj")
    two.append(["g", 2, 0.2])
    one.append(["g", 3, 0.3])
    resumed = JournalFolder(folder, journals.cursors)
    assert resumed.read() == [["g", 3, 0.3], ["g", 2, 0.2]]
    assert resumed.read() == []
    assert len(JournalFolder(folder).read()) == 3
    for writer in (one, two):
        writer.close()


def test_a_journal_is_private(tmp_path):
    writer = JournalWriter(tmp_path / "a.pj")
    writer.close()
    assert os.stat(tmp_path / "a.pj").st_mode & 0o077 == 0


@given(st.lists(st.lists(st.integers(0, 99), max_size=30), max_size=5), st.integers(0, 10))
def test_files_are_read_in_one_order_and_up_to_a_mark(files, more):
    with tempfile.TemporaryDirectory() as name:
        folder = JournalFolder(Path(name))
        writers = [JournalWriter(Path(name) / f"{i}-1.pj") for i in range(len(files))]
        for writer, times in zip(writers, files, strict=True):
            for time in sorted(times):
                writer.append(["q", time, "x" * 9000])  # several chunks of a file
        ends = folder.sizes()
        for writer in writers:
            for _ in range(more):
                writer.append(["q", -1, ""])
        read = [record[1] for record in folder.merged(lambda record: record[1], ends)]
        assert read == sorted(time for times in files for time in times)
        late = [record[1] for record in folder.merged(lambda record: record[1])]
        assert late == [-1] * more * len(files)
        for writer in writers:
            writer.close()


def test_a_record_larger_than_the_limit_is_read_whole(tmp_path):
    writer = JournalWriter(tmp_path / "a.pj")
    records = [["m", "x" * 5000], ["m", "y"], ["m", "z" * 9000]]
    for record in records:
        writer.append(record)
    writer.close()
    assert list(JournalReader(tmp_path / "a.pj").read_all(limit=100)) == records


def test_an_interrupt_between_a_write_and_its_memory_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(tmp_path / "a.pj")
    writer.append(("m", 1))
    real = os.write

    def interrupted(handle: int, data: bytes) -> int:
        real(handle, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer.append(("m", 2))
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:5]))
    with pytest.raises(OSError, match="No space"):
        writer.append(("a longer record", "x" * 100))
    monkeypatch.setattr(os, "write", real)
    writer.append(("m", 3))
    assert JournalReader(tmp_path / "a.pj").read() == [["m", 1], ["m", 2], ["m", 3]]
