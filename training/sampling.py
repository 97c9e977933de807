"""Drawing and editing with a model folder in PyTorch, as plainly as possible."""

import numpy as np
import torch
from PIL import Image, ImageDraw


def encode_text(pipe, prompts):
    """The text encoder's last hidden states: [prompts, tokens, width]."""
    ids = pipe.tokenizer(
        prompts, padding="max_length", max_length=pipe.tokenizer.model_max_length, truncation=True, return_tensors="pt"
    ).input_ids
    return pipe.text_encoder(ids)[0].float()


def noise(seed):
    """The first latent of a picture: [1, 8, 16, 16]."""
    return torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(seed))


class Control:
    """Prompt-to-prompt: the targets use the sources' attention maps.

    The batch is four equal parts: empty prompts for sources and targets, then sources, then targets. `cross` and `own`
    are shares of the steps; `at` is the present position, from 0 to 1. Self-attention is shared in every layer.
    """

    def __init__(self, cross, own):
        self.cross, self.own, self.at = cross, own, 0.0

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        window = self.own if encoder_hidden_states is None else self.cross
        batch, pixels, _ = hidden_states.shape

        def heads(x):
            return x.view(batch, x.shape[1], attn.heads, -1).transpose(1, 2)

        q, k, v = heads(attn.to_q(hidden_states)), heads(attn.to_k(context)), heads(attn.to_v(context))
        maps = ((q * attn.scale) @ k.transpose(-1, -2)).softmax(-1)
        if self.at < window:
            _, _, source, _ = maps.chunk(4)
            maps = torch.cat([maps[: batch // 4 * 3], source])
        out = (maps @ v).transpose(1, 2).reshape(batch, pixels, -1)
        return attn.to_out[1](attn.to_out[0](out))


@torch.no_grad()
def sample(pipe, prompts, seeds, steps=30, guidance=4.5, control=None):
    """DDIM with classifier-free guidance; returns scaled latents [prompts, 8, 16, 16].

    With a `control`, the first half of `prompts` are the sources and the second half their targets.
    """
    text = encode_text(pipe, prompts + [""])
    context = torch.cat([text[-1:].expand(len(prompts), -1, -1), text[:-1]])
    z = torch.cat([noise(s) for s in seeds])
    plain = pipe.unet.attn_processors
    if control:
        pipe.unet.set_attn_processor(control)
    pipe.scheduler.set_timesteps(steps)
    for i, t in enumerate(pipe.scheduler.timesteps):
        if control:
            control.at = i / steps
        with torch.autocast("cpu", torch.bfloat16):
            empty, written = pipe.unet(torch.cat([z, z]), t, context).sample.float().chunk(2)
        z = pipe.scheduler.step(empty + guidance * (written - empty), t, z).prev_sample
    if control:
        pipe.unet.set_attn_processor(plain)
    return z


@torch.no_grad()
def decode(pipe, z):
    """Scaled latents to uint8 pictures [n, 128, 128, 3]."""
    with torch.autocast("cpu", torch.bfloat16):
        y = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample.float()
    return (y.clamp(-1, 1) * 127.5 + 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def psnr(a, b, where=None):
    """PSNR in dB of two uint8 pictures, over the whole or where the mask is true."""
    d = (a.astype(np.float32) - b.astype(np.float32)) ** 2
    return float(10 * np.log10(255**2 / max((d if where is None else d[where]).mean(), 1e-6)))


def grid(images, columns, path, labels=None):
    """Writes pictures side by side, with a label under each if there are labels."""
    w, h = 130, 142 if labels else 130
    sheet = Image.new("RGB", (columns * w, -(-len(images) // columns) * h), "white")
    draw = ImageDraw.Draw(sheet)
    for i, image in enumerate(images):
        x, y = i % columns * w, i // columns * h
        sheet.paste(Image.fromarray(image), (x, y))
        if labels:
            draw.text((x + 1, y + 128), labels[i][:24], fill="black")
    sheet.save(path, optimize=True)
