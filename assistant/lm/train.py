"""`make train`: trains and exports the language models that Andon ships, from the corpus alone.

    python -m assistant.lm.train router --epochs 10
    python -m assistant.lm.train planner --minutes 25

Checkpoints and learning curves go to a build folder (`build/lm` by default), finished models to
`assistant/lm/models/`, replaced in one step. Each run ends with the table of the held-out split.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

BUILD = Path("build/lm")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m assistant.lm.train", description="Train Andon's language models.")
    parser.add_argument("model", nargs="?", default="all", choices=["router", "planner", "all"])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=25.0, help="time limit of a run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--build", type=Path, default=BUILD)
    parser.add_argument("--rate", type=float, default=1e-4, help="router: peak learning rate of the encoder")
    parser.add_argument("--start", default="", help="router checkpoint to go on from, with a new schedule")
    parser.add_argument("--learned", type=Path, help="a home's `learned` folder, whose promoted examples are trained on too")
    parser.add_argument("--export-only", action="store_true", help="export the last checkpoint without training")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr, datefmt="%H:%M:%S")
    if arguments.model in ("router", "all"):
        from assistant.lm.export_router import export
        from assistant.lm.phrasings import examples
        from assistant.lm.train_router import RouterSettings, new_net, train

        settings = RouterSettings(
            epochs=arguments.epochs, minutes=arguments.minutes, threads=arguments.threads, seed=arguments.seed,
            start=arguments.start, encoder_rate=arguments.rate,
        )  # fmt: skip
        rows = [*examples(), *(examples(arguments.learned) if arguments.learned else ())]
        if arguments.export_only:
            import torch

            net = new_net(settings.seed)
            net.load_state_dict(torch.load(arguments.build / "router.checkpoint.pt", weights_only=False)["net"])
        else:
            net = train(rows, settings, arguments.build)
        sys.stdout.write(json.dumps(export(net, rows, arguments.build), indent=1) + "\n")
    if arguments.model in ("planner", "all"):
        from assistant.lm.train_planner import run

        sys.stdout.write(json.dumps(run(arguments), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
