"""Quality: the rules of a dataset, what they find in its versions, and what should be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from perijove.contracts.chain import Node
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import make_ref
from perijove.core.context import ProjectContext
from perijove.data.ports import Applied, ArrowTable, RuleEngine
from perijove.data.registry import Registry
from perijove.data.tasks import Tasks


class Quality:
    """The quality of one project's datasets.

    Parameters
    ----------
    project
        The open project.
    registry
        Resolves datasets and their files.
    tasks
        Checks a version in the background.
    engine
        Evaluates rules.
    """

    def __init__(
        self, project: ProjectContext, registry: Registry, tasks: Tasks, engine: RuleEngine
    ) -> None:
        self.project = project
        self._registry = registry
        self._tasks = tasks
        self._engine = engine

    def apply(self, name: str, table: ArrowTable, *, inputs: Sequence[str] = ()) -> Applied:
        """Apply the rules of ``rules/NAME.toml`` to a table that is to become a version.

        Without a file everything passes, and ``results`` is empty.

        Parameters
        ----------
        inputs
            References of the data versions that the table was made from: a foreign key into one
            of them is looked up in that version, any other in the newest.

        Raises
        ------
        ProjectFileError
            When the rules cannot be understood.
        """
        raise NotImplementedError

    def record(
        self, dataset: str, applied: Applied, *, name: str = "", by: str, quarantine: str = "",
        version: int | None = None,
    ) -> Node:  # fmt: skip
        """Put a check's result on the chain as ``quality:NAME@N``, behind the checked version.

        Parameters
        ----------
        dataset
            Reference of the version; of the first input where a block kept it from being made.
        name
            The dataset whose rules these are, where ``dataset`` is another's version.
        quarantine
            Reference of the quarantined rows.
        version
            A number that the caller has already written down, else the next free one.
        """
        raise NotImplementedError

    def next_ref(self, name: str) -> str:
        """The reference that the next :meth:`record` will have, for whoever holds the lock."""
        latest = self.project.chain.latest("quality", name)
        return make_ref("quality", name, 1 if latest is None else latest.version + 1)


__all__ = ["Applied", "Quality", "QualityFacts"]
