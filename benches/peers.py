"""The other sides of the benches: PyTorch and OpenVINO on the same work, one JSON line per measurement.

    python peers.py step  --model embedded|sd15|DIR --backend torch|openvino --precision f32|bf16
    python peers.py turn  --model embedded|sd15|DIR --precision f32|bf16 --steps 30
    python peers.py decode --model embedded|sd15|DIR --precision f32|bf16
    python peers.py pipeline --model embedded|DIR --precision f32|bf16 --steps 30

  step      one UNet call on a batch of 2 with the fused attention of the library
  turn      published prompt-to-prompt, see p2p.py: a word swap from the two prompts to two decoded pictures
  decode    one picture out of its latent
  pipeline  diffusers' own pipeline, one picture, no edit
  export    used by `step --backend openvino`

Each call is a process of its own, so that `peak_mb` (the process's largest resident size) belongs to that
measurement. `seconds` is the median of `--runs` runs after `--warmup` unmeasured ones. `sd15` is the Stable
Diffusion 1.5 shape with random weights from a fixed seed: 860 million parameters in the UNet, 512x512 pictures.
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


def sd15_unet():
    """The UNet of Stable Diffusion 1.5 with random weights, the same ones every time."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        layers_per_block=2,
        block_out_channels=(320, 640, 1280, 1280),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=768,
        attention_head_dim=8,
    )
    count = sum(p.numel() for p in unet.parameters())
    assert 859e6 < count < 861e6, count
    return unet


def sd15_vae():
    """The autoencoder of Stable Diffusion 1.5 with random weights, the same ones every time."""
    from diffusers import AutoencoderKL

    torch.manual_seed(1)
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
    if a.model == "sd15":
        model = sd15_unet() if part == "unet" else sd15_vae()
    else:
        import diffusers

        kind = diffusers.UNet2DConditionModel if part == "unet" else diffusers.AutoencoderKL
        model = kind.from_pretrained(folder(a) / part, torch_dtype=torch.float32)
    dtype = torch.bfloat16 if a.precision == "bf16" and a.backend == "torch" else torch.float32
    return model.to(dtype).to(memory_format=torch.channels_last).eval()


def step_inputs(unet, batch, tokens):
    """Latents, time step and context of one call, from a fixed seed."""
    g = torch.Generator().manual_seed(2)
    c = unet.config
    latents = torch.randn(batch, c.in_channels, c.sample_size, c.sample_size, generator=g)
    context = torch.randn(batch, tokens, c.cross_attention_dim, generator=g)
    return (
        latents.to(unet.dtype).contiguous(memory_format=torch.channels_last),
        torch.tensor(501),
        context.to(unet.dtype),
    )


def tokens_of(a):
    """Tokens of a prompt, padding included."""
    if a.model == "sd15":
        return 77
    return json.loads((folder(a) / "text_encoder" / "config.json").read_text())["max_position_embeddings"]


def step(a):
    if a.backend == "openvino":
        return openvino_step(a)
    unet = load(a, "unet")
    latents, t, context = step_inputs(unet, a.batch, tokens_of(a))

    def work():
        with torch.inference_mode():
            return unet(latents, t, context).sample

    report(a, measure(work, a.runs, a.warmup), version=torch.__version__, size=latents.shape[-1], batch=a.batch)


def export(a):
    """Writes the UNet for OpenVINO to the folder `--save`, with its inputs and what PyTorch makes of them."""
    import openvino as ov

    unet = load(a, "unet")
    inputs = step_inputs(unet, a.batch, tokens_of(a))

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = unet

        def forward(self, latents, t, context):
            return self.unet(latents, t, context, return_dict=False)[0]

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of each shape it fixes, which is what we want here
        model = ov.convert_model(Plain(), example_input=inputs)
        ov.save_model(model, Path(a.save) / "unet.xml", compress_to_fp16=True)
        expected = unet(*inputs).sample
    np.savez(Path(a.save) / "arrays.npz", *(x.numpy() for x in inputs), expected=expected.numpy())


def openvino_step(a):
    """The UNet in OpenVINO: static shapes, f16 weights on disk, tuned for latency.

    The export runs in another process, so that PyTorch's memory does not count here.
    """
    import openvino as ov

    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, __file__, "export", "--model", a.model, "--backend", "openvino"]
        subprocess.run([*command, "--batch", str(a.batch), "--save", scratch], check=True, stdout=subprocess.DEVNULL)
        stored = np.load(Path(scratch) / "arrays.npz")
        arrays, expected = [stored[f"arr_{i}"] for i in range(3)], stored["expected"]
        core = ov.Core()
        model = core.read_model(Path(scratch) / "unet.xml")
        model.reshape({port: list(x.shape) for port, x in zip(model.inputs, arrays)})
        compiled = core.compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": {"f32": "f32", "bf16": "bf16"}[a.precision],
                "INFERENCE_NUM_THREADS": a.threads,
            },
        )
    request = compiled.create_infer_request()
    gap = np.abs(request.infer(arrays)[0] - expected).max() / np.abs(expected).max()
    if not gap < 0.1:
        sys.exit(f"OpenVINO and PyTorch differ by {gap:.1%} of the largest value")
    seconds = measure(lambda: request.infer(arrays), a.runs, a.warmup)
    report(
        a,
        seconds,
        version=ov.__version__.split("-")[0],
        size=expected.shape[-1],
        batch=a.batch,
        gap=round(float(gap), 5),
    )


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
    p.add_argument("what", choices=["step", "turn", "decode", "pipeline", "export"])
    p.add_argument("--model", default="embedded", help="embedded, sd15 or a model folder")
    p.add_argument("--backend", default="torch", choices=["torch", "openvino"], help="openvino: `step` only")
    p.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--guidance", type=float, default=4.5)
    p.add_argument("--cross", type=float, default=0.8, help="share of the steps with the source's cross-attention")
    p.add_argument("--own", type=float, default=0.4, help="share of the steps with the source's self-attention")
    p.add_argument("--k", type=float, default=0.3, help="threshold of the local blend; 0: none")
    p.add_argument("--batch", type=int, default=2, help="of `step`")
    p.add_argument("--no-decode", action="store_true", help="leave the decoding out of `turn`")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--warmup", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--save", help="`turn`: write the two pictures here; `export`: the folder")
    a = p.parse_args()
    if a.backend == "openvino" and a.what not in ("step", "export"):
        p.error("openvino can be measured on `step` only: its graph gives no access to the maps")
    torch.set_num_threads(a.threads)
    {"step": step, "turn": turn, "decode": decode, "pipeline": pipeline, "export": export}[a.what](a)


if __name__ == "__main__":
    main()
