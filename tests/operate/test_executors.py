"""The executor of this machine keeps the contract of executors."""

from __future__ import annotations

import pytest

from perijove.adapters.jobs.local import LocalExecutor
from perijove.core.context import ProjectContext
from perijove.testing.executor import ExecutorSuite


class TestLocalExecutor(ExecutorSuite):
    """It keeps the contract."""

    @pytest.fixture
    def executor(self, project: ProjectContext) -> LocalExecutor:
        executor = LocalExecutor(project)
        self.cpus = executor.pool().cpus
        return executor
