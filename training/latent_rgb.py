"""Fits the small colour preview of a latent, and writes it to ../assets/latent_rgb.json.

    python latent_rgb.py        # after probes.py, which encodes the pictures

Least squares from the 8 channels of a scaled latent to the mean colour (0 to 1) of the 8x8 pixels that each of its
16x16 places stands for: colour = latent @ weights + bias.
"""

import argparse
import json

import torch
from probes import averaged, real_pictures


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="build/probes")
    p.add_argument("--model", default="../assets/atelier")
    p.add_argument("--out", default="../assets/latent_rgb.json")
    a = p.parse_args()
    pictures, latents, _ = real_pictures(a.data, a.model)
    x = latents.permute(0, 2, 3, 1).flatten(0, 2)  # [places, 8]
    y = torch.cat(
        [
            averaged(part, 8).flatten(0, 2) / 255
            for part in (pictures[k : k + 256] for k in range(0, len(pictures), 256))
        ]
    )
    cut = int(len(x) * 0.85)
    x = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    y = y.double()
    w = torch.linalg.lstsq(x[:cut], y[:cut]).solution
    left = (y[cut:] - x[cut:] @ w).square().sum(0)
    r2 = 1 - left / (y[cut:] - y[cut:].mean(0)).square().sum(0)
    print("R2 on held-out pictures, red, green, blue:", [round(v, 4) for v in r2.tolist()])
    print("root mean square error:", round((left.sum() / y[cut:].numel()).sqrt().item(), 4))
    rounded = [[round(v, 5) for v in row] for row in w.tolist()]
    with open(a.out, "w") as f:
        json.dump({"weights": rounded[:-1], "bias": rounded[-1]}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
