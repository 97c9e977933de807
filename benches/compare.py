"""Runs wordbrush and its peers in turn on the same work and prints how many times faster wordbrush is.

    cargo build --release && python benches/compare.py embedded       # the embedded model: step, decode, turn
    cargo build --release && python benches/compare.py sd15           # Stable Diffusion 1.5 shape: step, turn
    cargo build --release && python benches/compare.py few            # few-step shapes: our edit, their plain picture

Shared machines are noisy, so nothing is compared across time: in each round both sides run one after the other, and
the ratio of a pair is what counts. The table has the median ratio and the smallest and largest. Needs only Python's
standard library here; the peers need benches/requirements.txt in the Python that `--python` names.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRECISIONS = ("f32", "bf16")


def counted(steps):
    return "1 step" if steps == 1 else f"{steps} steps"


def pairs(model, scratch):
    """(title, wordbrush's arguments, the peer's arguments), each measured at both precisions."""
    if model == "few":
        for shape, steps, batch in (("turbo", 1, 1), ("turbo", 4, 1), ("lcm", 4, 1), ("sd15", 8, 2)):
            common = ["--steps", str(steps), "--model"]
            title = f"{shape}, {counted(steps)}: an edit turn, a plain picture in OpenVINO"
            theirs = ["picture", *common, shape, "--batch", str(batch)]
            yield title, ["turn_cached", *common, scratch / shape], theirs
        return
    step = ["step", "--model", model]
    yield "step, PyTorch", step, step
    yield "step, OpenVINO", step, [*step, "--backend", "openvino"]
    if model == "embedded":
        yield "decode, PyTorch", ["decode", "--model", model], ["decode", "--model", model]
        yield "edit turn, published method in PyTorch", ["turn_cached", "--model", model], ["turn", "--model", model]
    else:  # a step is long here: four of them, no decoding, ratio of the seconds a step
        turn = ["turn", "--model", model, "--steps", "4", "--no-decode"]
        yield "edit turn a step, published method in PyTorch", ["turn_cached", "--model", model], turn


def last_line(command):
    """The last JSON object that a command prints."""
    out = subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads([line for line in out.splitlines() if line.startswith("{")][-1])


def seconds(line, model):
    """What is compared: whole turns on the embedded model, seconds a step on the large one."""
    a_step = line["what"].startswith("turn") and model == "sd15"
    return line["seconds"] / line["steps"] if a_step else line["seconds"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model", choices=["embedded", "sd15", "few"])
    p.add_argument("--wordbrush", default=HERE.parent / "target" / "release" / "wordbrush")
    p.add_argument("--python", default=sys.executable, help="the Python that has the peers' packages")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--runs", type=int, default=3, help="runs a side in each round")
    p.add_argument("--precision", choices=PRECISIONS, action="append", help="both if left out")
    p.add_argument("--scratch", default="build", help="`few`: where models of the shapes are written, 7 GB")
    p.add_argument("--only", default="", help="pairs whose title has this text")
    a = p.parse_args()
    print("| what | precision | wordbrush s | peer s | times faster (smallest to largest) | MB | peer MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    scratch = Path(a.scratch)
    for shape in ("turbo", "lcm", "sd15") if a.model == "few" else ():
        if not (scratch / shape / "tokenizer").is_dir():
            write = [a.python, HERE / "peers.py", "folder", "--model", shape, "--save", scratch / shape]
            subprocess.run([str(c) for c in write], check=True)
    for title, ours, theirs in pairs(a.model, scratch):
        if a.only not in title:
            continue
        for precision in a.precision or PRECISIONS:
            common = ["--precision", precision, "--runs", a.runs]
            mine, peer = [], []
            for _ in range(a.rounds):
                mine.append(last_line([a.wordbrush, "bench", "--only", *ours, *common, "--json"]))
                peer.append(last_line([a.python, HERE / "peers.py", *theirs, *common]))
            ratios = [seconds(q, a.model) / seconds(m, a.model) for m, q in zip(mine, peer)]
            own = statistics.median(seconds(m, a.model) for m in mine)
            other = statistics.median(seconds(q, a.model) for q in peer)
            print(
                f"| {title} | {precision} | {own:.3f} | {other:.3f} "
                f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
                f"| {max(m['peak_mb'] for m in mine)} | {max(q['peak_mb'] for q in peer)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
