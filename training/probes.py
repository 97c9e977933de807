"""Fits the probes that the edit tests read, and writes them to ../tests/probes.

    node render.mjs --out build/probes --n 16000 --seed 2      # pictures that the model was not trained on
    python probes.py

A probe looks at a picture and names one factor: the hair's colour, what lies in the middle of a landscape, and so on.
It is multinomial logistic regression, `inputs @ weight + bias`, and the largest sum wins. The inputs are one of these:

  latent   the picture's scaled latent, [8, 16, 16] in that order: 2048 values
  palette  the picture (0 to 255) averaged over 2x2 pixels; each of the 64x64 results counts as the nearest of 32 colours
           (squared distance, the first on a tie); the share of each colour in each block of 8x8 of them, as
           [block row, block column, colour]: 2048 values
  eyes     the picture (0 to 1), rows 36 to 84 and columns 28 to 100, averaged over 2x2 pixels to [24, 36, 3]: these values;
           then for the first 23 rows and 35 columns the absolute difference to the right-hand neighbour, summed over
           the channels; then the same to the neighbour below: 2592 + 805 + 805 values

probes.safetensors has `<probe>.weight` [inputs, classes] in f16, `<probe>.bias` in f32 and `palette` [32, 3] in f32;
probes.json has each probe's inputs, classes and accuracy on the 15 % of the pictures that were held out, and in `check`
the sums for an artificial picture and latent, so that another program can test its reading of the above.
"""

import argparse
import glob
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors.torch import save_file

COLOURS = 32
COVERED = ("hijab", "turban", "hat", "winterHat", "bald")  # styles that show no hair, or none to speak of


def glasses(a):
    return "none" if not a["glasses"] else "sunglasses" if a["glasses"] == "sunglasses" else "glasses"


def only_object(a):
    return a["objects"][0]["name"]


PROBES = {  # name: inputs, which pictures, what to name
    "hair": ("palette", lambda a: a["domain"] == "portrait" and a["style"] not in COVERED, lambda a: a["hair"]),
    "hair_latent": ("latent", lambda a: a["domain"] == "portrait" and a["style"] not in COVERED, lambda a: a["hair"]),
    "glasses": ("eyes", lambda a: a["domain"] == "portrait", glasses),
    "glasses_latent": ("latent", lambda a: a["domain"] == "portrait", glasses),
    "middle": ("latent", lambda a: a["domain"] == "landscape", lambda a: a["middle"]),
    "object": ("latent", lambda a: a["domain"] == "scene" and len(a["objects"]) == 1, only_object),
    "place": ("latent", lambda a: a["domain"] == "scene" and a["place"] != "plain", lambda a: a["place"]),
}


@torch.no_grad()
def real_pictures(data, model):
    """Rendered pictures (uint8 [n, 128, 128, 3]), their scaled latents (the encoder's mean) and their factors."""
    pictures = np.concatenate([np.load(f) for f in sorted(glob.glob(f"{data}/images_*.npy"))])
    factors = []
    for name in sorted(glob.glob(f"{data}/captions_*.jsonl")):
        with open(name) as f:
            factors += [json.loads(line) for line in f]
    kept = f"{data}/latents.npy"
    if not os.path.exists(kept):
        vae = AutoencoderKL.from_pretrained(f"{model}/vae", torch_dtype=torch.float32).eval()
        vae.to(memory_format=torch.channels_last)
        latents, start = [], time.time()
        for k in range(0, len(pictures), 32):
            x = torch.from_numpy(pictures[k : k + 32]).permute(0, 3, 1, 2).float() / 127.5 - 1
            mean = vae.encode(x.contiguous(memory_format=torch.channels_last)).latent_dist.mean
            latents.append((mean * vae.config.scaling_factor).numpy())
            if k % 3200 == 0:
                print(f"{k} encoded, {(k + len(x)) / (time.time() - start):.0f} a second", flush=True)
        np.save(kept, np.concatenate(latents))
    return pictures, torch.from_numpy(np.load(kept)), factors


def averaged(pictures, factor):
    """Means over factor x factor pixels, as float [n, rows, columns, 3]."""
    n, rows, columns, _ = pictures.shape
    x = torch.from_numpy(pictures).float()
    return x.view(n, rows // factor, factor, columns // factor, factor, 3).mean((2, 4))


def make_palette(pictures):
    """The 32 colours that lie closest to the pixels of some pictures (k-means)."""
    g = torch.Generator().manual_seed(0)
    pixels = torch.from_numpy(pictures[:600, ::8, ::8].reshape(-1, 3)).float()
    centres = pixels[torch.randperm(len(pixels), generator=g)[:COLOURS]]
    for _ in range(30):
        nearest = torch.cdist(pixels, centres).argmin(1)
        centres = torch.stack(
            [pixels[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(COLOURS)]
        )
    return centres.round()


def palette_inputs(pictures, palette):
    parts = []
    for k in range(0, len(pictures), 64):
        x = averaged(pictures[k : k + 64], 2)
        nearest = (x.unsqueeze(-2) - palette).square().sum(-1).argmin(-1)  # [n, 64, 64]
        shares = F.one_hot(nearest, COLOURS).float().view(-1, 8, 8, 8, 8, COLOURS).mean((2, 4))
        parts.append(shares.flatten(1))
    return torch.cat(parts)


def eyes_inputs(pictures):
    x = averaged(np.ascontiguousarray(pictures[:, 36:84, 28:100]), 2) / 255
    here = x[:, :-1, :-1]
    right, below = (x[:, :-1, 1:] - here).abs().sum(-1), (x[:, 1:, :-1] - here).abs().sum(-1)
    return torch.cat([x.flatten(1), right.flatten(1), below.flatten(1)], 1)


def inputs_of(kind, pictures, latents, palette):
    """What a probe reads: [pictures, inputs]."""
    if kind == "latent":
        return latents.flatten(1)
    return palette_inputs(pictures, palette) if kind == "palette" else eyes_inputs(pictures)


def fit(x, y, classes, decay):
    """Multinomial logistic regression; returns weight and bias for the inputs as they come."""
    mean, spread = x.mean(0), x.std()
    x = (x - mean) / spread
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    search = torch.optim.LBFGS([weight, bias], max_iter=80, history_size=10, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = F.cross_entropy(x @ weight + bias, y) + decay / 2 * weight.pow(2).sum()
        value.backward()
        return value

    search.step(loss)
    weight, bias = weight.detach() / spread, bias.detach()
    return weight.half(), bias - mean @ weight.half().float()


def artificial():
    """A picture and a latent that any program can make: see `check` in probes.json."""
    y, x, c = np.mgrid[0:128, 0:128, 0:3]
    picture = ((3 * x + 5 * y + 70 * c) % 256).astype(np.uint8)[None]
    c, y, x = np.mgrid[0:8, 0:16, 0:16]
    return picture, torch.from_numpy((((7 * c + 3 * y + 5 * x) % 11) / 5 - 1).astype(np.float32))[None]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="build/probes")
    p.add_argument("--model", default="../assets/atelier")
    p.add_argument("--out", default="../tests/probes")
    p.add_argument("--decay", type=float, default=3e-3)
    a = p.parse_args()
    pictures, latents, factors = real_pictures(a.data, a.model)
    palette = make_palette(pictures)
    tensors, about = {"palette": palette}, {}
    example = artificial()
    check = {
        "picture": "value of row y, column x, channel c: (3 x + 5 y + 70 c) mod 256",
        "latent": "value of channel c, row y, column x: ((7 c + 3 y + 5 x) mod 11) / 5 - 1",
        "sums": {},
    }
    for name, (kind, wanted, value) in PROBES.items():
        chosen = [i for i, f in enumerate(factors) if wanted(f)]
        values = [value(factors[i]) for i in chosen]
        classes = sorted(set(values))
        y = torch.tensor([classes.index(v) for v in values])
        x = inputs_of(kind, pictures[chosen], latents[chosen], palette)
        cut = int(len(chosen) * 0.85)
        weight, bias = fit(x[:cut], y[:cut], len(classes), a.decay)
        right = ((x[cut:] @ weight.float() + bias).argmax(1) == y[cut:]).float().mean().item()
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, bias
        about[name] = {
            "inputs": kind,
            "classes": classes,
            "held_out_accuracy": round(right, 4),
            "pictures": cut,
            "held_out": len(chosen) - cut,
        }
        sums = inputs_of(kind, *example, palette) @ weight.float() + bias
        check["sums"][name] = [round(v, 3) for v in sums[0].tolist()]
        print(name, kind, f"{right:.4f} of {len(chosen) - cut}", flush=True)
    os.makedirs(a.out, exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, f"{a.out}/probes.safetensors")
    with open(f"{a.out}/probes.json", "w") as f:
        json.dump({"probes": about, "check": check}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
