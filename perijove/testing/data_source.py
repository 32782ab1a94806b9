"""What every data source must do. Subclass it, and give it a source and a place that can change:

class TestMySource(DataSourceSuite):
    @pytest.fixture
    def source(self, paths): return MySource(paths)

    @pytest.fixture
    def place(self): return MyPlace()
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perijove.core.errors import NotFoundError
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataSource, Snapshot
from perijove.data.versions import digest_of

FIRST = [(1, "a"), (2, "ö"), (3, None)]
SECOND = [*FIRST, (4, "<b>")]


class SourcePlace(Protocol):
    """A place that holds a table ``(number, word)``."""

    location: str
    """As it is stored: what :meth:`DataSource.accepts` gets."""
    missing: str
    """A location of the same kind where nothing lies."""
    folder: str
    """What lists the place; empty where nothing does."""

    def put(self, rows: list[tuple[int, str | None]]) -> None:
        """Have these rows lie there, and no others."""
        ...


class DataSourceSuite:
    """The contract of :class:`perijove.data.ports.DataSource`."""

    @pytest.fixture
    def paths(self, tmp_path: Path) -> ProjectPaths:
        root = (tmp_path / "conformance").resolve()
        root.mkdir()
        (root / "perijove.toml").write_text("[project]\n")
        return ProjectPaths(root)

    @pytest.fixture
    def look(self, source: DataSource, place: SourcePlace, tmp_path: Path) -> Look:
        place.put(FIRST)
        return Look(source, place.location, tmp_path / "looks")

    def test_it_says_what_it_is(self, source: DataSource) -> None:
        assert source.kind
        assert source.label
        assert source.accepts(source.example) or not source.remote
        assert isinstance(source.needs, str)
        assert source.available()

    def test_it_takes_its_own_locations_only(self, source: DataSource, place: SourcePlace) -> None:
        place.put(FIRST)
        assert source.accepts(place.location)
        assert not source.accepts("unheard-of://host/data.parquet")

    def test_the_same_rows_are_the_same_version(self, look: Look) -> None:
        first, again = look(), look()
        assert first.sha256 == again.sha256
        assert first.bytes > 0

    def test_other_rows_are_another_version(self, look: Look, place: SourcePlace) -> None:
        first = look()
        place.put(SECOND)
        second = look()
        assert first.sha256 != second.sha256
        place.put(FIRST)
        assert look().sha256 == first.sha256

    def test_what_it_names_is_there(self, look: Look, source: DataSource) -> None:
        snapshot = look()
        assert snapshot.fetched == source.remote
        many = snapshot.root.is_dir()
        for file in snapshot.files:
            path = snapshot.root / file.path if many else snapshot.root
            assert path.stat().st_size == file.bytes
        if many:
            assert snapshot.sha256 == digest_of(snapshot.files)
        assert sum(file.bytes for file in snapshot.files) == snapshot.bytes

    def test_parquet_has_the_rows(self, look: Look) -> None:
        snapshot = look()
        files = [snapshot.root / f.path for f in snapshot.files]
        files = files if snapshot.root.is_dir() else [snapshot.root]
        if files[0].suffix != ".parquet":
            pytest.skip("not Parquet: the engine's tests read it")
        table = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
        assert sorted(zip(*table.to_pydict().values(), strict=True)) == sorted(FIRST)

    def test_an_unchanged_place_says_so(self, look: Look) -> None:
        first = look()
        if not first.etag:
            pytest.skip("this source has no tags")
        assert look.again(first.etag) is None

    def test_nothing_is_left_elsewhere(self, look: Look, paths: ProjectPaths) -> None:
        look()
        assert not paths.fetched.exists()

    def test_what_is_not_there_is_said(
        self, source: DataSource, place: SourcePlace, tmp_path: Path
    ) -> None:
        place.put(FIRST)
        with pytest.raises(NotFoundError) as error:
            Look(source, place.missing, tmp_path / "looks")()
        assert error.value.hint

    def test_it_lists_the_place(self, source: DataSource, place: SourcePlace) -> None:
        place.put(FIRST)
        if not place.folder:
            pytest.skip("nothing lists it")
        found = source.entries(place.folder, 1000)
        assert place.location in [entry.location for entry in found]
        assert source.entries(place.folder, 1) == found[:1]


class Look:
    """Looks at a place, each time into a folder of its own."""

    def __init__(self, source: DataSource, location: str, into: Path) -> None:
        self._source = source
        self._location = location
        self._into = into
        self._count = 0

    def __call__(self) -> Snapshot:
        snapshot = self.again("")
        assert snapshot is not None
        return snapshot

    def again(self, etag: str) -> Snapshot | None:
        self._count += 1
        into = self._into / str(self._count)
        into.mkdir(parents=True)
        return self._source.snapshot(self._location, "", into, etag=etag)
