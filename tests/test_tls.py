"""A plant's own authority: a handshake that trusts it, renewal that keeps it, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from assistant import tls, tls_api
from assistant.problems import BadSettings, Conflict, NotAllowed
from assistant.serving import certificate_of, refuse_exposed


def settings(home, host="10.0.0.5", cert=None, key=None, demo=False):
    return SimpleNamespace(home=home, host=host, tls_cert=cert, tls_key=key, demo=demo)


def greeted(files, name, authority):
    """What a client that trusts only `authority` receives from a server with these files, asked for by a name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        try:
            with server.wrap_socket(connection, server_side=True) as line:
                line.sendall(b"hello")
        except (ssl.SSLError, OSError):
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    client = ssl.create_default_context(cafile=str(authority))
    with socket.create_connection(listener.getsockname(), timeout=10) as plain, client.wrap_socket(plain, server_hostname=name) as line:
        return line.recv(10)


def test_a_tablet_that_trusts_the_authority_reaches_every_name_and_no_other(tmp_path):
    files = tls.make(tmp_path, ["andon.plant.test", "10.0.0.5"])
    for name in ("andon.plant.test", "10.0.0.5", "localhost"):
        assert greeted(files, name, files.authority) == b"hello"
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(files, "other.plant.test", files.authority)
    other = tls.make(tmp_path / "other", ["andon.plant.test"])
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(files, "andon.plant.test", other.authority)


def test_keys_are_their_owner_s_alone_and_renewal_keeps_the_authority(tmp_path):
    files = tls.make(tmp_path, ["andon.plant.test"])
    for path in (files.key, files.authority_key):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    before, old = tls.fingerprint(files.authority), files.certificate.read_bytes()
    tls.make(tmp_path, ["andon.plant.test", "andon2.plant.test"])
    assert tls.fingerprint(files.authority) == before
    assert files.certificate.read_bytes() != old
    assert tls.names_in(files.certificate) == {"andon.plant.test", "andon2.plant.test", "localhost", "127.0.0.1"}
    assert greeted(files, "andon2.plant.test", files.authority) == b"hello"


def test_an_authority_in_half_is_not_made_anew(tmp_path):
    files = tls.make(tmp_path, ["andon.plant.test"])
    files.authority_key.unlink()
    with pytest.raises(Conflict, match="half"):
        tls.make(tmp_path, ["andon.plant.test"])


@pytest.mark.parametrize("name", ["", "two words", "-x.test", "a..b", "x" * 70, "https://plant", "*.plant.test"])
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(BadSettings):
        tls.make(tmp_path, [name])


def test_what_is_wrong_with_a_certificate_is_said(tmp_path):
    files, other = tls.make(tmp_path, ["a.test"]), tls.make(tmp_path / "b", ["b.test"])
    now = datetime.now(UTC)
    assert tls.trouble_with(files.certificate, files.key) == ""
    assert "valid from" in tls.trouble_with(files.certificate, files.key, now + timedelta(days=tls.CERTIFICATE_DAYS + 1))
    assert "belong" in tls.trouble_with(files.certificate, other.key)
    assert "cannot be read" in tls.trouble_with(tmp_path / "none.crt", files.key)
    assert tls.expires_soon(files.certificate) == ""
    assert "andon tls init" in tls.expires_soon(files.certificate, now + timedelta(days=tls.CERTIFICATE_DAYS - 5))


def test_others_are_served_with_tls_and_never_with_the_demo_s_passwords(tmp_path):
    people = SimpleNamespace(has_demo_passwords=lambda: False)
    with pytest.raises(NotAllowed, match="tls init"):
        refuse_exposed(SimpleNamespace(settings=settings(tmp_path), store=people))
    files = tls.make(tmp_path, ["10.0.0.5"])
    refuse_exposed(SimpleNamespace(settings=settings(tmp_path), store=people))
    assert certificate_of(settings(tmp_path)) == (files.certificate, files.key)
    assert certificate_of(settings(tmp_path, host="127.0.0.1")) is None
    with pytest.raises(NotAllowed, match="passwords"):
        refuse_exposed(SimpleNamespace(settings=settings(tmp_path, demo=True), store=people))
    with pytest.raises(BadSettings, match="together"):
        certificate_of(settings(tmp_path, cert=files.certificate))


def test_the_command_prints_a_code_and_the_service_gives_out_the_authority_alone(tmp_path, monkeypatch):
    from assistant.cli import app as commands

    monkeypatch.setenv("ANDON_HOME", str(tmp_path))
    shown = json.loads(CliRunner().invoke(commands, ["tls", "init", "--name", "andon.plant.test", "--port", "8443", "--json"]).stdout)
    assert shown["names"] == ["127.0.0.1", "andon.plant.test", "localhost"]
    assert shown["address"] == "https://andon.plant.test:8443"
    drawn = CliRunner().invoke(commands, ["tls", "init", "--name", "andon.plant.test"]).stdout
    assert shown["fingerprint"] in drawn.replace("\n", "")
    assert "▄" in drawn
    service = FastAPI()
    tls_api.add(service, SimpleNamespace(settings=settings(tmp_path)))
    with TestClient(service) as client:
        given = client.get("/plant-ca.crt")
        assert given.content == (tmp_path / "tls" / "plant-ca.crt").read_bytes()
        assert b"PRIVATE" not in given.content
