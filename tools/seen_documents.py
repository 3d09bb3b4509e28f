"""The index as one caller may see it: documents of other classes and kinds are not there, whatever is asked.

`registry.Call` puts it between every tool and the index, so that what a role may not read is left out before anything is
searched, ranked or counted. Its methods are those of `retrieval.index.Index`. tests/test_policy.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tools.access import Caller, Policy, Shelf

if TYPE_CHECKING:
    from retrieval.index import AlarmEntry, DocumentInfo, Hit, Index, Passage

#: Kinds that `Index.procedures` and an unrestricted search may give, to be cut to a shelf that names kinds.
_MORE = 3


def seen_by(index: Any, caller: Caller, policy: Policy) -> Any:
    """The index for this caller; one that is already a caller's view is cut again from the whole."""
    if index is None:
        return None
    whole = index.whole if isinstance(index, SeenIndex) else index
    return SeenIndex(whole, policy.shelf(caller))


@dataclass(frozen=True)
class SeenIndex:
    """`Index`, read only, without what does not stand on the shelf."""

    whole: Index
    shelf: Shelf

    def generation(self) -> int:
        return self.whole.generation()

    def search(self, query: str, k: int = 8, *, kinds: Sequence[str] = (), **filters: Any) -> list[Hit]:
        allowed = self.shelf.kinds
        if not self.shelf.access or (allowed is not None and kinds and not allowed & set(kinds)):
            return []
        wanted = tuple(kinds) if allowed is None else tuple(sorted(allowed & set(kinds) if kinds else allowed))
        return self.whole.search(query, k, kinds=wanted, **{**filters, "access": self.shelf.access})

    def procedures(self, task: str, *, k: int = 5, **filters: Any) -> list[Hit]:
        if not self.shelf.access:
            return []
        deep = k if self.shelf.kinds is None else _MORE * k
        hits = self.whole.procedures(task, k=deep, **{**filters, "access": self.shelf.access})
        return [hit for hit in hits if self._holds(hit.passage)][:k]

    def alarm(self, code: str, **filters: Any) -> list[AlarmEntry]:
        if not self.shelf.access:
            return []
        return [entry for entry in self.whole.alarm(code, **{**filters, "access": self.shelf.access}) if self._holds(entry.passage)]

    def documents(self, on: date | None = None) -> list[DocumentInfo]:
        return [info for info in self.whole.documents(on) if self.shelf.holds(info.kind, info.access)]

    def document(self, document: str, revision: str | None = None) -> DocumentInfo:
        """Raises KeyError, also for a document that this caller must not know."""
        info = self.whole.document(document, revision)
        if not self.shelf.holds(info.kind, info.access):
            raise KeyError(document)
        return info

    def passages(self, document: str, revision: str | None = None, *, every: bool = False) -> list[Passage]:
        return [passage for passage in self.whole.passages(document, revision, every=every) if self._holds(passage)]

    def _holds(self, passage: Passage) -> bool:
        return self.shelf.holds(passage.kind, passage.access)
