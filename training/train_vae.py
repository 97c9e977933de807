"""Trains the autoencoder: 128x128 pictures to 8x16x16 latents and back (diffusers' AutoencoderKL).

    python train_vae.py --data build/data --out build/vae --until 16:08 [--resume]

Most of the time goes to random 64x64 crops, which are four times cheaper and which a convolutional network
learns from just as well. The last part sees whole pictures, because group normalisation and the one attention
block meet other statistics there. The loss adds up: L1, squared error, L1 of 8x8 patch means (colours), L1 of
the picture's gradients (edges), and a small KL. `scaling_factor`, one over the latents' standard deviation, is
measured at the end and written to config.json.
"""

import argparse, datetime, glob, json, math, os, time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL


def deadline(hhmm):
    now = datetime.datetime.now()
    h, m = map(int, hhmm.split(":"))
    end = now.replace(hour=h, minute=m, second=0, microsecond=0)
    if end < now:
        end += datetime.timedelta(days=1)
    return time.time() + (end - now).total_seconds()


def load_images(data, rows):
    """The last `rows` pictures of each shard, in memory: random reads from disk are slow."""
    return [np.array(np.load(f, mmap_mode="r")[-rows:]) for f in sorted(glob.glob(f"{data}/images_*.npy"))]


def batch(shards, n, size, rng):
    """`n` random crops, half of them mirrored: uint8 [n, 3, size, size]."""
    out = np.empty((n, size, size, 3), np.uint8)
    for k in range(n):
        s = shards[rng.integers(len(shards))]
        i = rng.integers(len(s) - 512)  # the last 512 of each shard are held out
        y, x = rng.integers(0, 129 - size, 2)
        im = s[i, y : y + size, x : x + size]
        out[k] = im[:, ::-1] if rng.random() < 0.5 else im
    return torch.from_numpy(out).permute(0, 3, 1, 2)


def to_float(u8):
    return (u8.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def build():
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=8,
        sample_size=128,
        block_out_channels=(32, 64, 128, 128),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )


class Step(torch.nn.Module):
    """Encodes, samples, decodes and weighs the losses; one module, so that it compiles into one graph."""

    def __init__(self, vae, kl):
        super().__init__()
        self.vae, self.kl = vae, kl

    def forward(self, x, noise):
        m = self.vae.quant_conv(self.vae.encoder(x)).float()
        mu, logvar = m.chunk(2, 1)
        logvar = logvar.clamp(-20, 10)
        z = mu + noise * torch.exp(0.5 * logvar)
        y = self.vae.decoder(self.vae.post_quant_conv(z)).float()
        d = y - x
        l1 = d.abs().mean()
        grad = (d[:, :, 1:] - d[:, :, :-1]).abs().mean() + (d[..., 1:] - d[..., :-1]).abs().mean()
        coarse = F.avg_pool2d(d, 8).abs().mean()  # patch colours, learned slowly without this
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()
        return l1 + 2 * coarse + 3 * d.pow(2).mean() + 0.3 * grad + self.kl * kl, l1, grad, kl


@torch.no_grad()
def psnr(vae, shards, n=96):
    """Mean PSNR of held-out pictures, encoded to the mean and decoded."""
    vae.eval()
    x = to_float(torch.from_numpy(np.concatenate([s[-n // len(shards) :] for s in shards])).permute(0, 3, 1, 2))
    with torch.autocast("cpu", torch.bfloat16):
        y = torch.cat([vae.decode(vae.encode(b).latent_dist.mean).sample.float() for b in x.split(32)])
    mse = ((y.clamp(-1, 1) - x) / 2).pow(2).flatten(1).mean(1)
    vae.train()
    return (-10 * mse.log10()).mean().item(), x, y


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="build/data")
    p.add_argument("--out", default="build/vae")
    p.add_argument("--until", required=True, help="wall-clock time HH:MM to stop at")
    p.add_argument("--resume", action="store_true", help="go on from --out")
    p.add_argument("--lr", type=float, default=8e-4)
    p.add_argument("--kl", type=float, default=3e-4)
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--full", type=float, default=0.25, help="share of the time, at the end, for whole pictures")
    p.add_argument("--rows", type=int, default=9000, help="pictures of each shard to train on")
    p.add_argument(
        "--freeze-encoder",
        action="store_true",
        help="train the decoder alone, so that the latents and the UNet made for them stay valid",
    )
    p.add_argument("--compile", action="store_true")
    a = p.parse_args()
    end, start = deadline(a.until), time.time()
    torch.manual_seed(0)
    rng = np.random.default_rng(int(start))
    shards = load_images(a.data, a.rows)
    vae = AutoencoderKL.from_pretrained(a.out, torch_dtype=torch.float32) if a.resume else build()
    vae = vae.to(memory_format=torch.channels_last).train()
    print(f"{sum(q.numel() for q in vae.parameters()) / 1e6:.2f}M parameters", flush=True)
    if a.freeze_encoder:
        for m in (vae.encoder, vae.quant_conv):
            m.requires_grad_(False)
    step = Step(vae, a.kl)
    torch._dynamo.config.automatic_dynamic_shapes = False  # two fixed crop sizes
    run = torch.compile(step) if a.compile else step
    opt = torch.optim.AdamW(
        [q for q in vae.parameters() if q.requires_grad], lr=a.lr, betas=(0.9, 0.99), weight_decay=1e-4, fused=True
    )
    i = seen = 0
    log = time.time()
    avg = None
    while True:
        done = (time.time() - start) / (end - start - 25)
        if done >= 1:
            break
        lr = a.lr * min(1, (i + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
        for g in opt.param_groups:
            g["lr"] = lr
        size, n = (64, a.batch) if done < 1 - a.full else (128, a.batch // 4)
        x = to_float(batch(shards, n, size, rng))
        with torch.autocast("cpu", torch.bfloat16):
            loss, l1, grad, kl = run(x, torch.randn(n, 8, size // 8, size // 8))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        i += 1
        seen += n * (size / 128) ** 2
        cur = torch.stack([l1.detach(), grad.detach(), kl.detach()])
        avg = cur if avg is None else avg * 0.98 + cur * 0.02
        if time.time() - log > 30:
            log = time.time()
            print(
                f"{time.strftime('%H:%M:%S')} step {i} pictures {seen:.0f} ({seen / (log - start):.1f}/s) lr {lr:.1e} l1 {avg[0]:.4f} grad {avg[1]:.4f} kl {avg[2]:.2f}",
                flush=True,
            )
            if i % 5 == 0:
                print(f"  psnr {psnr(vae, shards)[0]:.2f} dB", flush=True)
                vae.save_pretrained(a.out)
    db, x, y = psnr(vae, shards, 256)
    # the scaling factor comes from latents of training pictures
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        z = torch.cat(
            [vae.encode(to_float(batch(shards, 32, 128, rng))).latent_dist.sample().float() for _ in range(16)]
        )
    if not a.freeze_encoder:
        vae.register_to_config(scaling_factor=round(1 / z.std().item(), 5))
    vae.save_pretrained(a.out)
    print(
        f"end: step {i} pictures {seen:.0f} psnr {db:.2f} dB latent mean {z.mean():.3f} std {z.std():.3f} per channel {[round(v, 2) for v in z.std((0, 2, 3)).tolist()]}",
        flush=True,
    )
    from PIL import Image

    rows = [torch.cat([x[k : k + 12], y[k : k + 12]]) for k in (0, 128)]
    g = torch.cat(rows).clamp(-1, 1).add(1).mul(127.5).byte().permute(0, 2, 3, 1).numpy()
    Image.fromarray(np.concatenate([np.concatenate(list(g[k : k + 12]), 1) for k in range(0, len(g), 12)])).save(
        os.path.join(a.out, "reconstructions.png")
    )
    json.dump({"psnr": db, "steps": i, "pictures": seen}, open(os.path.join(a.out, "result.json"), "w"))


if __name__ == "__main__":
    main()
