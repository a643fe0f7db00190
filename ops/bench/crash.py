"""Whether the service stands by its word: killed with SIGKILL at random moments under load.

    .venv/bin/python ops/bench/crash.py [--kills N] [--seed N] [--quick]

The real service (SQLite, PDF server) is loaded by clients that send and wait, start and look, stream, are asked back,
and cancel; it is killed, started again on the same data, and in the end everything ever told is read again.

kills: deaths. acknowledged: tasks that the clients were told of. events: different events told by streams.
streams_resumed: streams taken up again by Last-Event-ID. given_up: tasks that were at work in three lives that died,
and failed with these words, as they should. contradictions: what was lost, stuck, made twice, or told differently.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.load import killed_under_load  # the repository is no installed package here


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the moments (default: random)")
    parser.add_argument("--quick", action="store_true", help="5 kills")
    options = parser.parse_args()
    kills = 5 if options.quick else options.kills
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(killed_under_load(Path(folder) / "data", kills=kills, seed=options.seed))
    for words in seen.contradictions:
        print(words)
    figures = {
        "kills": kills,
        "acknowledged": len(seen.tasks),
        "events": len(seen.events),
        "streams_resumed": seen.resumed,
        "given_up": seen.given_up,
        "contradictions": len(seen.contradictions),
    }
    print(" ".join(f"{key}={value}" for key, value in figures.items()))
    return 1 if seen.contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
