"""The computer: processors, how they are governed, memory, load."""

import os
from pathlib import Path

from tiltbot_ros.doctor.findings import Finding, Needs, ok, warn
from tiltbot_ros.wording import counted, size

_MEMORY_LEAST = 1_500_000_000


def examine(needs: Needs) -> list[Finding]:
    """Examine processors and memory."""
    return [_processors(needs), _governor(), _load(), _memory()]


def _processors(needs: Needs) -> Finding:
    count = len(os.sched_getaffinity(0))
    text = counted(count, "processor")
    if count < 2 and needs.simulated:
        advice = "give it two, or lower camera.rate_hz: rendering and recording share one"
        return warn("processors", text, advice)
    return ok("processors", text)


def _governor() -> Finding:
    folder = Path("/sys/devices/system/cpu")
    found = {path.read_text().strip() for path in folder.glob("cpu*/cpufreq/scaling_governor")}
    if not found:
        return ok("governor", "none (a virtual machine, or the firmware decides)")
    text = ", ".join(sorted(found))
    if "powersave" in found and not (folder / "intel_pstate").exists():
        advice = "sudo cpupower frequency-set -g performance"
        return warn("governor", f"{text}: latency suffers", advice)
    return ok("governor", text)


def _load() -> Finding:
    load, count = os.getloadavg()[0], len(os.sched_getaffinity(0))
    text = f"{load:.1f} on {counted(count, 'processor')}"
    if load > 0.8 * count:
        return warn("load", text, "stop what else runs here, or samples and frames may be late")
    return ok("load", text)


def _memory() -> Finding:
    lines = Path("/proc/meminfo").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    free = values.get("MemAvailable", 0)
    text = f"{size(free)} of {size(values.get('MemTotal', 0))} available"
    if free < _MEMORY_LEAST:
        return warn("memory", text, f"free {size(_MEMORY_LEAST)}: the rings hold seconds of images")
    return ok("memory", text)
