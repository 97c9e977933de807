"""The other sides of the benches: PyTorch and OpenVINO on the same work, one JSON line per measurement.

    python peers.py step  --model embedded|sd15|turbo|lcm|DIR --backend torch|openvino --precision f32|bf16
    python peers.py picture --model sd15|turbo|lcm --precision f32|bf16 --steps 4 --batch 1
    python peers.py turn  --model embedded|sd15|DIR --precision f32|bf16 --steps 30
    python peers.py decode --model embedded|sd15|DIR --precision f32|bf16
    python peers.py pipeline --model embedded|DIR --precision f32|bf16 --steps 30

  step      one UNet call on a batch of 2 with the fused attention of the library
  turn      published prompt-to-prompt, see p2p.py: a word swap from the two prompts to two decoded pictures
  decode    one picture out of its latent
  pipeline  diffusers' own pipeline, one picture, no edit
  picture   the network calls of a plain picture in OpenVINO: `--steps` of the UNet, one of the decoder
  export    used by what runs in OpenVINO
  folder    writes a shape to the folder `--save`, in f16, to be drawn with by others

Each call is a process of its own, so that `peak_mb` (the process's largest resident size) belongs to that
measurement. `seconds` is the median of `--runs` runs after `--warmup` unmeasured ones. `sd15` is the Stable
Diffusion 1.5 shape with random weights from a fixed seed: 860 million parameters in the UNet, 512x512 pictures.
`turbo` is that of SD-Turbo with a tiny decoder, `lcm` that of Stable Diffusion 1.5 that reads its guidance.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import numpy as np
import torch

EMBEDDED = Path(__file__).resolve().parent.parent / "assets" / "atelier"
SWAP = ("a woman's face with long wavy blond hair", "a woman's face with long wavy red hair", "hair")


def measure(work, runs, warmup):
    """Seconds of each of `runs` calls, after `warmup` calls that do not count."""
    for _ in range(warmup):
        work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def report(a, seconds, **more):
    """Prints the measurement as one JSON line."""
    line = {
        "what": a.what,
        "model": a.model,
        "precision": a.precision,
        "backend": a.backend,
        "threads": a.threads,
        **more,
        "seconds": round(statistics.median(seconds), 5),
        "min": round(min(seconds), 5),
        "max": round(max(seconds), 5),
        "runs": len(seconds),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(line), flush=True)


SHAPES = ("sd15", "turbo", "lcm")


def shaped_unet(shape):
    """The UNet of a published shape with random weights, the same ones every time."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    turbo = shape == "turbo"
    unet = UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        layers_per_block=2,
        block_out_channels=(320, 640, 1280, 1280),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=1024 if turbo else 768,
        attention_head_dim=(5, 10, 20, 20) if turbo else 8,
        use_linear_projection=turbo,
        time_cond_proj_dim=256 if shape == "lcm" else None,
    )
    count = sum(p.numel() for p in unet.parameters())
    assert 859e6 < count < 867e6, count
    return unet


def shaped_vae(shape):
    """The autoencoder of a published shape with random weights, the same ones every time."""
    from diffusers import AutoencoderKL, AutoencoderTiny

    torch.manual_seed(1)
    if shape == "turbo":
        return AutoencoderTiny()
    return AutoencoderKL(
        sample_size=512,
        latent_channels=4,
        layers_per_block=2,
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.18215,
    )


def folder(a):
    return EMBEDDED if a.model == "embedded" else Path(a.model)


def load(a, part):
    """A UNet or autoencoder in the wanted precision, channels last, ready to run."""
    if a.model in SHAPES:
        model = shaped_unet(a.model) if part == "unet" else shaped_vae(a.model)
    else:
        import diffusers

        kind = diffusers.UNet2DConditionModel if part == "unet" else diffusers.AutoencoderKL
        model = kind.from_pretrained(folder(a) / part, torch_dtype=torch.float32)
    dtype = torch.bfloat16 if a.precision == "bf16" and a.backend == "torch" else torch.float32
    return model.to(dtype).to(memory_format=torch.channels_last).eval()


def step_inputs(unet, batch, tokens):
    """Latents, time step, context and what else the UNet reads of one call, from a fixed seed."""
    g = torch.Generator().manual_seed(2)
    c = unet.config
    latents = torch.randn(batch, c.in_channels, c.sample_size, c.sample_size, generator=g)
    context = torch.randn(batch, tokens, c.cross_attention_dim, generator=g)
    guidance = torch.randn(batch, c.time_cond_proj_dim, generator=g) if c.time_cond_proj_dim else None
    inputs = (
        latents.to(unet.dtype).contiguous(memory_format=torch.channels_last),
        torch.tensor(501),
        context.to(unet.dtype),
    )
    return inputs if guidance is None else (*inputs, guidance.to(unet.dtype))


def tokens_of(a):
    """Tokens of a prompt, padding included."""
    if a.model in SHAPES:
        return 77
    return json.loads((folder(a) / "text_encoder" / "config.json").read_text())["max_position_embeddings"]


def step(a):
    if a.backend == "openvino":
        return openvino_step(a)
    unet = load(a, "unet")
    latents, t, context, *guidance = step_inputs(unet, a.batch, tokens_of(a))
    more = {"timestep_cond": guidance[0]} if guidance else {}

    def work():
        with torch.inference_mode():
            return unet(latents, t, context, **more).sample

    report(a, measure(work, a.runs, a.warmup), version=torch.__version__, size=latents.shape[-1], batch=a.batch)


def write_folder(a):
    """A model of a published shape as a folder of diffusers', with the embedded model's vocabulary."""
    import shutil

    from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    to = Path(a.save)
    turbo = a.model == "turbo"
    width, layers, heads = (1024, 23, 16) if turbo else (768, 12, 12)
    torch.manual_seed(5)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            hidden_act="gelu" if turbo else "quick_gelu",
            eos_token_id=1060,
        )
    )
    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    scheduler = {
        "sd15": lambda: DDIMScheduler(**betas, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        "turbo": lambda: EulerDiscreteScheduler(**betas, steps_offset=1, timestep_spacing="trailing"),
        "lcm": lambda: LCMScheduler(**betas),
    }[a.model]()
    scheduler.save_pretrained(to / "scheduler")
    text.half().save_pretrained(to / "text_encoder")
    shaped_unet(a.model).half().save_pretrained(to / "unet")
    shaped_vae(a.model).half().save_pretrained(to / "vae")
    shutil.copytree(EMBEDDED / "tokenizer", to / "tokenizer")


def export(a):
    """Writes `--part` for OpenVINO to the folder `--save`, with its inputs and what PyTorch makes of them."""
    import openvino as ov

    model = load(a, a.part)

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x, *more):
            if a.part == "vae":
                return self.model.decode(x, return_dict=False)[0]
            t, context, *guidance = more
            more = {"timestep_cond": guidance[0]} if guidance else {}
            return self.model(x, t, context, return_dict=False, **more)[0]

    if a.part == "vae":
        inputs = (torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(3)),)
    else:
        inputs = step_inputs(model, a.batch, tokens_of(a))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of each shape it fixes, which is what we want here
        converted = ov.convert_model(Plain(), example_input=inputs)
        ov.save_model(converted, Path(a.save) / f"{a.part}.xml", compress_to_fp16=True)
        expected = Plain()(*inputs)
    np.savez(Path(a.save) / f"{a.part}.npz", *(x.numpy() for x in inputs), expected=expected.numpy())


class Compiled:
    """A network in OpenVINO: static shapes, f16 weights on disk, tuned for latency.

    The export runs in another process, so that PyTorch's memory does not count here.
    """

    def __init__(self, a, part):
        import openvino as ov

        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, __file__, "export", "--model", a.model, "--backend", "openvino", "--part", part]
            subprocess.run([*command, "--batch", str(a.batch), "--save", scratch], check=True, stdout=subprocess.DEVNULL)
            stored = np.load(Path(scratch) / f"{part}.npz")
            self.arrays = [stored[f"arr_{i}"] for i in range(len(stored.files) - 1)]
            expected = stored["expected"]
            core = ov.Core()
            model = core.read_model(Path(scratch) / f"{part}.xml")
            model.reshape({port: list(x.shape) for port, x in zip(model.inputs, self.arrays)})
            compiled = core.compile_model(
                model,
                "CPU",
                {
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": {"f32": "f32", "bf16": "bf16"}[a.precision],
                    "INFERENCE_NUM_THREADS": a.threads,
                },
            )
        self.request = compiled.create_infer_request()
        self.version = ov.__version__.split("-")[0]
        self.size = expected.shape[-1]
        self.gap = float(np.abs(self() - expected).max() / np.abs(expected).max())
        if not self.gap < 0.1:
            sys.exit(f"OpenVINO and PyTorch differ by {self.gap:.1%} of the largest value")

    def __call__(self):
        return self.request.infer(self.arrays)[0]


def openvino_step(a):
    unet = Compiled(a, "unet")
    seconds = measure(unet, a.runs, a.warmup)
    report(a, seconds, version=unet.version, size=unet.size, batch=a.batch, gap=round(unet.gap, 5))


def picture(a):
    """What a pipeline around OpenVINO cannot do without: its sampler and text encoder are left out."""
    unet, decoder = Compiled(a, "unet"), Compiled(a, "vae")

    def work():
        for _ in range(a.steps):
            unet()
        return decoder()

    seconds = measure(work, a.runs, a.warmup)
    report(a, seconds, version=unet.version, size=decoder.size, batch=a.batch, steps=a.steps, decoded=1)


def decode(a):
    vae = load(a, "vae")
    side = vae.config.sample_size // 2 ** (len(vae.config.block_out_channels) - 1)
    g = torch.Generator().manual_seed(3)
    z = torch.randn(1, vae.config.latent_channels, side, side, generator=g).to(vae.dtype)

    def work():
        with torch.inference_mode():
            return vae.decode(z / vae.config.scaling_factor).sample

    report(a, measure(work, a.runs, a.warmup), version=torch.__version__, size=vae.config.sample_size, batch=1)


def turn(a):
    from p2p import Edit, scheduler_of, word_swap

    unet, vae = load(a, "unet"), load(a, "vae")
    if a.model == "sd15":
        g = torch.Generator().manual_seed(4)
        context = torch.randn(3, 77, 768, generator=g)
        swap = Edit(
            torch.eye(77), [7, 8], [7, 8]
        )  # no tokenizer has this shape's random weights: any two tokens will do

        def encode():
            return context, swap
    else:
        from transformers import AutoTokenizer, CLIPTextModel

        tokenizer = AutoTokenizer.from_pretrained(folder(a) / "tokenizer")
        text = (
            CLIPTextModel.from_pretrained(folder(a) / "text_encoder", torch_dtype=torch.float32).to(unet.dtype).eval()
        )

        def encode():
            return word_swap(tokenizer, text, *SWAP)

    scheduler = scheduler_of(None if a.model == "sd15" else folder(a))

    def work():
        from p2p import run

        with torch.inference_mode():
            context, edit = encode()
            return run(
                unet,
                None if a.no_decode else vae,
                scheduler,
                context,
                edit,
                steps=a.steps,
                guidance=a.guidance,
                cross=a.cross,
                own=a.own,
                k=a.k,
                seed=11,
            )

    seconds = measure(work, a.runs, a.warmup)
    report(
        a,
        seconds,
        version=torch.__version__,
        size=unet.config.sample_size,
        batch=4,
        steps=a.steps,
        decoded=0 if a.no_decode else 2,
    )
    if a.save:
        save(work(), a.save)


def save(pictures, path):
    """Writes pictures [n, 3, h, w] (-1 to 1) side by side, to look at."""
    from PIL import Image

    rows = (pictures.float().clamp(-1, 1) * 127.5 + 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    Image.fromarray(np.concatenate(list(rows), 1)).save(path)


def pipeline(a):
    from diffusers import StableDiffusionPipeline

    dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
    pipe = StableDiffusionPipeline.from_pretrained(folder(a), torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    pipe.unet.to(memory_format=torch.channels_last)
    pipe.vae.to(memory_format=torch.channels_last)

    def work():
        return pipe(
            SWAP[0],
            num_inference_steps=a.steps,
            guidance_scale=a.guidance,
            generator=torch.Generator().manual_seed(11),
            output_type="np",
        )

    report(a, measure(work, a.runs, a.warmup), version=torch.__version__, batch=2, steps=a.steps, decoded=1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["step", "picture", "turn", "decode", "pipeline", "export", "folder"])
    p.add_argument("--model", default="embedded", help="embedded, sd15, turbo, lcm or a model folder")
    p.add_argument("--backend", default="torch", choices=["torch", "openvino"], help="openvino: `step` and `picture`")
    p.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--guidance", type=float, default=4.5)
    p.add_argument("--cross", type=float, default=0.8, help="share of the steps with the source's cross-attention")
    p.add_argument("--own", type=float, default=0.4, help="share of the steps with the source's self-attention")
    p.add_argument("--k", type=float, default=0.3, help="threshold of the local blend; 0: none")
    p.add_argument("--batch", type=int, default=2, help="of `step` and `picture`")
    p.add_argument("--part", default="unet", choices=["unet", "vae"], help="of `export`")
    p.add_argument("--no-decode", action="store_true", help="leave the decoding out of `turn`")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--warmup", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--save", help="`turn`: write the two pictures here; `export`: the folder")
    a = p.parse_args()
    if a.what == "picture":
        a.backend = "openvino"
    if a.backend == "openvino" and a.what not in ("step", "picture", "export"):
        p.error("openvino can be measured on `step` and `picture`: its graph gives no access to the maps")
    torch.set_num_threads(a.threads)
    work = {"step": step, "turn": turn, "decode": decode, "pipeline": pipeline, "picture": picture}
    work |= {"export": export, "folder": write_folder}
    work[a.what](a)


if __name__ == "__main__":
    main()
