"""Microsoft's own Bicep compiler: where it is on this machine, and what it makes of a file.

One process is kept and asked by JSON-RPC, for its start takes ten times as long as its work:
https://github.com/Azure/bicep/blob/main/src/Bicep.Cli/Rpc/ICliJsonRpcProtocol.cs
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tools.deployment import Plan, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]
BESIDE: Final = ROOT.parent / "shared" / "tools" / "bicep" / "bicep"
"""Where a workplace may keep the compiler, beside the checkout."""
OF_AZ: Final = Path.home() / ".azure" / "bin" / "bicep"
"""Where `az bicep install` puts it."""
NOT_FOUND: Final = (
    "The Bicep compiler was not found (BICEP names it; `az bicep install` brings it): "
    "the templates were NOT compiled and NO policy was checked."
)
TARGET: Final = {
    "tenantId": "00000000-0000-0000-0000-0000000000bb",
    "subscriptionId": "00000000-0000-0000-0000-0000000000aa",
    "resourceGroup": "rg-exports",
    "location": "westeurope",
    "deploymentName": "main",
}
"""Where a snapshot pretends to deploy."""


class BicepError(Exception):
    """The compiler refuses what it was asked."""


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What the compiler made of a file."""

    template: str
    """ARM JSON; empty when it does not compile."""
    diagnostics: tuple[str, ...]
    """Errors and warnings of it and its modules; none in a file that is right."""


def find_compiler() -> Path | None:
    """The compiler: named by BICEP, on PATH, installed by az, or beside the checkout; None when there is none."""
    named, on_path = os.environ.get("BICEP"), shutil.which("bicep")
    candidates = [Path(path) for path in (named, on_path) if path] + [OF_AZ, BESIDE]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


class Compiler:
    """A running compiler."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests = requests
        self._answers = answers
        self._asked = 0

    @property
    def version(self) -> str:
        """Its version, such as 0.49.2."""
        return str(self._ask("bicep/version")["version"])

    def compile(self, file: Path) -> Compiled:
        """Compile a file by the rules of the bicepconfig.json beside it or above it."""
        answer = self._ask("bicep/compile", path=str(file))
        words = tuple(
            f"{Path(each['source']).name}({each['range']['start']['line'] + 1}): {each['code']}: {each['message']}"
            for each in answer["diagnostics"]
        )
        return Compiled(template=answer.get("contents") or "", diagnostics=words)

    def format(self, file: Path) -> str:
        """The file as `bicep format` writes it."""
        return str(self._ask("bicep/format", path=str(file))["contents"])

    def plan(self, main: Path, parameters: Mapping[str, object]) -> Plan:
        """What a template would deploy. Raises BicepError."""
        return read_snapshot(self.snapshot(main, parameters))

    def snapshot(self, main: Path, parameters: Mapping[str, object]) -> dict[str, Any]:
        """What a template would deploy: loops, conditions and names worked out. Raises BicepError."""
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder) / "checked.bicepparam"
            lines = [f"using '{os.path.relpath(main, folder)}'"]
            lines += [f"param {name} = {_bicep(value)}" for name, value in parameters.items()]
            given.write_text("\n".join(lines) + "\n", encoding="utf-8")
            answer = self._ask("bicep/getSnapshot", path=str(given), metadata=TARGET)
        worked_out: dict[str, Any] = json.loads(answer["snapshot"])
        return worked_out

    def _ask(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 - any JSON
        self._asked += 1
        request = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": parameters}
        body = json.dumps(request).encode()
        self._requests.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._requests.flush()
        answer = json.loads(self._answers.read(self._length()))
        if "error" in answer:
            raise BicepError(answer["error"]["message"])
        return answer["result"]

    def _length(self) -> int:
        """Bytes of the answer, from its header."""
        length = 0
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return length


@contextlib.contextmanager
def running(compiler: Path) -> Iterator[Compiler]:
    """Start the compiler, and stop it in the end."""
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}  # works without the ICU library
    command = [str(compiler), "jsonrpc", "--stdio"]
    with subprocess.Popen(  # noqa: S603 - found by `find_compiler`
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise BicepError("the compiler has no standard input and output")
        try:
            yield Compiler(process.stdin, process.stdout)
        finally:
            process.kill()


def _bicep(value: object) -> str:
    """A value as Bicep writes it."""
    match value:
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case list():
            return "[" + ", ".join(map(_bicep, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{_bicep(name)}: {_bicep(each)}" for name, each in value.items()) + "}"
        case _:
            return json.dumps(value)
