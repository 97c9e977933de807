// Renders pictures with the part that each place belongs to: what the network in assets/parts is trained on.
//
//   node parts.mjs --out build/parts --n 1600 [--from 0] [--seed 1]
//
// Writes images.npy (uint8, N x 128 x 128 x 3) and parts.npy (uint8, N x 32 x 32), numbers in the order of PARTS, and
// domains.json. A part's place is rendered by itself: everything else black, the part in one channel, so that what lies in
// front hides it. Rain, snow and fog are left out of it.
import fs from 'node:fs';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { Rng, npyHeader } from './util.mjs';
import { portrait } from './portraits.mjs';
import { landscape } from './landscapes.mjs';
import { scene, OBJECTS } from './scenes.mjs';

export const PARTS = [
  'back',
  'hair',
  'hat',
  'beard',
  'glasses',
  'face',
  'eyes',
  'mouth',
  'clothes',
  'sky',
  'clouds',
  'orb',
  'flanks',
  'middle',
  'thing',
  'ground',
  ...Object.keys(OBJECTS),
];
const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k);
  return i < 0 ? d : process.argv[i + 1];
};
const SIZE = 128,
  GRID = 32;

// The avatar's groups, by how they are moved.
const GROUPS = {
  'translate(8)': 'face',
  'translate(0 170)': 'clothes',
  'translate(78 134)': 'mouth',
  'translate(104 122)': 'face',
  'translate(76 90)': 'eyes',
  'translate(76 82)': 'eyes',
  'translate(49 72)': 'beard',
  'translate(62 42)': 'glasses',
};

/** The picture with each element in the colour that `colour(part)` gives, `null` for elements that are to be left out. */
function painted(svg, colours, colour) {
  const stack = [];
  let depth = 0, // within masks and the like, which keep their colours
    part = 'back';
  return svg.replace(/<(\/?)([a-zA-Z]+)([^>]*?)(\/?)>/g, (all, close, name, rest, self) => {
    if (['mask', 'clipPath', 'svg'].includes(name)) {
      if (name !== 'svg' && !self) depth += close ? -1 : 1;
      return all;
    }
    if (depth > 0) return all;
    if (name === 'g') {
      if (close) {
        part = stack.pop();
        return all;
      }
      if (!self) stack.push(part);
      const mark = rest.match(/data-part="([^"]+)"/),
        moved = rest.match(/transform="([^"]+)"/);
      if (mark) part = mark[1];
      else if (colours && moved && GROUPS[moved[1]]) part = GROUPS[moved[1]];
      else if (colours && moved && moved[1] === 'translate(-1)') part = colours.hat ? 'hat' : 'hair';
    }
    if (close) return all;
    let here = part;
    if (here === 'hat' && colours && new RegExp(`fill="#?${colours.hair}"`, 'i').test(rest)) here = 'hair';
    const c = colour(here);
    if (c === null) return ['rect', 'circle', 'ellipse', 'path'].includes(name) && self ? '' : all;
    let out = rest.replace(/(fill|stroke|stop-color)="(?!none)[^"]*"/g, (_, key) => `${key}="${c}"`);
    // What names no colour takes that of the group around it, or black.
    if (name !== 'stop' && !/fill="/.test(out) && !/fill="/.test(rest)) out += name === 'g' || /stroke="/.test(out) ? '' : ` fill="${c}"`;
    return `<${name}${out}${self}>`;
  });
}

function render(svg, side) {
  return new Resvg(svg, { fitTo: { mode: 'width', value: side }, font: { loadSystemFonts: false } }).render().pixels;
}

/** The picture as SIZE * SIZE * 3 bytes. */
function pixels(svg) {
  const px = render(svg, SIZE);
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, k) => px[Math.floor(k / 3) * 4 + (k % 3)]);
}

/** The part of each place, GRID * GRID numbers. */
function partsOf({ svg, colours }) {
  const present = [...new Set([...svg.matchAll(/data-part="([^"]+)"/g)].map((m) => m[1]))];
  if (colours) present.push('face', 'clothes', 'mouth', 'eyes', 'beard', 'glasses', 'hair', 'hat');
  const names = [...new Set(present)].filter((name) => PARTS.includes(name) && name !== 'back');
  const best = new Uint8Array(GRID * GRID),
    most = new Float32Array(GRID * GRID),
    rest = new Float32Array(GRID * GRID).fill(255);
  for (let i = 0; i < names.length; i += 3) {
    const three = names.slice(i, i + 3);
    const colour = (name) =>
      name === 'veil' ? null : (['#ff0000', '#00ff00', '#0000ff'][three.indexOf(name)] ?? '#000000');
    const px = render(painted(svg, colours, colour), GRID);
    for (let k = 0; k < GRID * GRID; k++)
      for (let c = 0; c < three.length; c++) {
        const v = px[k * 4 + c];
        rest[k] -= v;
        if (v > most[k]) {
          most[k] = v;
          best[k] = PARTS.indexOf(three[c]);
        }
      }
  }
  // In an avatar the background is what no part covers; elsewhere it is a part as any other, `back`, and the rest.
  for (let k = 0; k < GRID * GRID; k++) if (rest[k] > most[k]) best[k] = 0;
  return best;
}

const out = arg('out', 'build/parts'),
  n = +arg('n', 1600),
  from = +arg('from', 0);
fs.mkdirSync(out, { recursive: true });
const images = fs.openSync(path.join(out, 'images.npy'), 'w'),
  parts = fs.openSync(path.join(out, 'parts.npy'), 'w'),
  domains = [];
fs.writeSync(images, npyHeader([n, SIZE, SIZE, 3]));
fs.writeSync(parts, npyHeader([n, GRID, GRID]));
for (let i = from; i < from + n; i++) {
  const r = new Rng(i + 1 + 1e6 * +arg('seed', 1)),
    u = r.f();
  const drawn = (u < 0.42 ? portrait : u < 0.72 ? landscape : scene)(r);
  domains.push(drawn.attrs.domain);
  fs.writeSync(images, pixels(drawn.svg));
  fs.writeSync(parts, partsOf(drawn));
  if (i % 64 === 63) await new Promise(setImmediate);
}
fs.writeFileSync(path.join(out, 'domains.json'), JSON.stringify({ parts: PARTS, domains }));
