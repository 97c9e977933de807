// What all three kinds of picture share: a seeded random generator and colour arithmetic.

import zlib from 'node:zlib';

/** Seeded random numbers (mulberry32): picture i is the same in every run. */
export class Rng {
  constructor(seed) {
    this.a = (seed * 2654435761) >>> 0;
    for (let k = 0; k < 4; k++) this.f();
  }
  f(lo = 0, hi = 1) {
    this.a = (this.a + 0x6d2b79f5) | 0;
    let t = Math.imul(this.a ^ (this.a >>> 15), 1 | this.a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return lo + (hi - lo) * (((t ^ (t >>> 14)) >>> 0) / 4294967296);
  }
  int(n) {
    return Math.floor(this.f() * n);
  }
  pick(list) {
    return list[this.int(list.length)];
  }
  chance(p) {
    return this.f() < p;
  }
  /** One value of [[value, weight], ...], each as likely as its weight. */
  weigh(pairs) {
    let s = 0;
    for (const p of pairs) s += p[1];
    let x = this.f() * s;
    for (const p of pairs) {
      x -= p[1];
      if (x <= 0) return p[0];
    }
    return pairs[pairs.length - 1][0];
  }
  shuffle(list) {
    const l = [...list];
    for (let i = l.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [l[i], l[j]] = [l[j], l[i]];
    }
    return l;
  }
}

export const rgb = (h) => {
  h = h.replace('#', '');
  if (h.length === 3) h = [...h].map((c) => c + c).join('');
  return [0, 2, 4].map((i) => parseInt(h.slice(i, i + 2), 16));
};
export const hex = (c) =>
  '#' +
  c
    .map((v) =>
      Math.max(0, Math.min(255, Math.round(v)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('');
/** Marks what is drawn as a part of the picture; `parts.mjs` reads the marks, and the picture stays the same. */
export const part = (name, drawn) => `<g data-part="${name}">${drawn}</g>`;
/** Mixes two colours: `t` 0 gives a, 1 gives b. */
export const mix = (a, b, t) => {
  const x = rgb(a),
    y = rgb(b);
  return hex(x.map((v, i) => v + (y[i] - v) * t));
};
/** Changes a colour a little at random: mostly its brightness, slightly each channel. */
export const jitter = (r, c, amount = 10) => {
  const d = r.f(-amount, amount);
  return hex(rgb(c).map((v) => v + d + r.f(-amount / 3, amount / 3)));
};

export function toHsl(c) {
  const [r, g, b] = rgb(c).map((v) => v / 255),
    mx = Math.max(r, g, b),
    mn = Math.min(r, g, b),
    l = (mx + mn) / 2,
    d = mx - mn;
  if (!d) return [0, 0, l];
  const s = d / (1 - Math.abs(2 * l - 1));
  const h = mx === r ? ((g - b) / d + 6) % 6 : mx === g ? (b - r) / d + 2 : (r - g) / d + 4;
  return [h * 60, s, l];
}
export function fromHsl(h, s, l) {
  const c = (1 - Math.abs(2 * l - 1)) * s,
    x = c * (1 - Math.abs(((h / 60) % 2) - 1)),
    m = l - c / 2,
    k = Math.floor(h / 60) % 6;
  const t = [
    [c, x, 0],
    [x, c, 0],
    [0, c, x],
    [0, x, c],
    [x, 0, c],
    [c, 0, x],
  ][k];
  return hex(t.map((v) => (v + m) * 255));
}

// The head of a .npy file of bytes.
export function npyHeader(shape) {
  let h = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  h += ' '.repeat(64 - ((10 + h.length + 1) % 64)) + '\n';
  const b = Buffer.alloc(10 + h.length);
  b.write('\x93NUMPY', 0, 'latin1');
  b[6] = 1;
  b[7] = 0;
  b.writeUInt16LE(h.length, 8);
  b.write(h, 10, 'latin1');
  return b;
}

/** Polynomial division, the sum that a PNG's parts end with. */
const CRC = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});
const crc = (bytes) => (bytes.reduce((c, b) => CRC[(c ^ b) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

/** A PNG of width * height * 3 bytes. */
export function png(pixels, width, height) {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]),
      ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]),
    rows = Buffer.alloc(height * (1 + 3 * width));
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(3 * width * y, 3 * width * (y + 1)), y * (1 + 3 * width) + 1);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
