"""The first lock: SQL text in, a verdict out, without a database.

`compile_statement` promises that whatever it allows is one SELECT made of allow-listed syntax, in which every reference
to a base table stands inside a derived table that shows the granted columns of the rows in scope and nothing else, with
a literal bound on rows, and that the text which was checked is the text that runs. tests/test_sql.py proves it over the
case files in tests/sql_cases/ for every dialect, and with hypothesis for statements nobody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlglot import Dialect, ErrorLevel, exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions import Expr
from sqlglot.optimizer.qualify_columns import qualify_columns, quote_identifiers, validate_qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.schema import MappingSchema
from sqlglot.tokenizer_core import Token, TokenType

from tools.sql.lists import (
    CLAUSES,
    COLLATIONS,
    CONSTRUCT_NAMES,
    DEFAULT_SCHEMAS,
    DIALECTS,
    FUNCTIONS,
    JOIN_KINDS,
    JOIN_SIDES,
    MAX_PAD,
    MAX_TYPE_SIZE,
    NAMED_FUNCTIONS,
    REGEX,
    TYPES,
    UNITS,
)
from tools.sql.values import ROW_CAPS, Decision, Grants, Refused, Statement, TableGrant

MAX_SQL_CHARS = 100_000
MAX_TOKENS = 12_000
MAX_DEPTH = 60  # brackets and CASEs inside each other: the compiled parser recurses on the C stack
MAX_PREFIX_RUN = 20  # NOT NOT NOT ..., - - - ...: the same recursion without brackets
MAX_OFFSET = 1_000_000
SCOPE_PREFIX = "scope__"

# sqlglot raises these on text that it cannot take, beside its own errors; a gate that crashes is no gate.
_PARSER_FAILURES = (SqlglotError, RecursionError, ValueError, TypeError, KeyError, IndexError, AttributeError)
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.EXISTS}
_PRINTF = re.compile(r"(?:[^%]|%%|%[-+ 0,]{0,3}\d{0,2}(?:\.\d{1,2})?[dfgeisxX])*")
_PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*")


class _Refusal(Exception):
    """Carries a refusal up to `compile_statement`; never leaves this module."""

    def __init__(self, construct: str, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(reason=reason, construct=construct)


@dataclass(frozen=True)
class Compiled:
    """A verdict and what the engine's own lock needs to hold the same line.

    `reads` maps each base table, as the database spells it, to the columns that this statement may read of it; `order`
    names the parameters by position for engines that bind `$1`; `lists` says how each sequence was spread.
    """

    decision: Decision
    refused: Refused | None
    cap: int
    reads: Mapping[str, frozenset[str]]
    order: tuple[str, ...] = ()


def compile_statement(statement: Statement, grants: Grants, dialect: str) -> Compiled:
    """Check and rewrite one statement. Never raises for what a statement may contain; an unknown dialect is refused."""
    cap = ROW_CAPS[statement.purpose]
    try:
        engine = DIALECTS.get(dialect.lower())
        if engine is None:
            raise _Refusal(dialect, f"The SQL dialect {dialect!r} is not known here.")
        return _Rewrite(statement, grants, engine, cap).run()
    except _Refusal as refusal:
        refused = refusal.refused
    except (SqlglotError, RecursionError) as failure:
        refused = _parser_refusal(failure)
    return Compiled(Decision(False, refused.reason, ""), refused, cap, {})


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
        self.sql = statement.sql
        self.grants = grants
        self.engine = engine
        self.cap = cap
        self.shape = dict(parameter_shape(statement, grants))
        self.dialect = _dialect(engine)
        self.named_functions = NAMED_FUNCTIONS[engine]
        self.functions = FUNCTIONS | REGEX.get(engine, frozenset())
        self.by_name = {name.casefold(): grant for name, grant in grants.tables.items()}
        self.tables: list[exp.Table] = []
        self.identifiers: list[exp.Identifier] = []
        self.placeholders: list[exp.Placeholder] = []
        self.ctes: dict[str, exp.CTE] = {}
        self.used: dict[str, TableGrant] = {}
        self.reads: dict[str, set[str]] = {}
        self.guards: list[Expr] = []

    def run(self) -> Compiled:
        for name in self.shape:
            if name.count(SCOPE_PREFIX) and not name.startswith(SCOPE_PREFIX):
                raise _Refusal("parameter", f"A parameter may not be called {name!r}.")
        tree = self.parse(self.sql)
        self.check_nodes(tree)
        self.resolve_tables()
        self.spell_identifiers()
        self.fill_placeholders(self.placeholders, "")
        tree = self.qualify(tree)
        self.guard_tables(tree)
        self.bound_rows(tree)
        order = self.number_parameters(tree)
        sql = self.generate(tree)
        self.compare(tree, sql)
        reads = {table: frozenset(columns) for table, columns in self.reads.items()}
        return Compiled(Decision(True, "", sql), None, self.cap, reads, order)

    # -- text to tree

    def parse(self, sql: str) -> exp.Query:
        if len(sql) > MAX_SQL_CHARS:
            raise _Refusal("length", f"The statement is longer than {MAX_SQL_CHARS} characters.")
        if not _PLAIN.fullmatch(sql):
            raise _Refusal("control character", "The statement contains a control character.")
        try:
            tokens = self.dialect.tokenize(sql)
            self.check_tokens(tokens)
            trees = self.dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
        except _PARSER_FAILURES as failure:
            refused = _parser_refusal(failure)
            raise _Refusal(refused.construct, refused.reason) from None
        if not trees or trees[0] is None:
            raise _Refusal("empty statement", "There is no statement.")
        if len(trees) > 1:
            raise _Refusal("several statements", "Only one statement may be run at a time.")
        tree = trees[0]
        if not isinstance(tree, exp.Select | exp.SetOperation):
            construct = _name_of(tree)
            raise _Refusal(construct, f"Only a SELECT may run here, not {construct}.")
        return tree

    def check_tokens(self, tokens: list[Token]) -> None:
        if len(tokens) > MAX_TOKENS:
            raise _Refusal("length", f"The statement has more than {MAX_TOKENS} words.")
        depth = deepest = run = 0
        previous = None
        for token in tokens:
            kind = token.token_type
            if token.comments:
                raise _Refusal("comment", "Comments are not allowed in a statement.")
            if kind is TokenType.HINT:
                raise _Refusal("optimizer hint", "Optimizer hints are not allowed.")
            if kind in _OPENING:
                depth += 1
                deepest = max(deepest, depth)
                # sqlglot writes SQLite's MOD(a, b), which keeps fractions, as a % b, which cuts them.
                if self.engine == "sqlite" and previous is not None and previous.text.lower() == "mod":
                    raise _Refusal("MOD", "MOD(a, b) is not allowed here; write a % b for whole numbers.")
            elif kind in _CLOSING:
                depth -= 1
            run = run + 1 if kind in _PREFIXES else 0
            if deepest > MAX_DEPTH or run > MAX_PREFIX_RUN:
                raise _Refusal("nesting", f"The statement is nested more than {MAX_DEPTH} deep.")
            previous = token

    # -- the allow-lists

    def check_nodes(self, tree: Expr) -> None:
        for node in tree.walk():
            kind = type(node)
            if kind is exp.Identifier:
                self.identifiers.append(cast(exp.Identifier, node))
            elif kind in CLAUSES:
                clauses = CLAUSES[kind]
                if clauses is not None:
                    for name, value in node.args.items():
                        if value and name not in clauses:
                            self.refuse_clause(node, name)
            elif kind in self.functions:
                self.check_function(node)
            elif kind is exp.Anonymous:
                self.check_named_function(cast(exp.Anonymous, node))
            else:
                construct = _name_of(node)
                raise _Refusal(construct, f"{construct} is not allowed.")
            check = _CHECKS.get(kind)
            if check is not None:
                check(self, node)

    def refuse_clause(self, node: Expr, name: str) -> None:
        if name == "catalog" or (name == "db" and isinstance(node, exp.Column)):
            construct = "database name"
        elif isinstance(node, exp.Limit | exp.Fetch) or name == "kind":
            construct = CONSTRUCT_NAMES[name] if name in CONSTRUCT_NAMES else name.upper()
        else:
            construct = CONSTRUCT_NAMES.get(name, f"{name.strip('_').upper()} of {_name_of(node)}")
        raise _Refusal(construct, f"{construct} is not allowed.")

    def check_function(self, node: Expr) -> None:
        allowed = self.grants.functions
        if allowed is not None and isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
            names = {name.lower() for name in node.sql_names()}
            if not names & allowed:
                raise _Refusal(_name_of(node), f"The function {_name_of(node)} is not allowed here.")

    def check_named_function(self, node: exp.Anonymous) -> None:
        if not isinstance(node.this, str):
            raise _Refusal("quoted function name", "A function name may not be quoted.")
        name = node.this.lower()
        allowed = self.grants.functions
        if name not in self.named_functions or (allowed is not None and name not in allowed):
            raise _Refusal(node.this.upper(), f"The function {node.this.upper()} is not allowed.")
        if name == "printf":
            self.check_format(node)

    def check_format(self, node: Expr) -> None:
        form = node.this if isinstance(node, exp.Format) else (node.expressions or [None])[0]
        if not (isinstance(form, exp.Literal) and form.is_string and _PRINTF.fullmatch(form.this)):
            raise _Refusal("PRINTF", "PRINTF needs a literal format with widths below 100.")

    def check_table(self, node: exp.Table) -> None:
        if not isinstance(node.this, exp.Identifier):
            construct = f"table function {_name_of(node.this)}"
            raise _Refusal(construct, f"The {construct} is not allowed.")
        self.tables.append(node)

    def check_cte(self, node: exp.CTE) -> None:
        name = node.alias.casefold()
        if name in self.ctes or self.find_grant(name, "") is not None:
            raise _Refusal("shadowing CTE", f"The CTE name {node.alias} is already the name of something else.")
        if not isinstance(node.this, exp.Select | exp.SetOperation | exp.Values):
            raise _Refusal(_name_of(node.this), "A CTE must be a SELECT.")
        self.ctes[name] = node

    def check_column(self, node: exp.Column) -> None:
        if not isinstance(node.this, exp.Identifier | exp.Star):
            construct = _name_of(node.this)
            raise _Refusal(construct, f"{construct} is not allowed as a column.")

    def check_join(self, node: exp.Join) -> None:
        for value, known in ((node.kind, JOIN_KINDS), (node.side, JOIN_SIDES)):
            if value.upper() not in known:
                raise _Refusal(f"{value.upper()} JOIN", f"{value.upper()} JOIN is not allowed.")

    def check_limit(self, node: exp.Limit) -> None:
        _whole_number(node.expression, "LIMIT", self.cap)

    def check_offset(self, node: exp.Offset) -> None:
        _whole_number(node.expression, "OFFSET", MAX_OFFSET)

    def check_fetch(self, node: exp.Fetch) -> None:
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise _Refusal("WITH TIES or PERCENT", "FETCH WITH TIES and PERCENT have no bound; write a number of rows.")
        _whole_number(node.args.get("count"), "FETCH", self.cap)

    def check_var(self, node: exp.Var) -> None:
        known = node.name.lower() in COLLATIONS if isinstance(node.parent, exp.Collate) else node.name.upper() in UNITS
        if not known:
            raise _Refusal(node.name, f"{node.name} is not allowed here.")

    def check_collate(self, node: exp.Collate) -> None:
        if not isinstance(node.expression, exp.Var | exp.Identifier | exp.Column):
            raise _Refusal("COLLATE", "COLLATE needs the name of a collation.")
        if node.expression.name.lower() not in COLLATIONS:
            raise _Refusal("COLLATE", f"The collation {node.expression.name} is not allowed.")

    def check_type(self, node: exp.DataType) -> None:
        name = getattr(node.this, "value", str(node.this))
        if name not in TYPES:
            raise _Refusal(f"type {name}", f"The type {name} is not allowed.")
        for parameter in node.expressions:
            size = parameter.this if isinstance(parameter, exp.DataTypeParam) else parameter
            if not (isinstance(size, exp.Literal) and size.is_int and int(size.this) <= MAX_TYPE_SIZE):
                raise _Refusal(f"type {name}", f"The size of the type {name} must be a number up to {MAX_TYPE_SIZE}.")

    def check_pad(self, node: exp.Pad) -> None:
        _whole_number(node.expression, "PAD", MAX_PAD)

    def check_placeholder(self, node: exp.Placeholder) -> None:
        name = node.this
        if not isinstance(name, str) or not name:
            raise _Refusal("positional parameter", "Parameters are written :name.")
        if name.startswith(SCOPE_PREFIX) or name not in self.shape:
            raise _Refusal(f"parameter {name}", f"The parameter :{name} has no value.")
        self.placeholders.append(node)

    def check_subquery(self, node: exp.Subquery) -> None:
        if not isinstance(node.this, exp.Select | exp.SetOperation | exp.Subquery):
            raise _Refusal("joined tables in brackets", "A bracket in FROM must hold a SELECT.")

    def check_values(self, node: exp.Values) -> None:
        for leaf in node.walk():
            if isinstance(leaf, exp.Column | exp.Query):
                raise _Refusal("VALUES", "VALUES may hold only literals.")

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

    def resolve_tables(self) -> None:
        """Every table is a CTE that every engine would see from there, or a granted table; there is no third."""
        for table in self.tables:
            name, schema = table.name.casefold(), table.db.casefold()
            if name in self.ctes and not schema:
                if not _visible_cte(table):
                    raise _Refusal("CTE out of scope", f"The CTE {table.name} is used where it cannot be seen.")
                continue
            grant = self.find_grant(name, schema)
            if grant is None:
                written = f"{table.db}.{table.name}" if table.db else table.name
                raise _Refusal(f"table {written}", f"There is no table {written} that may be read here.")
            key = grant.table.casefold()
            self.used[key] = grant
            # Aliased at once by the name as written, because the key below may carry a schema's name.
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
                self.identifiers.append(cast(exp.Identifier, table.args["alias"].this))
            table.set("db", None)
            table.set("this", exp.to_identifier(key, quoted=True))

    def spell_identifiers(self) -> None:
        """One spelling and quotes for each name, whatever its case: engines then cannot differ in folding it."""
        spelling: dict[str, str] = {}
        for grant in self.used.values():
            for column in (*grant.columns, *grant.masked):
                if spelling.setdefault(column.casefold(), column) != column and _clash(grant, column):
                    raise _Refusal("column case", f"Columns of {grant.table} differ only by case: {column}.")
        for identifier in self.identifiers:
            name = identifier.this
            identifier.set("this", spelling.setdefault(name.casefold(), name))
            identifier.set("quoted", True)
        self.spelling = spelling

    def fill_placeholders(self, placeholders: list[exp.Placeholder], prefix: str) -> None:
        """`IN (:many)` with a sequence becomes `IN (:many__0, :many__1)`; an empty one matches nothing."""
        for node in placeholders:
            name = prefix + node.this
            size = self.shape.get(name)
            if size is None:
                raise _Refusal(f"parameter {node.this}", f"The parameter :{node.this} has no value.")
            if size < 0:
                node.set("this", name)
                continue
            parent = node.parent
            if not (isinstance(parent, exp.In) and len(parent.expressions) == 1 and node.arg_key == "expressions"):
                raise _Refusal(f"parameter {node.this}", f"The list :{node.this} may stand only in IN (:{node.this}).")
            if size:
                parent.set("expressions", [exp.Placeholder(this=f"{name}__{i}") for i in range(size)])
            else:
                parent.replace(exp.paren(exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))))

    def qualify(self, tree: exp.Query) -> exp.Query:
        schema = MappingSchema(
            {
                key: {self.spelling[c.casefold()]: "TEXT" for c in (*grant.columns, *grant.masked)}
                for key, grant in self.used.items()
            },
            dialect=self.dialect,
            normalize=False,
        )
        try:
            tree = qualify_tables(tree, dialect=self.dialect)
            tree = qualify_columns(tree, schema, dialect=self.dialect)
            tree = quote_identifiers(tree, dialect=self.dialect, identify=True)
            validate_qualify_columns(tree)
        except SqlglotError as failure:
            raise _name_refusal(failure) from None
        return tree

    # -- the rewriting

    def guard_tables(self, tree: Expr) -> None:
        """Replace each base table by a derived table of the granted columns in scope; only those in use are carried."""
        columns: dict[str, set[str]] = {}
        bases: list[exp.Table] = []
        for node in tree.walk():
            if isinstance(node, exp.Column):
                columns.setdefault(node.table, set()).add(node.name)
            elif isinstance(node, exp.Table) and node.name.casefold() not in self.ctes:
                bases.append(node)
        for table in bases:
            grant = self.used.get(table.name)
            if grant is None or table.args.get("joins"):
                raise _Refusal(f"table {table.name}", f"The table {table.name} may not be read here.")
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
        return select

    def bound_rows(self, tree: exp.Query) -> None:
        """One row above the cap tells a full result from a cut one."""
        if tree.args.get("limit") is None:
            tree.set("limit", exp.Limit(expression=exp.Literal.number(self.cap + 1)))

    def number_parameters(self, tree: Expr) -> tuple[str, ...]:
        """PostgreSQL binds $1, DuckDB $name; the others keep :name."""
        names: dict[str, int] = {}
        if self.engine not in ("postgres", "duckdb"):
            return ()
        for node in list(tree.find_all(exp.Placeholder)):
            number = names.setdefault(node.this, len(names) + 1)
            numbered = exp.Literal.number(number) if self.engine == "postgres" else exp.Var(this=node.this)
            node.replace(exp.Parameter(this=numbered))
        return tuple(names) if self.engine == "postgres" else ()

    # -- tree to text, and the proof

    def generate(self, tree: Expr) -> str:
        try:
            return self.dialect.generate(tree, copy=False, comments=False, unsupported_level=ErrorLevel.RAISE)
        except SqlglotError as failure:
            raise _Refusal("unsupported", f"This database cannot run that: {_first_line(failure)}") from None

    def compare(self, tree: Expr, sql: str) -> None:
        """Parse the emitted text again: it must be what was checked, and its base tables must be the guards' alone."""
        again = self.dialect.parse(sql)
        if len(again) != 1 or again[0] is None:
            raise _Refusal("unstable statement", "The statement does not read back as it was checked.")
        back = again[0]
        same = back == tree
        if not same and self.dialect.generate(back, copy=True, comments=False) != sql:
            raise _Refusal("unstable statement", "The statement does not read back as it was checked.")
        expected = {guard.sql(self.dialect) for guard in self.guards} if not same else set()
        guards = set(self.guards) if same else set()
        stack: list[Expr] = [back]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Select) and (node in guards or (expected and node.sql(self.dialect) in expected)):
                continue
            if isinstance(node, exp.Table):
                cte = self.ctes.get(node.name.casefold())
                if cte is None or node.args.get("db") or not _visible_cte(node):
                    raise _Refusal(f"table {node.name}", f"The table {node.name} may not be read here.")
            elif isinstance(node, exp.Command | exp.DDL | exp.DML | exp.Lock | exp.Into):
                raise _Refusal(_name_of(node), f"{_name_of(node)} is not allowed.")
            stack.extend(node.iter_expressions())


_CHECKS: Mapping[type[Expr], Callable[[_Rewrite, Any], None]] = {
    exp.Table: _Rewrite.check_table,
    exp.CTE: _Rewrite.check_cte,
    exp.Column: _Rewrite.check_column,
    exp.Join: _Rewrite.check_join,
    exp.Limit: _Rewrite.check_limit,
    exp.Offset: _Rewrite.check_offset,
    exp.Fetch: _Rewrite.check_fetch,
    exp.Var: _Rewrite.check_var,
    exp.Collate: _Rewrite.check_collate,
    exp.DataType: _Rewrite.check_type,
    exp.Pad: _Rewrite.check_pad,
    exp.Placeholder: _Rewrite.check_placeholder,
    exp.Subquery: _Rewrite.check_subquery,
    exp.Values: _Rewrite.check_values,
    exp.Format: _Rewrite.check_format,
}


@lru_cache(maxsize=8)
def _dialect(engine: str) -> Dialect:
    """Names are spelled and quoted here, before sqlglot may fold them."""
    return Dialect.get_or_raise(f"{engine},normalization_strategy=case_sensitive")


@lru_cache(maxsize=512)
def _scope(text: str, table: str, engine: str, columns: tuple[str, ...]) -> tuple[Expr, Mapping[str, frozenset[str]]]:
    """A trusted scope predicate as a tree, its own columns bound to `table`, and what it reads (key "": `table`).

    A scope may look its rows up in other tables (`machine_id IN (SELECT id FROM machines WHERE line_id IN (:lines))`);
    those stand inside the guard, are named as the database spells them, and are never visible to the statement.
    """
    tree = (
        _dialect(engine)
        .parser(error_level=ErrorLevel.IMMEDIATE)
        .parse_into(exp.Condition, _dialect(engine).tokenize(text), text)[0]
    )
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
            for candidate in node.expressions:
                if candidate is inside:
                    if node.args.get("recursive") and candidate.alias.casefold() == name:
                        return True
                    break
                if candidate.alias.casefold() == name:
                    return True
            inside = None
        else:
            with_ = node.args.get("with_")
            if with_ is not None and with_ is not below and any(c.alias.casefold() == name for c in with_.expressions):
                return True
        below, node = node, node.parent
    return False


def _clash(grant: TableGrant, column: str) -> bool:
    same = [c for c in {*grant.columns, *grant.masked} if c.casefold() == column.casefold()]
    return len(same) > 1


def _whole_number(node: Expr | None, construct: str, most: int) -> None:
    if not (isinstance(node, exp.Literal) and node.is_int and 0 <= int(node.this) <= most):
        raise _Refusal(construct, f"{construct} must be a whole number up to {most}.")


def _name_of(node: Expr | None) -> str:
    """The construct as people write it."""
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    if isinstance(node, exp.Anonymous):
        return str(node.name or node.this).upper()
    if isinstance(node, exp.Func):
        return node.sql_name().upper()
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper() if node is not None else "nothing"


def _first_line(failure: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(failure)).strip().split("\n")[0][:200]


def _parser_refusal(failure: Exception) -> Refused:
    if isinstance(failure, SqlglotError):
        return Refused(f"The statement could not be read: {_first_line(failure)}", "syntax")
    return Refused("The statement could not be read.", "syntax")


def _name_refusal(failure: Exception) -> _Refusal:
    """sqlglot's own words about a name (no engine has seen the statement), turned into ours."""
    text = _first_line(failure)
    for pattern, sentence in (
        (r"Column '(.+?)' could not be resolved", "There is no column {} that may be read here."),
        (r"Unknown column: (.+)", "There is no column {} that may be read here."),
        (r"Ambiguous column '?(.+?)'?(?: |$)", "The column {} is ambiguous; write it with its table."),
        (r"Unknown table: '?(.+?)'?(?: |$)", "There is no table {} that may be read here."),
    ):
        match = re.search(pattern, text)
        if match:
            name = match[1].replace('"', "").replace("`", "").rstrip(".")
            return _Refusal(f"column {name}", sentence.format(name))
    return _Refusal("names", f"The names in the statement do not fit together: {text}")
