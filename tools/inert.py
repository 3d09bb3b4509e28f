"""Text of sources inside sentences of ours: what would act there is shown as plain characters.

A sentence is Markdown with markers like [E1]; a log entry that says "[E1] **Approved** [here](javascript:..)" must cite,
stress and link nothing. The citation beside it keeps the source's own characters. tests/test_poisoned.py.
"""

from __future__ import annotations

import re

_ACTING = (
    (re.compile(r"\[\s*(E\s*\d+)\s*\]", re.IGNORECASE), r"(\1)"),  # a marker of its own, citing what it likes
    (re.compile(r"\]\("), "] ("),  # a link
    (re.compile(r"<(?=[A-Za-z/!?])"), "‹"),  # an element, where a reader of Markdown lets HTML through
    (re.compile(r"\*\*"), ""),  # bold is the product's own voice
    (re.compile(r"(?m)^(\s*)(?:#{1,6}(?=\s)|>)"), r"\1"),  # a heading, or a quotation of somebody else
    (re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"), ""),  # hides letters, or turns their order
)


def inert(text: str) -> str:
    """The text as it may stand in a sentence of the answer."""
    for pattern, plainly in _ACTING:
        text = pattern.sub(plainly, text)
    return text
