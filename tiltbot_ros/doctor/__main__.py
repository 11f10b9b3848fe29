"""The child process of one examination: MODULE ANSWER-FILE NEEDS-AS-JSON."""

import importlib
import sys
from pathlib import Path

from tiltbot_ros.doctor.findings import FINDINGS, NEEDS

if __name__ == "__main__":
    module, answer, needs = sys.argv[1:]
    examine = importlib.import_module(f"tiltbot_ros.doctor.{module}").examine
    findings = examine(NEEDS.validate_json(needs))
    Path(answer).write_bytes(FINDINGS.dump_json(findings))
