"""The `andon` command. The repository comes first on the path, because its package names (tools, evals, prompts) are
words that other distributions also use; `andon doctor` and tests/test_house.py check that ours are the ones found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Before anything imports a library that would look for a hub or report usage.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> None:
    from assistant.cli import run

    run()


if __name__ == "__main__":
    main()
