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

from retrieval.catalogue import Vectors
from retrieval.passages import IndexUnavailable

_BATCH = 2000


class Dense:
    """The collections in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._client = self._open()
        except Exception:  # whatever Chroma makes of torn files: it is derived, so it is made again
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._client = self._open()
        self._collections: dict[str, Any] = {}

    def _open(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        return chromadb.PersistentClient(
            path=str(self._folder), settings=Settings(anonymized_telemetry=False, allow_reset=False)
        )

    def _collection(self, access: str) -> Any:
        if access not in self._collections:
            slug = re.sub(r"[^a-z0-9]+", "-", access.lower()).strip("-")[:30] or "class"
            name = f"{slug}-{hashlib.sha256(access.encode()).hexdigest()[:8]}"
            self._collections[access] = self._client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "ip"}}
            )
        return self._collections[access]

    def count(self, access: str) -> int:
        return int(self._collection(access).count())

    def ids(self, access: str) -> set[str]:
        return set(self._collection(access).get(include=[])["ids"])

    def add(self, access: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; `vectors` is (n, dimension) float32, L2-normalised."""
        try:
            for start in range(0, len(ids), _BATCH):
                end = start + _BATCH
                self._collection(access).upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])
        except Exception as error:
            raise IndexUnavailable(f"The vector index cannot be written now: {error}.") from error

    def remove(self, access: str, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            self._collection(access).delete(ids=list(ids[start : start + _BATCH]))

    def search(self, vector: Vectors, access: Collection[str], limit: int) -> list[tuple[str, float]]:
        """(passage id, cosine), best first, over all the classes named; `vector` is (dimension,)."""
        found: list[tuple[str, float]] = []
        for name in access:
            collection = self._collection(name)
            size = collection.count()
            if not size:
                continue
            result = collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=min(limit, size), include=["distances"]
            )
            found += [(i, 1.0 - float(d)) for i, d in zip(result["ids"][0], result["distances"][0], strict=True)]
        return sorted(found, key=lambda pair: -pair[1])[:limit]
