"""What a decision of the gate costs, beside what parsing alone costs, for the benchmark and the decision record."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import Dialect
from sqlglot.optimizer.qualify import qualify

from tools.sql.database import check
from tools.sql.gate import compile_statement
from tools.sql.lists import DIALECTS
from tools.sql.values import Grants, Statement


@dataclass(frozen=True)
class Cost:
    """Medians in milliseconds of processor time: the yardstick (parse, qualify, generate, parse), a cold and a cached
    decision."""

    yardstick_ms: float
    cold_ms: float
    cached_ms: float

    @property
    def ratio(self) -> float:
        """A cold decision in units of the yardstick; the gate promises at most 1.5."""
        return self.cold_ms / self.yardstick_ms


def measure(statement: Statement, grants: Grants, dialect: str = "sqlite", rounds: int = 200) -> Cost:
    """Time the three in turn, round by round, so that a busy machine weighs on all alike."""
    engine = Dialect.get_or_raise(DIALECTS[dialect])
    schema = {name: dict.fromkeys((*grant.columns, *grant.masked), "TEXT") for name, grant in grants.tables.items()}

    def yardstick() -> None:
        tree = engine.parse(statement.sql)[0]
        assert tree is not None
        engine.parse(engine.generate(qualify(tree, dialect=engine, schema=dict(schema))))

    chores: Sequence[Callable[[], object]] = (
        yardstick,
        lambda: compile_statement(statement, grants, dialect),
        lambda: check(statement, grants, dialect),
    )
    times: list[list[float]] = [[], [], []]
    for number in range(rounds + 10):
        for chore, taken in zip(chores, times, strict=True):
            started = time.thread_time()
            chore()
            if number >= 10:
                taken.append((time.thread_time() - started) * 1_000)
    return Cost(*(statistics.median(taken) for taken in times))
