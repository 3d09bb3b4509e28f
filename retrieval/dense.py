"""The dense half: one Chroma collection per access class, filled with our own vectors.

Derived from the catalogue. Chroma's default embedding function (which would download a model) is never used, and its
telemetry is off. A class that a caller may not read is a collection that is not asked.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.catalogue import Vectors
from retrieval.passages import IndexUnavailable

_BATCH = 2000
#: A class of more passages is not kept here: its graph takes some 2 kB of memory for each and long to make, where the
#: codes of `retrieval/codes.py` take 60 bytes, nothing to make, and answer as quickly.
MOST = 50_000


class Dense:
    """The collections in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._client = self._open()
        except Exception:  # whatever Chroma makes of torn files: it is derived, so it is made again
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._client = self._open()
            except Exception as error:
                raise IndexUnavailable(f"The vector index cannot be made in {folder.name}; the disk may be full.") from error
        self._collections: dict[str, Any] = {}
        self._outgrown: set[str] = set()
        self._sizes: dict[str, int] = {}  # counting costs Chroma as much as a search

    def _open(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        return chromadb.PersistentClient(path=str(self._folder), settings=Settings(anonymized_telemetry=False, allow_reset=False))

    def _collection(self, access: str) -> Any:
        if access not in self._collections:
            slug = re.sub(r"[^a-z0-9]+", "-", access.lower()).strip("-")[:30] or "class"
            name = f"{slug}-{hashlib.sha256(access.encode()).hexdigest()[:8]}"
            self._collections[access] = self._client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "ip"}}
            )
        return self._collections[access]

    def reload(self) -> None:
        """Sees what another process has written."""
        self._sizes.clear()

    def count(self, access: str) -> int:
        return int(self._collection(access).count())

    def holds(self, access: str) -> bool:
        """Whether this class is kept here; one that outgrew MOST is not."""
        return access not in self._outgrown

    def expected(self, access: str, passages: int) -> int:
        """How many of a class's passages have to be here; remembers whether the class is kept here at all."""
        if passages > MOST:
            self._outgrown.add(access)
            return 0
        self._outgrown.discard(access)
        return passages

    def ids(self, access: str) -> set[str]:
        return set(self._collection(access).get(include=[])["ids"])

    def add(self, access: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; `vectors` is (n, dimension) float32, L2-normalised."""
        self._sizes.pop(access, None)
        try:
            for start in range(0, len(ids), _BATCH):
                end = start + _BATCH
                self._collection(access).upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])
        except Exception as error:
            raise IndexUnavailable(f"The vector index cannot be written now: {error}.") from error

    def remove(self, access: str, ids: Sequence[str]) -> None:
        self._sizes.pop(access, None)
        try:
            for start in range(0, len(ids), _BATCH):
                self._collection(access).delete(ids=list(ids[start : start + _BATCH]))
        except Exception as error:
            raise IndexUnavailable(f"The vector index cannot be written now: {error}.") from error

    def is_sound(self, access: str) -> bool:
        """Whether the collection answers. A process killed at the wrong moment leaves one that counts its entries but
        lacks the graph that finds them."""
        try:
            collection = self._collection(access)
            first = collection.get(limit=1, include=["embeddings"])["embeddings"]
            if len(first):
                collection.query(query_embeddings=np.asarray(first, np.float32), n_results=1, include=[])
        except Exception:  # Chroma's errors have no common kind; whatever it is, the collection is made again
            return False
        return True

    def clear(self, access: str) -> None:
        """Makes the collection anew, empty. Raises IndexUnavailable when that is not possible."""
        self._sizes.pop(access, None)
        try:
            self._client.delete_collection(self._collection(access).name)
            self._collections.pop(access, None)
            self._collection(access)
        except Exception as error:
            raise IndexUnavailable(f"The vector index cannot be mended: {error}.") from error

    def search(self, vector: Vectors, access: Collection[str], limit: int) -> list[tuple[str, float]]:
        """(passage id, cosine), best first, over all the classes named; `vector` is (dimension,)."""
        found: list[tuple[str, float]] = []
        for name in access:
            size = self._sizes.get(name) or self.count(name)
            if not size:
                continue
            self._sizes[name] = size
            result = self._collection(name).query(query_embeddings=vector.reshape(1, -1), n_results=min(limit, size), include=["distances"])
            found += [(i, 1.0 - float(d)) for i, d in zip(result["ids"][0], result["distances"][0], strict=True)]
        return sorted(found, key=lambda pair: -pair[1])[:limit]
