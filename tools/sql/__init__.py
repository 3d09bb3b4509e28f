"""The SQL gate: every statement against a plant database passes here, and nothing else executes one.

`check` decides without a database; `Database.run` decides, rewrites and executes under the engine's own lock.
docs/decisions/002-sql-gate.md says why it is built so; tests/test_sql.py holds it to that.
"""

from tools.sql.database import Database, Snapshot, check
from tools.sql.lists import DIALECTS
from tools.sql.values import (
    ROW_CAPS,
    ColumnInfo,
    Decision,
    Grants,
    Refused,
    Rows,
    SqlRefused,
    SqlTimeout,
    SqlUnavailable,
    Statement,
    TableGrant,
)

__all__ = [
    "DIALECTS",
    "ROW_CAPS",
    "ColumnInfo",
    "Database",
    "Decision",
    "Grants",
    "Refused",
    "Rows",
    "Snapshot",
    "SqlRefused",
    "SqlTimeout",
    "SqlUnavailable",
    "Statement",
    "TableGrant",
    "check",
]
