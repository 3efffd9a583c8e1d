"""Rules of the project that a program checks better than a reader."""

import ast
import dataclasses
import functools
import graphlib
import importlib
import pkgutil
import re
import subprocess
import sys
import tokenize
import typing
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import pytest

import app
import engine
import engine.types
from engine.cli.main import SUBCOMMANDS
from engine.data import DATASETS
from engine.data.preprocessing import PREPROCESSING
from engine.diagnosis import RULES
from engine.lessons import LESSONS
from engine.lessons.checklist import CHECKS
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.losses import LOSSES
from engine.nn.normalization import NORMALIZATIONS
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for folder in ("app", "engine") for p in (ROOT / folder).rglob("*.py"))
ENGINE = [p for p in SOURCES if p.is_relative_to(ROOT / "engine")]
APP = [p for p in SOURCES if p.is_relative_to(ROOT / "app")]
ENGINE_MAY_IMPORT = {
    *("engine", "numpy", "msgspec", "threadpoolctl", "tqdm"),
    *("charset_normalizer", "openpyxl"),  # imported only for a file that needs them
    *sys.stdlib_module_names,
}
TOP_LEVEL = {"app", "engine", "tests", "pyproject.toml", "README.md", "Dockerfile"}
# Documented once by a protocol or by the server's framework.
SAID_ELSEWHERE = {
    *("forward", "backward", "borrow", "value", "slope", "gain", "show"),
    *("of_chance", "of_constant", "predicts"),
    *("initialize", "open", "on_message", "on_close"),
}
REGISTRIES = [
    *(ACTIVATIONS, DATASETS, INITIALIZERS, LOSSES, NORMALIZATIONS),
    *(OPTIMIZERS, PREPROCESSING, RULES, SCHEDULES),
    *(LESSONS, CHECKS),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def offenders(paths: list[Path], faults: Callable[[Path], list[str]]) -> str:
    """The faults by file, one a line."""
    return "\n".join(f"{name_of(path)}: {fault}" for path in paths for fault in faults(path))


def test_the_engine_never_imports_the_app():
    def strangers(path: Path) -> list[str]:
        return [x for x in imports(path) if x.partition(".")[0] not in ENGINE_MAY_IMPORT]

    assert ENGINE and not (told := offenders(ENGINE, strangers)), told


def test_the_app_uses_only_public_names_of_the_engine():
    def private(path: Path) -> list[str]:
        found = [module for module in imports(path) if module.startswith("engine.")]
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module == "engine":
                found += {alias.name for alias in node.names} - set(engine.__all__)
        return found

    assert APP and not (told := offenders(APP, private)), told


def test_no_import_cycles():
    files = {name_of(p)[:-3].replace("/", ".").removesuffix(".__init__"): p for p in SOURCES}
    needs = {name: needed(path, files.keys()) - {name} for name, path in files.items()}
    graphlib.TopologicalSorter(needs).prepare()  # CycleError names the files


def test_no_import_cycles_in_the_browser():
    scripts = {p.resolve(): p for p in (ROOT / "app" / "static").rglob("*.js")}
    needs = {
        name_of(path): {
            name_of(scripts[there])
            for module in re.findall(r'from "(\..*?)"', path.read_text())
            if (there := (path.parent / module).resolve()) in scripts
        }
        for path in scripts.values()
    }
    assert any(needs.values())
    graphlib.TopologicalSorter(needs).prepare()  # CycleError names the files


def needed(path: Path, files: Collection[str]) -> set[str]:
    """The files that a file imports, also for type checkers only."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if names <= set(files) else names | {node.module or ""}
    return found & set(files)


def test_public_names_have_a_docstring():
    assert not (told := offenders(SOURCES, unsaid)), told


def unsaid(path: Path) -> list[str]:
    """The public names in a file whose docstring does not begin with a sentence."""
    module = tree(path)
    public = [module] if module.body else []
    for parent in [module, *(n for n in module.body if isinstance(n, ast.ClassDef))]:
        if isinstance(parent, ast.ClassDef) and parent.name.startswith("_"):
            continue
        for node in parent.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                public.append(node)
    summaries = [
        (getattr(node, "name", "the module"), (ast.get_docstring(node) or "").partition("\n")[0])
        for node in public
    ]
    return [
        f"{name}: {summary!r}"
        for name, summary in summaries
        if name not in SAID_ELSEWHERE and not summary.endswith((".", "?", ":"))
    ]


SHAPE = re.compile(r"\([\w+'. ]+,[^()]*\)|any shape|same shape|one shape")  # (B, I), (N,)


def test_public_functions_of_the_engine_say_the_shapes_of_their_arrays():
    """In a comment on the line of the argument or result, or in the docstring."""
    assert not (told := offenders(ENGINE, shapeless)), told


def shapeless(path: Path) -> list[str]:
    """The array arguments and results of public functions in a file whose shape is nowhere said."""
    module, lines = tree(path), path.read_text().splitlines()
    found = []
    for parent in [module, *(n for n in module.body if isinstance(n, ast.ClassDef))]:
        for function in parent.body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
                continue
            said = [ast.get_docstring(x) or "" for x in (module, parent, function)]
            if function.name in SAID_ELSEWHERE or SHAPE.search(" ".join(said)):
                continue
            arguments = [(x.arg, x.annotation, x.lineno) for x in arguments_of(function)]
            result = function.returns.end_lineno if function.returns else 0
            found += [
                f"{name} of {function.name}, line {line}"
                for name, annotation, line in [*arguments, ("result", function.returns, result)]
                if holds_engine_arrays(annotation) and not SHAPE.search(comment(lines[line - 1]))
            ]
    return found


def test_shapes_are_written_with_the_letters_of_the_legend():
    """A single capital in a shape is a letter that engine/types.py explains."""
    legend = set(re.findall(r"[A-Z]", "".join(re.findall(r"`([A-Z, ]+)`", engine.types.__doc__))))

    def strange(path: Path) -> list[str]:
        shapes = SHAPE.findall("\n".join(prose(path)))
        letters = {letter for shape in shapes for letter in re.findall(r"\b[A-Z]\b", shape)}
        return sorted(letters - legend)

    assert {"N", "B", "I", "O"} <= legend
    assert not (told := offenders(ENGINE, strange)), told


def test_public_functions_of_the_engine_say_what_they_refuse():
    """Whoever raises a ValueError says so, in the docstring of function, class or module."""
    assert not (told := offenders(ENGINE, silent_refusals)), told


def silent_refusals(path: Path) -> list[str]:
    """The public functions in a file that raise a ValueError, and do not say that they may."""
    module = tree(path)
    found = []
    for parent in [module, *(n for n in module.body if isinstance(n, ast.ClassDef))]:
        for function in parent.body:
            if isinstance(function, ast.FunctionDef) and raises_value_error(function):
                said = " ".join(ast.get_docstring(x) or "" for x in (module, parent, function))
                told = re.search("ValueError|refuse|check|legal", said, re.IGNORECASE)
                private = function.name.startswith("_") and function.name != "__init__"
                found += [] if told or private else [function.name]
    return found


def raises_value_error(function: ast.FunctionDef) -> bool:
    """Whether it raises one itself, and does not catch it."""
    caught = {
        id(node)
        for block in ast.walk(function)
        if isinstance(block, ast.Try)
        for statement in block.body
        for node in ast.walk(statement)
    }
    return any(
        isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func) == "ValueError"
        and id(node) not in caught
        for node in ast.walk(function)
    )


def prose(path: Path) -> Iterator[str]:
    """The docstrings and the comments of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)


def arguments_of(function: ast.FunctionDef) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def holds_engine_arrays(annotation: ast.expr | None) -> bool:
    nodes = ast.walk(annotation) if annotation else ()
    return any(isinstance(x, ast.Name) and x.id in ("Array", "Integers") for x in nodes)


def comment(line: str) -> str:
    return line.partition("#")[2]


def test_no_print_no_assert_no_global_randomness():
    assert not (told := offenders(SOURCES, unwanted)), told


def unwanted(path: Path) -> list[str]:
    """The lines of a file that assert, print, or draw from NumPy's global generator."""
    nodes = list(ast.walk(tree(path)))
    found = [f"assert in line {node.lineno}" for node in nodes if isinstance(node, ast.Assert)]
    for node in nodes:
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        of_one = called.startswith(("np.random.default_rng", "np.random.SeedSequence"))
        if called == "print" or (called.startswith("np.random.") and not of_one):
            found.append(f"{called} in line {node.lineno}")
    return found


def dataclasses_of(package) -> Iterator[type]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(("__main__", "app.main")):
            continue  # importing these has side effects
        for thing in vars(importlib.import_module(module.name)).values():
            if getattr(thing, "__module__", "") == module.name and dataclasses.is_dataclass(thing):
                yield thing


def holds_arrays(annotation: object) -> bool:
    """Whether an annotation is an array, or a container of arrays."""
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, typing.TypeAliasType):
        return holds_arrays(origin.__value__)
    if origin is Callable:
        return False
    within = any(map(holds_arrays, typing.get_args(annotation)))
    return within or (isinstance(origin, type) and issubclass(origin, np.ndarray))


def test_dataclasses_with_arrays_do_not_define_eq():
    """`==` and `hash` of a dataclass with array fields would raise."""
    told_apart = dict[bool, list[str]]({True: [], False: []})
    for kind in [*dataclasses_of(engine), *dataclasses_of(app)]:
        annotations = typing.get_type_hints(kind, localns=vars(engine)).values()
        if any(map(holds_arrays, annotations)):
            told_apart[kind.__eq__ is object.__eq__].append(kind.__name__)
    assert {"Cloud", "Examples", "LayerStats", "Outcome"} <= set(told_apart[True])
    assert not told_apart[False], "write @dataclass(eq=False)"


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_entry_describes_itself(registry):
    for name, entry in registry.items():
        assert 10 < len(entry.summary) <= 90, name
        assert entry.summary.endswith("."), name
        for knob in entry.knobs:
            assert knob.range.refusal(knob.default) is None, (name, knob)


TESTS = [
    path
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if path.name != "waiting.py" and not path.is_relative_to(ROOT / "tests" / "bench")
]


def test_no_test_depends_on_wall_clock_time():
    """Tests wait for conditions with `tests.waiting`, and use clocks of their own."""
    for path in TESTS:
        asked = {"time", "timeit"} & imports(path)
        assert not asked, f"{name_of(path)} imports {asked}: see tests/waiting.py"
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute):
                waits = node.attr == "wait_for_timeout" and path.name != "tab.py"
                assert not waits, f"{name_of(path)}, line {node.lineno}: wait_until something"


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def test_slow_tests_run_only_where_they_are_named(request):
    chosen = [item for item in request.session.items if item.get_closest_marker("slow")]
    assert not chosen or "slow" in request.config.getoption("markexpr")


def test_the_top_level_has_only_the_agreed_entries():
    top = {path.partition("/")[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


def test_the_tree_in_the_readme_names_every_folder():
    block = re.search(r"```tree\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block
    named = [line.split()[0] for line in block[1].splitlines()]
    sources = [Path(path) for path in tracked() if path.endswith((".py", ".js"))]
    folders = {f"{path.parent}/" for path in sources if path.parts[0] in ("app", "engine")}
    assert sorted(named) == sorted({*folders, "tests/"})
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_files_that_docstrings_and_comments_name_exist():
    """Below the file that names them, below its package, or below the root."""

    def missing(path: Path) -> list[str]:
        homes = (path.parent, ROOT / path.relative_to(ROOT).parts[0], ROOT)
        named = re.findall(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|js|css|md|npz)\b", "\n".join(prose(path)))
        return [name for name in named if not any((home / name).exists() for home in homes)]

    assert not (told := offenders([*SOURCES, *TESTS], missing)), told


DOCUMENTS = [ROOT / path for path in tracked() if path.endswith(".md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_what_a_document_names_exists(document):
    text = document.read_text()
    code = "".join(path.read_text() for path in SOURCES)
    code += (ROOT / "Dockerfile").read_text() + (ROOT / "tests/browser/tab.py").read_text()
    paths = re.findall(r"\]\(([^)#:]+)\)", text)
    paths += re.findall(r"`([\w.-]*/?[\w./-]+\.(?:py|js|md|npz))`", text)
    for path in paths:
        assert any((home / path).exists() for home in (document.parent, ROOT)), path
    for name in re.findall(r"\bBABYSIT_(\w+)", text):
        assert name in code, name
    for command in re.findall(r"python -m engine (\w+)", text):
        assert command in SUBCOMMANDS
    for script, options in re.findall(r"python (tests/\S+\.py)([^\n#]*)", text):
        source = (ROOT / script).read_text()
        for option in re.findall(r"--[\w-]+", options):
            assert f'"{option}"' in source, f"{script} {option}"
