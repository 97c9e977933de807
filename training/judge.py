"""Trains the judge of what a picture shows, and writes it to ../assets/judge: the edit tests ask it, and so does whoever opens a
photograph without a caption.

    ./adopt.sh --only judge          # renders its pictures and calls this; ten minutes of one core
    python3 judge.py --heads who     # one head, over the convolutions and beside the heads that are there; a minute

The pictures are none that the model was trained on. They are shown to the judge moved, scaled, blurred and noisy, since what a
model draws is a little smeared; a tenth is held out. The judge is a small convolutional network with one linear head a question:
the hair's colour, what lies in the middle of a landscape, the objects of a scene, and so on. Nothing of it depends on the model.

judge.safetensors (f16) has `conv<k>.weight` [out, in, kernel, kernel] and `conv<k>.bias`, which have taken up the normalisation
they were trained with, `<head>.weight` [classes, inputs] and `<head>.bias`. A picture averaged over 2x2 pixels, [3, 64, 64] of
values from -1 to 1, goes through the convolutions, each with stride 2, padding of half its kernel and a ReLU; the flattened
result (channels first) through a head; the largest sum is the answer. judge.json has the classes of each head, its accuracy on held-out pictures as they are and
moved, blurred and noisy, and the sums for an artificial picture, to check another program with.
"""

import argparse
import glob
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from muon import Muon
from safetensors.torch import load_file, save_file

COVERED = ("hijab", "turban", "hat", "winterHat", "bald")  # styles that show no hair, or none to speak of
WIDTHS, KERNELS = (24, 48, 80, 112), (5, 3, 3, 3)
NOWHERE = ("space", "table", "plain")  # places that have no time of day


def portrait(value):
    return lambda a: value(a) if a["domain"] == "portrait" else None


def landscape(value):
    return lambda a: value(a) if a["domain"] == "landscape" else None


def scene(value):
    return lambda a: value(a) if a["domain"] == "scene" else None


def time_of_day(a):
    if a["domain"] == "landscape" and a["weather"] not in ("rain", "fog"):
        return a["time"]
    return a["time"] if a["domain"] == "scene" and a["place"] not in NOWHERE else None


def only_colour(a):
    return a["objects"][0]["colour"] if len(a["objects"]) == 1 else None


def coat(a):
    """As `only_colour`, where things without a colour of their own count, too."""
    return (a["objects"][0]["colour"] or "none") if len(a["objects"]) == 1 else None


# What hair is called in a caption, its colour before the last word.
HAIRDOS = {
    "longStraight": "long straight hair",
    "longWavy": "long wavy hair",
    "curly": "long curly hair",
    "bob": "short bob",
    "medium": "medium hair",
    "bun": "bun",
    "afro": "big afro",
    "dreads": "long dreadlocks",
    "flowers": "hair",
    "shortStraight": "short straight hair",
    "shortCurly": "short curly hair",
    "shortWavy": "short wavy hair",
    "buzz": "very short hair",
    "shortDreads": "short dreadlocks",
    "shaggy": "shaggy hair",
}


# What each head names; None where a picture has no answer. The objects of a picture are one or two.
HEADS = {
    "hair": portrait(lambda a: None if a["style"] in COVERED else a["hair"]),
    "hat": portrait(lambda a: a["style"] if a["style"] in COVERED else "none"),
    "beard": portrait(lambda a: (a["beard"] or "none").split()[-1]),
    "glasses": portrait(lambda a: (a["glasses"] or "none").split()[-1]),
    "mood": portrait(lambda a: None if a["glasses"] == "sunglasses" else a["mood"]),
    "background": portrait(lambda a: a["back"]),
    "middle": landscape(lambda a: a["middle"]),
    "flanks": landscape(lambda a: a["flank"]),
    "season": landscape(lambda a: a["season"]),
    "weather": landscape(lambda a: a["weather"] or "none"),
    "time": time_of_day,
    "object": scene(lambda a: sorted(o["name"] for o in a["objects"])),
    "colour": scene(only_colour),
    "place": scene(lambda a: a["place"]),
    # What a caption says beside these.
    "kind": lambda a: a["domain"],
    "who": portrait(lambda a: a["sex"]),
    "hairdo": portrait(lambda a: HAIRDOS.get(a["style"])),
    "coat": scene(coat),
}


class Judge(nn.Module):
    def __init__(self, classes):
        super().__init__()
        widths = (3, *WIDTHS)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, k, 2, k // 2, bias=False) for i, o, k in zip(widths, widths[1:], KERNELS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in WIDTHS)
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTHS[-1] * 16, n) for name, n in classes.items()})

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(x)))
        x = F.dropout(x.flatten(1), 0.2, self.training)
        return {name: head(x) for name, head in self.heads.items()}

    def tensors(self):
        """Weights by name, with the norms folded into the convolutions."""
        out = {}
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            out[f"conv{k}.weight"] = conv.weight * scale[:, None, None, None]
            out[f"conv{k}.bias"] = norm.bias - norm.running_mean * scale
        for name, head in self.heads.items():
            out[f"{name}.weight"], out[f"{name}.bias"] = head.weight, head.bias
        return {k: v.detach().half().contiguous() for k, v in out.items()}

    def take(self, tensors):
        """Takes over what was written; norms do nothing then, and stay so. Heads that were not written are as they were."""
        with torch.no_grad():
            for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
                conv.weight.copy_(tensors[f"conv{k}.weight"])
                norm.running_var.fill_(1 - norm.eps)
                norm.bias.copy_(tensors[f"conv{k}.bias"])
            for name, head in self.heads.items():
                if f"{name}.weight" in tensors:
                    head.weight.copy_(tensors[f"{name}.weight"])
                    head.bias.copy_(tensors[f"{name}.bias"])
        self.convs.requires_grad_(False)
        self.norms.requires_grad_(False)


class Written:
    """The judge as it was written, for other programs here."""

    def __init__(self, folder):
        self.tensors = {name: t.float() for name, t in load_file(f"{folder}/judge.safetensors").items()}
        with open(f"{folder}/judge.json") as f:
            whole = json.load(f)
        self.about, self.check = whole["heads"], whole["check"]["sums"]

    def see(self, head, pictures):
        """What each picture, uint8 [n, 128, 128, 3], shows."""
        x = floats(halved(pictures))
        for k, kernel in enumerate(KERNELS):
            x = F.relu(F.conv2d(x, self.tensors[f"conv{k}.weight"], self.tensors[f"conv{k}.bias"], 2, kernel // 2))
        sums = x.flatten(1) @ self.tensors[f"{head}.weight"].T + self.tensors[f"{head}.bias"]
        return [self.about[head]["classes"][i] for i in sums.argmax(1).tolist()]


def worn(x, g):
    """Pictures as a model may draw them: moved, scaled, turned round, another light, blurred, noisy."""
    n = len(x)
    uniform = lambda lo, hi, *shape: torch.rand(shape or (n,), generator=g) * (hi - lo) + lo
    scale, side = uniform(0.93, 1.08), (torch.rand(n, generator=g) < 0.5).float() * 2 - 1
    turn = torch.zeros(n, 2, 3)
    turn[:, 0, 0], turn[:, 1, 1] = scale * side, scale
    turn[:, :, 2] = uniform(-0.06, 0.06, n, 2)
    x = F.grid_sample(x, F.affine_grid(turn, x.shape, align_corners=False), padding_mode="border", align_corners=False)
    sigma = float(uniform(0, 0.8, 1))
    if sigma > 0.25:
        taps = torch.exp(-(torch.arange(-2.0, 3.0) ** 2) / (2 * sigma**2))
        taps = (taps / taps.sum()).view(1, 1, 1, 5).repeat(3, 1, 1, 1)
        x = F.conv2d(F.conv2d(x, taps, padding=(0, 2), groups=3), taps.mT, padding=(2, 0), groups=3)
    x = x * uniform(0.9, 1.1, n, 1, 1, 1) + uniform(-0.08, 0.08, n, 3, 1, 1)
    return x + torch.randn(x.shape, generator=g) * uniform(0, 0.1, n, 1, 1, 1)


def halved(u8):
    """Means over 2x2 pixels, rounded up from the half."""
    wide = u8.astype(np.uint16)
    rows = wide[:, ::2] + wide[:, 1::2]
    return ((rows[:, :, ::2] + rows[:, :, 1::2] + 2) // 4).astype(np.uint8)


def read(folders):
    """Pictures at half size (uint8 [n, 64, 64, 3]) and their factors."""
    pictures, factors = [], []
    for folder in folders.split(","):
        for name in sorted(glob.glob(f"{folder}/images_*.npy")):
            with open(name.replace("images_", "captions_").replace(".npy", ".jsonl")) as f:
                factors += [json.loads(line) for line in f]
            whole = np.load(name, mmap_mode="r")
            pictures += [halved(whole[k : k + 1000]) for k in range(0, len(whole), 1000)]
    return np.concatenate(pictures), factors


def targets(factors):
    """Classes of each head, and for each picture a row of shares; rows of zeros have no answer."""
    classes, rows = {}, {}
    for name, value in HEADS.items():
        values = [value(a) for a in factors]
        values = [v if isinstance(v, list) or v is None else [v] for v in values]
        classes[name] = sorted({w for v in values if v for w in v})
        index = {w: i for i, w in enumerate(classes[name])}
        y = torch.zeros(len(factors), len(index))
        for i, v in enumerate(values):
            for w in v or []:
                y[i, index[w]] = 1 / len(v)
        rows[name] = y
    return classes, rows


def right(sums, y):
    """How many answers are right, and how many there are: of two objects both must be the two largest sums."""
    has = y.sum(1) > 0
    two = (y > 0).sum(1) == 2
    first = sums.topk(2, 1).indices
    one = y.gather(1, first[:, :1])[:, 0] > 0
    both = (y.gather(1, first) > 0).all(1)
    return (torch.where(two, both, one) & has).sum().item(), has.sum().item()


def floats(u8):
    return torch.from_numpy(u8).permute(0, 3, 1, 2).float() / 127.5 - 1


def artificial():
    y, x, c = np.mgrid[0:128, 0:128, 0:3]
    return floats(halved(((3 * x + 5 * y + 70 * c) % 256).astype(np.uint8)[None]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="build/judge,build/judge-one,build/judge-two")
    p.add_argument("--out", default="../assets/judge")
    p.add_argument("--renderer", default="", help="what adopt.sh knows the renderer by")
    p.add_argument("--heads", default="", help="train these alone, separated by commas, and leave the rest as it is")
    p.add_argument("--epochs", type=float, default=1.7)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--lr", type=float, default=3e-3)
    a = p.parse_args()
    torch.manual_seed(0)
    all_pictures, factors = read(a.data)
    classes, rows = targets(factors)
    held = torch.arange(len(factors)) % 10 == 0
    train = (~held).nonzero()[:, 0]

    def pictures(ids):
        return floats(all_pictures[ids])

    judge = Judge({name: len(c) for name, c in classes.items()})
    judge.to(memory_format=torch.channels_last)
    alone = [name for name in a.heads.split(",") if name]
    written = Written(a.out) if alone else None
    if alone:
        judge.take(written.tensors)
        for name, head in judge.heads.items():
            head.requires_grad_(name in alone)
    steps = int(a.epochs * len(train) / a.batch)
    muon = Muon([conv.weight for conv in judge.convs[1:]]) if not alone else None
    matrices = {id(p) for p in muon.params} if muon else set()
    learned = [p for p in judge.parameters() if p.requires_grad and id(p) not in matrices]
    adam = torch.optim.AdamW(learned, weight_decay=0.02)
    g = torch.Generator().manual_seed(1)
    order, begun, shown = torch.empty(0, dtype=torch.long), time.time(), 0.0
    for step in range(steps):
        if len(order) < a.batch:
            order = train[torch.randperm(len(train), generator=g)]
        ids, order = order[: a.batch], order[a.batch :]
        judge.norms.train(not alone)
        sums = judge(worn(pictures(ids.numpy()), g))
        loss = 0
        for name, y in sums.items():
            if alone and name not in alone:
                continue
            t = rows[name][ids]
            loss = loss - (t * F.log_softmax(y, 1)).sum() / t.sum().clamp(min=1)
        lr = a.lr * min(1, (step + 1) / 40) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        adam.param_groups[0]["lr"] = lr
        adam.zero_grad()
        loss.backward()
        if muon:
            muon.step(2 * lr)
        adam.step()
        shown = 0.98 * shown + 0.02 * loss.item()
        if step % 50 == 49:
            print(f"{step + 1} of {steps}, {(time.time() - begun) / (step + 1):.2f} s a step, loss {shown:.3f}", flush=True)
    judge.eval()
    about = {}
    with torch.no_grad():
        tensors = judge.tensors()
        held_ids = held.nonzero()[:, 0]
        scores = {name: [0, 0, 0] for name in classes}
        for ids in held_ids.split(250):
            x = pictures(ids.numpy())
            plain, moved = judge(x), judge(worn(x, g))
            for name in classes:
                good, all_ = right(plain[name], rows[name][ids])
                worn_good, _ = right(moved[name], rows[name][ids])
                scores[name] = [s + v for s, v in zip(scores[name], (good, worn_good, all_))]
        for name, (good, worn_good, all_) in scores.items():
            about[name] = {
                "classes": classes[name],
                "held_out": all_,
                "accuracy": round(good / all_, 4),
                "accuracy_worn": round(worn_good / all_, 4),
            }
            print(name, about[name]["accuracy"], about[name]["accuracy_worn"], "of", all_, flush=True)
        sums = judge(artificial())
    check = {
        "picture": "value of row y, column x, channel c: (3 x + 5 y + 70 c) mod 256",
        "sums": {name: [round(v, 3) for v in s[0].tolist()] for name, s in sums.items()},
    }
    if alone:
        # What is there already stays as it was written.
        tensors.update({k: t.half() for k, t in written.tensors.items() if k.split(".")[0] not in alone})
        about = {name: about[name] if name in alone else written.about[name] for name in classes}
        check["sums"].update({name: sums for name, sums in written.check.items() if name not in alone})
    os.makedirs(a.out, exist_ok=True)
    save_file(tensors, f"{a.out}/judge.safetensors")
    with open(f"{a.out}/judge.json", "w") as f:
        json.dump({"renderer": a.renderer, "heads": about, "check": check}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
