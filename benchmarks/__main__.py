"""Run benchmarks one after another, each in a process of its own.

`./run bench` runs all, `./run bench NAME ...` some; `--quick` shortens them.
The tables go to the terminal, the figures to benchmarks/out/NAME.json.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOT_BENCHMARKS = {"__init__", "__main__", "made_up", "report"}


def main() -> int:
    """Return 0 when every benchmark ran."""
    known = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in NOT_BENCHMARKS)
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    names = [word for word in sys.argv[1:] if not word.startswith("-")] or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"expected benchmarks among {', '.join(known)}, got {', '.join(unknown)}")
        return 2
    results = HERE / "out"
    results.mkdir(exist_ok=True)
    failed = []
    for name in names:
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", results / f"{name}.json"]
        if subprocess.run([*command, *options], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
