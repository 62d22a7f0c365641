"""What may import what, and what may do what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[2]
SHARED = sorted((APP / "shared").rglob("*.py"))
FUNCTIONS = sorted((APP / "functions").glob("*.py"))
PRODUCT = [*SHARED, *FUNCTIONS, APP / "function_app.py"]
PURE = [
    *sorted((APP / "shared" / "model").glob("[a-z]*.py")),
    *(APP / "shared" / f"{name}.py" for name in ("limits", "errors")),
    *(
        APP / "shared" / "sendgrid" / f"{name}.py"
        for name in ("api", "decisions", "file_addresses", "job_times", "refusals")
    ),
    *(APP / "shared" / "audit" / f"{name}.py" for name in ("entries", "query")),
    *(APP / "shared" / "webhooks" / f"{name}.py" for name in ("addresses", "signature")),
    *(APP / "shared" / "notifications" / f"{name}.py" for name in ("payload", "run_notices")),
    *(
        APP / "shared" / "runs" / f"{name}.py"
        for name in ("schedule", "arrival_rules", "outcomes", "delivery_state", "job_looks")
    ),
]
ROOMS = (
    {"limits", "trace"},
    {"telemetry"},
    {"model"},
    {"errors"},
    {"settings"},
    {"access"},
    {"storage"},
    {"audit"},
    {"key_vault"},
    {"deadlines"},
    {"sendgrid"},
    {"webhooks"},
    {"extracts"},
    {"planning"},
    {"services"},
    {"definitions"},
    {"notifications"},
    {"runs"},
)
"""Packages and modules of `shared`, the lowest first: each imports only from those before it."""
OUTSIDE = {
    "asyncio",
    "azure",
    "duckdb",
    "http.client",
    "httpcore",
    "httpx",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "requests",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "urllib3",
}
"""Modules that reach out of the process, or that bring clocks, dice and threads into it."""
MAY_READ_THE_ENVIRONMENT = {"wiring.py", "health.py"}
HEAVY = ("duckdb", "httpx", "httpcore", "azure.storage", "azure.identity", "azure.keyvault")


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> set[str]:
    """Every module that the file imports, wherever in it; `from a import b` counts as a and as a.b."""
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(APP).with_suffix("").parts).removesuffix(".__init__")


def needed_to_load(file: Path) -> set[str]:
    """Modules of `shared` that are imported when the file is."""
    body = [node for node in tree_of(file).body if isinstance(node, ast.ImportFrom)]
    return {node.module or "" for node in body if within(node.module or "", {"shared"})}


def height(module: str) -> int:
    """How high the room of a module of `shared` lies."""
    room = module.split(".")[1]
    return next(level for level, rooms in enumerate(ROOMS) if room in rooms)


def loaded_by(*modules: str) -> set[str]:
    """Every module that a fresh interpreter has after importing these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules, sep='\\n')"
    child = subprocess.run([sys.executable, "-c", code], cwd=APP, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return set(child.stdout.split())


# --- direction ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", SHARED, ids=dotted)
def test_shared_imports_no_trigger_no_local_cloud_and_no_test(file: Path) -> None:
    outer = {"functions", "local", "tests", "benchmarks", "function_app"}
    assert not [module for module in imports(file) if within(module, outer)]


@pytest.mark.parametrize("file", [*FUNCTIONS, APP / "function_app.py"], ids=lambda file: file.name)
def test_triggers_import_no_local_cloud_and_no_test(file: Path) -> None:
    assert not [module for module in imports(file) if within(module, {"local", "tests", "benchmarks"})]


def test_modules_of_shared_need_each_other_in_one_direction() -> None:
    left = {dotted(file): needed_to_load(file) for file in SHARED if file.stem != "__init__"}
    while ready := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in ready}
    assert left == {}


@pytest.mark.parametrize("file", SHARED, ids=dotted)
def test_a_room_imports_only_from_those_below_it(file: Path) -> None:
    if file == APP / "shared" / "__init__.py":
        return
    own = dotted(file).split(".")[1]
    others = {module for module in imports(file) if module.startswith("shared.") and module.split(".")[1] != own}
    assert not [module for module in others if height(module) >= height(dotted(file))]


def test_every_room_is_in_the_order() -> None:
    found = {
        file.stem for file in (APP / "shared").iterdir() if file.suffix == ".py" or (file / "__init__.py").exists()
    }
    assert found - {"__init__"} == set().union(*ROOMS)


@pytest.mark.parametrize("file", SHARED, ids=dotted)
def test_a_file_is_named_by_a_noun_or_a_verb_and_not_by_a_gerund(file: Path) -> None:
    assert not file.stem.endswith("ing") or file.stem == "planning"


@pytest.mark.parametrize("room", sorted((APP / "shared").glob("*/__init__.py")), ids=dotted)
def test_a_room_says_what_it_is_for(room: Path) -> None:
    assert ast.get_docstring(tree_of(room))


# --- purity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", PURE, ids=dotted)
def test_a_pure_module_imports_nothing_that_reaches_out(file: Path) -> None:
    assert not [module for module in imports(file) if within(module, OUTSIDE)]


@pytest.mark.parametrize("file", PURE, ids=dotted)
def test_a_pure_module_loads_pure_modules_only(file: Path) -> None:
    assert needed_to_load(file) <= {dotted(pure) for pure in PURE}


@pytest.mark.parametrize("file", PURE, ids=dotted)
def test_a_pure_module_asks_no_clock(file: Path) -> None:
    names = {node.attr for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}
    assert not names & {"now", "utcnow", "today"}


def test_the_pure_modules_load_no_library_that_reaches_out() -> None:
    loaded = loaded_by(*map(dotted, PURE))
    assert not [module for module in loaded if within(module, {*HEAVY, "azure", "requests"})]


# --- start ----------------------------------------------------------------------------------------------------


def test_the_function_app_only_registers_blueprints() -> None:
    _docstring, *statements = tree_of(APP / "function_app.py").body
    rest = [node for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)]
    words = [ast.unparse(node) for node in rest]
    assert words[0].startswith("app = func.FunctionApp(")
    assert words[1:]
    assert all(line.startswith("app.register_functions(") for line in words[1:])


def test_the_function_app_registers_every_blueprint() -> None:
    holders = {
        file.stem for file in FUNCTIONS if "blueprint = func.Blueprint()" in file.read_text(encoding="utf-8")
    }
    registered = re.findall(r"register_functions\((\w+)\.blueprint\)", (APP / "function_app.py").read_text())
    assert sorted(registered) == sorted(holders)


def test_starting_the_app_loads_nothing_heavy() -> None:
    loaded = loaded_by("function_app")
    assert not [module for module in loaded if within(module, set(HEAVY))]


@pytest.mark.parametrize("file", [*SHARED, *FUNCTIONS], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_happens_at_import(file: Path) -> None:
    kinds = (
        ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.TypeAlias
    )
    does = [
        ast.unparse(node)
        for node in tree_of(file).body
        if not (isinstance(node, kinds) or for_types_only(node) or is_docstring(node))
    ]
    registrations = "codecs.register_error("  # Python has no other place for them, and twice is as good as once
    assert not [words for words in does if not words.startswith(registrations)]


# --- environment ----------------------------------------------------------------------------------------------


def reads_the_environment(file: Path) -> bool:
    names = {node.attr for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}
    imported = {module for module in imports(file) if within(module, {"os.environ", "os.getenv"})}
    return bool(imported or names & {"environ", "environb", "getenv"})


@pytest.mark.parametrize("file", PRODUCT, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_environment_is_read_by_the_wiring_and_the_health_check_only(file: Path) -> None:
    may = file.parent.name == "functions" and file.name in MAY_READ_THE_ENVIRONMENT
    assert reads_the_environment(file) == may
