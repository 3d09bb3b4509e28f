"""What there is to read: files below the folders given, by what name the catalogue knows them, and whether they changed.

Nothing but plain files is ever opened: links, pipes, devices and sockets are passed over, however deep a folder goes
(`tests/test_hostile_files.py`). A file counts as unchanged by size and time of change, else by its content.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.describe import hint_path

#: A file beyond this is not even hashed; a sparse one of a terabyte costs nothing.
LARGEST_BYTES = 400_000_000
_SKIPPED_NAMES = frozenset(("license", "license.md", "license.txt", "copying", "thumbs.db", "desktop.ini"))


@dataclass(frozen=True)
class Found:
    """`files`: sorted, each once. `closed`: folders that could not be looked into, with the reason. `missing`: paths
    given that are neither file nor folder."""

    files: tuple[Path, ...]
    closed: tuple[tuple[Path, str], ...] = ()
    missing: tuple[Path, ...] = ()


def find(paths: Sequence[Path]) -> Found:
    """Every file under `paths`; hidden ones, licences, hints, links and whatever is no plain file are left out, unless
    given by name."""
    found: list[Path] = []
    closed: list[tuple[Path, str]] = []
    missing: list[Path] = []
    for path in paths:
        if path.is_file():
            found.append(path)
        elif path.is_dir():
            _scan(path, found, closed)
        else:
            missing.append(path)
    there, given = set(found), set(paths)
    files = [p for p in dict.fromkeys(found) if p in given or not _is_beside_the_point(p, there)]
    return Found(tuple(files), tuple(closed), tuple(missing))


def _scan(root: Path, found: list[Path], closed: list[tuple[Path, str]]) -> None:
    """Plain files below `root` in sorted order, folder by folder. Not recursive: a tree may be deeper than the stack."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        files, folders = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith("."):
                            folders.append(folder / entry.name)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(folder / entry.name)
        except OSError as error:
            closed.append((folder, f"the folder cannot be opened: {(error.strerror or 'refused').lower()}"))
            continue
        found += sorted(files)
        waiting += sorted(folders, reverse=True)


def _is_beside_the_point(path: Path, there: set[Path]) -> bool:
    hint = path.suffix == ".yaml" and path.with_suffix("") in there and path.with_suffix("").suffix != ""
    return hint or path.name.startswith((".", "~$")) or path.name.lower() in _SKIPPED_NAMES


def key(path: Path) -> str:
    """The name by which the catalogue knows a file: its full path as text, whatever bytes it is made of."""
    return text_of(os.path.realpath(path))


def text_of(path: str | Path) -> str:
    """A path as text that can be stored and sent; bytes that are no UTF-8 are written as escapes."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_nameable(path: Path) -> bool:
    """Whether a file's name is text at all."""
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def plain(name: str) -> str:
    """A name without characters that steer a terminal, a page or the direction of writing."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in name)
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")).split())


def fallbacks(names: Iterable[str]) -> dict[str, str]:
    """The document id of each file where the file itself names none: its stem, with its folder, its suffix and at last
    a hash of its path where that is needed to tell it from the others. Keys are full paths."""
    ways = [(name, _ways(name)) for name in names]
    counts = [Counter(found[level].casefold() for _, found in ways) for level in range(4)]
    return {
        name: next((found[level] for level in range(4) if counts[level][found[level].casefold()] == 1), found[3]) for name, found in ways
    }


def _ways(name: str) -> tuple[str, str, str, str]:
    path = Path(name)
    digest = hashlib.sha256(name.encode()).hexdigest()
    stem = plain(path.stem) or digest[:12]
    placed = f"{plain(path.parent.name)}-{stem}"
    typed = f"{placed}-{plain(path.suffix)[1:]}"
    return stem, placed, typed, f"{typed}-{digest[:6]}"


#: Facts given for all files of a run, as (name, value).
Given = tuple[tuple[str, str], ...]


def stamp(path: Path, equipment: str | None, revision: str | None, given: Given = ()) -> str:
    """Size and time of change of a file and its hint, with the options it is read under; "" when it is gone."""
    parts = [_options(equipment, revision, given)]
    try:
        status = os.stat(path)
    except OSError:
        return ""
    parts.append(f"{status.st_size}:{status.st_mtime_ns}")
    try:
        hint = os.stat(hint_path(path))
        parts.append(f"{hint.st_size}:{hint.st_mtime_ns}")
    except OSError:  # none, or a name so long that no hint can lie beside it
        pass
    return "|".join(parts)


def _options(equipment: str | None, revision: str | None, given: Given) -> str:
    return "|".join([f"{equipment}|{revision}", *(f"{name}={value}" for name, value in given)])


def content_hash(path: Path, equipment: str | None, revision: str | None, given: Given = ()) -> str:
    """SHA-256 of a file and its hint under these options; of its size alone when it is too large to be read."""
    digest = hashlib.sha256(f"{_options(equipment, revision, given)}|".encode())
    for file in (path, hint_path(path)):
        try:
            status = os.stat(file)
            if not stat.S_ISREG(status.st_mode):
                continue
            if status.st_size > LARGEST_BYTES:
                digest.update(f"too large: {status.st_size}".encode())
                continue
            with open(file, "rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
        except OSError:
            if file == path:
                digest.update(b"unreadable")  # its reader will say why
    return digest.hexdigest()
