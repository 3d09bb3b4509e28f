"""Following folders, with a clock of our own: nothing is read while it changes, and nothing waits for ever."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.watching import Watch


def put(path: Path, text: str, at: int) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


def test_a_file_is_taken_when_it_stands_still(tmp_path: Path) -> None:
    watch = Watch([tmp_path], settle_s=3.0)
    assert watch.look(0.0) is None
    put(tmp_path / "a.txt", "one", 1)
    assert watch.look(2.0) is None  # it is new: it may still be copied
    put(tmp_path / "a.txt", "one two", 2)
    assert watch.look(4.0) is None
    assert watch.look(6.9) is None
    assert watch.look(7.0) == frozenset()
    assert watch.look(8.0) is None  # once


def test_a_file_that_is_being_copied_is_left_out(tmp_path: Path) -> None:
    watch = Watch([tmp_path], settle_s=3.0)
    put(tmp_path / "done.txt", "done", 1)
    watch.look(0.0)
    put(tmp_path / "big.pdf", "%PDF", 2)
    watch.look(2.0)
    assert watch.look(3.5) == {tmp_path / "big.pdf"}
    assert watch.look(5.0) == frozenset()


def test_a_log_that_grows_without_end_is_taken_in_pieces(tmp_path: Path) -> None:
    watch = Watch([tmp_path], settle_s=3.0, patience_s=10.0)
    taken = []
    for second in range(26):
        put(tmp_path / "shift.log", "x" * (second + 1), second)
        if watch.look(float(second)) is not None:
            taken.append(second)
    assert taken == [10, 21]


def test_a_vanished_file_is_a_reason_to_look(tmp_path: Path) -> None:
    watch = Watch([tmp_path], settle_s=1.0)
    put(tmp_path / "a.txt", "one", 1)
    watch.look(0.0)
    assert watch.look(1.0) == frozenset()
    (tmp_path / "a.txt").unlink()
    assert watch.look(2.0) == frozenset()
    assert watch.look(3.0) is None
