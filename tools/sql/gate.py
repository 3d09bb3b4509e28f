"""The first lock: SQL text in, a verdict out, without a database.

`compile_statement` promises that whatever it allows is one SELECT made of allow-listed syntax, in which every reference
to a base table stands inside a derived table that shows the granted columns of the rows in scope and nothing else, with
a literal bound on rows, and that the text which was checked is the text that runs. tests/test_sql.py proves it over the
case files in tests/sql_cases/ for every dialect, and with hypothesis for statements nobody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions import Expr
from sqlglot.optimizer.qualify_columns import qualify_columns, validate_qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.schema import MappingSchema

from tools.sql.lists import CLAUSES, DEFAULT_SCHEMAS, DIALECTS
from tools.sql.syntax import PARSER_FAILURES, Refusal, Syntax, dialect_of, first_line, parser_refusal
from tools.sql.values import ROW_CAPS, Decision, Grants, Reach, Refused, Statement, TableGrant

SCOPE_PREFIX = "scope__"
EVERY_ROW = 2**62


@dataclass(frozen=True)
class Compiled:
    """A verdict, its cap of rows and what the engine's own lock needs to hold the same line."""

    decision: Decision
    refused: Refused | None
    cap: int
    reach: Reach = field(default_factory=Reach)


def compile_statement(statement: Statement, grants: Grants, dialect: str) -> Compiled:
    """Check and rewrite one statement. Never raises for what a statement may contain; an unknown dialect is refused."""
    cap = ROW_CAPS[statement.purpose]
    try:
        engine = DIALECTS.get(dialect.lower())
        if engine is None:
            raise Refusal(dialect, f"The SQL dialect {dialect!r} is not known here.")
        return _Rewrite(statement, grants, engine, cap).run()
    except Refusal as refusal:
        refused = refusal.refused
    except (SqlglotError, RecursionError) as failure:
        refused = parser_refusal(failure)
    return Compiled(Decision(False, refused.reason, ""), refused, cap)


def bound_parameters(statement: Statement, grants: Grants) -> dict[str, object]:
    """The values to bind for a checked statement: scope parameters under their own prefix, sequences spread."""
    given = dict(statement.parameters)
    given.update({SCOPE_PREFIX + name: value for name, value in grants.parameters.items()})
    bound: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, list | tuple | set | frozenset):
            items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
            bound.update({f"{name}__{position}": item for position, item in enumerate(items)})
        else:
            bound[name] = value
    return bound


def parameter_shape(statement: Statement, grants: Grants) -> tuple[tuple[str, int], ...]:
    """Names of parameters with the lengths of sequences (-1: a single value): all of them that enters a verdict."""
    named = [(name, value) for name, value in statement.parameters.items()]
    named += [(SCOPE_PREFIX + name, value) for name, value in grants.parameters.items()]
    return tuple(sorted((n, len(v)) if isinstance(v, list | tuple | set | frozenset) else (n, -1) for n, v in named))


class _Rewrite:
    """One pass over one statement; each step leaves the tree ready for the next."""

    def __init__(self, statement: Statement, grants: Grants, engine: str, cap: int) -> None:
        for name in statement.parameters:
            if SCOPE_PREFIX in name:
                raise Refusal("parameter", f"A parameter may not be called {name!r}.")
        self.grants = grants
        self.engine = engine
        self.cap = cap
        self.fenced = statement.purpose == "free"
        self.shape = dict(parameter_shape(statement, grants))
        self.dialect = dialect_of(engine)
        self.by_name = {name.casefold(): grant for name, grant in grants.tables.items()}
        self.syntax = Syntax(engine, statement.parameters.keys(), grants.functions)
        self.sql = statement.sql
        self.tree = self.syntax.read(statement.sql, cap)
        self.ctes = self.syntax.ctes
        self.spelling: dict[str, str] = {}
        self.used: dict[str, TableGrant] = {}
        self.reads: dict[str, set[str]] = {}
        self.hidden: dict[str, None] = {}
        self.guards: list[exp.Select] = []

    def run(self) -> Compiled:
        self.resolve_tables()
        self.spell_identifiers()
        self.fill_placeholders(self.syntax.placeholders, "")
        tree = self.qualify(self.tree)
        self.guard_tables(tree)
        self.bound_rows(tree)
        order = self.number_parameters(tree)
        sql = self.generate(tree)
        self.prove(tree, sql)
        reads = {table: frozenset(columns) for table, columns in self.reads.items()}
        reach = Reach(reads, frozenset(cte.alias for cte in self.ctes.values()), order)
        return Compiled(Decision(True, "", sql, tuple(sorted(self.hidden))), None, self.cap, reach)

    # -- names

    def find_grant(self, name: str, schema: str) -> TableGrant | None:
        """The grant that a table name means: exact, through the default schema, or the only one with that last part."""
        if schema:
            grant = self.by_name.get(f"{schema}.{name}")
            if grant is None and schema == DEFAULT_SCHEMAS.get(self.engine):
                grant = self.by_name.get(name)
            return grant
        grant = self.by_name.get(name)
        if grant is None:
            longer = [g for key, g in self.by_name.items() if key.rpartition(".")[2] == name and "." in key]
            grant = longer[0] if len(longer) == 1 else None
        return grant

    def check_ctes(self) -> None:
        """A CTE may not take the name of any table that a guard reads: the guard, or its scope, would read the CTE."""
        reserved = set(_reserved(tuple(self.grants.tables.values()), self.engine)) | self.by_name.keys()
        reserved.update(name.rpartition(".")[2] for name in self.by_name)
        for name, cte in self.ctes.items():
            if name in reserved:
                raise Refusal("shadowing CTE", f"The CTE name {cte.alias} is already the name of a table.")

    def resolve_tables(self) -> None:
        """Every table is a CTE that every engine would see from there, or a granted table; there is no third."""
        if self.ctes:
            self.check_ctes()
        for table in self.syntax.tables:
            name, schema = table.name.casefold(), table.db.casefold()
            if name in self.ctes and not schema:
                if not _visible_cte(table):
                    raise Refusal("CTE out of scope", f"The CTE {table.name} is used where it cannot be seen.")
                continue
            grant = self.find_grant(name, schema)
            if grant is None:
                written = f"{table.db}.{table.name}" if table.db else table.name
                raise Refusal(f"table {written}", f"There is no table {written} that may be read here.")
            key = grant.table.casefold()
            self.used[key] = grant
            # Aliased at once by the name as written, because the key below may carry a schema's name.
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
                self.syntax.identifiers.append(cast(exp.Identifier, table.args["alias"].this))
            table.set("db", None)
            table.set("this", exp.to_identifier(key, quoted=True))

    def spell_identifiers(self) -> None:
        """One spelling and quotes for each name, whatever its case: engines then cannot differ in folding it."""
        spelling = self.spelling
        for grant in self.used.values():
            for column in (*grant.columns, *grant.masked):
                if spelling.setdefault(column.casefold(), column) != column and _clash(grant, column):
                    raise Refusal("column case", f"Columns of {grant.table} differ only by case: {column}.")
        for identifier in self.syntax.identifiers:
            name = identifier.this
            identifier.set("this", spelling.setdefault(name.casefold(), name))
            identifier.set("quoted", True)

    def fill_placeholders(self, placeholders: list[exp.Placeholder], prefix: str) -> None:
        """`IN (:many)` with a sequence becomes `IN (:many__0, :many__1)`; an empty one matches nothing."""
        for node in placeholders:
            name = prefix + node.this
            size = self.shape.get(name)
            if size is None:
                raise Refusal(f"parameter {node.this}", f"The parameter :{node.this} has no value.")
            if size < 0:
                node.set("this", name)
                continue
            parent = node.parent
            if not (isinstance(parent, exp.In) and len(parent.expressions) == 1 and node.arg_key == "expressions"):
                raise Refusal(f"parameter {node.this}", f"The list :{node.this} may stand only in IN (:{node.this}).")
            if size:
                parent.set("expressions", [exp.Placeholder(this=f"{name}__{i}") for i in range(size)])
            else:
                parent.replace(exp.paren(exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))))

    def qualify(self, tree: exp.Query) -> exp.Query:
        schema = MappingSchema(
            {key: {self.spelling[c.casefold()]: "TEXT" for c in (*grant.columns, *grant.masked)} for key, grant in self.used.items()},
            dialect=self.dialect,
            normalize=False,
        )
        try:
            tree = qualify_tables(tree, dialect=self.dialect)
            tree = qualify_columns(tree, schema, dialect=self.dialect)
            validate_qualify_columns(tree)
        except PARSER_FAILURES as failure:
            raise _name_refusal(failure, self.sql) from None
        if self.engine == "sqlite":
            self.name_values(tree)
        return tree

    def name_values(self, tree: exp.Query) -> None:
        """SQLite takes no column names behind VALUES: its own are column1, column2, ... A list of literal ranges needs
        VALUES there, since a compound of SELECTs is cut at a hundred terms."""
        for values in tree.find_all(exp.Values):
            alias = values.args.get("alias")
            select = values.find_ancestor(exp.Select)
            if alias is None or select is None or not alias.args.get("columns"):
                continue
            position = {column.name: index for index, column in enumerate(alias.args["columns"], start=1)}
            for column in select.find_all(exp.Column):
                if column.table == alias.name and column.name in position:
                    column.set("this", exp.to_identifier(f"column{position[column.name]}", quoted=True))
            alias.set("columns", None)

    # -- the rewriting

    def guard_tables(self, tree: Expr) -> None:
        """Replace each base table by a derived table of the granted columns in scope; only those in use are carried."""
        columns: dict[str, set[str]] = {}
        bases: list[exp.Table] = []
        for node in tree.walk():
            kind = type(node)
            if kind is exp.Identifier:
                node.set("quoted", True)
            elif kind is exp.Column:
                column = cast(exp.Column, node)
                if isinstance(column.this, exp.Star):
                    raise Refusal(f"{column.table}.*", f"The row {column.table}.* is not allowed as a value.")
                if not column.table and not _names_output(column):
                    raise Refusal(f"column {column.name}", f"There is no column {column.name} that may be read here.")
                columns.setdefault(column.table, set()).add(column.name)
            elif kind is exp.Star and not isinstance(node.parent, exp.Count):
                raise Refusal("*", "The star * is not allowed as a value.")
            elif kind is exp.Table:
                if node.name.casefold() not in self.ctes:
                    bases.append(cast(exp.Table, node))
            elif kind not in CLAUSES and kind not in self.syntax.functions and kind is not exp.Anonymous:
                # Qualifying brings out what a name meant: a whole row (SELECT p FROM people p), a pseudo-column.
                raise Refusal(f"column {node.name}", f"There is no column {node.name} that may be read here.")
        for table in bases:
            grant = self.used.get(table.name)
            if grant is None or table.args.get("joins"):
                raise Refusal(f"table {table.name}", f"The table {table.name} may not be read here.")
            guard = self.guard(grant, columns.get(table.alias, set()))
            self.guards.append(guard)
            alias = exp.TableAlias(this=exp.to_identifier(table.alias, quoted=True))
            table.replace(exp.Subquery(this=guard, alias=alias))

    def guard(self, grant: TableGrant, needed: set[str]) -> exp.Select:
        schema, _, name = grant.table.rpartition(".")
        masked = {column.casefold() for column in grant.masked}
        reads = self.reads.setdefault(grant.table, set())
        shown: list[Expr] = []
        readable = [c for c in grant.columns if c.casefold() not in masked]
        for column in readable:
            spelled = self.spelling[column.casefold()]
            if spelled in needed:
                shown.append(_column(name, column, spelled))
                reads.add(column)
        for column in grant.masked:
            spelled = self.spelling[column.casefold()]
            if spelled in needed:
                shown.append(exp.alias_(exp.Null(), spelled, quoted=True))
                self.hidden[f"{name}.{column}"] = None
        if not shown:  # COUNT(*): some column must stand there
            shown.append(exp.alias_(exp.Literal.number(1), "rows", quoted=True))
        source = exp.Table(this=exp.to_identifier(name, quoted=True))
        if schema:
            source.set("db", exp.to_identifier(schema, quoted=True))
        select = exp.Select(expressions=shown, from_=exp.From(this=source))
        if grant.scope:
            condition, scope_reads = _scope(grant.scope, name, self.engine, (*grant.columns, *grant.masked))
            condition = condition.copy()
            holder = exp.Where(this=condition)
            self.fill_placeholders(list(holder.find_all(exp.Placeholder)), SCOPE_PREFIX)
            select.set("where", holder)
            for table, names in scope_reads.items():
                self.reads.setdefault(table or grant.table, set()).update(names)
            if self.fenced:
                self.fence(select)
        return select

    def fence(self, guard: exp.Select) -> None:
        """Keep a person's own conditions out of the guard: an engine that moves `CAST(name AS INTEGER) > 0` inside, to
        where the scope is still being looked up, meets rows out of scope and tells of them by failing."""
        if self.engine == "postgres":
            guard.set("offset", exp.Offset(expression=exp.Literal.number(0)))
        elif self.engine == "duckdb":
            guard.set("limit", exp.Limit(expression=exp.Literal.number(EVERY_ROW)))
        elif self.engine == "sqlite":
            guard.set("limit", exp.Limit(expression=exp.Neg(this=exp.Literal.number(1))))

    def bound_rows(self, tree: exp.Query) -> None:
        """One row above the cap tells a full result from a cut one."""
        if tree.args.get("limit") is None:
            tree.set("limit", exp.Limit(expression=exp.Literal.number(self.cap + 1)))

    def number_parameters(self, tree: Expr) -> tuple[str, ...]:
        """Names of the parameters in use, in order. PostgreSQL binds $1, DuckDB $name; the others keep :name."""
        names: dict[str, int] = {}
        for node in list(tree.find_all(exp.Placeholder)):
            number = names.setdefault(node.this, len(names) + 1)
            if self.engine == "postgres":
                node.replace(exp.Parameter(this=exp.Literal.number(number)))
            elif self.engine == "duckdb":
                node.replace(exp.Parameter(this=exp.Var(this=node.this)))
        return tuple(names)

    # -- tree to text, and the proof

    def generate(self, tree: Expr) -> str:
        try:
            return self.dialect.generate(tree, copy=False, comments=False, unsupported_level=ErrorLevel.RAISE)
        except SqlglotError as failure:
            raise Refusal("unsupported", f"This database cannot run that: {first_line(failure)}") from None

    def prove(self, tree: Expr, sql: str) -> None:
        """Parse the emitted text again: it must be what was checked, and its base tables must be the guards' alone."""
        again = self.dialect.parse(sql)
        back = again[0] if len(again) == 1 else None
        if back is None:
            raise Refusal("unstable statement", "The statement does not read back as it was checked.")
        guards: set[Expr] = set(self.guards)
        if back != tree:
            # Some functions read back as another node of the same text; then the text must be a fixed point.
            if self.dialect.generate(back, copy=True, comments=False) != sql:
                raise Refusal("unstable statement", "The statement does not read back as it was checked.")
            texts = {guard.sql(self.dialect) for guard in self.guards}
            guards = {select for select in back.find_all(exp.Select) if select.sql(self.dialect) in texts}
        for table in back.find_all(exp.Table):
            if table.name.casefold() in self.ctes and not table.db and _visible_cte(table):
                continue
            around = table.find_ancestor(exp.Select)
            while around is not None and around not in guards:
                around = around.find_ancestor(exp.Select)
            if around is None:
                raise Refusal(f"table {table.name}", f"The table {table.name} may not be read here.")


@lru_cache(maxsize=512)
def _scope(text: str, table: str, engine: str, columns: tuple[str, ...]) -> tuple[Expr, Mapping[str, frozenset[str]]]:
    """A trusted scope predicate as a tree, its own columns bound to `table`, and what it reads (key "": `table`).

    A scope may look its rows up in other tables (`machine_id IN (SELECT id FROM machines WHERE line_id IN (:lines))`);
    those stand inside the guard, are named as the database spells them, and are never visible to the statement.
    """
    tree = dialect_of(engine).parser(error_level=ErrorLevel.IMMEDIATE).parse_into(exp.Condition, dialect_of(engine).tokenize(text), text)[0]
    assert tree is not None
    spelled = {column.casefold(): column for column in columns}
    reads: dict[str, set[str]] = {}
    for node in list(exp.Where(this=tree).walk()):
        if isinstance(node, exp.Column):
            inner = node.find_ancestor(exp.Select)
            if inner is None:
                node.this.set("this", spelled.get(node.name.casefold(), node.name))
                node.set("table", exp.to_identifier(table, quoted=True))
                reads.setdefault("", set()).add(node.name)
            else:
                for source in inner.find_all(exp.Table):
                    reads.setdefault(source.name, set()).add(node.name)
        elif isinstance(node, exp.Table):
            reads.setdefault(node.name, set())
        if isinstance(node, exp.Identifier):
            node.set("quoted", True)
    if isinstance(tree, exp.Or):
        tree = exp.paren(tree, copy=False)
    return tree, {name: frozenset(names) for name, names in reads.items()}


@lru_cache(maxsize=64)
def _reserved(grants: tuple[TableGrant, ...], engine: str) -> frozenset[str]:
    """Names, folded, of all real tables behind the grants and in their scopes."""
    names: set[str] = set()
    for grant in grants:
        names.update((grant.table.casefold(), grant.table.rpartition(".")[2].casefold()))
        if grant.scope:
            _, reads = _scope(grant.scope, grant.table.rpartition(".")[2], engine, grant.columns)
            names.update(name.casefold() for name in reads if name)
    return frozenset(names)


def _column(table: str, column: str, spelled: str) -> Expr:
    # Always with its table: SQLite takes a lone "name" that is no column for the string 'name'.
    node = exp.Column(this=exp.to_identifier(column, quoted=True), table=exp.to_identifier(table, quoted=True))
    return node if spelled == column else exp.alias_(node, spelled, quoted=True)


def _visible_cte(table: exp.Table) -> bool:
    """True where every engine resolves the name to the CTE: an earlier one, an enclosing one, or itself if recursive.

    SQLite lets a CTE see later ones and PostgreSQL does not: such a name is a base table for one of the two.
    """
    name = table.name.casefold()
    below: Expr = table
    inside: exp.CTE | None = None
    node = table.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.With):
            if name in _names_before(node, inside):
                return True
            inside = None
        else:
            with_ = node.args.get("with_")
            if isinstance(with_, exp.With) and with_ is not below and name in _names_before(with_, None):
                return True
        below, node = node, node.parent
    return False


def _names_before(with_: exp.With, inside: exp.CTE | None) -> list[str]:
    """Folded names of the CTEs that stand before `inside`, and its own where the WITH is recursive; None: all."""
    names: list[str] = []
    for cte in with_.expressions:
        if cte is not inside or with_.args.get("recursive"):
            names.append(cte.alias.casefold())
        if cte is inside:
            break
    return names


def _names_output(column: exp.Column) -> bool:
    """True for a name without a table in ORDER BY that is an output column of its SELECT."""
    order = column.find_ancestor(exp.Order, exp.Query)
    query = order.parent if isinstance(order, exp.Order) else None
    return isinstance(query, exp.Query) and column.name in query.named_selects


def _clash(grant: TableGrant, column: str) -> bool:
    same = [c for c in {*grant.columns, *grant.masked} if c.casefold() == column.casefold()]
    return len(same) > 1


def _name_refusal(failure: Exception, sql: str) -> Refusal:
    """sqlglot's own words about a name (no engine has seen the statement), turned into ours."""
    text = first_line(failure)
    for pattern, sentence in (
        (r"Column '.+?' could not be resolved for table: '(.+?)'", "There is no table {} with such a column here."),
        (r"Column '(.+?)' could not be resolved", "There is no column {} that may be read here."),
        (r"Unknown column: (.+)", "There is no column {} that may be read here."),
        (r"Ambiguous column '?(.+?)'?(?: |$)", "The column {} is ambiguous; write it with its table."),
        (r"Unknown table: '?(.+?)'?(?: |$)", "There is no table {} that may be read here."),
    ):
        match = re.search(pattern, text)
        if match:
            name = match[1].replace('"', "").replace("`", "").rstrip(".")
            hint = " Text is written in single quotes." if f'"{name}"' in sql else ""
            return Refusal(f"column {name}", sentence.format(name) + hint)
    detail = f": {text}" if isinstance(failure, SqlglotError) else "."
    return Refusal("names", f"The names in the statement do not fit together{detail}")
