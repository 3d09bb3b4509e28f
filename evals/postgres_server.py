"""A PostgreSQL server of one's own, from Debian's package: for tests and benches, in a folder that is deleted afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGED = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL with two roles: `owner`, and `reader`, who may only read."""

    folder: Path
    binaries: Path
    as_server: tuple[str, ...]
    port: int

    def url(self, user: str = "reader", database: str = "postgres") -> str:
        return f"postgresql:///{database}?host={self.folder}&port={self.port}&user={user}"

    def control(self, *words: str) -> None:
        command = [*self.as_server, str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), *words]
        # Not a pipe: the server that pg_ctl leaves behind would hold its end open.
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def standby(self) -> Server:
        """A second server that replays this one, started; the caller stops it."""
        folder = self.folder / "standby"
        backup = [str(self.binaries / "pg_basebackup"), "-D", str(folder / "data"), "-R", "-c", "fast", "-d", self.url("owner")]
        folder.mkdir()
        if self.as_server:
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run([*self.as_server, *backup], check=True, capture_output=True, cwd=self.folder)
        other = Server(folder, self.binaries, self.as_server, _free_port())
        other.start()
        return other

    def stop(self) -> None:
        """As by a power cut."""
        self.control("-m", "immediate", "-w", "stop")

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off -c port={self.port}"
            " -c shared_buffers=64MB -c autovacuum=off"
        )
        self.control("-w", "-o", options, "-l", str(self.folder / "log"), "start")


def installed() -> Path | None:
    """The folder of the server's programs; None where PostgreSQL is not installed."""
    found = sorted(PACKAGED.glob("*/bin")) if PACKAGED.exists() else []
    return found[-1] if found else None


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Start a server; it and its data are gone afterwards. Raises FileNotFoundError where PostgreSQL is not installed."""
    binaries = installed()
    if binaries is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    # Under the system's temporary folder: a socket's path may have no more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="andon-pg-"))
    as_server: tuple[str, ...] = ()
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_server = ("runuser", "-u", "postgres", "--")
    server = Server(folder, binaries, as_server, _free_port())
    initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync",
              "--locale", "C"]  # fmt: skip
    try:
        subprocess.run([*as_server, *initdb], check=True, capture_output=True, cwd=folder)
        server.start()
        run_sql(server.url("owner"), "CREATE ROLE reader LOGIN")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_sql(url: str, *statements: str) -> None:
    """Statements as the URL's user, each committed."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
