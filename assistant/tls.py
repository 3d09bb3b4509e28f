"""A plant's own certificate authority and the certificate that the service shows to its tablets.

Browsers give the microphone, and pages that work offline, to secure origins only, and no public authority signs names
inside a plant. `make` writes an authority, kept for ten years, and a server certificate of a year for the names and
addresses that tablets use; run again it renews the certificate and keeps the authority, so that no tablet has to be
touched. The authority can sign nothing below it but servers, and keys are readable by their owner alone.
tests/test_tls.py makes a handshake with it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assistant.problems import BadSettings, Conflict

#: Where the service gives out the authority's certificate, which is no secret.
AUTHORITY_PATH = "/plant-ca.crt"
AUTHORITY_DAYS = 3650
#: Apple's devices refuse certificates of more than 825 days, new rules of others of more than 398.
CERTIFICATE_DAYS = 397
#: An old certificate is renewed by `andon tls init`; the service says so this long before its end.
WARN_DAYS = 30
_NAME = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


@dataclass(frozen=True)
class TlsFiles:
    """Where the files of a state folder lie."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "plant-ca.crt"

    @property
    def authority_key(self) -> Path:
        return self.folder / "plant-ca.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"


def files_of(home: Path) -> TlsFiles:
    return TlsFiles(home / "tls")


def make(home: Path, names: Sequence[str], now: datetime | None = None, plant: str = "Andon") -> TlsFiles:
    """Make (or renew) certificate and, where there is none, authority, for host names and IP addresses.

    Raises BadSettings for a name that is none, Conflict when an authority's key is gone or unreadable."""
    at = now or datetime.now(UTC)
    subjects = [_subject(name) for name in dict.fromkeys([*names, "localhost", "127.0.0.1"])]
    files = files_of(home)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if files.authority.exists() != files.authority_key.exists():
        raise Conflict(
            "The plant's authority is there in half only; put plant-ca.crt and plant-ca.key back, or remove both and set up the tablets anew."
        )
    if not files.authority.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write(files.authority_key, _pem(key))
        _write(files.authority, _authority(key, plant, at).public_bytes(serialization.Encoding.PEM), public=True)
    try:
        signer = serialization.load_pem_private_key(files.authority_key.read_bytes(), None)
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    except ValueError as error:
        raise Conflict("The plant's authority cannot be read; restore plant-ca.crt and plant-ca.key from the backup.") from error
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(key, subjects, authority, signer, at)
    _write(files.key, _pem(key))
    chain = made.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
    _write(files.certificate, chain, public=True)
    return files


def names_in(certificate: Path) -> frozenset[str]:
    """The host names and addresses that a certificate is for. Raises BadSettings when it cannot be read."""
    found = _loaded(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset([*found.get_values_for_type(x509.DNSName), *(str(one) for one in found.get_values_for_type(x509.IPAddress))])


def trouble_with(certificate: Path, key: Path, now: datetime | None = None) -> str:
    """What is wrong with a certificate and its key, as one sentence; "" when they serve. A certificate close to its end
    serves; `expires_soon` tells it."""
    at = now or datetime.now(UTC)
    try:
        found = _loaded(certificate)
        held = serialization.load_pem_private_key(key.read_bytes(), None)
    except (BadSettings, OSError, ValueError, TypeError):
        return f"The certificate {certificate.name} or its key {key.name} cannot be read; name them with --tls-cert and --tls-key, or run `andon tls init`."
    if not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
        return f"The certificate {certificate.name} is valid from {found.not_valid_before_utc:%Y-%m-%d} to {found.not_valid_after_utc:%Y-%m-%d}; renew it with `andon tls init`."
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if held.public_key().public_bytes(*form) != found.public_key().public_bytes(*form):
        return f"The key {key.name} does not belong to the certificate {certificate.name}."
    return ""


def expires_soon(certificate: Path, now: datetime | None = None) -> str:
    """A warning in one sentence when the certificate ends within a month; "" else."""
    until = _loaded(certificate).not_valid_after_utc
    days = (until - (now or datetime.now(UTC))).days
    return f"The certificate {certificate.name} ends on {until:%Y-%m-%d}; `andon tls init` renews it." if days <= WARN_DAYS else ""


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate as tablets show it: pairs of hexadecimal digits."""
    return _loaded(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def own_names() -> tuple[str, ...]:
    """The name of this machine and the address by which the plant's network reaches it, where it has one."""
    found = [socket.gethostname().lower()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: nothing is sent, the system only picks the way out
            found.append(str(probe.getsockname()[0]))
        except OSError:
            pass
    return tuple(name for name in found if _address(name) is not None or _NAME.fullmatch(name))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _subject(name: str) -> x509.GeneralName:
    address = _address(name.strip().strip("[]"))
    if address is not None:
        return x509.IPAddress(address)
    if not _NAME.fullmatch(name.strip().lower()):
        raise BadSettings(f"{name} is neither a host name nor an IP address.")
    return x509.DNSName(name.strip().lower())


def _authority(key: ec.EllipticCurvePrivateKey, plant: str, at: datetime) -> x509.Certificate:
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"{plant[:40]} plant authority"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Andon")]
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1)).not_valid_after(at + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


def _certificate(
    key: ec.EllipticCurvePrivateKey, subjects: Sequence[x509.GeneralName], authority: x509.Certificate, signer: Any, at: datetime
) -> x509.Certificate:
    first = str(subjects[0].value)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    until = min(at + timedelta(days=CERTIFICATE_DAYS), authority.not_valid_after_utc)
    return (
        x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, first[:64])])).issuer_name(authority.subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1)).not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)  # type: ignore[arg-type]
        .sign(signer, hashes.SHA256())
    )  # fmt: skip


def _loaded(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise BadSettings(f"The certificate {certificate.name} cannot be read.") from error


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(path: Path, content: bytes, public: bool = False) -> None:
    """Replace a file in one step; a key is never readable by others, not for a moment."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644 if public else 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, path)
