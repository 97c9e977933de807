"""Prompt-to-prompt as published (Hertz et al. 2022), written afresh on diffusers for the benches.

A turn draws source and target side by side in a batch of four: [empty, empty, source, target]. Attention maps are
materialised in every layer, since reading and replacing them is what the method does. In the target's maps:

- cross-attention, first `cross` of the steps: the source's columns, moved by the token map; all layers
- self-attention, first `own` of the steps: the source's maps, in layers of at most (latent side / 4) squared pixels

Maps of at most (latent side / 2) squared pixels are summed over the steps, as the published store does. The local
blend takes the cross maps of (latent side / 4) squared pixels, enlarges them with a 3x3 maximum, cuts them at k and lays
the source's latent where neither mask reaches. A latent of 16 or less, as the embedded model has, counts as a whole:
its own side takes the place of both fractions.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler


@dataclass
class Edit:
    """A swap in numbers: `tokens[s, t]` is the share of source column s that target column t gets; blended columns."""

    tokens: torch.Tensor
    source_words: list
    target_words: list


class Control:
    """The attention processor of every layer; keeps the maps and lays the source's under the target."""

    def __init__(self, edit, steps, cross, own, side):
        self.edit, self.side = edit, side
        self.cross_steps, self.own_steps = int(cross * (steps + 1)), int(own * steps)
        self.own_pixels = (side if side <= 16 else side // 4) ** 2
        self.kept_pixels = (side if side <= 16 else side // 2) ** 2
        self.step, self.here, self.sums = 0, [], None  # maps as (is cross, [2, heads, pixels, keys])

    def between_steps(self):
        """Adds this step's maps to the sums."""
        if self.sums is None:
            self.sums = self.here
        else:
            self.sums = [(cross, old + new) for (cross, old), (_, new) in zip(self.sums, self.here)]
        self.step, self.here = self.step + 1, []

    def maps(self, probs, is_cross):
        """[4, heads, pixels, keys] with the target's part replaced inside the windows."""
        empty, source, target = probs[:2], probs[2], probs[3]
        if is_cross and self.step < self.cross_steps:
            target = torch.einsum("hps,st->hpt", source, self.edit.tokens)
        elif not is_cross and self.step < self.own_steps and probs.shape[2] <= self.own_pixels:
            target = source
        written = torch.stack([source, target])
        if probs.shape[2] <= self.kept_pixels:
            self.here.append((is_cross, written))
        return torch.cat([empty, written])

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        is_cross = encoder_hidden_states is not None
        context = encoder_hidden_states if is_cross else hidden_states
        q, k, v = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        q, k, v = (x.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for x in (q, k, v))
        probs = self.maps((torch.matmul(q, k.transpose(-1, -2)) * attn.scale).softmax(-1), is_cross)
        out = torch.matmul(probs, v).transpose(1, 2).flatten(2)
        return attn.to_out[1](attn.to_out[0](out))

    def blend(self, z, k):
        """Lays the source's latent under the target's, outside both masks."""
        grid = self.side if self.side <= 16 else self.side // 4
        chosen = [maps for is_cross, maps in self.sums if is_cross and maps.shape[2] == grid**2]
        stack = torch.cat(chosen, 1).float()  # [2, heads of all layers, pixels, keys]
        words = (self.edit.source_words, self.edit.target_words)
        heat = torch.stack([m[:, :, w].sum(-1).mean(0) for m, w in zip(stack, words)]).view(2, 1, grid, grid)
        heat = F.interpolate(F.max_pool2d(heat, 3, 1, 1), size=(self.side, self.side))
        mask = heat / heat.amax((2, 3), keepdim=True) > k
        mask = (mask[:1] | mask[1:]).float()
        return z[:1] + mask * (z - z[:1])


def scheduler_of(model):
    """DDIM with the settings of a model folder, or those of Stable Diffusion 1.5."""
    if model is not None:
        return DDIMScheduler.from_pretrained(model / "scheduler")
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def word_swap(tokenizer, text_encoder, source, target, noun):
    """Embeds "", source and target, and maps tokens to tokens; the prompts differ in words of equally many tokens."""
    ids = tokenizer(
        ["", source, target],
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    if (ids[1] == tokenizer.eos_token_id).nonzero()[0] != (ids[2] == tokenizer.eos_token_id).nonzero()[0]:
        raise ValueError("the swapped words have different numbers of tokens")
    nouns = set(tokenizer(noun, add_special_tokens=False).input_ids)

    def words(row):
        changed = set((ids[1] != ids[2]).nonzero().flatten().tolist())
        return sorted(changed | {i for i, token in enumerate(row.tolist()) if token in nouns})

    return text_encoder(ids)[0], Edit(torch.eye(ids.shape[1]), words(ids[1]), words(ids[2]))


def run(unet, vae, scheduler, context, edit, *, steps, guidance, cross, own, k, seed, start_blend=0.2):
    """A whole turn. `context` is [empty, source, target]; returns both pictures, or both latents without a `vae`."""
    side = unet.config.sample_size
    edit = Edit(edit.tokens.to(unet.dtype), edit.source_words, edit.target_words)
    control = Control(edit, steps, cross, own, side)
    plain = unet.attn_processors
    unet.set_attn_processor(control)
    context = torch.cat([context[:1], context[:1], context[1:]]).to(unet.dtype)
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(1, unet.config.in_channels, side, side, generator=g).repeat(2, 1, 1, 1)
    scheduler.set_timesteps(steps)
    for i, t in enumerate(scheduler.timesteps):
        x = torch.cat([z, z]).to(unet.dtype).contiguous(memory_format=torch.channels_last)
        empty, written = unet(x, t, context).sample.float().chunk(2)
        control.between_steps()
        z = scheduler.step(empty + guidance * (written - empty), t, z).prev_sample
        if k > 0 and i + 1 > int(start_blend * steps):
            z = control.blend(z, k)
    unet.set_attn_processor(plain)
    if vae is None:
        return z
    return vae.decode((z / vae.config.scaling_factor).to(vae.dtype)).sample
