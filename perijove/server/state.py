"""What the server holds: the open projects and a pool of threads. Nothing that matters."""

from __future__ import annotations

import asyncio
import getpass
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perijove.contracts.base import Struct
from perijove.core.errors import NotFoundError
from perijove.core.paths import PROJECT_FILE, resolve_inside

if TYPE_CHECKING:
    from perijove.adapters.workbench import Workbench
    from perijove.contracts.routes import Route
    from perijove.core.call import Call, Content

THREADS = 8
T = TypeVar("T")


class ServerState:
    """Open projects by their folder.

    Parameters
    ----------
    root
        The server's root folder; no project outside it is opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.user = getpass.getuser()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="perijove")
        self._lock = threading.Lock()
        self._open: dict[Path, tuple[tuple[int, int], Workbench]] = {}
        self._opened: Callable[[], object] = lambda: None

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a blocking function in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *arguments))

    def workbench(self, project: str) -> Workbench:
        """Open a project, named by its folder relative to the server's root.

        Raises
        ------
        NotFoundError
            When the folder holds no project.
        ForbiddenPathError
            When it lies outside the server's root.
        """
        from perijove.adapters.workbench import Workbench
        from perijove.core.context import ProjectContext

        root = resolve_inside(self.root, project)
        try:
            (root / PROJECT_FILE).stat()
            stat = root.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(
                f"{project or 'The folder'} holds no {PROJECT_FILE}.",
                "Make a project here, or choose another.",
                code="no_project",
            ) from None
        with self._lock:
            opened = self._open.get(root)
            if opened is not None:
                identity, bench = opened
                ledger = bench.project.paths.ledger
                # A folder that was deleted and made again is another project.
                if ledger.exists() and identity == (stat.st_ino, ledger.stat().st_ino):
                    return bench
                bench.close()
            bench = Workbench(ProjectContext.open(root))
            self._opened()
            self._open[root] = (
                (stat.st_ino, bench.project.paths.ledger.stat().st_ino),
                bench,
            )
            return bench

    def benches(self) -> list[Workbench]:
        """Return the projects that are open and still there."""
        with self._lock:
            opened = [bench for _, bench in self._open.values()]
        return [bench for bench in opened if bench.project.paths.definition.is_file()]

    def when_opened(self, tell: Callable[[], object]) -> None:
        """Have ``tell`` called, in any thread, when a project is opened."""
        self._opened = tell

    def dispatch(self, route: Route, call: Call) -> Struct | bytes | Content:
        """Answer one call; runs in a thread."""
        from perijove.server.dispatch import answer

        return answer(self, route, call)

    def close(self) -> None:
        """Close all projects; their endpoints go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for _, bench in self._open.values():
                bench.close()
            self._open.clear()
