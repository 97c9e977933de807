// Parts of a landscape: trees and houses, the middle element, and one small thing beside it.
import { mix, jitter } from './util.mjs';

export const n1 = (v) => v.toFixed(1);
/** Colour of the ground in each season. */
export const SEASON_GRASS = { summer: '#6fb54a', spring: '#8fd05f', autumn: '#c79a45', winter: '#eef4f9' };

function pine(x, y, s, dark, light, snow) {
  let o = `<rect x="${n1(x - s * 0.07)}" y="${n1(y - s * 0.2)}" width="${n1(s * 0.14)}" height="${n1(s * 0.22)}" fill="#5a3d2b"/>`;
  for (let i = 0; i < 3; i++) {
    const w = s * (0.36 - i * 0.08),
      b = y - s * (0.15 + i * 0.25),
      t = b - s * 0.38;
    o += `<path d="M${n1(x - w)} ${n1(b)}L${n1(x)} ${n1(t)}L${n1(x + w)} ${n1(b)}Z" fill="${i % 2 ? light : dark}"/>`;
    if (snow)
      o += `<path d="M${n1(x - w * 0.5)} ${n1((b + t) / 2)}L${n1(x)} ${n1(t)}L${n1(x + w * 0.5)} ${n1((b + t) / 2)}Z" fill="${snow}"/>`;
  }
  return o;
}
const roundTree = (x, y, s, c, c2, trunk) =>
  `<rect x="${n1(x - s * 0.06)}" y="${n1(y - s * 0.4)}" width="${n1(s * 0.12)}" height="${n1(s * 0.42)}" fill="${trunk}"/><circle cx="${n1(x)}" cy="${n1(y - s * 0.62)}" r="${n1(s * 0.33)}" fill="${c}"/><circle cx="${n1(x - s * 0.1)}" cy="${n1(y - s * 0.7)}" r="${n1(s * 0.17)}" fill="${c2}"/>`;
/** A tree that fits the season; `airy` (0 to 1) fades it into the distance. */
export function anyTree(F, x, y, s, airy = 0) {
  const { r, a, far } = F,
    f = (c) => far(c, airy);
  if (a.season === 'winter') return pine(x, y, s, f('#3f6b58'), f('#4b7b66'), f('#f4f8fb'));
  if (a.season === 'autumn' && r.chance(0.75)) {
    const c = jitter(r, r.pick(['#d9772b', '#c9452a', '#e0a52e']), 8);
    return roundTree(x, y, s, f(c), f(mix(c, '#ffe9a0', 0.3)), f('#5f412d'));
  }
  if (a.season === 'spring' && r.chance(0.6)) {
    const c = jitter(r, '#f0a3c0', 8);
    return roundTree(x, y, s, f(c), f(mix(c, '#ffffff', 0.4)), f('#5f412d'));
  }
  if (r.chance(0.75)) {
    const c = jitter(r, '#2f7048', 8);
    return pine(x, y, s, f(c), f(mix(c, '#7fc06a', 0.25)));
  }
  const c = jitter(r, '#4f9a45', 9);
  return roundTree(x, y, s, f(c), f(mix(c, '#c9e88a', 0.35)), f('#5f412d'));
}

/** A strip that winds from the horizon `H` down to the lower edge, `w0` wide (half) at the far end and `w1` at the near one. */
function wedge(r, H, amp, w0, w1) {
  const ph = r.f(0, 6.28),
    fr = r.f(0.7, 1.1),
    L = [],
    R = [];
  for (let i = 0; i <= 22; i++) {
    const t = i / 22,
      y = H + 5 + t * (124 - H),
      c = 64 + amp * Math.sin(ph + 6.28 * fr * Math.pow(t, 0.6)) * (0.35 + 0.65 * t),
      w = w0 + (w1 - w0) * Math.pow(t, 1.35);
    L.push([c - w, y, c, w, t]);
    R.push([c + w, y]);
  }
  return {
    L,
    R,
    d:
      'M' +
      L.map((p) => `${n1(p[0])} ${n1(p[1])}`).join('L') +
      'L' +
      R.reverse()
        .map((p) => `${n1(p[0])} ${n1(p[1])}`)
        .join('L') +
      'Z',
  };
}
/** The piece of a wedge between offsets `k0` and `k1` (in half widths) and depths `t0` and `t1` (0 far, 1 near). */
const strip = (L, k0, k1, t0, t1) => {
  const s = L.filter((p) => p[4] >= t0 - 1e-6 && p[4] <= t1 + 1e-6);
  return (
    'M' +
    s.map((p) => `${n1(p[2] + p[3] * k0)} ${n1(p[1])}`).join('L') +
    'L' +
    s
      .reverse()
      .map((p) => `${n1(p[2] + p[3] * k1)} ${n1(p[1])}`)
      .join('L') +
    'Z'
  );
};

/** Draws the element that the caption names; every kind fills the same wedge in the lower middle. */
export function middle(F) {
  const { r, H, tone, a } = F;
  let o = '';
  const water = tone(jitter(r, '#3f93d6', 9)),
    shine = tone('#a9dcf7'),
    D = 128 - H;
  const dashes = (L, c, w) => {
    let s = '';
    for (let i = 0; i < 8; i++) {
      const k = 2 + i * 2.5;
      s += `<path d="${strip(L, -w, w, Math.floor(k) / 22, Math.floor(k + 1) / 22)}" fill="${c}"/>`;
    }
    return s;
  };
  switch (a.middle) {
    case 'river': {
      const w = wedge(r, H, 11, 3, 33);
      o += `<path d="${w.d}" fill="${tone(mix('#caa96a', SEASON_GRASS[a.season], 0.4))}" stroke="${tone(mix('#caa96a', SEASON_GRASS[a.season], 0.4))}" stroke-width="3"/><path d="${w.d}" fill="${water}"/>`;
      for (let i = 0; i < 11; i++) {
        const p = w.L[4 + r.int(18)],
          l = p[3] * r.f(0.15, 0.35),
          x = p[2] + p[3] * r.f(-0.6, 0.6);
        o += `<path d="M${n1(x - l)} ${n1(p[1])}h${n1(2 * l)}" stroke="${shine}" stroke-width="${n1(0.8 + p[4] * 1.2)}" stroke-linecap="round"/>`;
      }
      break;
    }
    case 'street': {
      const w = wedge(r, H, 0, 4, 50);
      o += `<path d="${w.d}" fill="${tone('#c4c4c2')}"/><path d="${strip(w.L, -0.76, 0.76, 0, 1)}" fill="${tone(jitter(r, '#5d6168', 6))}"/>${dashes(w.L, tone('#ffffff'), 0.05)}`;
      break;
    }
    case 'road': {
      const w = wedge(r, H, 10, 3, 27);
      o += `<path d="${w.d}" fill="${tone(jitter(r, '#4a4c52', 6))}"/>${dashes(w.L, tone('#f4cf3a'), 0.08)}`;
      break;
    }
    case 'path': {
      const w = wedge(r, H, 11, 1.8, 15);
      o += `<path d="${w.d}" fill="${tone(jitter(r, '#b98a52', 8))}" stroke="${tone('#96703f')}" stroke-width="1.2"/>`;
      for (let i = 0; i < 9; i++) {
        const p = w.L[5 + r.int(17)];
        o += `<circle cx="${n1(p[2] + p[3] * r.f(-0.6, 0.6))}" cy="${n1(p[1])}" r="${n1(0.7 + p[4])}" fill="${tone('#d8b585')}"/>`;
      }
      break;
    }
    case 'forest': {
      const L = [];
      for (let i = 0; i < 30; i++) {
        const t = Math.pow(r.f(0, 1), 0.9);
        L.push([64 + r.f(-1, 1) * (14 + 30 * t), H + 6 + t * D * 0.92, 11 + 19 * t]);
      }
      for (const [x, y, s] of L.sort((p, q) => p[1] - q[1])) o += anyTree(F, x, y, s, 0);
      break;
    }
    case 'desert': {
      const c = jitter(r, '#ecc274', 8);
      o += `<path d="M0 ${n1(H + 14)}Q32 ${n1(H + 2)} 64 ${n1(H + 6)}T128 ${n1(H + 12)}V128H0Z" fill="${tone(c)}"/><path d="M0 ${n1(H + 34)}Q40 ${n1(H + 14)} 78 ${n1(H + 32)}T128 ${n1(H + 30)}V128H0Z" fill="${tone(mix(c, '#b9752f', 0.22))}"/><path d="M0 ${n1(H + 50)}Q30 ${n1(H + 52)} 70 ${n1(H + 42)}T128 ${n1(H + 56)}V128H0Z" fill="${tone(mix(c, '#fff0c0', 0.25))}"/>`;
      for (let i = 0; i < 3; i++) {
        const t = r.f(0.25, 0.85),
          s = 7 + 13 * t,
          x = 64 + r.f(-34, 34),
          y = H + t * D;
        o += cactus(x, y, s, tone('#3f8a4d'));
      }
      break;
    }
    case 'lake': {
      const y = H + D * 0.5;
      o += `<ellipse cx="64" cy="${n1(y)}" rx="${n1(r.f(44, 50))}" ry="${n1(r.f(20, 25))}" fill="${tone(mix('#caa96a', SEASON_GRASS[a.season], 0.4))}"/><ellipse cx="64" cy="${n1(y)}" rx="42" ry="18.5" fill="${water}"/>`;
      for (let i = 0; i < 8; i++) {
        const l = r.f(4, 9);
        o += `<path d="M${n1(64 + r.f(-26, 26) - l)} ${n1(y + r.f(-13, 13))}h${n1(2 * l)}" stroke="${shine}" stroke-width="1.5" stroke-linecap="round"/>`;
      }
      break;
    }
    case 'meadow': {
      const w = wedge(r, H, 3, 18, 58);
      o += `<path d="${w.d}" fill="${tone(jitter(r, '#7ecb4a', 8))}"/>`;
      for (let i = 0; i < 60; i++) {
        const t = r.f(0.08, 1),
          p = w.L[Math.round(t * 22)];
        o += `<circle cx="${n1(p[2] + p[3] * r.f(-0.95, 0.95))}" cy="${n1(p[1] + r.f(-2, 2))}" r="${n1(0.9 + 1.6 * t)}" fill="${tone(r.pick(['#ffffff', '#f25c7a', '#ffd93b', '#b06be0']))}"/>`;
      }
      break;
    }
    case 'glacier': {
      const w = wedge(r, H, 5, 7, 38);
      o += `<path d="${w.d}" fill="${tone(jitter(r, '#d5effa', 5))}" stroke="${tone('#8fc4e2')}" stroke-width="2"/>`;
      for (let i = 0; i < 13; i++) {
        const p = w.L[3 + r.int(19)],
          l = p[3] * r.f(0.3, 0.6),
          x = p[2] + p[3] * r.f(-0.45, 0.45);
        o += `<path d="M${n1(x - l)} ${n1(p[1])}l${n1(l * 0.7)} ${n1(1 + 2 * p[4])}l${n1(l * 0.6)} ${n1(-1.5 - 2 * p[4])}l${n1(l * 0.5)} ${n1(1 + p[4])}" fill="none" stroke="${tone('#6fb4dc')}" stroke-width="${n1(0.8 + 1.1 * p[4])}"/>`;
      }
      break;
    }
    case 'waterfall': {
      const y0 = H - 20,
        y1 = H + 30,
        x = 64 + r.f(-3, 3);
      o += `<path d="M${n1(x - 9)} ${n1(y0)}L${n1(x + 9)} ${n1(y0)}L${n1(x + 13)} ${n1(y1)}L${n1(x - 13)} ${n1(y1)}Z" fill="${tone('#7cc3ec')}"/>`;
      for (let i = 0; i < 6; i++) {
        const k = -10 + i * 4;
        o += `<path d="M${n1(x + k * 0.75)} ${n1(y0 + r.f(0, 8))}L${n1(x + k)} ${n1(y1 - r.f(0, 8))}" stroke="${tone('#eef9ff')}" stroke-width="1.7"/>`;
      }
      o += `<path d="M${n1(x - 34)} 128C${n1(x - 40)} ${n1(y1 + 2)} ${n1(x - 20)} ${n1(y1 - 6)} ${n1(x)} ${n1(y1 - 6)}S${n1(x + 40)} ${n1(y1 + 2)} ${n1(x + 34)} 128Z" fill="${water}"/>`;
      for (let i = 0; i < 9; i++)
        o += `<circle cx="${n1(x + r.f(-17, 17))}" cy="${n1(y1 + r.f(-4, 2))}" r="${n1(r.f(2.4, 4.6))}" fill="${tone('#f2fbff')}"/>`;
      break;
    }
    case 'field': {
      const w = wedge(r, H, 2, 18, 60);
      o += `<path d="${w.d}" fill="${tone(jitter(r, '#e5bf45', 8))}"/>`;
      for (let k = -4; k <= 4; k++)
        o += `<path d="${strip(w.L, k * 0.23 - 0.045, k * 0.23 + 0.045, 0, 1)}" fill="${tone('#b98a26')}"/>`;
      break;
    }
    case 'village': {
      const L = [];
      for (let i = 0; i < 8; i++) {
        const t = 0.08 + i * 0.115;
        L.push([64 + (i % 2 ? 1 : -1) * r.f(3, 13 + 22 * t), H + 8 + t * D * 0.85, 10 + 14 * t]);
      }
      for (const [x, y, s] of L) o += house(r, x, y, s, tone, a);
      break;
    }
    case 'railway': {
      const w = wedge(r, H, 0, 2.5, 26);
      o += `<path d="${w.d}" fill="${tone('#a89f93')}"/>`;
      for (let i = 1; i < 15; i++) {
        const t = Math.pow(i / 15, 1.6),
          p = w.L[Math.round(t * 22)],
          y = H + 5 + t * (124 - H),
          hw = 2.5 + 23.5 * Math.pow(t, 1.35);
        o += `<rect x="${n1(64 - hw * 0.85)}" y="${n1(y)}" width="${n1(hw * 1.7)}" height="${n1(0.7 + 2.6 * t)}" fill="${tone('#6b4a33')}"/>`;
      }
      o += `<path d="${strip(w.L, -0.62, -0.5, 0, 1)}${strip(w.L, 0.5, 0.62, 0, 1)}" fill="${tone('#4c525c')}"/>`;
      break;
    }
  }
  return o;
}
const cactus = (x, y, s, c) =>
  `<g fill="none" stroke="${c}" stroke-linecap="round" stroke-width="${n1(s * 0.2)}"><path d="M${n1(x)} ${n1(y)}V${n1(y - s)}M${n1(x)} ${n1(y - s * 0.4)}h${n1(-s * 0.32)}v${n1(-s * 0.28)}M${n1(x)} ${n1(y - s * 0.3)}h${n1(s * 0.32)}v${n1(-s * 0.3)}"/></g>`;
function house(r, x, y, s, tone, a) {
  const wall = tone(jitter(r, r.pick(['#f2e3c6', '#e9d1b0', '#f5f1e8', '#e7c0a0']), 6)),
    roof = a.season === 'winter' ? tone('#f6fafc') : tone(jitter(r, r.pick(['#b8473a', '#8c4a34', '#5c6b85']), 8)),
    win = a.time === 'night' ? '#ffd766' : tone('#7fb6dc');
  return `<rect x="${n1(x - s * 0.42)}" y="${n1(y - s * 0.55)}" width="${n1(s * 0.84)}" height="${n1(s * 0.55)}" fill="${wall}"/><path d="M${n1(x - s * 0.54)} ${n1(y - s * 0.52)}L${n1(x)} ${n1(y - s)}L${n1(x + s * 0.54)} ${n1(y - s * 0.52)}Z" fill="${roof}"/><rect x="${n1(x - s * 0.09)}" y="${n1(y - s * 0.34)}" width="${n1(s * 0.2)}" height="${n1(s * 0.34)}" fill="${tone('#7a4e35')}"/><rect x="${n1(x - s * 0.33)}" y="${n1(y - s * 0.4)}" width="${n1(s * 0.16)}" height="${n1(s * 0.16)}" fill="${win}"/><rect x="${n1(x + s * 0.18)}" y="${n1(y - s * 0.4)}" width="${n1(s * 0.16)}" height="${n1(s * 0.16)}" fill="${win}"/>`;
}
/** Draws the small extra thing, or nothing. */
export function thing(F) {
  const { r, H, tone, a } = F,
    side = r.chance(0.5) ? -1 : 1,
    x = 64 + side * r.f(36, 44),
    y = r.f(100, 112);
  if (a.thing === 'house') return house(r, x, y, 27, tone, a);
  if (a.thing === 'tree') return anyTree(F, x, y + 6, 38);
  if (a.thing === 'tent') {
    const c = jitter(r, r.pick(['#e0563f', '#f0a030', '#3f8fc9']), 8);
    return `<path d="M${n1(x - 15)} ${n1(y)}L${n1(x)} ${n1(y - 21)}L${n1(x + 15)} ${n1(y)}Z" fill="${tone(c)}"/><path d="M${n1(x - 5)} ${n1(y)}L${n1(x)} ${n1(y - 19)}L${n1(x + 5)} ${n1(y)}Z" fill="${tone(mix(c, '#2a1a14', 0.6))}"/>`;
  }
  if (a.thing === 'boat') {
    const bx = 64 + r.f(-7, 7),
      by = a.middle === 'lake' ? H + (128 - H) * 0.55 : r.f(102, 112);
    return `<path d="M${n1(bx)} ${n1(by - 22)}V${n1(by)}" stroke="${tone('#5a3d2b')}" stroke-width="1.4"/><path d="M${n1(bx + 1.5)} ${n1(by - 22)}L${n1(bx + 13)} ${n1(by - 5)}H${n1(bx + 1.5)}Z" fill="${tone('#ffffff')}"/><path d="M${n1(bx - 1.5)} ${n1(by - 19)}L${n1(bx - 9)} ${n1(by - 5)}H${n1(bx - 1.5)}Z" fill="${tone('#f2efe6')}"/><path d="M${n1(bx - 13)} ${n1(by - 3)}H${n1(bx + 15)}L${n1(bx + 10)} ${n1(by + 4)}H${n1(bx - 8)}Z" fill="${tone('#b5482f')}"/>`;
  }
  if (a.thing === 'bridge') {
    const by = H + (128 - H) * r.f(0.45, 0.6),
      c = tone('#9a5f3a'),
      d = tone('#6f4128');
    return (
      `<path d="M22 ${n1(by + 6)}Q64 ${n1(by - 14)} 106 ${n1(by + 6)}V${n1(by + 12)}Q64 ${n1(by - 6)} 22 ${n1(by + 12)}Z" fill="${c}"/><path d="M24 ${n1(by - 4)}Q64 ${n1(by - 23)} 104 ${n1(by - 4)}" fill="none" stroke="${d}" stroke-width="2"/>` +
      [26, 40, 52, 64, 76, 88, 102]
        .map((q) => {
          const k = 1 - ((q - 64) / 42) ** 2;
          return `<path d="M${q} ${n1(by + 6 - 10 * k)}v-10" stroke="${d}" stroke-width="1.8"/>`;
        })
        .join('')
    );
  }
  return '';
}
