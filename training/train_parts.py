"""Trains the network that finds the parts of the embedded model's pictures (assets/parts).

    python train_parts.py --data build/parts --held build/parts-held --out ../assets/parts [--minutes 8]

Both folders come from parts.mjs, the held-out one with another seed. Writes config.json and model.safetensors (float16) and
prints the intersection over union of each part on the held-out pictures. JAX on the processor; one thread is enough.
"""
import argparse, json, os, time

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file

WIDTHS = [16, 32, 48, 64]
UPS = 2
GROUPS = 8
LAST = 32


def init(key, classes):
    params = {}

    def conv(name, inputs, outputs, side=3, gain=2.0):
        nonlocal key
        key, sub = jax.random.split(key)
        scale = (gain / (inputs * side * side)) ** 0.5
        params[f"{name}.weight"] = jax.random.normal(sub, (outputs, inputs, side, side)) * scale
        params[f"{name}.bias"] = jnp.zeros(outputs)

    def norm(name, channels):
        params[f"{name}.weight"] = jnp.ones(channels)
        params[f"{name}.bias"] = jnp.zeros(channels)

    before = 3
    for i, w in enumerate(WIDTHS):
        conv(f"down.{i}.conv", before, w)
        norm(f"down.{i}.norm", w)
        before = w
    for i in range(2):
        conv(f"middle.{i}.conv", before, before)
        norm(f"middle.{i}.norm", before)
    for i, w in enumerate(WIDTHS[-2 : -2 - UPS : -1]):
        after = w if i + 1 < UPS else LAST
        conv(f"up.{i}.enlarge", before, w)
        conv(f"up.{i}.conv", 2 * w, after, 1)
        norm(f"up.{i}.norm", after)
        before = after
    conv("out", LAST, classes, 1, 1.0)
    return params


def conv(p, name, x, stride=1):
    w = p[f"{name}.weight"].transpose(2, 3, 1, 0)
    pad = w.shape[0] // 2
    y = jax.lax.conv_general_dilated(
        x, w, (stride, stride), [(pad, pad), (pad, pad)], dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + p[f"{name}.bias"]


def norm_silu(p, name, x):
    b, h, w, c = x.shape
    g = x.reshape(b, h * w, GROUPS, c // GROUPS)
    mean = g.mean((1, 3), keepdims=True)
    var = ((g - mean) ** 2).mean((1, 3), keepdims=True)
    y = ((g - mean) / jnp.sqrt(var + 1e-5)).reshape(b, h, w, c)
    return jax.nn.silu(y * p[f"{name}.weight"] + p[f"{name}.bias"])


def forward(p, x):
    """Pictures, N x 128 x 128 x 3 from -1 to 1, to N x 32 x 32 x classes."""
    skips = []
    for i in range(len(WIDTHS)):
        x = norm_silu(p, f"down.{i}.norm", conv(p, f"down.{i}.conv", x, 2))
        skips.append(x)
    for i in range(2):
        x = x + norm_silu(p, f"middle.{i}.norm", conv(p, f"middle.{i}.conv", x))
    for i in range(UPS):
        x = conv(p, f"up.{i}.enlarge", x.repeat(2, 1).repeat(2, 2))
        x = jnp.concatenate([x, skips[-2 - i]], -1)
        x = norm_silu(p, f"up.{i}.norm", conv(p, f"up.{i}.conv", x))
    return conv(p, "out", x)


def loss_of(p, x, y):
    logp = jax.nn.log_softmax(forward(p, x))
    return -jnp.take_along_axis(logp, y[..., None].astype(jnp.int32), -1).mean()


@jax.jit
def step(p, m, v, t, rate, x, y):
    loss, g = jax.value_and_grad(loss_of)(p, x, y)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, v, g)
    move = lambda p, m, v: p - rate * ((m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.99**t)) + 1e-8) + 1e-3 * p)
    return jax.tree.map(move, p, m, v), m, v, loss


@jax.jit
def chosen(p, x):
    return forward(p, x).argmax(-1).astype(jnp.uint8)


def augment(rng, x, y):
    """Colours that differ a little and edges that are softer, as drawn pictures have; half the time turned round."""
    x = x.astype(np.float32) / 127.5 - 1
    x = x * rng.uniform(0.85, 1.1, (len(x), 1, 1, 1)) + rng.uniform(-0.08, 0.08, (len(x), 1, 1, 3))
    soft = rng.uniform(0, 0.5, (len(x), 1, 1, 1)) * (rng.random((len(x), 1, 1, 1)) < 0.5)
    near = (np.roll(x, 1, 1) + np.roll(x, -1, 1) + np.roll(x, 1, 2) + np.roll(x, -1, 2)) / 4
    x = x * (1 - soft) + near * soft + rng.normal(0, 0.02, x.shape)
    if rng.random() < 0.5:
        x, y = x[:, :, ::-1], y[:, :, ::-1]
    return np.clip(x, -1.2, 1.2).astype(np.float32), np.ascontiguousarray(y)


def evaluate(p, folder, parts):
    images, truth = np.load(f"{folder}/images.npy"), np.load(f"{folder}/parts.npy")
    ours = np.concatenate([np.asarray(chosen(p, images[i : i + 20] / np.float32(127.5) - 1)) for i in range(0, len(images), 20)])
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
    a.add_argument("--steps", type=int, default=1500)
    a.add_argument("--batch", type=int, default=16)
    o = a.parse_args()
    images, truth = np.load(f"{o.data}/images.npy", mmap_mode="r"), np.load(f"{o.data}/parts.npy", mmap_mode="r")
    parts = json.load(open(f"{o.data}/domains.json"))["parts"]
    rng = np.random.default_rng(1)
    p = init(jax.random.PRNGKey(1), len(parts))
    m = v = jax.tree.map(jnp.zeros_like, p)
    begun, mean = time.time(), 0.0
    for t in range(1, o.steps + 1):
        done = max((t - 1) / o.steps, (time.time() - begun) / 60 / o.minutes)
        if done >= 1:
            break
        rate = 2e-3 * min(1, t / 50) * (0.02 + 0.98 * (1 - done))
        pick = np.sort(rng.choice(len(images), o.batch, replace=False))
        x, y = augment(rng, images[pick], truth[pick])
        p, m, v, loss = step(p, m, v, float(t), rate, x, y)
        mean = 0.95 * mean + 0.05 * float(loss) if t > 1 else float(loss)
        if t % 50 == 0:
            print(f"step {t}  loss {mean:.3f}  {(time.time() - begun) / 60:.1f} min", flush=True)
    half = {name: np.asarray(value).astype(np.float16) for name, value in p.items()}
    os.makedirs(o.out, exist_ok=True)
    save_file(half, f"{o.out}/model.safetensors")
    config = {"model_type": "parts", "widths": WIDTHS, "last_width": LAST, "up_levels": UPS, "norm_num_groups": GROUPS, "image_size": 128, "parts": parts}
    json.dump(config, open(f"{o.out}/config.json", "w"), indent=1)
    lines, right = evaluate({k: jnp.asarray(v, jnp.float32) for k, v in half.items()}, o.held, parts)
    for name, value in lines.items():
        print(f"{name:10} {value:.3f}")
    print(f"places right {right:.3f}, mean over parts {np.mean(list(lines.values())):.3f}")


main()
