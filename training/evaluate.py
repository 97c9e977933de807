"""Looks at a model folder and measures it.

    python evaluate.py --model ../assets/atelier --out build/samples [--quick] [--per 6] [--edits 3]

Writes pictures to look at and results.json:

  sheet.png       24 prompts of all three kinds
  one_word.png    one seed, one word changed, written anew each time
  p2p_*.png       source | target written anew with the same seed | target by prompt-to-prompt
  edits           many one-word swaps at several windows: does the judge see the new word, does the rest stay (PSNR)?
  accuracy        does the judge see what the prompt names? The same on rendered pictures is the ceiling.

The judge is that of ../assets/judge; see judge.py.
"""

import argparse
import json
import os
import time

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from judge import Written
from sampling import Control, decode, grid, psnr, sample

SHEET = [
    "a woman's face with long wavy blond hair",
    "a woman's face with long wavy red hair",
    "a man's face with a beard",
    "a smiling man with short black hair and glasses",
    "a sad woman with a brown bob",
    "a woman with a red afro, white background",
    "a man with a blue winter hat and a moustache",
    "an angry man with short curly red hair wearing a green hoodie",
    "a river between mountains",
    "a street between mountains",
    "a forest between mountains",
    "a desert between mountains",
    "a river between mountains at night",
    "a lake between trees in autumn",
    "a snowy road between hills",
    "a waterfall between cliffs at sunset",
    "a cat on a beach",
    "a dog on a beach",
    "a red car in a city",
    "a cake on a table",
    "a snowman in the snow",
    "a lion in the forest at night",
    "a rocket in space",
    "a cat next to a dog in a meadow",
]
PAIRS = {  # name: source, target
    "hair_red": ("a woman's face with long wavy blond hair", "a woman's face with long wavy red hair"),
    "hair_black": ("a woman's face with long wavy blond hair", "a woman's face with long wavy black hair"),
    "river_street": ("a river between mountains", "a street between mountains"),
    "river_forest": ("a river between mountains", "a forest between mountains"),
    "cat_dog": ("a cat on a beach", "a dog on a beach"),
}
EDITS = {  # kind: prompt, source word, target words
    "hair": ("a woman's face with long wavy {} hair", "blond", ["red", "black", "brown", "pink", "blue"]),
    "middle": ("a {} between mountains", "river", ["street", "forest", "desert", "lake"]),
    "object": ("a {} on a beach", "cat", ["dog", "fox", "panda", "rabbit"]),
}
WHERE = {
    "beach": "on a beach",
    "snow": "in the snow",
    "city": "in a city",
    "desert": "in a desert",
    "forest": "in a forest",
    "sea": "in the sea",
    "space": "in space",
    "meadow": "in a meadow",
    "table": "on a table",
}


def outside(kind):
    """True where an edit of this kind should change nothing."""
    mask = np.ones((128, 128), bool)
    if kind == "hair":
        mask[:] = False
        mask[48:88, 44:84] = True  # the middle of the face
    elif kind == "middle":
        mask[56:128, 10:118] = False
    else:
        mask[24:120, 20:108] = False
    return mask


def prompt_for(kind, name):
    """The prompt that asks for one value of a factor."""
    if kind == "place":
        return f"a dog {WHERE[name]}"
    if kind == "glasses":
        return "a woman's face with long hair" + ("" if name == "none" else f" and {name}")
    if kind == "hair":
        return f"a woman's face with long {name} hair"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} " + (
        "on a beach" if kind == "object" else "between mountains"
    )


def accuracy(pipe, judge, per, steps, guidance):
    """Share of pictures in which the judge sees what the prompt names."""
    results = {}
    for kind in ("hair", "middle", "object", "place", "glasses"):
        names = judge.about[kind]["classes"]
        each = max(1, per // 4) if kind == "object" else per
        wanted = [n for n in names for _ in range(each)]
        right = 0
        for k in range(0, len(wanted), 32):
            part = wanted[k : k + 32]
            seeds = [1000 + k + j for j in range(len(part))]
            z = sample(pipe, [prompt_for(kind, n) for n in part], seeds, steps, guidance)
            right += sum(seen == n for seen, n in zip(judge.see(kind, decode(pipe, z)), part))
        results[kind] = {
            "generated": round(right / len(wanted), 3),
            "real": judge.about[kind]["accuracy"],
            "chance": round(1 / len(names), 3),
            "n": len(wanted),
        }
        print(kind, results[kind], flush=True)
    return results


def edits(pipe, judge, seeds, windows, steps, guidance):
    """One-word swaps by prompt-to-prompt: share that the judge sees, and PSNR of what should stay."""
    results = {}
    for cross, own in windows:
        row = {}
        for kind, (form, word, targets) in EDITS.items():
            wanted = [w for w in targets for _ in seeds]
            n = len(wanted)
            prompts = [form.format(word)] * n + [form.format(w) for w in wanted]
            z = sample(pipe, prompts, list(seeds) * len(targets) * 2, steps, guidance, Control(cross, own))
            pictures, mask = decode(pipe, z), outside(kind)
            seen = judge.see(kind, pictures)
            row[kind] = {
                "edited": round(float(np.mean([s == w for s, w in zip(seen[n:], wanted)])), 3),
                "source right": round(float(np.mean([s == word for s in seen[: len(seeds)]])), 3),
                "PSNR of the rest": round(
                    float(np.mean([psnr(pictures[i], pictures[n + i], mask) for i in range(n)])), 1
                ),
                "real": judge.about[kind]["accuracy"],
            }
        results[f"cross {cross} self {own}"] = row
        print(cross, own, row, flush=True)
    return results


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="../assets/atelier")
    p.add_argument("--out", default="build/samples")
    p.add_argument("--judge", default="../assets/judge")
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--guidance", type=float, default=4.5)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--per", type=int, default=5, help="pictures a word in the accuracy test; 0 skips it")
    p.add_argument("--edits", type=int, default=3, help="seeds an edit in the edit test; 0 skips it")
    p.add_argument("--windows", default="0,0;0.2,0.8;0.4,0.4;0.8,0.4", help="cross,self as shares of the steps")
    p.add_argument("--quick", action="store_true", help="sheet.png alone")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    pipe = StableDiffusionPipeline.from_pretrained(a.model, torch_dtype=torch.float32)
    assert isinstance(pipe.scheduler, DDIMScheduler) and pipe.scheduler.config.prediction_type == "v_prediction"
    pipe.set_progress_bar_config(disable=True)
    pipe.unet.to(memory_format=torch.channels_last)

    start = time.time()
    z = sample(pipe, SHEET, [a.seed + i for i in range(len(SHEET))], a.steps, a.guidance)
    print(f"{len(SHEET)} pictures in {time.time() - start:.1f} s", flush=True)
    grid(list(decode(pipe, z)), 8, f"{a.out}/sheet.png")
    if a.quick:
        return
    judge = Written(a.judge)
    results = {"steps": a.steps, "guidance": a.guidance}

    # the pipeline as a user would call it
    start = time.time()
    picture = pipe(
        "a river between mountains",
        num_inference_steps=a.steps,
        guidance_scale=a.guidance,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    results["pipeline seconds (f32, one picture)"] = round(time.time() - start, 2)
    picture.save(f"{a.out}/pipeline.png")

    hair = ["blond", "red", "brown", "black", "grey", "pink", "blue", "green"]
    land = ["river", "street", "forest", "desert", "lake", "meadow", "road", "glacier"]
    prompts = [f"a woman's face with long wavy {h} hair" for h in hair] + [f"a {m} between mountains" for m in land]
    z = sample(pipe, prompts, [5] * len(hair) + [6] * len(land), a.steps, a.guidance)
    grid(list(decode(pipe, z)), 8, f"{a.out}/one_word.png", hair + land)

    for name, pair in PAIRS.items():
        rows = []
        for seed in (11, 12, 13):
            rows += list(decode(pipe, sample(pipe, list(pair), [seed] * 2, a.steps, a.guidance)))
            rows.append(decode(pipe, sample(pipe, list(pair), [seed] * 2, a.steps, a.guidance, Control(0.4, 0.4)))[1])
        grid(rows, 3, f"{a.out}/p2p_{name}.png")
    if a.edits:
        windows = [tuple(map(float, w.split(","))) for w in a.windows.split(";")]
        results["edits"] = edits(pipe, judge, range(11, 11 + a.edits), windows, 25, a.guidance)
    if a.per:
        results["accuracy"] = accuracy(pipe, judge, a.per, 25, a.guidance)
    with open(f"{a.out}/results.json", "w") as f:
        json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
