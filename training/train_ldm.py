"""Trains the text encoder and the UNet together, and exports the whole model.

    python train_ldm.py --prepare                    # tokenizer and latents; needs the autoencoder in build/vae
    python train_ldm.py --until 17:00                # train until that time of day, then export to build/model
    python train_ldm.py --until 20:00 --resume       # go on from build/ckpt/last.pt, or from --out if there is none

The parts are those of Stable Diffusion 1 at small widths: CLIPTextModel, UNet2DConditionModel with
cross-attention, AutoencoderKL, the scaled-linear noise schedule. The exported folder is one that
StableDiffusionPipeline.from_pretrained loads as it is.
"""

import argparse, copy, glob, json, math, os, time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from muon import Muon
from train_vae import deadline, to_float
from words import LENGTH, WordExchange, encode_prompts, make_tokenizer


def attention(q, k, v):
    """softmax(q k^T) v. In bfloat16 on sequences this short the plain form beats the fused one."""
    if q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v)
    return torch._softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2), -1, False) @ v


class SplitContext:
    """Cross-attention whose keys may come from another caption than its values.

    A prompt-to-prompt edit gives the network one prompt's maps together with another prompt's values. A network that never
    met this learns to tell a word partly by *where* its map is strong, and then the edit fails. So in a share of the rows
    the keys come from a caption with some words exchanged for others of their kind, while values and picture stay true:
    meaning has to travel through the values. The context carries both, [values | keys]. When drawing, both are the same
    caption, and the ordinary attention of any program gives the same result.
    """

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **kw):
        values = keys = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        if encoder_hidden_states is not None and values.shape[-1] != attn.to_k.in_features:
            values, keys = values.chunk(2, -1)
        b, n, _ = hidden_states.shape
        q, k, v = attn.to_q(hidden_states), attn.to_k(keys), attn.to_v(values)
        q, k, v = (x.view(b, -1, attn.heads, x.shape[-1] // attn.heads).transpose(1, 2) for x in (q, k, v))
        y = attention(q, k, v).transpose(1, 2).reshape(b, n, -1)
        return attn.to_out[1](attn.to_out[0](y))


@torch.no_grad()
def prepare(a):
    meta = []
    for f in sorted(glob.glob(f"{a.data}/captions_*.jsonl")):
        meta.append([json.loads(l) for l in open(f)])
    if a.tokenizer:  # further training needs the tokenizer it began with
        tok = PreTrainedTokenizerFast.from_pretrained(a.tokenizer)
        tok.save_pretrained(f"{a.cache}/tokenizer")
    else:
        tok = make_tokenizer((c for m in meta for r in m for c in r["captions"]), a.merges, f"{a.cache}/tokenizer")
    shards = [np.load(f, mmap_mode="r") for f in sorted(glob.glob(f"{a.data}/images_*.npy"))]
    vae = AutoencoderKL.from_pretrained(a.vae, torch_dtype=torch.float32).to(memory_format=torch.channels_last).eval()
    enc = lambda x: vae.quant_conv(vae.encoder(x))
    if a.compile:
        enc = torch.compile(enc)
    idx = [(s, i) for i in range(min(len(s) for s in shards) - 512) for s in range(len(shards))][: a.images]
    lat, caps, t0 = np.empty((len(idx), 8, 16, 16), np.float16), [], time.time()
    for k in range(0, len(idx) - 31, 32):
        x = to_float(torch.from_numpy(np.stack([shards[s][i] for s, i in idx[k : k + 32]])).permute(0, 3, 1, 2))
        with torch.autocast("cpu", torch.bfloat16):
            z = enc(x).float()[:, :8]
        lat[k : k + 32] = (z * vae.config.scaling_factor).numpy()
        caps += [meta[s][i]["captions"] for s, i in idx[k : k + 32]]
        if k % 3200 == 0:
            print(f"{k} latents, {(k + 32) / (time.time() - t0):.0f}/s", flush=True)
    np.save(f"{a.cache}/latents.npy", lat[: len(caps)])
    ids = np.stack([encode_prompts(tok, [c[j] for c in caps]).numpy() for j in range(3)], 1).astype(np.int16)
    np.save(f"{a.cache}/tokens.npy", ids)
    print(
        "latents",
        lat.shape,
        "mean",
        lat[: len(caps)].astype(np.float32).mean(),
        "std",
        lat[: len(caps)].astype(np.float32).std(),
        "vocabulary",
        len(tok),
    )


def build(vocab, bos, eos):
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab,
            hidden_size=256,
            intermediate_size=1024,
            projection_dim=256,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            hidden_act="quick_gelu",
            bos_token_id=bos,
            eos_token_id=eos,
            pad_token_id=eos,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=8,
        layers_per_block=1,
        block_out_channels=(96, 192, 256),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=256,
        attention_head_dim=4,
        norm_num_groups=32,
    )  # "attention_head_dim" is the number of heads, as in SD 1
    return text, unet


def scheduler():
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


class Loss(torch.nn.Module):
    """The v-prediction loss of each picture of a batch, through text encoder and UNet."""

    def __init__(self, text, unet):
        super().__init__()
        self.text, self.unet = text, unet
        self.register_buffer("abar", scheduler().alphas_cumprod.clone(), persistent=False)

    def forward(self, z, ids, key_ids, t, noise):
        c = self.text(torch.cat([ids, key_ids]))[0]
        c = torch.cat(c.chunk(2), -1)  # [batch, length, values | keys]
        a = self.abar[t].view(-1, 1, 1, 1)
        x, v = a.sqrt() * z + (1 - a).sqrt() * noise, a.sqrt() * noise - (1 - a).sqrt() * z
        d = self.unet(x.contiguous(memory_format=torch.channels_last), t, c).sample.float() - v
        return d.pow(2).mean((1, 2, 3))


def export(a, text, unet):
    """Writes the diffusers folder with float16 weights."""
    tok = PreTrainedTokenizerFast.from_pretrained(f"{a.cache}/tokenizer")
    vae = AutoencoderKL.from_pretrained(a.vae, torch_dtype=torch.float32)
    pipe = StableDiffusionPipeline(
        vae=vae.half(),
        text_encoder=copy.deepcopy(text).half(),
        tokenizer=tok,
        unet=copy.deepcopy(unet).to(memory_format=torch.contiguous_format).half(),
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(a.out, safe_serialization=True)
    # Names that every reader knows. transformers 5 leaves out the "text_model." prefix, which earlier releases and
    # candle expect (it reads both itself), and has a new name for the tokenizer's class.
    from safetensors.torch import load_file, save_file

    f = f"{a.out}/text_encoder/model.safetensors"
    w = {(k if k.startswith("text_model.") else "text_model." + k): v.contiguous() for k, v in load_file(f).items()}
    save_file(w, f, metadata={"format": "pt"})
    for f in ("model_index.json", "tokenizer/tokenizer_config.json"):
        t = open(f"{a.out}/{f}").read().replace("TokenizersBackend", "PreTrainedTokenizerFast")
        open(f"{a.out}/{f}", "w").write(t)
    # Stored as float16 but meant to run in float32, also by from_pretrained() without arguments.
    c = json.load(open(f"{a.out}/text_encoder/config.json"))
    c.pop("dtype", None)
    c["torch_dtype"] = "float32"
    json.dump(c, open(f"{a.out}/text_encoder/config.json", "w"), indent=2)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="build/data")
    p.add_argument("--vae", default="build/vae")
    p.add_argument("--cache", default="build/cache", help="tokenizer and latents")
    p.add_argument("--ckpt", default="build/ckpt")
    p.add_argument("--out", default="build/model")
    p.add_argument("--prepare", action="store_true")
    p.add_argument("--images", type=int, default=12000, help="how many pictures to encode")
    p.add_argument("--tokenizer", help="with --prepare: use this tokenizer folder instead of building one")
    p.add_argument("--merges", type=int, default=700)
    p.add_argument("--until", help="wall-clock time HH:MM to stop at")
    p.add_argument("--resume", action="store_true")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--accumulate", type=int, default=2, help="batches a step")
    p.add_argument("--lr", type=float, default=5e-4, help="of AdamW: embeddings, norms, biases, first and last layer")
    p.add_argument("--muon", type=float, default=1.2e-3, help="learning rate of everything else")
    p.add_argument("--warmup", type=int, default=60)
    p.add_argument("--drop", type=float, default=0.1, help="share of empty prompts, for classifier-free guidance")
    p.add_argument("--ema", type=float, default=0.997)
    p.add_argument(
        "--exchange", type=float, default=0.5, help="share of captions whose keys see exchanged words, see SplitContext"
    )
    p.add_argument("--compile", action="store_true")
    a = p.parse_args()
    os.makedirs(a.cache, exist_ok=True)
    os.makedirs(a.ckpt, exist_ok=True)
    if a.prepare:
        prepare(a)
    if not a.until:
        return
    start, end = time.time(), deadline(a.until)
    tok = PreTrainedTokenizerFast.from_pretrained(f"{a.cache}/tokenizer")
    lat, ids = (
        torch.from_numpy(np.load(f"{a.cache}/latents.npy")),
        torch.from_numpy(np.load(f"{a.cache}/tokens.npy")).long(),
    )
    empty = encode_prompts(tok, [""])[0]
    torch.manual_seed(int(start))
    rng = np.random.default_rng(int(start))
    text, unet = build(len(tok), tok.bos_token_id, tok.eos_token_id)
    unet = unet.to(memory_format=torch.channels_last)
    unet.set_attn_processor(SplitContext())
    exchange = WordExchange(tok)
    model = Loss(text, unet).train()
    params = list(model.parameters())
    print(
        f"text encoder {sum(q.numel() for q in text.parameters()) / 1e6:.2f}M, UNet {sum(q.numel() for q in unet.parameters()) / 1e6:.2f}M, {len(lat)} pictures",
        flush=True,
    )
    hidden = [
        q
        for n, q in model.named_parameters()
        if q.ndim >= 2 and not any(k in n for k in ("embed", "conv_in", "conv_out"))
    ]
    others = {id(q) for q in params} - {id(q) for q in hidden}
    opt = torch.optim.AdamW(
        [q for q in params if id(q) in others], lr=a.lr, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    muon = Muon(hidden)
    ema = [q.detach().clone() for q in params]
    step = seen = 0
    if a.resume and not os.path.exists(f"{a.ckpt}/last.pt"):
        # no checkpoint: go on from the exported weights, with a fresh optimiser
        text.load_state_dict(
            CLIPTextModel.from_pretrained(f"{a.out}/text_encoder", torch_dtype=torch.float32).state_dict()
        )
        unet.load_state_dict(
            UNet2DConditionModel.from_pretrained(f"{a.out}/unet", torch_dtype=torch.float32).state_dict()
        )
        ema = [q.detach().clone() for q in params]
    elif a.resume:
        s = torch.load(f"{a.ckpt}/last.pt", map_location="cpu")
        model.load_state_dict(s["model"])
        opt.load_state_dict(s["opt"])
        step, seen = s["step"], s["seen"]
        for e, w in zip(ema + muon.buffers, s["ema"] + s["muon"]):
            e.copy_(w)
    run = torch.compile(model) if a.compile else model

    def save():
        torch.save(
            {
                "model": model.state_dict(),
                "opt": opt.state_dict(),
                "muon": muon.buffers,
                "ema": ema,
                "step": step,
                "seen": seen,
            },
            f"{a.ckpt}/tmp.pt",
        )
        os.replace(f"{a.ckpt}/tmp.pt", f"{a.ckpt}/last.pt")
        keep = [q.detach().clone() for q in params]  # export the averaged weights
        with torch.no_grad():
            for q, e in zip(params, ema):
                q.copy_(e)
        export(a, text, unet)
        with torch.no_grad():
            for q, k in zip(params, keep):
                q.copy_(k)

    first, log, last_save, order = step, time.time(), time.time(), np.empty(0, np.int64)
    sums, count = np.zeros(5), np.zeros(5)  # loss by noise level, printed in five bands
    while (done := (time.time() - start) / (end - start - 20)) < 1:
        share = min(1, (step - first + 1) / a.warmup) * (0.5 + 0.5 * math.cos(math.pi * done))
        for g in opt.param_groups:
            g["lr"] = a.lr * share + 1e-6
        for _ in range(a.accumulate):
            if len(order) < a.batch:
                order = rng.permutation(len(lat))
            pick, order = order[: a.batch], order[a.batch :]
            z = lat[pick].float()
            tokens = ids[pick, torch.from_numpy(rng.integers(0, 3, a.batch))]
            tokens[torch.from_numpy(rng.random(a.batch) < a.drop)] = empty
            t = (
                ((torch.from_numpy(rng.permutation(a.batch)) + torch.rand(a.batch)) / a.batch * 1000)
                .long()
                .clamp(0, 999)
            )  # stratified
            with torch.autocast("cpu", torch.bfloat16):
                each = run(z, tokens, exchange(tokens, a.exchange), t, torch.randn_like(z))
            (each.mean() / a.accumulate).backward()
            np.add.at(sums, (t // 200).numpy(), each.detach().numpy())
            np.add.at(count, (t // 200).numpy(), 1)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        muon.step(a.muon * share)
        opt.step()
        opt.zero_grad(set_to_none=True)
        step += 1
        seen += a.batch * a.accumulate
        if step % 4 == 0:  # averaged weights, updated every fourth step
            with torch.no_grad():
                torch._foreach_lerp_(ema, params, 1 - min(a.ema**4, (step + 1) / (step + 40)))
        if time.time() - log > 30:
            log = time.time()
            print(
                f"{time.strftime('%H:%M:%S')} step {step} seen {seen} ({(step - first) * a.batch * a.accumulate / (log - start):.1f}/s) share {share:.2f} loss {sums.sum() / count.sum():.4f} bands {np.round(sums / count, 3)}",
                flush=True,
            )
            sums[:] = 0
            count[:] = 0
        if time.time() - last_save > 300:
            save()
            last_save = time.time()
    save()
    print(f"end: step {step} seen {seen}", flush=True)


if __name__ == "__main__":
    main()
