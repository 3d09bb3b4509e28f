"""`andon tls init`: the plant's authority, a certificate for this service, and a QR code for the tablets. tests/test_tls.py."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant import cli
from assistant import settings as settings_module
from assistant.cli import JsonFlag

app: typer.Typer = typer.Typer(no_args_is_help=True, help="TLS: a certificate of the plant's own, so that tablets may use the microphone.")


@app.callback()
def _tls() -> None:
    """TLS: a certificate of the plant's own, so that tablets may use the microphone."""


@app.command("init")
def tls_init(
    name: Annotated[
        list[str] | None, typer.Option("--name", help="a host name or IP address by which tablets reach this machine; several")
    ] = None,
    port: Annotated[int | None, typer.Option(help="the port that tablets use; the setting's without it")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a plant authority and a certificate (or renew the certificate), and print a QR code for the tablets."""
    from assistant import tls

    with cli._explained(as_json):
        settings = settings_module.load(settings_module.create_home())
        names = tuple(name or ()) or tls.own_names()
        files = tls.make(settings.home, names)
        first = next(iter(names), "localhost")
        address = f"https://{f'[{first}]' if ':' in first else first}:{port or settings.port}"
        known = sorted(tls.names_in(files.certificate))
        authority = f"{address}{tls.AUTHORITY_PATH}"
        if as_json:
            cli._print({
                "authority": str(files.authority), "certificate": str(files.certificate), "key": str(files.key), "names": known,
                "fingerprint": tls.fingerprint(files.authority), "address": address, "authority_address": authority,
            })  # fmt: skip
            return
        cli.out.print(f"Certificate for {', '.join(known)}: {files.certificate}", markup=False)
        cli.out.print(f"Plant authority, to be trusted by each tablet once: {files.authority}", markup=False)
        cli.out.print(f"  SHA-256 {tls.fingerprint(files.authority)}", markup=False, soft_wrap=True)
        _show_code(authority)
        cli.out.print(
            f"Serve with `andon serve --host 0.0.0.0`. On each tablet scan the code, compare the SHA-256, install the authority, then open {address}/",
            markup=False,
        )


def _show_code(address: str) -> None:
    """The QR code of an address, in the terminal."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(address, micro=False).terminal(out=drawn, compact=True)
    cli.out.print(drawn.getvalue(), markup=False, highlight=False)
    cli.out.print(address, markup=False)
