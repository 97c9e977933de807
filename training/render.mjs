// Renders the captioned pictures.
//
//   node render.mjs --out build/data --n 64000 --part 0 --parts 2 [--seed 1]   one process per part
//   node render.mjs --sheet sheet.png [--captions 1] [--n 72]                a contact sheet to look at
//   node render.mjs --words 20000                                            the words of that many captions
//   node render.mjs --digest 200                                             what tells this renderer by what it draws
//
// `--only portrait` (landscape, scene) draws one kind alone, `--objects 2` scenes of two objects.
//
// A part writes images_<part>.npy (uint8, N x 128 x 128 x 3) and captions_<part>.jsonl, one line a picture:
// {"captions": [three wordings], ...factors}. Pictures are drawn at twice the size and averaged down.
// Seed 1 is the training set. Seeds up to 3 are sound; beyond, the seeding product leaves the exact integers.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { Rng, npyHeader } from './util.mjs';
import { portrait, portraitCaption } from './portraits.mjs';
import { landscape, landscapeCaption } from './landscapes.mjs';
import { scene, sceneCaption } from './scenes.mjs';

const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k);
  return i < 0 ? d : process.argv[i + 1];
};
const SIZE = 128,
  UP = 2;

function sample(i, only) {
  const r = new Rng(i + 1 + 1e6 * +arg('seed', 1)),
    u = r.f();
  const d = only ?? (u < 0.4 ? 'portrait' : u < 0.66 ? 'landscape' : 'scene');
  const [make, say] = {
    portrait: [portrait, portraitCaption],
    landscape: [landscape, landscapeCaption],
    scene: [scene, sceneCaption],
  }[d];
  const { svg, attrs } = make(r, +arg('objects', 0));
  return { svg, attrs, captions: [0, 1, 2].map(() => say(r, attrs)) };
}
/** The picture as SIZE * SIZE * 3 bytes, rows first. */
function pixels(svg) {
  const px = new Resvg(svg, { fitTo: { mode: 'width', value: SIZE * UP }, font: { loadSystemFonts: false } }).render()
    .pixels;
  const out = new Uint8Array(SIZE * SIZE * 3),
    W = SIZE * UP;
  for (let y = 0, k = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++)
      for (let c = 0; c < 3; c++) {
        let s = 0;
        for (let v = 0; v < UP; v++) for (let u = 0; u < UP; u++) s += px[((y * UP + v) * W + x * UP + u) * 4 + c];
        out[k++] = (s + (UP * UP) / 2) / (UP * UP);
      }
  return out;
}

if (arg('words')) {
  const words = new Set();
  for (let i = 0; i < +arg('words'); i++)
    for (const caption of sample(i, arg('only')).captions)
      for (const word of caption.toLowerCase().match(/[a-z]+/g)) words.add(word);
  words.delete('s'); // of "woman's"
  console.log([...words].sort().join('\n'));
} else if (arg('digest')) {
  const hash = createHash('sha256');
  for (let i = 0; i < +arg('digest'); i++) {
    const s = sample(i, arg('only'));
    hash.update(pixels(s.svg)).update(JSON.stringify([s.captions, s.attrs]));
  }
  console.log(hash.digest('hex').slice(0, 16));
} else if (arg('sheet')) {
  const n = +arg('n', 72),
    only = arg('only'),
    cols = 12;
  let b = '';
  for (let i = 0; i < n; i++) {
    const s = sample(i, only);
    if (arg('captions')) console.log(i, s.captions.join(' | '));
    const png = new Resvg(s.svg, { fitTo: { mode: 'width', value: SIZE } }).render().asPng().toString('base64');
    b += `<image x="${(i % cols) * 130}" y="${Math.floor(i / cols) * 130}" width="128" height="128" href="data:image/png;base64,${png}"/>`;
  }
  fs.writeFileSync(
    arg('sheet'),
    new Resvg(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${cols * 130}" height="${Math.ceil(n / cols) * 130}">${b}</svg>`,
    )
      .render()
      .asPng(),
  );
} else {
  const out = arg('out', 'build/data'),
    n = +arg('n', 64000),
    part = +arg('part', 0),
    parts = +arg('parts', 1);
  fs.mkdirSync(out, { recursive: true });
  const ids = [];
  for (let i = part; i < n; i += parts) ids.push(i);
  const f = fs.openSync(path.join(out, `images_${part}.npy`), 'w'),
    c = fs.openSync(path.join(out, `captions_${part}.jsonl`), 'w');
  fs.writeSync(f, npyHeader([ids.length, SIZE, SIZE, 3]));
  const t0 = Date.now();
  for (let k = 0; k < ids.length; k++) {
    const s = sample(ids[k], arg('only'));
    fs.writeSync(f, pixels(s.svg));
    fs.writeSync(c, JSON.stringify({ captions: s.captions, ...s.attrs }) + '\n');
    if (k % 2000 === 1999)
      console.log(
        part,
        k + 1,
        ((Date.now() - t0) / (k + 1)).toFixed(2),
        'ms per image',
        Math.round(process.memoryUsage().rss / 1e6),
        'MB',
      );
    // resvg frees its pixel buffers in the event loop only. Without this pause memory grows by 0.3 MB a picture.
    if (k % 64 === 63) await new Promise(setImmediate);
  }
}
