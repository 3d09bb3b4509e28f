"""What SQL may consist of: allow-lists of syntax nodes, their clauses, functions, types and units.

Nothing is allowed because nobody thought of forbidding it: a node, clause or function that is not written here is
refused by name. What is left out and why stands beside each list; tests/sql_cases/ holds a case for each omission.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.expressions import Expr

# The SQL names that people use, and sqlglot's.
DIALECTS: Mapping[str, str] = {
    "sqlite": "sqlite",
    "postgres": "postgres",
    "postgresql": "postgres",
    "duckdb": "duckdb",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlserver": "tsql",
    "mssql": "tsql",
    "tsql": "tsql",
    "oracle": "oracle",
}
DEFAULT_SCHEMAS: Mapping[str, str] = {"sqlite": "main", "postgres": "public", "duckdb": "main", "tsql": "dbo"}

# Syntax by node, with the clauses that each may carry. INTO, locks (FOR UPDATE), hints, TABLESAMPLE, LATERAL, PIVOT,
# CONNECT BY, SETTINGS, FORMAT, FOR XML and the like are simply absent. None: any, since its children are checked.
_QUERY = frozenset({"with_", "expressions", "from_", "joins", "where", "group", "having", "windows", "order", "limit",
                    "offset", "distinct"})  # fmt: skip
_SET = frozenset({"with_", "this", "expression", "distinct", "order", "limit", "offset"})
CLAUSES: Mapping[type[Expr], frozenset[str] | None] = {
    exp.Select: _QUERY,
    exp.Union: _SET,
    exp.Intersect: _SET,
    exp.Except: _SET,
    exp.With: frozenset({"expressions", "recursive"}),
    exp.CTE: frozenset({"this", "alias", "materialized"}),
    exp.Subquery: frozenset({"this", "alias", "with_"}),
    exp.From: frozenset({"this"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind"}),
    exp.Table: frozenset({"this", "db", "alias"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Where: frozenset({"this"}),
    exp.Group: frozenset({"expressions"}),
    exp.Having: frozenset({"this"}),
    exp.Order: frozenset({"expressions", "this"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Fetch: frozenset({"direction", "count", "limit_options"}),
    exp.LimitOptions: None,
    exp.Distinct: frozenset({"expressions"}),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Filter: frozenset({"this", "expression"}),
    exp.WithinGroup: frozenset({"this", "expression"}),
    exp.Star: frozenset(),
    exp.Column: frozenset({"this", "table"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Literal: None,
    exp.National: None,
    exp.Null: None,
    exp.Boolean: None,
    exp.Placeholder: frozenset({"this"}),
    exp.Paren: None,
    exp.Tuple: frozenset({"expressions"}),
    exp.Interval: frozenset({"this", "unit"}),
    exp.Var: frozenset({"this"}),
    exp.DataType: frozenset({"this", "expressions", "nested"}),
    exp.DataTypeParam: frozenset({"this"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to", "safe"}),
    exp.Convert: frozenset({"this", "expression", "style"}),
    exp.Rollup: frozenset({"expressions"}),
    exp.Cube: frozenset({"expressions"}),
    exp.GroupingSets: frozenset({"expressions"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Exists: frozenset({"this"}),
    exp.Escape: None,
    exp.Collate: None,
    exp.AtTimeZone: frozenset({"this", "zone"}),
}

# Operators and functions that sqlglot gives a class of their own. Absent on purpose: everything that reads files, the
# server, its settings or who is logged in (version(), current_user), that builds values of a size of its choosing
# (repeat, space, zeroblob, generate_series), that makes rows or whole rows out of names (to_json(row), unnest,
# COLUMNS), and everything random, because an answer must be repeatable.
_OPERATORS: tuple[type[Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Like, exp.ILike, exp.Glob, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg,
    exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot,
    exp.BitwiseLeftShift, exp.BitwiseRightShift, exp.Any, exp.All,
)  # fmt: skip
_AGGREGATES: tuple[type[Expr], ...] = (
    exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.GroupConcat, exp.Stddev, exp.StddevPop,
    exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Median, exp.Mode, exp.PercentileCont, exp.PercentileDisc,
    exp.Corr, exp.CovarPop, exp.CovarSamp, exp.RegrSlope, exp.RegrIntercept, exp.RegrR2, exp.LogicalAnd, exp.LogicalOr,
    exp.ArgMax, exp.ArgMin, exp.AnyValue, exp.Grouping,
)  # fmt: skip
_WINDOW_FUNCTIONS: tuple[type[Expr], ...] = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue, exp.NthValue, exp.IgnoreNulls, exp.RespectNulls,
)  # fmt: skip
_SCALARS: tuple[type[Expr], ...] = (
    exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Trunc, exp.Sign, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Log,
    exp.Greatest, exp.Least, exp.Coalesce, exp.Nullif, exp.Nvl2, exp.DecodeCase, exp.SafeDivide,
    exp.Lower, exp.Upper, exp.Initcap, exp.Trim, exp.Length, exp.Substring, exp.SubstringIndex, exp.StrPosition,
    exp.Replace, exp.Left, exp.Right, exp.SplitPart, exp.Concat, exp.ConcatWs, exp.Reverse, exp.StartsWith,
    exp.EndsWith, exp.Contains, exp.Typeof, exp.Unicode, exp.Format, exp.Pad,
    exp.ToNumber, exp.ToChar, exp.WidthBucket,
)  # fmt: skip
_TIMES: tuple[type[Expr], ...] = (
    exp.Date, exp.Time, exp.Timestamp, exp.Extract, exp.DateDiff, exp.DateAdd, exp.DateSub, exp.DateTrunc,
    exp.TimestampTrunc, exp.TimestampDiff, exp.TimestampAdd, exp.TimestampSub, exp.TimeToStr, exp.StrToDate,
    exp.StrToTime, exp.TimeToUnix, exp.UnixToTime, exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.TimeStrToTime,
    exp.Year, exp.Quarter, exp.Month, exp.Week, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfWeek,
    exp.DayOfWeekIso, exp.DayOfYear, exp.Hour, exp.Minute, exp.Second, exp.LastDay, exp.DateFromParts,
    exp.MonthsBetween, exp.AddMonths, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentDatetime,
)  # fmt: skip
FUNCTIONS: frozenset[type[Expr]] = frozenset((*_OPERATORS, *_AGGREGATES, *_WINDOW_FUNCTIONS, *_SCALARS, *_TIMES))

# A regular expression can be made to run for minutes inside one step of an engine that cannot be interrupted there;
# PostgreSQL checks for its timeout inside a match, DuckDB's RE2 is linear. SQLite has none.
REGEX: Mapping[str, frozenset[type[Expr]]] = {
    "postgres": frozenset({exp.RegexpLike, exp.RegexpILike}),
    "duckdb": frozenset({exp.RegexpLike, exp.RegexpILike}),
}

# Functions that sqlglot knows by name alone, by dialect.
NAMED_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "sqlite": frozenset({
        "total", "date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff", "printf", "likely",
        "unlikely", "trunc", "acos", "asin", "atan", "cos", "sin", "tan", "degrees", "radians", "pi",
    }),
    "postgres": frozenset({"age", "every", "make_date", "isfinite", "now", "btrim", "char_length"}),
    "duckdb": frozenset({"date_part", "epoch_ms", "isodow", "total"}),
    "mysql": frozenset({"now", "weekday", "unix_timestamp", "dayname", "monthname"}),
    "tsql": frozenset({"choose", "patindex", "datetimefromparts"}),
    "oracle": frozenset({"trunc", "ratio_to_report", "to_timestamp"}),
}  # fmt: skip

# What a cast may make. Names of catalogue objects (regclass), JSON, XML, network and user types are not values of ours.
TYPES: frozenset[str] = frozenset({
    "INT", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "UINT", "UBIGINT", "USMALLINT", "UTINYINT", "INT128",
    "DECIMAL", "BIGDECIMAL", "FLOAT", "DOUBLE", "MONEY", "SMALLMONEY", "BOOLEAN", "BIT",
    "TEXT", "VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "BPCHAR", "UUID",
    "DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ", "TIMESTAMPNTZ", "TIMESTAMP_S",
    "TIMESTAMP_MS", "TIMESTAMP_NS", "DATETIME", "DATETIME2", "SMALLDATETIME", "INTERVAL",
})  # fmt: skip
# CAST(x AS CHAR(10000000)) pads: ten megabytes for each row.
MAX_TYPE_SIZE = 4_000
MAX_PAD = 200

UNITS: frozenset[str] = frozenset({
    "MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "DECADE",
    "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS",
    "EPOCH", "DOW", "ISODOW", "DOY", "ISOYEAR", "DAYOFWEEK", "DAYOFYEAR", "WEEKDAY", "WEEKISO", "ISOWEEK", "ISO_WEEK",
    "DATE", "TIME", "ROWS", "RANGE",
})  # fmt: skip
COLLATIONS: frozenset[str] = frozenset({"nocase", "binary", "rtrim", "c", "posix"})

JOIN_KINDS: frozenset[str] = frozenset({"", "INNER", "CROSS", "OUTER"})
JOIN_SIDES: frozenset[str] = frozenset({"", "LEFT", "RIGHT", "FULL"})

# How a refused clause is called in the reason.
CONSTRUCT_NAMES: Mapping[str, str] = {
    "into": "SELECT INTO",
    "locks": "FOR UPDATE",
    "hint": "optimizer hint",
    "hints": "table hint",
    "sample": "TABLESAMPLE",
    "laterals": "LATERAL",
    "connect": "CONNECT BY",
    "pivots": "PIVOT",
    "match": "MATCH_RECOGNIZE",
    "qualify": "QUALIFY",
    "indexed": "INDEXED BY",
    "only": "ONLY",
    "except_": "* EXCLUDE",
    "replace": "* REPLACE",
    "rename": "* RENAME",
    "catalog": "database name",
    "system_time": "FOR SYSTEM_TIME",
    "version": "FOR SYSTEM_TIME or VERSION",
    "operation_modifiers": "SELECT modifier",
    "limit_options": "PERCENT or WITH TIES",
    "siblings": "ORDER SIBLINGS BY",
    "join_mark": "(+) join",
    "for_": "FOR XML or JSON",
    "kind": "SELECT AS",
    "ordinality": "WITH ORDINALITY",
    "on": "DISTINCT ON",
    "by_name": "BY NAME",
    "search": "SEARCH",
    "cycle": "CYCLE",
    "exclude": "* EXCLUDE or frame EXCLUDE",
}
