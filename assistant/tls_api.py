"""The plant authority's certificate for tablets to install: it is no secret, and the only file of its folder that is
given out. tests/test_tls.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from assistant.problems import NotFound
from assistant.tls import AUTHORITY_PATH, files_of


def add(app: FastAPI, assistant: Any) -> None:
    """Put the route of the authority on the application."""

    async def authority() -> Response:
        """The certificate of the plant's authority; compare its SHA-256 before you trust it."""
        file = files_of(Path(assistant.settings.home)).authority
        if not file.is_file():
            raise NotFound("This plant has no authority of its own; `andon tls init` makes one.")
        return FileResponse(file, media_type="application/x-x509-ca-cert", filename="plant-ca.crt")

    app.add_api_route(AUTHORITY_PATH, authority, methods=["GET"], name="tls_authority", response_model=None)
