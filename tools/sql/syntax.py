"""The grammar of the gate: text to one SELECT made of allow-listed syntax, or a refusal that names the construct.

This module knows nothing of tables that exist; it collects the names that `gate` then resolves. Every node and clause
of the tree is looked up in `lists`; what is not there is refused. tests/sql_cases/deny.yaml holds a case for each rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, cast

from sqlglot import Dialect, ErrorLevel, exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.expressions import Expr
from sqlglot.tokenizer_core import Token, TokenType

from tools.sql.lists import (
    CLAUSES,
    COLLATIONS,
    CONSTRUCT_NAMES,
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
from tools.sql.values import Refused

MAX_SQL_CHARS = 100_000
MAX_TOKENS = 12_000
MAX_DEPTH = 60  # brackets and CASEs inside each other: the compiled parser recurses on the C stack
MAX_TREE_DEPTH = 300  # a + a + a ...: long chains are deep trees, over which sqlglot takes quadratic time
MAX_PREFIX_RUN = 20  # NOT NOT NOT ..., - - - ...: the same recursion without brackets
MAX_OFFSET = 1_000_000

# sqlglot raises these on text that it cannot take, beside its own errors; a gate that crashes is no gate.
PARSER_FAILURES = (
    SqlglotError, RecursionError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError,
)  # fmt: skip
_OPENING = {TokenType.L_PAREN, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.END}
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.EXISTS}
_PRINTF = re.compile(r"(?:[^%]|%%|%[-+ 0,]{0,3}\d{0,2}(?:\.\d{1,2})?[dfgeisxX])*")
# DuckDB's FORMAT('{:1000000000}', 1) is a text of a billion characters.
_BRACES = re.compile(r"(?:[^{}]|\{\{|\}\}|\{\d?(?::[-+ 0,']{0,3}\d{0,2}(?:\.\d{1,2})?[dfgeisxX]?)?\})*")
_PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*")


class Refusal(Exception):
    """Carries a refusal up to `gate.compile_statement`; never leaves the gate."""

    def __init__(self, construct: str, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(reason=reason, construct=construct)


class Syntax:
    """One statement, parsed and checked node by node, with the names and parameters that it holds."""

    def __init__(self, engine: str, parameters: Collection[str], functions: frozenset[str] | None) -> None:
        self.engine = engine
        self.parameters = parameters
        self.cap = 0
        self.dialect = dialect_of(engine)
        self.narrowed = functions
        self.named_functions = NAMED_FUNCTIONS[engine]
        self.functions = FUNCTIONS | REGEX.get(engine, frozenset())
        self.tables: list[exp.Table] = []
        self.identifiers: list[exp.Identifier] = []
        self.placeholders: list[exp.Placeholder] = []
        self.ctes: dict[str, exp.CTE] = {}

    # -- text to tree

    def read(self, sql: str, cap: int) -> exp.Query:
        """The statement as a checked tree; `cap` bounds each LIMIT. Raises Refusal."""
        self.cap = cap
        tree = self.parse(sql)
        self.check_nodes(tree)
        return tree

    def parse(self, sql: str) -> exp.Query:
        if len(sql) > MAX_SQL_CHARS:
            raise Refusal("length", f"The statement is longer than {MAX_SQL_CHARS} characters.")
        if not _PLAIN.fullmatch(sql):
            raise Refusal("control character", "The statement contains a control character.")
        try:
            tokens = self.dialect.tokenize(sql)
            self.check_tokens(tokens)
            trees = self.dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
        except PARSER_FAILURES as failure:
            refused = parser_refusal(failure)
            raise Refusal(refused.construct, refused.reason) from None
        if not trees or trees[0] is None:
            raise Refusal("empty statement", "There is no statement.")
        if len(trees) > 1:
            raise Refusal("several statements", "Only one statement may be run at a time.")
        tree = trees[0]
        if not isinstance(tree, exp.Select | exp.SetOperation):
            construct = name_of(tree)
            raise Refusal(construct, f"Only a SELECT may run here, not {construct}.")
        if len(tokens) > MAX_TREE_DEPTH:
            _check_depth(tree)
        return tree

    def check_tokens(self, tokens: list[Token]) -> None:
        if len(tokens) > MAX_TOKENS:
            raise Refusal("length", f"The statement has more than {MAX_TOKENS} words.")
        depth = deepest = run = 0
        previous = None
        for token in tokens:
            kind = token.token_type
            if token.comments:
                raise Refusal("comment", "Comments are not allowed in a statement.")
            if kind is TokenType.HINT:
                raise Refusal("optimizer hint", "Optimizer hints are not allowed.")
            if kind is TokenType.L_BRACKET or kind is TokenType.L_BRACE:
                # Arrays, subscripts and structs; three thousand subscripts in a row kept sqlglot busy for a minute.
                raise Refusal("[ ] or { }", "Arrays, subscripts and structs ([ ] or { }) are not allowed.")
            if kind in _OPENING:
                depth += 1
                deepest = max(deepest, depth)
                # sqlglot writes SQLite's MOD(a, b), which keeps fractions, as a % b, which cuts them.
                if self.engine == "sqlite" and previous is not None and previous.text.lower() == "mod":
                    raise Refusal("MOD", "MOD(a, b) is not allowed here; write a % b for whole numbers.")
            elif kind in _CLOSING:
                depth -= 1
            run = run + 1 if kind in _PREFIXES else 0
            if deepest > MAX_DEPTH or run > MAX_PREFIX_RUN:
                raise Refusal("nesting", f"The statement is nested more than {MAX_DEPTH} deep.")
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
                construct = name_of(node)
                raise Refusal(construct, f"{construct} is not allowed.")
            check = _CHECKS.get(kind)
            if check is not None:
                check(self, node)

    def refuse_clause(self, node: Expr, name: str) -> None:
        value = node.args[name]
        if name in ("catalog", "db"):
            construct = "database name"
        elif name == "method":
            construct = f"{value} JOIN".upper()
        elif isinstance(node, exp.DataType):
            construct = f"type {value}"
        elif isinstance(node, exp.Limit):
            construct = "LIMIT BY" if name == "expressions" else CONSTRUCT_NAMES.get(name, "LIMIT")
        else:
            construct = CONSTRUCT_NAMES.get(name, f"{name.strip('_').upper()} of {name_of(node)}")
        raise Refusal(construct, f"{construct} is not allowed.")

    def check_function(self, node: Expr) -> None:
        allowed = self.narrowed
        if allowed is not None and isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
            names = {name.lower() for name in node.sql_names()}
            if not names & allowed:
                raise Refusal(name_of(node), f"The function {name_of(node)} is not allowed here.")

    def check_named_function(self, node: exp.Anonymous) -> None:
        if not isinstance(node.this, str):
            raise Refusal("quoted function name", f"A quoted function name ({node.name}) is not allowed.")
        name = node.this.lower()
        allowed = self.narrowed
        if name not in self.named_functions or (allowed is not None and name not in allowed):
            raise Refusal(node.this.upper(), f"The function {node.this.upper()} is not allowed.")
        if name == "printf":
            self.check_format(node)

    def check_format(self, node: Expr) -> None:
        form = node.this if isinstance(node, exp.Format) else (node.expressions or [None])[0]
        allowed = _BRACES if self.engine == "duckdb" and isinstance(node, exp.Format) else _PRINTF
        if not (isinstance(form, exp.Literal) and form.is_string and allowed.fullmatch(form.this)):
            construct = "FORMAT" if isinstance(node, exp.Format) else "PRINTF"
            raise Refusal(construct, f"{construct} needs a literal format with widths below 100.")

    def check_select(self, node: exp.Select) -> None:
        if not node.expressions:
            raise Refusal("SELECT without columns", "A SELECT without columns is not allowed.")
        for place, shown in enumerate(node.expressions):
            # sqlglot names a subquery inside itself, where GROUP BY 1 does not find it.
            if isinstance(shown, exp.Subquery):
                name = shown.args.get("alias")
                shown.set("alias", None)
                identifier = name.this if name is not None else exp.to_identifier(f"_col_{place}")
                alias = exp.Alias(alias=identifier)
                shown.replace(alias)
                alias.set("this", shown)

    def check_table(self, node: exp.Table) -> None:
        if not isinstance(node.this, exp.Identifier):
            construct = f"table function {name_of(node.this)}"
            raise Refusal(construct, f"The {construct} is not allowed.")
        alias = node.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            raise Refusal("column names in an alias", "A table's alias may not rename its columns (column names in an alias).")
        self.tables.append(node)

    def check_cte(self, node: exp.CTE) -> None:
        name = node.alias.casefold()
        if name in self.ctes:
            raise Refusal("shadowing CTE", f"The CTE name {node.alias} is already the name of something else.")
        if not isinstance(node.this, exp.Select | exp.SetOperation | exp.Values):
            raise Refusal(name_of(node.this), f"A CTE must be a SELECT, not {name_of(node.this)}.")
        self.ctes[name] = node

    def check_column(self, node: exp.Column) -> None:
        if not isinstance(node.this, exp.Identifier | exp.Star):
            construct = name_of(node.this)
            raise Refusal(construct, f"{construct} is not allowed as a column.")

    def check_join(self, node: exp.Join) -> None:
        for value, known in ((node.kind, JOIN_KINDS), (node.side, JOIN_SIDES)):
            if value.upper() not in known:
                raise Refusal(f"{value.upper()} JOIN", f"{value.upper()} JOIN is not allowed.")

    def check_limit(self, node: exp.Limit) -> None:
        _whole_number(node.expression, "LIMIT", self.cap)

    def check_offset(self, node: exp.Offset) -> None:
        _whole_number(node.expression, "OFFSET", MAX_OFFSET)

    def check_fetch(self, node: exp.Fetch) -> None:
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise Refusal("WITH TIES or PERCENT", "FETCH WITH TIES and PERCENT have no bound; write a number of rows.")
        _whole_number(node.args.get("count"), "FETCH", self.cap)

    def check_var(self, node: exp.Var) -> None:
        known = node.name.lower() in COLLATIONS if isinstance(node.parent, exp.Collate) else node.name.upper() in UNITS
        if not known:
            raise Refusal(node.name, f"{node.name} is not allowed here.")

    def check_collate(self, node: exp.Collate) -> None:
        if not isinstance(node.expression, exp.Var | exp.Identifier | exp.Column):
            raise Refusal("COLLATE", "COLLATE needs the name of a collation.")
        if node.expression.name.lower() not in COLLATIONS:
            raise Refusal("COLLATE", f"The collation {node.expression.name} is not allowed.")

    def check_type(self, node: exp.DataType) -> None:
        name = getattr(node.this, "value", str(node.this))
        if name not in TYPES:
            raise Refusal(f"type {name}", f"The type {name} is not allowed.")
        for parameter in node.expressions:
            size = parameter.this if isinstance(parameter, exp.DataTypeParam) else parameter
            if not (isinstance(size, exp.Literal) and size.is_int and int(size.this) <= MAX_TYPE_SIZE):
                raise Refusal(f"type {name}", f"The size of the type {name} must be a number up to {MAX_TYPE_SIZE}.")

    def check_pad(self, node: exp.Pad) -> None:
        _whole_number(node.expression, "PAD", MAX_PAD)

    def check_placeholder(self, node: exp.Placeholder) -> None:
        name = node.this
        if not isinstance(name, str) or not name:
            raise Refusal("positional parameter", "Parameters are written :name.")
        if name not in self.parameters:
            raise Refusal(f"parameter {name}", f"The parameter :{name} has no value.")
        self.placeholders.append(node)

    def check_subquery(self, node: exp.Subquery) -> None:
        if not isinstance(node.this, exp.Select | exp.SetOperation | exp.Subquery):
            raise Refusal("joined tables in brackets", "A bracket in FROM must hold a SELECT.")

    def check_values(self, node: exp.Values) -> None:
        for leaf in node.walk():
            if isinstance(leaf, exp.Column | exp.Query):
                raise Refusal("VALUES", "VALUES may hold only literals.")


_CHECKS: Mapping[type[Expr], Callable[[Syntax, Any], None]] = {
    exp.Select: Syntax.check_select,
    exp.Table: Syntax.check_table,
    exp.CTE: Syntax.check_cte,
    exp.Column: Syntax.check_column,
    exp.Join: Syntax.check_join,
    exp.Limit: Syntax.check_limit,
    exp.Offset: Syntax.check_offset,
    exp.Fetch: Syntax.check_fetch,
    exp.Var: Syntax.check_var,
    exp.Collate: Syntax.check_collate,
    exp.DataType: Syntax.check_type,
    exp.Pad: Syntax.check_pad,
    exp.Placeholder: Syntax.check_placeholder,
    exp.Subquery: Syntax.check_subquery,
    exp.Values: Syntax.check_values,
    exp.Format: Syntax.check_format,
}


@lru_cache(maxsize=8)
def dialect_of(engine: str) -> Dialect:
    """Names are spelled and quoted here, before sqlglot may fold them."""
    return Dialect.get_or_raise(f"{engine},normalization_strategy=case_sensitive")


def _check_depth(tree: Expr) -> None:
    depths: dict[int, int] = {}
    for node in tree.walk():
        depth = depths.get(id(node.parent), 0) + 1
        if depth > MAX_TREE_DEPTH:
            raise Refusal("nesting", f"The statement is nested more than {MAX_TREE_DEPTH} deep.")
        depths[id(node)] = depth


def _whole_number(node: Expr | None, construct: str, most: int) -> None:
    if not (isinstance(node, exp.Literal) and node.is_int and 0 <= int(node.this) <= most):
        raise Refusal(construct, f"{construct} must be a whole number up to {most}.")


def name_of(node: Expr | None) -> str:
    """The construct as people write it; a function under each name that sqlglot takes it by."""
    if isinstance(node, exp.Command):
        return str(node.this).upper()
    if isinstance(node, exp.Dot):
        return f"{name_of(node.this)}.{name_of(node.expression)}"
    if isinstance(node, exp.Parameter | exp.SessionParameter):
        return f"{'@@' if isinstance(node, exp.SessionParameter) else '@'}{node.name}"
    if isinstance(node, exp.Anonymous):
        return str(node.name or node.this).upper()
    if isinstance(node, exp.Column | exp.Identifier | exp.Var):
        return node.name
    if isinstance(node, exp.PropertyEQ):
        return ":= (assignment)"
    if isinstance(node, exp.Func):
        return " or ".join(name.upper().replace("J_S_O_N", "JSON") for name in node.sql_names()[:3])
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper() if node is not None else "nothing"


def first_line(failure: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(failure)).strip().split("\n")[0][:200]


def parser_refusal(failure: Exception) -> Refused:
    """sqlglot's complaint about the text (no engine has seen it), with the word that it stumbled over."""
    near = ""
    if isinstance(failure, ParseError) and failure.errors:
        near = str(failure.errors[0].get("highlight") or "")[:60]
    if isinstance(failure, SqlglotError):
        at = f" near {near}" if near else ""
        return Refused(f"The statement could not be read{at}: {first_line(failure)}", f"syntax{at}")
    return Refused("The statement could not be read.", "syntax")
