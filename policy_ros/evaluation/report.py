"""The report of a study: Markdown and pictures, fit to be committed."""

from pathlib import Path

from policy_ros.evaluation.chapters import Picture, chapters
from policy_ros.evaluation.figures.saving import save
from policy_ros.evaluation.results import Results

README = "README.md"

QUICK = """\
> **A quick run: small networks and few epochs show that all parts work. The figures mean
> nothing.**"""


def write_report(
    results: Results, folder: Path, *, quick: bool, image_weights: str, manifest: str
) -> Path:
    """Write the report and its pictures.

    Args:
        results: of the study.
        folder: where to.
        quick: say that the figures mean nothing.
        image_weights: name of the file that image features are from; empty: they were trained.
        manifest: name of the manifest's file, beside the report.

    Returns:
        The Markdown file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = ["# Tilt-Bot, reproduced in simulation"]
    text += _introduction(results, quick=quick, manifest=manifest)
    for chapter in chapters(results, image_weights=image_weights):
        text.append(f"## {chapter.title}")
        for block in chapter.blocks:
            if isinstance(block, Picture):
                file = f"{block.name}.png"
                save(block.figure, folder / file)
                text.append(f"![{block.alt}]({file})")
            elif block:
                text.append(block)
    path = folder / README
    path.write_text("\n\n".join(text) + "\n", encoding="utf-8")
    return path


def _introduction(results: Results, *, quick: bool, manifest: str) -> list[str]:
    dealt = results.split("set_a")
    unseen = len(results.rows("unseen"))
    blocks = [
        (
            f"Made by `tiltbot reproduce tiltbot`{' --quick' if quick else ''}; [{manifest}]"
            f"({manifest}) tells the command, the code, the data and every training. "
            f"{len(results.store)} interactions (store `{results.store.hash}`), "
            f"{len(dealt.objects)} objects in set A ({len(dealt.train)} interactions to train, "
            f"{len(dealt.validation)} to watch, {len(dealt.test)} to test), "
            f"{len(results.split('set_b').objects)} in set B ({unseen}). Figures are mean ± "
            f"deviation over {len(results.seeds)} seeds of weights and order; the splits "
            "stay. “Paper” is Gandhi et al., 2020, on the real robot."
        )
    ]
    return [*blocks, QUICK] if quick else blocks
