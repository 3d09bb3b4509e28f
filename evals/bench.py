"""What the product costs on this machine: medians and per-stage shares of warm questions, readiness and memory of a real
server process, the SQL gate, search at the size of this index, the planner model. It prints the machine first; a busy one
is said so."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from assistant.app import Ask
from evals import bench_data, bench_knowledge
from evals.bench_documents import documents
from evals.bench_llm import llm
from evals.bench_voice import voice
from evals.cases import Case, load
from evals.plant import Demo, demo
from evals.scoreboard import machine
from evals.suites import STAGES
from evals.wake import wake

#: Tools whose answers come from the database alone, and from the documents.
DATA_TOOLS = ("query_metrics", "list_records", "trace_material")
DOCUMENT_TOOLS = ("search_documents", "get_procedure", "explain_alarm")
QUESTIONS = 24
GOALS = {"typed data question": 500.0, "document question": 700.0, "ready": 15.0, "resident": 2048.0, "core-milliseconds": 200.0}
READY_WITHIN_S = 90.0


def run(
    chosen: Sequence[str], tell: Callable[[str], None], sizes: Sequence[int] = bench_data.SIZES,
    passages: Sequence[int] = bench_knowledge.SIZES,
) -> dict[str, Any]:  # fmt: skip
    """The chosen benches, as one value: machine, and rows of (what, value, unit, goal) by bench. `sizes` are the tables'
    rows of the data bench, `passages` the corpora of the knowledge bench."""
    where = machine()
    found: dict[str, list[dict[str, Any]]] = {}
    served: dict[str, list[dict[str, Any]]] | None = None
    for name in chosen:
        tell(name)
        if name == "data":
            found[name] = bench_data.rows(sizes, tell)
        elif name in ("startup", "memory"):
            served = served or _server()
            found[name] = served[name]
        else:
            with demo() as plant:
                found[name] = _BENCHES[name](plant)
                if name == "knowledge":
                    found[name] += bench_knowledge.rows(plant.assistant.settings.home / "demo" / "manuals", passages, tell)
    return {"machine": where, "benches": found}


def _row(what: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "value": round(value, 2), "unit": unit, "goal": goal}


def _chosen(cases: Sequence[Case], tools: Sequence[str]) -> list[Case]:
    fit = [c for c in cases if c.tool in tools and c.status == ("answered",) and not c.context]
    step = max(1, len(fit) // QUESTIONS)
    return fit[::step][:QUESTIONS]


def answers(plant: Demo) -> list[dict[str, Any]]:
    """Warm questions through the whole assistant: medians, 95th percentiles, the share of each stage, processor time."""
    plant.assistant.warm()
    cases, rows = load(), []
    for name, tools in (("typed data question", DATA_TOOLS), ("document question", DOCUMENT_TOOLS)):
        chosen = _chosen(cases, tools)
        timed = [_timed(plant, case) for _ in range(2) for case in chosen][len(chosen) :]  # the first round warms
        walls = [wall for wall, _, _ in timed]
        total = sum(sum(ms.get(s, 0.0) for s in STAGES[:-1]) for _, _, ms in timed) or 1.0
        rows.append(_row(f"{name}, median of {len(timed)}", statistics.median(walls), "ms", GOALS[name]))
        rows.append(_row(f"{name}, 95th percentile", sorted(walls)[int(0.95 * (len(walls) - 1))], "ms"))
        rows.append(_row(f"{name}, processor time, median", statistics.median(cpu for _, cpu, _ in timed), "core-ms", GOALS["core-milliseconds"]))
        for stage in STAGES[:-1]:
            rows.append(_row(f"{name}, share of {stage}", 100 * sum(ms.get(stage, 0.0) for _, _, ms in timed) / total, "%"))
    return rows


def _timed(plant: Demo, case: Case) -> tuple[float, float, Mapping[str, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = plant.assistant.ask(Ask(case.question, case.user, case.equipment))
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu), answer["ms"]


def sql(plant: Demo) -> list[dict[str, Any]]:
    """The gate's decision on an unseen and on a known statement, beside what parsing alone costs, and a statement through
    gate and engine."""
    from tools.sql import Statement, check
    from tools.sql.measure import measure

    assistant = plant.assistant
    grants = assistant.plant.grants(assistant.caller("eve"))
    unseen, known, through = [], [], []
    for number in range(40):
        text = f"SELECT equipment_id, SUM(good) AS good FROM production_hours WHERE produced > {number} GROUP BY equipment_id"
        statement = Statement(text, purpose="free")
        unseen.append(_ms(lambda s=statement: check(s, grants, assistant.plant.database.dialect)))
        known.append(_ms(lambda s=statement: check(s, grants, assistant.plant.database.dialect)))
    for number in range(5):
        text = f"SELECT COUNT(*) AS n FROM alarm_events WHERE severity <> 'x{number}'"
        through.append(_ms(lambda t=text: assistant.plant.database.run(Statement(t, purpose="free"), grants)))
    text = "SELECT l.name, SUM(p.good) AS good FROM production_hours p JOIN equipment e ON e.equipment_id = p.equipment_id JOIN lines l ON l.line_id = e.line_id WHERE p.hour_start >= '2026-01-01' GROUP BY l.name ORDER BY good DESC"
    cost = measure(Statement(text), grants, assistant.plant.database.dialect, rounds=60)
    return [
        _row("cold decision, in units of parse + qualify + generate + parse", cost.ratio, "", 1.5),
        _row("cached decision", cost.cached_ms, "ms", 0.3),
        _row("decision, unseen statement, median of 40", statistics.median(unseen), "ms"),
        _row("decision, known statement, median of 40", statistics.median(known), "ms"),
        _row("free SQL, decided and run, median of 5", statistics.median(through), "ms"),
    ]


def knowledge(plant: Demo) -> list[dict[str, Any]]:
    """Search at this index's size."""
    index = plant.assistant.index
    questions = [case.question for case in load() if case.tool in DOCUMENT_TOOLS][:60]
    index.search("warm up", 8)
    times = [_ms(lambda q=question: index.search(q, 8)) for question in questions]
    size = sum(len(index.passages(d.document, d.revision, every=True)) for d in index.documents() if d.status == "effective")
    return [
        _row("passages in the index", size, ""),
        _row(f"search, median of {len(times)}", statistics.median(times), "ms"),
        _row("search, 95th percentile", sorted(times)[int(0.95 * (len(times) - 1))], "ms"),
    ]


def _ms(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - started)


_BENCHES: dict[str, Callable[[Demo], list[dict[str, Any]]]] = {"answers": answers, "sql": sql, "knowledge": knowledge, "llm": llm, "documents": documents, "voice": voice, "wake": wake}


# The server as a process


def _server() -> dict[str, list[dict[str, Any]]]:
    """Start `andon serve`, wait for /readyz, ask over HTTP, read its resident memory, stop it."""
    with demo() as plant:
        home, port = plant.assistant.settings.home, _free_port()
        command = [sys.executable, "-m", "assistant", "serve", "--port", str(port)]
        environment = {**os.environ, "ANDON_HOME": str(home)}
        started = time.perf_counter()
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                ready = _wait(f"http://127.0.0.1:{port}/readyz", process)
                took = time.perf_counter() - started
                at_rest = _resident_mib(process.pid)
                asked = _ask_over_http(port) if ready else 0
                return {
                    "startup": [_row("serve answers /readyz" if ready else "serve did not become ready", took, "s", GOALS["ready"])],
                    "memory": [
                        _row("resident when ready", at_rest, "MiB", GOALS["resident"]),
                        _row(f"resident after {asked} questions", _resident_mib(process.pid), "MiB", GOALS["resident"]),
                    ],
                }  # fmt: skip
            finally:
                process.terminate()
                process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                if reply.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _ask_over_http(port: int) -> int:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    asked = 0

    def post(path: str, body: Mapping[str, Any]) -> None:
        address = f"http://127.0.0.1:{port}"
        headers = {"Content-Type": "application/json", "Origin": address}
        request = urllib.request.Request(address + path, json.dumps(body).encode(), headers)
        with opener.open(request, timeout=60) as reply:
            reply.read()

    try:
        post("/api/login", {"user": "sam", "password": "andon"})
        for case in _chosen(load(), (*DATA_TOOLS, *DOCUMENT_TOOLS)):
            post("/api/ask", {"question": case.question})
            asked += 1
    except urllib.error.URLError:
        return asked
    return asked


def _resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, MiB."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if int(folder.name) == pid or int(status["PPid"]) == pid:
            total += int(status.get("VmRSS", "0").split()[0])
    return total / 1024


def markdown(board: Mapping[str, Any]) -> str:
    """The figures for people."""
    where = board["machine"]
    lines = [f"Machine: {where['cores']} cores, load {where['load']}, Python {where['python']}, {where['system']}."]
    if where["busy"]:
        lines.append("\n**The machine is busy; times on it say little.**")
    for name, rows in board["benches"].items():
        lines += ["", f"## {name}", "", "| what | value | goal |", "|---|---:|---:|"]
        lines += [f"| {r['what']} | {r['value']:g} {r['unit']} | {'' if r['goal'] is None else 'below ' + format(r['goal'], 'g')} |" for r in rows]
    return "\n".join(lines) + "\n"
