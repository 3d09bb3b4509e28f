"""Documents: drafts from declared kinds, kept as canonical trees, rendered to Markdown, HTML, PDF and DOCX."""

from tools.documents.drafting import draft_document
from tools.documents.kinds import kinds
from tools.documents.rendering import FORMATS, Signature, render, template_sha256
from tools.documents.store import open_document
from tools.documents.tree import Document

__all__ = ["FORMATS", "Document", "Signature", "draft_document", "kinds", "open_document", "render", "template_sha256"]
