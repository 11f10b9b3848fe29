"""Records short demonstrations for ever, until somebody kills it: python killed_recorder.py OUT."""

import sys
import time
from pathlib import Path

from tests.demonstrations.shown import Show


def main():
    show = Show(Path(sys.argv[1]))
    show.run(1.5)
    while True:
        show.recorder.start("wipe", show.now_ns)
        for _ in range(10):
            show.run(0.1)
            time.sleep(0.005)
        show.recorder.end("success", show.now_ns)
        show.settle()
        sys.stdout.write(f"{show.outcomes[-1].facts.id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
