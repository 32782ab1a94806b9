"""What the data step does, room by room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from perijove.contracts.base import State
from perijove.contracts.chain import StepEntry, StepStatus
from perijove.contracts.data import Dataset
from perijove.contracts.quality import Suggestions
from perijove.core.alerts import AlertBook
from perijove.core.context import ProjectContext
from perijove.core.jobs import JobRunner
from perijove.data.curation import Curation
from perijove.data.history import History
from perijove.data.making import Making
from perijove.data.ports import DataEngine, DataSource, Lake, Programs, RuleEngine
from perijove.data.profiler import Profiler
from perijove.data.profiles import Profiles
from perijove.data.quality import Quality
from perijove.data.references import References
from perijove.data.registry import Registry
from perijove.data.schedules import Schedules
from perijove.data.sources import SourceCatalog
from perijove.data.splits import Splits
from perijove.data.tasks import Tasks
from perijove.data.views import Views


class DataService:
    """The data of one project.

    Parameters
    ----------
    project
        The open project.
    engine
        Reads tables.
    lake
        Keeps curated versions.
    sources
        Finds the kinds of sources that are installed.
    programs
        Loads the recorded programs of curations.
    runner
        Runs them in processes of their own.
    rules
        Evaluates quality rules.
    read_schema
        Reads rules from another library's schema.
    profiler
        Makes profiles.
    """

    def __init__(
        self,
        project: ProjectContext,
        engine: DataEngine,
        lake: Lake,
        sources: Callable[[], Sequence[DataSource]],
        programs: Programs,
        runner: JobRunner,
        rules: RuleEngine,
        read_schema: Callable[[str], Suggestions],
        profiler: Profiler,
    ) -> None:
        self.project = project
        self._engine = engine
        self.tasks = Tasks()
        self.alerts = AlertBook(project.chain.ledger)
        self.sources = SourceCatalog(project, sources)
        self.registry = Registry(project, engine, lake, self.sources)
        self.splits = Splits(project, self.registry, engine)
        self.profiles = Profiles(project, self.registry, self.tasks, profiler)
        references = References(project, self.registry)
        self.quality = Quality(project, self.registry, self.tasks, rules, references, read_schema)
        self.curation = Curation(project, self.registry, engine, lake, self.quality)
        self.making = Making(
            project,
            self.registry,
            self.curation,
            engine,
            lake,
            rules,
            references,
            programs,
            runner,
        )
        self.schedules = Schedules(
            project,
            self.registry.state,
            runner,
            self.alerts,
            lambda name: self.making.curate(name, by="schedule"),
        )
        self.history = History(project, self.registry, engine, self.making.obstacle)
        self.views = Views(project, self.registry, self.tasks, engine)

    def describe(self, dataset: Dataset) -> Dataset:
        """Add what other rooms know of a dataset: its schedule, and how its rules fared."""
        node = self.project.chain.get(dataset.ref)
        return msgspec.structs.replace(
            self.schedules.describe(dataset), quality=self.history.quality(node)
        )

    def datasets(self) -> list[Dataset]:
        """Describe the newest version of every dataset, without the programs that made them."""
        return [
            msgspec.structs.replace(
                one, facts=msgspec.structs.replace(one.facts, script="", source="")
            )
            for one in map(self.describe, self.registry.datasets())
        ]

    def close(self) -> None:
        """Stop work in the background, and end the data worker."""
        self.tasks.close()
        self._engine.close()

    def status(self) -> StepStatus:
        """The sidebar's row."""
        datasets = self.registry.datasets()
        if not datasets:
            return StepStatus(step="data", state="not_started", fact="", next="Add data")
        stale = [d for d in datasets if d.state != "current"]
        newest = datasets[0]
        words = {"changed": "has changed since it was registered", "missing": "is gone"}
        worst = self.alerts.worst("data")
        state: State = "attention" if stale else "ok"
        if worst is not None:
            state, fact = worst.level, worst.title
        elif stale:
            fact = f"{stale[0].name} v{stale[0].version} {words[stale[0].state]}"
        else:
            fact = f"{newest.name} v{newest.version} · {newest.facts.rows:,} rows"
        return StepStatus(
            step="data",
            state=state,
            fact=fact,
            entries=[
                StepEntry(
                    ref=d.ref,
                    label=f"{d.name} v{d.version}",
                    state="ok" if d.state == "current" else "attention",
                    detail=f"{d.facts.rows:,} rows" if d.state == "current" else words[d.state],
                )
                for d in (stale + [d for d in datasets if d not in stale])[:5]
            ],
        )
