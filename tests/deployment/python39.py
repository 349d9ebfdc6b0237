"""Finds what a module needs beyond Python 3.9: newer syntax, and newer names of the standard library."""

import ast
from collections.abc import Iterator

# Names of the standard library that are newer than 3.9, by module; https://docs.python.org/3/whatsnew/
NEWER = {
    "contextlib": {"aclosing", "chdir"},
    "datetime": {"UTC"},
    "enum": {"EnumCheck", "EnumType", "FlagBoundary", "ReprEnum", "StrEnum", "member", "nonmember", "verify"},
    "hashlib": {"file_digest"},
    "inspect": {"get_annotations"},
    "itertools": {"batched", "pairwise"},
    "math": {"cbrt", "exp2", "sumprod"},
    "operator": {"call"},
    "sys": {"exception", "orig_argv", "stdlib_module_names"},
    "types": {"EllipsisType", "NoneType", "NotImplementedType", "UnionType"},
    "typing": {
        "Concatenate", "LiteralString", "Never", "NotRequired", "ParamSpec", "Required", "Self", "TypeAlias",
        "TypeAliasType", "TypeGuard", "TypeVarTuple", "Unpack", "assert_never", "assert_type", "dataclass_transform",
        "is_typeddict", "override", "reveal_type",
    },
}  # fmt: skip
NEWER_MODULES = {"tomllib", "annotationlib", "compression"}
NEWER_BUILTINS = {"aiter", "anext", "BaseExceptionGroup", "EncodingWarning", "ExceptionGroup"}
NEWER_METHODS = {"add_note", "bit_count", "hardlink_to", "is_junction"}
NEWER_ARGUMENTS = {
    "bisect_left": {"key"}, "bisect_right": {"key"}, "dataclass": {"kw_only", "slots", "weakref_slot"},
    "field": {"kw_only"}, "insort": {"key"}, "rmtree": {"onexc"}, "write_text": {"newline"}, "zip": {"strict"},
}  # fmt: skip
TYPES = {"bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple", "type"}


def faults(source: str) -> list[str]:
    """What Python 3.9 refuses in a module, or does not have, each with its line."""
    try:
        tree = ast.parse(source, feature_version=(3, 9))
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    lazy = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    annotations = {id(inner) for outer in _annotations(tree) for inner in ast.walk(outer)} if lazy else set()
    nodes = [node for node in evaluated(tree.body) if id(node) not in annotations]
    return [f"line {getattr(node, 'lineno', 0)}: {fault}" for node in nodes for fault in _faults_of(node)]


def evaluated(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that Python 3.9 evaluates: not those for type checkers, and not those behind a guard for newer ones."""
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        if isinstance(statement, ast.If) and ast.unparse(statement.test).startswith("sys.version_info < (3, 1"):
            return
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            outside = [*statement.decorator_list]
            if isinstance(statement, ast.FunctionDef):
                outside += [part for part in (statement.args, statement.returns) if part]  # type: ignore[misc]
            yield from (node for part in outside for node in ast.walk(part))
            yield from evaluated(statement.body)
        else:
            yield from ast.walk(statement)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if isinstance(annotation := getattr(node, name, None), ast.expr):
                yield annotation


def _faults_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"module {name.name}" for name in names if name.name in NEWER_MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            yield from (f"{module}.{name.name}" for name in names if name.name in NEWER.get(module, ()))
            yield from [f"module {module}"] * (module in NEWER_MODULES)
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in NEWER.get(module, ()):
            yield f"{module}.{name}"
        case ast.Attribute(attr=name) if name in NEWER_METHODS:
            yield f".{name}()"
        case ast.Name(id=name) if name in NEWER_BUILTINS:
            yield name
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=keywords):
            newer = NEWER_ARGUMENTS.get(name, set())
            yield from (f"{name}({word.arg}=)" for word in keywords if word.arg in newer)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right) if _is_type(left) or _is_type(right):
            yield f"{ast.unparse(node)} is evaluated"


def _is_type(node: ast.expr) -> bool:
    """Whether an operand of `|` is a type, as far as the text shows it."""
    match node:
        case ast.Subscript(value=value):
            return _is_type(value)
        case ast.Name(id=name):
            return name in TYPES
        case _:
            return isinstance(node, ast.Constant) and node.value is None
