"""A property that is made once."""

from __future__ import annotations

import threading

from perijove.core.once import once


def test_a_property_is_made_once_by_many_threads() -> None:
    made: list[int] = []
    start = threading.Barrier(8)

    class Holder:
        @once
        def thing(self) -> object:
            made.append(1)
            return object(), self.other

        @once
        def other(self) -> int:
            return 3

    holder = Holder()
    seen: list[object] = []

    def ask() -> None:
        start.wait(10)
        seen.append(holder.thing)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert len(set(map(id, seen))) == 1
