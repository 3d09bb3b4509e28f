"""The register of controlled documents: every step of their life, with rights, signatures, trail and sources.

It holds `life` (the rules) against `store` (what is kept), asks the `Verifier` for the second component of a
signature, has the PDF rendered before anything is written, and keeps the index in step: a published procedure answers
questions, a superseded or retired one stops at once. A withdrawal changes the index first and the register second, a
publication the other way round, so that a process killed between the two leaves nothing effective that is not;
`reconcile` completes it. tests/test_register.py.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tools.access import Caller
from tools.documents import editing, publishing
from tools.documents.life import PROCEDURES, Refusal, Step, decide, may_edit, said
from tools.documents.proof import Proof
from tools.documents.rendering import Signature, render, template_sha256
from tools.documents.signatures import REFUSED, Manifest, Signed, Verifier
from tools.documents.store import Change, DocumentStore, Kept, told_of
from tools.documents.trail import Draft as TrailDraft
from tools.documents.tree import Document

if TYPE_CHECKING:
    from retrieval.index import Index

#: How long a PDF that was prepared for signing may be signed.
SIGNING_MINUTES = 15

Renderer = Callable[[Document, str, Sequence[Signature]], bytes]


class Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True)
class Signing:
    """A signature that a person is about to give: what it will say, the token that names it, and the PDF shown."""

    token: str
    document: str
    revision: int
    version: int
    pdf: bytes
    expires: datetime


class Register:
    """The documents of one plant. Every method that changes something is one transaction with its trail entries.

    `clock` gives the real time (aware) for signatures and trail, also where a demo's present stands still. Methods
    raise Refusal for what the life does not allow and Unavailable when store, renderer or index fail."""

    def __init__(
        self,
        store: DocumentStore,
        verifier: Verifier,
        clock: Clock,
        index: Callable[[], Index],
        renderer: Renderer = render,
        zone: Callable[[], tzinfo] = lambda: UTC,
        present: Clock | None = None,
    ) -> None:
        self.store = store
        self._verifier = verifier
        self._clock = clock
        self._index = index
        self._render = renderer
        self._zone = zone
        self._present = present or clock  # the plant's now: a demo's stands still, and what is published is in force in it

    # -- drafts

    def keep(self, document: Document, proof: Proof, caller: Caller, occasion: str = "") -> Document:
        """Number a new draft and keep it. `occasion` names what a schedule made it for; each is kept once."""
        at = self._clock().isoformat(timespec="seconds")
        with self.store.change() as change:
            if occasion and change.db.execute("SELECT 1 FROM revisions WHERE occasion = ?", (occasion,)).fetchone():
                raise Refusal("conflict", "This report was already made.")
            named = replace(document, id=change.next_id(document.created[:4]), status="draft", revision="1")
            self._kept(change, named, proof, caller, at, "drafted", (caller.user,), 1, occasion)
        return named

    def _kept(self, change: Change, document: Document, proof: Proof, caller: Caller, at: str, action: str,
              authors: tuple[str, ...], revision: int, occasion: str = "", reason: str = "") -> Kept:  # fmt: skip
        tree, blob = change.blob(document.canonical().encode()), change.blob(json.dumps(proof, ensure_ascii=False, sort_keys=True).encode())
        lines = tuple(document.lines) or None
        kept = change.put(Kept(
            document.id, revision, "draft", 1, document.kind, document.title, at, at, authors, lines, tree, blob, occasion=occasion
        ))  # fmt: skip
        change.entries.append(_entry(caller, at, action, kept, {}, told_of(kept), reason))
        return kept

    def edit(self, identity: str, caller: Caller, title: str, text: str, version: int | None = None, reason: str = "") -> Kept:
        """Replace the words of one section by a person's. Figures, tables, steps and quotations stay bound to their
        evidence; the words are marked as that person's, who becomes an author."""
        at = self._clock()
        with self.store.change() as change:
            kept = self._current(change, identity, version)
            may_edit(kept.state, caller.role)
            document = self.store.tree(kept)
            edited, before = editing.replaced(document, title, text, caller.name, at.date().isoformat())
            tree = change.blob(replace(edited, status="draft", revision=document.revision).canonical().encode())
            authors = kept.authors if caller.user in kept.authors else (*kept.authors, caller.user)
            after = change.put(replace(kept, tree=tree, authors=authors, version=kept.version + 1, changed=_iso(at)))
            change.entries.append(_entry(
                caller, _iso(at), "edited", after, {**told_of(kept), "section": title, "text": before},
                {**told_of(after), "section": title, "text": text}, reason,
            ))  # fmt: skip
        return after

    def revise(self, identity: str, caller: Caller, reason: str = "") -> Kept:
        """A new draft revision with the content of the newest one, beside the one that is in force."""
        if caller.role == "administrator":
            raise Refusal("not_allowed", "An administrator manages users and settings and sees no plant data.")
        at = self._clock().isoformat(timespec="seconds")
        with self.store.change() as change:
            latest = self._current(change, identity, None)
            if latest.state not in ("effective", "retired", "approved"):
                raise Refusal("conflict", f"{latest.label} is {said(latest.state)}; finish it before making another revision.")
            document = replace(self.store.tree(latest), status="draft", revision=str(latest.revision + 1))
            proof = self.store.proof(latest)
            return self._kept(change, document, proof, caller, at, "revised", (caller.user,), latest.revision + 1, reason=reason)

    # -- steps

    def prepare(self, identity: str, caller: Caller, meaning: str = "", reason: str = "") -> Signing:
        """The PDF exactly as an approval would keep it, rendered for this person to look at and then sign."""
        kept = self._known(identity)
        step = decide("approve", kept.state, caller.user, caller.role, kept.authors, reason)
        at = self._clock()
        meaning = meaning.strip() or step.meaning
        pdf = self._approved_pdf(kept, caller, at, meaning, reason)
        token = secrets.token_urlsafe(16)
        with self.store.change() as change:
            limit = (at - timedelta(minutes=SIGNING_MINUTES)).isoformat(timespec="seconds")
            change.forget_prepared("at < ?", limit)
            row = (token, kept.document, kept.revision, kept.version, caller.user, meaning, reason, _iso(at), change.blob(pdf))
            change.db.execute(f"INSERT INTO prepared VALUES ({', '.join('?' * 9)})", row)
        return Signing(token, kept.document, kept.revision, kept.version, pdf, at + timedelta(minutes=SIGNING_MINUTES))

    def prepared(self, token: str, caller: Caller) -> tuple[Any, ...]:
        """(document, revision, version, meaning, reason, at, pdf blob) of this person's own preparation."""
        rows = self.store.rows(
            "SELECT document, revision, version, meaning, reason, at, pdf, user, token FROM prepared WHERE token = ?", (token,)
        )
        if not rows or rows[0][7] != caller.user or not hmac.compare_digest(rows[0][8], token):
            raise Refusal("missing", "There is nothing prepared for signing under this token.")
        if datetime.fromisoformat(rows[0][5]) + timedelta(minutes=SIGNING_MINUTES) < self._clock():
            raise Refusal("conflict", "The time to sign what was shown has passed; look at it again.")
        return rows[0][:7]

    def take(self, name: str, identity: str, caller: Caller, *, version: int | None = None, meaning: str = "",
             reason: str = "", password: str | None = None, signing: str = "") -> Kept:  # fmt: skip
        """Take a step (`life.STEPS`) with the newest revision that it concerns. A step that needs a signature needs the
        person's password; where one is given with another step, that step is signed too."""
        kept = self._concerned(name, identity)
        if version is not None and version != kept.version:
            raise Refusal("conflict", f"{kept.label} was changed meanwhile (version {kept.version}); look at it again.")
        step = decide(name, kept.state, caller.user, caller.role, kept.authors, reason)
        pdf, shown = b"", self.prepared(signing, caller) if signing else None
        if shown is not None:
            meaning, reason = shown[3], shown[4]
            if (kept.document, kept.revision, kept.version) != tuple(shown[:3]):
                raise Refusal("conflict", f"{kept.label} was changed since it was shown for signing; look at it again.")
        at = self._clock()
        if step.signed or password is not None:
            self._second_component(name, kept, caller, password, at)
        meaning = meaning.strip() or step.meaning
        if step.signed:
            pdf = self.store.blob(shown[6]) if shown is not None else self._approved_pdf(kept, caller, at, meaning, reason)
        gone = [r for r in self.store.revisions(kept.document) if r.state == "effective" and r.revision != kept.revision]
        with self._sources_in_step(name, kept, gone), self.store.change() as change:
            after = self._taken(change, name, step, kept, caller, at, meaning, reason, pdf, password is not None)
        if name == "publish" and after.kind in PROCEDURES:
            self._publish(after)
        return after

    @contextmanager
    def _sources_in_step(self, name: str, kept: Kept, gone: Sequence[Kept]) -> Iterator[None]:
        """Take out of the index what this step ends, before it is committed; put it back when it is not."""
        ended = {"retire": [kept], "publish": list(gone)}.get(name, []) if kept.kind in PROCEDURES else []
        try:
            for old in ended:
                publishing.withdraw(self._index(), old)
            yield
        except BaseException:
            if ended:
                self.reconcile()
            raise

    def _taken(self, change: Change, name: str, step: Step, kept: Kept, caller: Caller, at: datetime, meaning: str,
               reason: str, pdf: bytes, signed: bool) -> Kept:  # fmt: skip
        """The step inside its transaction. Another may have been quicker: what was decided on must still stand."""
        if change.get(kept.document, kept.revision) != kept:
            raise Refusal("conflict", f"{kept.label} was changed meanwhile; look at it again.")
        after = replace(kept, state=step.target, version=kept.version + 1, changed=_iso(at))
        if pdf:
            after = replace(after, pdf=change.blob(pdf), template=template_sha256())
        change.put(after)
        told = told_of(after)
        if signed:
            told["signature"] = change.sign(_signed(after.manifest, name, caller, at, meaning, reason)).number
            told["manifest"] = after.manifest.sha256
        change.entries.append(_entry(caller, _iso(at), name, after, told_of(kept), told, reason))
        if name == "publish":
            for old in [r for r in change.revisions(kept.document) if r.state == "effective" and r.revision != kept.revision]:
                new = change.put(replace(old, state="superseded", version=old.version + 1, changed=_iso(at)))
                change.entries.append(_entry(caller, _iso(at), "superseded", new, told_of(old), told_of(new), f"by {after.label}"))
        change.forget_prepared("document = ?", kept.document)
        return after

    def _second_component(self, name: str, kept: Kept, caller: Caller, password: str | None, at: datetime) -> None:
        """Raises Refusal, and leaves a trail, unless the password is this person's own."""
        if password is None:
            raise Refusal("not_allowed", f"To {name} a document you sign it: enter your own password.")
        outcome = self._verifier.check_signer(caller.user, password, at)
        if outcome == "verified":
            return
        with self.store.change() as change:
            change.entries.append(_entry(
                caller, _iso(at), "signature_refused", kept, {}, {"step": name, "outcome": outcome}, REFUSED[outcome]
            ))  # fmt: skip
        raise Refusal("not_allowed", REFUSED[outcome])

    def _approved_pdf(self, kept: Kept, caller: Caller, at: datetime, meaning: str, reason: str) -> bytes:
        document = replace(self.store.tree(kept), status="approved")
        return self._render(document, "pdf", (Signature(f"{caller.name} ({caller.role})", self._printed(at), meaning, reason),))

    def _printed(self, at: datetime) -> str:
        """The time of a signature as it is printed: plant time, with its offset."""
        return at.astimezone(self._zone()).isoformat(sep=" ", timespec="seconds")

    # -- sources for answers

    def _publish(self, kept: Kept) -> None:
        from_day = min(date.fromisoformat(kept.changed[:10]), self._present().date())
        publishing.publish(
            self._index(), self.folder_of_sources, kept, self.store.tree(kept), self.store.blob(kept.pdf), self.store.proof(kept), from_day
        )

    @property
    def folder_of_sources(self) -> Path:
        return self.store.folder / "published"

    def reconcile(self) -> list[str]:
        """Bring the index in step with the register, after a killed process or a new index; returns what was mended."""
        mended, index = [], self._index()
        known = {(info.document, info.revision): info.status for info in index.documents()}
        for kept in self.store.every():
            if kept.kind not in PROCEDURES:
                continue
            status = known.get((kept.document, str(kept.revision)))
            if kept.state == "effective" and status != "effective":
                self._publish(kept)
                mended.append(kept.label)
            elif kept.state != "effective" and status in ("effective", "pending"):
                publishing.withdraw(index, kept)
                mended.append(kept.label)
        return mended

    # -- reading

    def pdf(self, kept: Kept) -> bytes:
        """The stored bytes once approved; before that, rendered as it stands."""
        return self.store.blob(kept.pdf) if kept.pdf else self._render(self.store.tree(kept), "pdf", ())

    def rendered(self, kept: Kept, form: str) -> bytes:
        """A revision in a format (`rendering.FORMATS`), with its signatures. Raises KeyError for another form."""
        if form == "pdf":
            return self.pdf(kept)
        signed = [
            Signature(f"{s.name} ({s.role})", self._printed(datetime.fromisoformat(s.at)), s.meaning, s.reason)
            for s in self.store.signatures(kept.document, kept.revision)
        ]
        return self._render(self.store.tree(kept), form, signed)

    def _known(self, identity: str) -> Kept:
        kept = self.store.get(identity)
        if kept is None:
            raise Refusal("missing", f"There is no document {identity}.")
        return kept

    def _concerned(self, name: str, identity: str) -> Kept:
        """The newest revision; to retire, the one in force, which a newer draft does not hide."""
        newest = self._known(identity)
        if name == "retire":
            return next((kept for kept in self.store.revisions(identity) if kept.state == "effective"), newest)
        return newest

    def _current(self, change: Change, identity: str, version: int | None) -> Kept:
        kept = change.get(identity)
        if kept is None:
            raise Refusal("missing", f"There is no document {identity}.")
        if version is not None and version != kept.version:
            raise Refusal("conflict", f"{kept.label} was changed meanwhile (version {kept.version}); look at it again.")
        return kept


@dataclass(frozen=True)
class Shelf:
    """The register for one occasion of a schedule: the draft that it keeps is the one made for that occasion."""

    register: Register
    occasion: str

    def keep(self, document: Document, proof: Proof, caller: Caller) -> Document:
        return self.register.keep(document, proof, caller, self.occasion)


def _signed(manifest: Manifest, step: str, caller: Caller, at: datetime, meaning: str, reason: str) -> Signed:
    return Signed(0, manifest.document, manifest.revision, step, caller.user, caller.name, caller.role, caller.via, _iso(at),
                  meaning, reason, manifest.sha256)  # fmt: skip


def _entry(caller: Caller, at: str, action: str, kept: Kept, old: dict[str, Any], new: dict[str, Any], reason: str) -> TrailDraft:
    return TrailDraft(
        at, caller.user, caller.name, caller.role, caller.via, action, kept.document, str(kept.revision), old, new, reason.strip()
    )


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
