"""Trains the network that finds the parts of the embedded model's pictures (assets/parts).

    python train_parts.py --data build/parts --held build/parts-held --out ../assets/parts [--minutes 8] [--resume]

Both folders come from parts.mjs, the held-out one with another seed. Writes config.json and model.safetensors (float16) and
prints the intersection over union of each part on the held-out pictures. One thread of a processor is enough.
"""
import argparse, json, os, time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

WIDTHS = [16, 32, 48, 64]
UPS = 2
GROUPS = 8
LAST = 32


class Step(nn.Module):
    """A convolution, a norm and SiLU; where `enlarge` is given, after the grid is doubled and joined with an earlier one."""

    def __init__(self, inputs, outputs, side=3, stride=1, enlarge=None):
        super().__init__()
        self.enlarge = nn.Conv2d(enlarge, inputs // 2, 3, padding=1) if enlarge else None
        self.conv = nn.Conv2d(inputs, outputs, side, stride, side // 2)
        self.norm = nn.GroupNorm(GROUPS, outputs, eps=1e-5)

    def forward(self, x, skip=None):
        if self.enlarge:
            x = torch.cat([self.enlarge(F.interpolate(x, scale_factor=2.0)), skip], 1)
        return F.silu(self.norm(self.conv(x)))


class Parts(nn.Module):
    """Pictures, N x 3 x 128 x 128 from -1 to 1, to N x classes x 32 x 32."""

    def __init__(self, classes):
        super().__init__()
        pairs = zip([3] + WIDTHS, WIDTHS)
        self.down = nn.ModuleList(Step(a, b, stride=2) for a, b in pairs)
        self.middle = nn.ModuleList(Step(WIDTHS[-1], WIDTHS[-1]) for _ in range(2))
        self.up, before = nn.ModuleList(), WIDTHS[-1]
        for i, w in enumerate(WIDTHS[-2 : -2 - UPS : -1]):
            after = w if i + 1 < UPS else LAST
            self.up.append(Step(2 * w, after, 1, enlarge=before))
            before = after
        self.out = nn.Conv2d(LAST, classes, 1)

    def forward(self, x):
        skips = []
        for step in self.down:
            x = step(x)
            skips.append(x)
        for step in self.middle:
            x = x + step(x)
        for i, step in enumerate(self.up):
            x = step(x, skips[-2 - i])
        return self.out(x)


def augment(rng, x, y):
    """Colours that differ a little and edges that are softer, as drawn pictures have; half the time turned round."""
    x = x.astype(np.float32) / 127.5 - 1
    x = x * rng.uniform(0.85, 1.1, (len(x), 1, 1, 1)) + rng.uniform(-0.08, 0.08, (len(x), 1, 1, 3))
    soft = rng.uniform(0, 0.5, (len(x), 1, 1, 1)) * (rng.random((len(x), 1, 1, 1)) < 0.5)
    near = (np.roll(x, 1, 1) + np.roll(x, -1, 1) + np.roll(x, 1, 2) + np.roll(x, -1, 2)) / 4
    x = x * (1 - soft) + near * soft + rng.normal(0, 0.02, x.shape)
    if rng.random() < 0.5:
        x, y = x[:, :, ::-1], y[:, :, ::-1]
    x = np.ascontiguousarray(np.clip(x, -1.2, 1.2).astype(np.float32).transpose(0, 3, 1, 2))
    return torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(y).astype(np.int64))


@torch.no_grad()
def evaluate(net, folder, parts):
    images, truth = np.load(f"{folder}/images.npy"), np.load(f"{folder}/parts.npy")
    x = torch.from_numpy(images.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1)
    ours = torch.cat([net(piece).argmax(1) for piece in x.split(20)]).numpy()
    lines = {}
    for i, name in enumerate(parts):
        both, either = ((ours == i) & (truth == i)).sum(), ((ours == i) | (truth == i)).sum()
        if (truth == i).any():
            lines[name] = both / either
    return lines, (ours == truth).mean()


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", default="build/parts")
    a.add_argument("--held", default="build/parts-held")
    a.add_argument("--out", default="../assets/parts")
    a.add_argument("--minutes", type=float, default=8)
    a.add_argument("--steps", type=int, default=6000)
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--rate", type=float, default=3e-3)
    a.add_argument("--resume", action="store_true", help="go on from the weights in --out, with a fresh optimiser")
    o = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images, truth = np.load(f"{o.data}/images.npy", mmap_mode="r"), np.load(f"{o.data}/parts.npy", mmap_mode="r")
    parts = json.load(open(f"{o.data}/domains.json"))["parts"]
    rng = np.random.default_rng(2 if o.resume else 1)
    net = Parts(len(parts))
    if o.resume:
        net.load_state_dict({name: value.float() for name, value in load_file(f"{o.out}/model.safetensors").items()})
    # Small parts count for more than their places.
    share = np.bincount(truth.ravel(), minlength=len(parts)) / truth.size
    weight = torch.tensor(1 / np.sqrt(share + 1e-3), dtype=torch.float32)
    weight /= (weight * torch.tensor(share, dtype=torch.float32)).sum()
    net = net.to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(net.parameters(), lr=o.rate, betas=(0.9, 0.99), weight_decay=1e-2)
    begun, mean = time.time(), 0.0
    for t in range(1, o.steps + 1):
        done = max((t - 1) / o.steps, (time.time() - begun) / 60 / o.minutes)
        if done >= 1:
            break
        for group in adam.param_groups:
            group["lr"] = o.rate * min(1, t / 50) * (0.02 + 0.98 * (1 - done))
        pick = np.sort(rng.choice(len(images), o.batch, replace=False))
        x, y = augment(rng, images[pick], truth[pick])
        loss = F.cross_entropy(net(x.to(memory_format=torch.channels_last)), y, weight)
        adam.zero_grad()
        loss.backward()
        adam.step()
        mean = 0.95 * mean + 0.05 * loss.item() if t > 1 else loss.item()
        if t % 100 == 0:
            print(f"step {t}  loss {mean:.3f}  {(time.time() - begun) / 60:.1f} min", flush=True)
    half = {name: value.detach().half().contiguous() for name, value in net.state_dict().items()}
    os.makedirs(o.out, exist_ok=True)
    save_file(half, f"{o.out}/model.safetensors")
    config = {
        "model_type": "parts",
        "widths": WIDTHS,
        "up_levels": UPS,
        "last_width": LAST,
        "norm_num_groups": GROUPS,
        "image_size": 128,
        "parts": parts,
    }
    json.dump(config, open(f"{o.out}/config.json", "w"), indent=1)
    net.load_state_dict({name: value.float() for name, value in half.items()})
    lines, right = evaluate(net, o.held, parts)
    for name, value in lines.items():
        print(f"{name:10} {value:.3f}")
    print(f"places right {right:.3f}, mean over parts {np.mean(list(lines.values())):.3f}")


main()
