"""Trains everything on one GPU in ten minutes: autoencoder, text encoder and UNet, and the adapter that stands for guidance.

    for p in $(seq 0 15); do node render.mjs --n 182000 --part $p --parts 16 --out build/data & done; wait
    python train_gpu.py vae --until 17:04                  # autoencoder and the latents of all pictures, to build/gpu
    python train_gpu.py ldm --until 17:08                  # text encoder and UNet, to build/gpu/model
    python train_gpu.py guide --until 17:14                # the adapter, to build/gpu/guided.safetensors

Each goes on from the model in `--init` (`../assets/atelier`), or with `--scratch` from nothing; `vae --keep` only encodes. All
pictures lie on the GPU. The last 512 of the first file are never trained on. `--tokenizer` keeps a vocabulary, which weights that
are gone on from are best trained with. On a processor it all runs too, slowly.
"""

import argparse
import glob
import json
import math
import os
import time
import types

import numpy as np
import torch
import torch.nn as nn
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel, PreTrainedTokenizerFast

import train_vae
from muon import Muon
from train_ldm import Loss, SplitContext, build, export, scheduler
from train_vae import Step, deadline, to_float
from words import WordExchange, encode_prompts, make_tokenizer

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
HELD = 512


def cast():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda")


def by_part(pattern):
    return sorted(glob.glob(pattern), key=lambda name: int(name.rsplit("_", 1)[1].split(".")[0]))


def floats(u8):
    return to_float(u8.permute(0, 3, 1, 2))


def optimisers(named, lr):
    """Muon for what lies between, AdamW for embeddings, norms, biases, the first and the last layer."""
    ends = ("embed", "conv_in", "conv_out")
    hidden = [q for n, q in named if q.ndim >= 2 and not any(k in n for k in ends)]
    ids = {id(q) for q in hidden}
    other = [q for _, q in named if id(q) not in ids]
    return Muon(hidden), torch.optim.AdamW(other, lr=lr, betas=(0.9, 0.99), weight_decay=0.01)


def train(a, named, loss_of, rates, warmup, slowness):
    """Trains until a.until on what `loss_of` gives, at rates that fall to nothing; leaves the averaged weights."""
    params = [q for _, q in named]
    lr, muon_lr = rates
    muon, adam = optimisers(named, lr)
    ema = [q.detach().clone() for q in params]
    begun, end, shown, step = time.time(), deadline(a.until), time.time(), 0
    while (done := (time.time() - begun) / (end - begun)) < 1:
        share = min(1, (step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * done))
        adam.param_groups[0]["lr"] = lr * share + 1e-6
        loss = loss_of()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        muon.step(muon_lr * share)
        adam.step()
        adam.zero_grad()
        step += 1
        torch._foreach_lerp_(ema, [q.detach() for q in params], 1 - min(slowness, (step + 1) / (step + 20)))
        if time.time() - shown > 10:
            shown = time.time()
            print(f"step {step}, {(shown - begun) / step:.2f} s each, {done:.0%} of the time, loss {loss.item():.4f}", flush=True)
    with torch.no_grad():
        for q, e in zip(params, ema):
            q.copy_(e)
    print(f"{step} steps", flush=True)


def vae(a):
    model = train_vae.build() if a.scratch else AutoencoderKL.from_pretrained(f"{a.init}/vae", torch_dtype=torch.float32)
    model = model.to(DEVICE).to(memory_format=torch.channels_last).train()
    files = [np.load(f, mmap_mode="r") for f in by_part(f"{a.data}/images_*.npy")]
    data = torch.cat([torch.from_numpy(np.array(f)).to(DEVICE) for f in files])
    last = len(files[0])
    held = floats(data[last - HELD : last])
    train_ids = torch.cat([torch.arange(last - HELD), torch.arange(last, len(data))]).to(DEVICE)
    step = Step(model, a.kl)
    batch = a.batch or 64

    def loss_of():
        x = data[train_ids[torch.randint(len(train_ids), (batch,), device=DEVICE)]]
        mirrored = torch.rand(batch, 1, 1, 1, device=DEVICE) < 0.5
        with cast():
            x = floats(torch.where(mirrored, x.flip(2), x))
            return step(x, torch.randn(batch, 8, 16, 16, device=DEVICE))[0]

    if not a.keep:
        train(a, list(model.named_parameters()), loss_of, (6e-4, 1.5e-3), 50, 0.998)
    model.eval()
    with torch.no_grad(), cast():
        drawn = torch.cat([model.decode(model.encode(x).latent_dist.mean).sample.float() for x in held.split(64)])
        error = ((drawn.clamp(-1, 1) - held) / 2).square().mean((1, 2, 3))
        print(f"held-out pictures come back at {(-10 * error.log10()).mean():.2f} dB")
        latents = torch.empty(2, len(data), 8, 16, 16, dtype=torch.float16)
        for k in range(0, len(data), HELD):
            x = data[k : k + HELD]
            for way, pictures in enumerate((x, x.flip(2))):
                latents[way, k : k + HELD] = model.encode(floats(pictures)).latent_dist.mean.half().cpu()
    if not a.keep:
        model.register_to_config(scaling_factor=round(1 / latents[0, ::7].float().std().item(), 5))
    model.save_pretrained(f"{a.out}/vae")
    torch.save({"latents": latents, "train": train_ids.cpu()}, f"{a.out}/latents.pt")


class Latents:
    """Latents of the training pictures, either way round, with one of their captions each."""

    def __init__(self, a, tok, scale):
        kept = torch.load(f"{a.out}/latents.pt")
        self.latents, self.ids, self.scale = kept["latents"].to(DEVICE), kept["train"].to(DEVICE), scale
        captions = []
        for name in by_part(f"{a.data}/captions_*.jsonl"):
            with open(name) as f:
                captions += [json.loads(line)["captions"] for line in f]
        tokens = [encode_prompts(tok, [c[j] for c in captions]) for j in range(3)]
        self.tokens = torch.stack(tokens, 1).to(DEVICE)
        self.order = self.ids[:0]

    def batch(self, n):
        if len(self.order) < n:
            self.order = self.ids[torch.randperm(len(self.ids), device=DEVICE)]
        pick, self.order = self.order[:n], self.order[n:]
        some = lambda sides: torch.randint(sides, (n,), device=DEVICE)
        return self.latents[some(2), pick].float() * self.scale, self.tokens[pick, some(3)]


def networks(a, tok):
    """Text encoder and UNet of --init, with rows of the old vocabulary where the new one has the same token; or new ones."""
    text, unet = build(len(tok), tok.bos_token_id, tok.eos_token_id)
    if not a.scratch:
        old = CLIPTextModel.from_pretrained(f"{a.init}/text_encoder", torch_dtype=torch.float32).state_dict()
        known = PreTrainedTokenizerFast.from_pretrained(f"{a.init}/tokenizer").get_vocab()
        new = text.state_dict()
        table = next(name for name in old if "token_embedding" in name)
        with torch.no_grad():
            for name in new:
                if name != table:
                    new[name].copy_(old[name])
            for token, row in tok.get_vocab().items():
                if token in known:
                    new[table][row] = old[table][known[token]]
        unet = UNet2DConditionModel.from_pretrained(f"{a.init}/unet", torch_dtype=torch.float32)
    unet.set_attn_processor(SplitContext())
    return text.to(DEVICE), unet.to(DEVICE).to(memory_format=torch.channels_last)


def tokenizer(a):
    kept = f"{a.out}/tokenizer"
    if a.tokenizer:
        PreTrainedTokenizerFast.from_pretrained(a.tokenizer).save_pretrained(kept)
    elif not os.path.exists(kept):
        captions = (c for f in by_part(f"{a.data}/captions_*.jsonl") for line in open(f) for c in json.loads(line)["captions"])
        make_tokenizer(captions, a.merges, kept)
    return PreTrainedTokenizerFast.from_pretrained(kept)


def ldm(a):
    tok = tokenizer(a)
    text, unet = networks(a, tok)
    scale = AutoencoderKL.from_pretrained(f"{a.out}/vae").config.scaling_factor
    data, exchange = Latents(a, tok, scale), WordExchange(tok)
    empty = encode_prompts(tok, [""])[0].to(DEVICE)
    loss, n = Loss(text.train(), unet.train()).to(DEVICE), a.batch or 1024

    def loss_of():
        z, ids = data.batch(n)
        ids = torch.where(torch.rand(n, 1, device=DEVICE) < 0.1, empty, ids)
        # Each batch meets every level of noise.
        t = ((torch.randperm(n, device=DEVICE) + torch.rand(n, device=DEVICE)) / n * 1000).long().clamp(0, 999)
        with cast():
            return loss(z, ids, exchange(ids, 0.5), t, torch.randn_like(z)).mean()

    train(a, list(loss.named_parameters()), loss_of, (6e-4, 1.5e-3), 60, 0.998)
    places = types.SimpleNamespace(cache=a.out, vae=f"{a.out}/vae", out=f"{a.out}/model")
    export(places, text.eval().cpu(), unet.eval().cpu())


class Adapted(nn.Module):
    """A linear map or a convolution with a narrow one beside it, which begins as nothing."""

    def __init__(self, base, rank):
        super().__init__()
        self.base, self.is_on = base, True
        if isinstance(base, nn.Conv2d):
            self.down = nn.Conv2d(base.in_channels, rank, base.kernel_size, base.stride, base.padding, bias=False)
            self.up = nn.Conv2d(rank, base.out_channels, 1, bias=False)
        else:
            self.down = nn.Linear(base.in_features, rank, bias=False)
            self.up = nn.Linear(rank, base.out_features, bias=False)
            self.in_features = base.in_features
        nn.init.normal_(self.down.weight, std=1 / rank)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        y = self.base(x)
        return y + self.up(self.down(x)) if self.is_on else y


def adapt(unet, rank):
    """Puts an adapter beside every layer but the first, the last and those of the time; by name."""
    found = {}
    for name, layer in list(unet.named_modules()):
        is_end = name in ("conv_in", "conv_out") or name.startswith("time_embedding")
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and not is_end:
            above, _, last = name.rpartition(".")
            found[name] = Adapted(layer, rank).to(layer.weight.device)
            setattr(unet.get_submodule(above) if above else unet, last, found[name])
    return found


def guide(a):
    """Teaches an adapter to give in one evaluation what guidance gives in two, also under another prompt's keys."""
    tok = tokenizer(a)
    folder = f"{a.out}/model" if os.path.exists(f"{a.out}/model") else a.init
    text, unet = networks(types.SimpleNamespace(init=folder, scratch=False), tok)
    scale = AutoencoderKL.from_pretrained(f"{a.out}/vae").config.scaling_factor
    data, exchange = Latents(a, tok, scale), WordExchange(tok)
    text.requires_grad_(False)
    unet.requires_grad_(False)
    layers = adapt(unet, a.rank)
    params = [q for w in layers.values() for q in (w.down.weight, w.up.weight)]
    for q in params:
        q.requires_grad_(True)
    adam = torch.optim.AdamW(params, lr=a.adapter_lr, betas=(0.9, 0.99), weight_decay=0)
    abar, n = scheduler().alphas_cumprod.to(DEVICE), a.batch or 256
    nothing = text(encode_prompts(tok, [""]).to(DEVICE))[0].detach()

    def output(is_on, x, t, c):
        for layer in layers.values():
            layer.is_on = is_on
        return unet(x.contiguous(memory_format=torch.channels_last), t, c).sample.float()

    begun, end, step = time.time(), deadline(a.until), 0
    while (done := (time.time() - begun) / (end - begun)) < 1:
        adam.param_groups[0]["lr"] = a.adapter_lr * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * done))
        z, ids = data.batch(n)
        t = torch.randint(1000, (n,), device=DEVICE)
        kept = abar[t].view(-1, 1, 1, 1)
        x = kept.sqrt() * z + (1 - kept).sqrt() * torch.randn_like(z)
        with cast():
            with torch.no_grad():
                c = torch.cat(text(torch.cat([ids, exchange(ids, a.exchange)]))[0].chunk(2), -1)
                away, towards = output(False, x, t, nothing.expand(n, -1, -1)), output(False, x, t, c)
            loss = (output(True, x, t, c) - away - a.guidance * (towards - away)).square().mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        adam.step()
        step += 1
        if step % 50 == 0:
            print(f"step {step}, {done:.0%} of the time, loss {loss.item():.4f}", flush=True)
    tensors, alpha = {}, torch.tensor(float(a.rank)).half()
    for name, layer in layers.items():
        name = "lora_unet_" + name.replace(".", "_")
        tensors[f"{name}.lora_down.weight"] = layer.down.weight.detach().half().contiguous().cpu()
        tensors[f"{name}.lora_up.weight"] = layer.up.weight.detach().half().contiguous().cpu()
        tensors[f"{name}.alpha"] = alpha.clone()
    save_file(tensors, f"{a.out}/guided.safetensors", metadata={"ss_network_dim": str(a.rank), "ss_network_alpha": str(a.rank)})
    print(f"{step} steps")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("part", choices=["vae", "ldm", "guide"])
    p.add_argument("--data", default="build/data")
    p.add_argument("--init", default="../assets/atelier")
    p.add_argument("--out", default="build/gpu")
    p.add_argument("--until", help="wall-clock time HH:MM to stop at")
    p.add_argument("--batch", type=int, default=0)
    p.add_argument("--kl", type=float, default=2e-4)
    p.add_argument("--tokenizer", help="use this tokenizer folder instead of building one")
    p.add_argument("--merges", type=int, default=900)
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--adapter-lr", type=float, default=5e-4)
    p.add_argument("--guidance", type=float, default=4.5)
    p.add_argument("--exchange", type=float, default=0.4, help="guide: share of captions whose keys see exchanged words")
    p.add_argument("--keep", action="store_true", help="vae: encode the pictures only")
    p.add_argument("--scratch", action="store_true", help="from nothing instead of --init")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    {"vae": vae, "ldm": ldm, "guide": guide}[a.part](a)


if __name__ == "__main__":
    main()
