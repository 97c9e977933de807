// Landscapes: "a {middle} between {flanks}", drawn by the code below in a flat style.
// Whatever the middle is, it fills the same wedge, so that swapping it leaves the flanks alone.
import { mix, jitter, part } from './util.mjs';
import { n1, SEASON_GRASS, anyTree, middle, thing } from './landscape_parts.mjs';

export const MIDDLES = [
  'river',
  'street',
  'road',
  'path',
  'forest',
  'desert',
  'lake',
  'meadow',
  'glacier',
  'waterfall',
  'field',
  'village',
  'railway',
];
const MIDDLE_W = [
  ['river', 3],
  ['street', 2],
  ['road', 1.6],
  ['path', 1.3],
  ['forest', 2.2],
  ['desert', 2],
  ['lake', 1.7],
  ['meadow', 1.5],
  ['glacier', 1.2],
  ['waterfall', 1],
  ['field', 1.1],
  ['village', 1.1],
  ['railway', 0.9],
];
const FLANK_W = [
  ['mountains', 5],
  ['hills', 2],
  ['cliffs', 1.4],
  ['dunes', 1.1],
  ['trees', 1.7],
  ['buildings', 1.3],
];
const SKY = {
  day: ['#4fa6ea', '#cfeefb'],
  sunset: ['#56418f', '#f58a4f'],
  night: ['#0a1233', '#2c4079'],
  dawn: ['#86a5e2', '#ffd3cf'],
};
const SKY_MID = { day: '#8fcdf4', sunset: '#d9607a', night: '#18265a', dawn: '#cdbfe6' };

/** Draws one landscape with random factors; returns its SVG and the factors. */
export function landscape(r) {
  const a = { domain: 'landscape', middle: r.weigh(MIDDLE_W), flank: r.weigh(FLANK_W) };
  if (a.middle === 'waterfall') a.flank = r.pick(['mountains', 'cliffs', 'hills', 'trees']);
  if (a.middle === 'glacier' || a.middle === 'village')
    a.flank = r.pick(['mountains', 'mountains', 'hills', 'cliffs', 'trees']);
  a.time = r.weigh([
    ['day', 5],
    ['sunset', 2],
    ['night', 2],
    ['dawn', 1],
  ]);
  a.season = r.weigh([
    ['summer', 5.5],
    ['winter', 2],
    ['autumn', 1.6],
    ['spring', 1.2],
  ]);
  if (['desert', 'meadow', 'field'].includes(a.middle) || a.flank === 'dunes') a.season = 'summer';
  a.clouds = r.chance(0.35);
  a.weather = r.weigh([
    [null, 9],
    ['rain', 0.5],
    ['fog', 0.6],
  ]);
  if (a.season === 'winter' && r.chance(0.35)) a.weather = 'snow';
  if (a.weather === 'rain') a.clouds = true;
  a.orb = a.weather ? null : a.time === 'night' ? (r.chance(0.6) ? 'moon' : null) : r.chance(0.5) ? 'sun' : null;
  a.thing = r.weigh([
    [null, 6],
    ['house', 1.2],
    ['tent', 1],
    ['tree', 1],
    ['boat', 1.2],
    ['bridge', 1],
  ]);
  if (a.thing === 'boat' && !['river', 'lake'].includes(a.middle)) a.thing = null;
  if (a.thing === 'bridge' && a.middle !== 'river') a.thing = null;
  if (a.middle === 'village' && a.thing === 'house') a.thing = null;

  // Light: tone() gives a land colour the hour of the day, far() also mixes it with the air in between.
  const tone = (c) =>
    a.time === 'night'
      ? mix(c, '#101c44', 0.6)
      : a.time === 'sunset'
        ? mix(c, '#a8453f', 0.3)
        : a.time === 'dawn'
          ? mix(c, '#e3b6c6', 0.24)
          : c;
  const skyTop = jitter(r, SKY[a.time][0], 10),
    skyLow = jitter(r, SKY[a.time][1], 10),
    grey = a.weather === 'rain' || a.weather === 'fog' ? 0.5 : 0;
  const dull = (c) => mix(c, a.time === 'night' ? '#28304a' : '#b9c3cc', grey);
  const far = (c, t) => mix(tone(c), dull(skyLow), t + (a.weather === 'fog' ? (1 - t) * 0.25 : 0));
  const H = r.f(56, 66);
  let o = `<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${dull(skyTop)}"/><stop offset=".55" stop-color="${dull(SKY_MID[a.time])}"/><stop offset="1" stop-color="${dull(skyLow)}"/></linearGradient></defs>`;
  o += '<g data-part="sky">';
  o += `<rect width="128" height="${n1(H + 8)}" fill="url(#s)"/>`;
  if (a.time === 'night' && !a.clouds && !a.weather)
    for (let i = 0; i < 34; i++)
      o += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(0, H - 8))}" r="${n1(r.f(0.5, 1.1))}" fill="#fff" opacity="${n1(r.f(0.6, 1))}"/>`;
  o += '</g><g data-part="orb">';
  if (a.orb) {
    const cx = r.f(40, 88),
      cy = a.time === 'day' || a.orb === 'moon' ? r.f(14, 24) : r.f(H - 22, H - 12),
      q = r.f(8, 11);
    const c = a.orb === 'moon' ? '#f4f1dc' : a.time === 'day' ? '#ffe066' : '#fff0b0';
    o += `<circle cx="${n1(cx)}" cy="${n1(cy)}" r="${n1(q * 1.7)}" fill="${c}" opacity=".25"/><circle cx="${n1(cx)}" cy="${n1(cy)}" r="${n1(q)}" fill="${c}"/>`;
    if (a.orb === 'moon')
      o += `<circle cx="${n1(cx - 2.5)}" cy="${n1(cy - 2)}" r="1.8" fill="#d9d5bb"/><circle cx="${n1(cx + 3)}" cy="${n1(cy + 2.5)}" r="1.3" fill="#d9d5bb"/>`;
  }
  o += '</g><g data-part="clouds">';
  if (a.clouds) {
    const cc =
      a.weather === 'rain' ? '#7d8896' : a.time === 'night' ? '#3b4a78' : a.time === 'sunset' ? '#f7b08f' : '#ffffff';
    for (let i = 0; i < 4; i++) {
      const x = r.f(-5, 118),
        y = r.f(8, H - 26),
        k = r.f(0.8, 1.4);
      o += `<g transform="translate(${n1(x)} ${n1(y)}) scale(${n1(k)})" fill="${cc}" opacity=".92"><rect x="0" y="4" width="24" height="6" rx="3"/><circle cx="8" cy="5" r="4.5"/><circle cx="15" cy="4" r="5.5"/></g>`;
    }
  }
  o += '</g>';
  // The farthest range runs across the whole picture.
  const rockBase =
    a.flank === 'dunes' || a.middle === 'desert'
      ? '#c98f5a'
      : a.flank === 'cliffs'
        ? '#a9704f'
        : r.pick(['#6d7fa3', '#748a8f', '#7d7a98']);
  const smooth = ['hills', 'dunes'].includes(a.flank);
  o += part(
    'flanks',
    `<path d="${ridge(r, -4, 132, H - r.f(8, 14), smooth ? 3 : 7, smooth)}L132 ${H + 9}L-4 ${H + 9}Z" fill="${far(rockBase, 0.62)}"/>`,
  );
  // The ground, lighter towards the horizon.
  const sandy = a.flank === 'dunes' || a.middle === 'desert';
  const groundC = sandy
    ? jitter(r, '#e6bd72', 10)
    : a.middle === 'glacier' && a.season !== 'winter'
      ? '#b9c3b0'
      : jitter(r, a.flank === 'cliffs' && a.season === 'summer' ? '#a9a35a' : SEASON_GRASS[a.season], 9);
  o += '<g data-part="ground">';
  o += `<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${far(groundC, 0.3)}"/><stop offset="1" stop-color="${tone(groundC)}"/></linearGradient></defs><rect y="${n1(H)}" width="128" height="${n1(128 - H)}" fill="url(#g)"/>`;
  o += '</g><g data-part="flanks">';
  if (a.middle === 'waterfall')
    o += `<path d="M18 ${n1(H + 8)}L22 ${n1(H - 18)}L46 ${n1(H - 23)}L84 ${n1(H - 22)}L108 ${n1(H - 16)}L112 ${n1(H + 8)}Z" fill="${far(a.flank === 'cliffs' ? '#9c6848' : '#6f7580', 0.15)}"/>`;
  // Far flanks first, then the middle in front of them, then the near flanks in front of both.
  const F = { r, H, tone, far, a };
  o += flanks(F, 0.3, 0);
  o += '</g>';
  o += part('middle', middle(F));
  o += part('flanks', flanks(F, 0, 1));
  o += part('thing', thing(F));
  o += '<g data-part="veil">';
  if (a.weather === 'rain')
    for (let i = 0; i < 46; i++) {
      const x = r.f(0, 132),
        y = r.f(0, 122);
      o += `<path d="M${n1(x)} ${n1(y)}l-2.5 7" stroke="#dfeaf5" stroke-width=".9" opacity=".65"/>`;
    }
  if (a.weather === 'snow')
    for (let i = 0; i < 60; i++)
      o += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(0, 128))}" r="${n1(r.f(0.8, 1.7))}" fill="#fff" opacity=".92"/>`;
  if (a.weather === 'fog')
    o += `<defs><linearGradient id="f" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#e8edf0" stop-opacity=".1"/><stop offset=".5" stop-color="#e8edf0" stop-opacity="${a.time === 'night' ? 0.35 : 0.55}"/><stop offset="1" stop-color="#e8edf0" stop-opacity=".08"/></linearGradient></defs><rect width="128" height="128" fill="url(#f)"/>`;
  o += '</g>';
  return { svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">${o}</svg>`, attrs: a };
}

function ridge(r, x0, x1, y, amp, smooth) {
  let d = `M${x0} ${n1(y)}`;
  if (smooth) {
    const k = 5,
      w = (x1 - x0) / k;
    for (let i = 0; i < k; i++)
      d += `Q${n1(x0 + (i + 0.5) * w)} ${n1(y + r.f(-2.2, 1) * amp)} ${n1(x0 + (i + 1) * w)} ${n1(y + r.f(-0.3, 0.3) * amp)}`;
    return d;
  }
  for (let x = x0; x < x1;) {
    x += r.f(7, 15);
    d += `L${n1(Math.min(x, x1))} ${n1(y + r.f(-1, 0.6) * amp)}`;
  }
  return d;
}

/** The masses on both sides. Layer 0 lies farther back, layer 1 nearer to the eye and to the edges. */
function flanks(F, airy, layer) {
  const { r, H, far, a } = F;
  let o = '';
  for (const side of [-1, 1]) {
    const X = (x) => 64 + side * x; // x is the distance from the centre line
    const base = H + (layer ? r.f(18, 30) : r.f(5, 9));
    if (a.flank === 'mountains') {
      const c0 = jitter(r, r.pick(['#5f7391', '#6c7b84', '#756f8d']), 9);
      const peaks = layer
        ? [[r.f(56, 66), r.f(34, 46), 26]]
        : [
            [r.f(42, 54), r.f(36, 48), 30],
            [r.f(24, 32), r.f(18, 27), 19],
          ];
      for (const [x, h, w] of peaks) {
        const px = X(x),
          y = base - h,
          c = far(c0, airy),
          cl = far(mix(c0, '#ffffff', 0.18), airy),
          sn = far('#ffffff', airy * 0.5),
          q = a.season === 'winter' ? 0.62 : 0.33;
        o += `<path d="M${n1(px - w)} ${n1(base)}L${n1(px)} ${n1(y)}L${n1(px + w)} ${n1(base)}Z" fill="${c}"/><path d="M${n1(px)} ${n1(y)}L${n1(px - w)} ${n1(base)}L${n1(px - w * 0.15)} ${n1(base)}L${n1(px + w * 0.1)} ${n1(y + h * 0.5)}Z" fill="${cl}"/>`;
        o += `<path d="M${n1(px)} ${n1(y)}L${n1(px - w * q)} ${n1(y + h * q)}L${n1(px - w * q * 0.45)} ${n1(y + h * q * 0.75)}L${n1(px)} ${n1(y + h * q * 1.12)}L${n1(px + w * q * 0.45)} ${n1(y + h * q * 0.78)}L${n1(px + w * q)} ${n1(y + h * q)}Z" fill="${sn}"/>`;
      }
    } else if (a.flank === 'hills' || a.flank === 'dunes') {
      const c0 = jitter(
        r,
        a.flank === 'dunes'
          ? '#dca75c'
          : { summer: '#5ba043', spring: '#7cc254', autumn: '#bf8434', winter: '#e4edf4' }[a.season],
        9,
      );
      const c = far(layer ? c0 : mix(c0, '#ffffff', 0.08), airy),
        h = layer ? r.f(22, 30) : r.f(24, 34),
        x0 = layer ? 30 : 12;
      if (a.flank === 'hills')
        o += `<path d="M${X(x0)} ${n1(base)}C${X(x0 + 12)} ${n1(base - h * 0.2)} ${X(x0 + 16)} ${n1(base - h)} ${X(x0 + 34)} ${n1(base - h)}C${X(x0 + 48)} ${n1(base - h)} ${X(66)} ${n1(base - h * 0.6)} ${X(70)} ${n1(base - h * 0.5)}L${X(70)} ${n1(base)}Z" fill="${c}"/>`;
      else
        o += `<path d="M${X(x0)} ${n1(base)}C${X(x0 + 20)} ${n1(base)} ${X(x0 + 22)} ${n1(base - h)} ${X(x0 + 32)} ${n1(base - h)}L${X(72)} ${n1(base - h * 0.3)}L${X(72)} ${n1(base)}Z" fill="${c}"/><path d="M${X(x0 + 32)} ${n1(base - h)}C${X(x0 + 30)} ${n1(base - h * 0.5)} ${X(x0 + 44)} ${n1(base - h * 0.4)} ${X(x0 + 40)} ${n1(base)}L${X(72)} ${n1(base)}L${X(72)} ${n1(base - h * 0.3)}Z" fill="${far(mix(c0, '#7d4a20', 0.3), airy)}"/>`;
      if (a.flank === 'hills' && r.chance(0.5))
        for (let i = 0; i < 2; i++) o += anyTree(F, X(x0 + r.f(22, 36)), base - h * r.f(0.7, 0.9), r.f(7, 10), airy);
    } else if (a.flank === 'cliffs') {
      const c0 = jitter(r, '#b5683f', 9),
        h = layer ? r.f(34, 44) : r.f(34, 46),
        x0 = layer ? r.f(40, 46) : r.f(20, 26),
        c = far(c0, airy),
        top = base - h;
      o += `<path d="M${n1(X(x0))} ${n1(base)}L${n1(X(x0 + 3))} ${n1(top + h * 0.5)}L${n1(X(x0 + 6))} ${n1(top + h * 0.45)}L${n1(X(x0 + 8))} ${n1(top)}L${X(72)} ${n1(top - 3)}L${X(72)} ${n1(base)}Z" fill="${c}"/>`;
      for (const q of [0.25, 0.5, 0.75])
        o += `<path d="M${n1(X(x0 + 8 - q * 7))} ${n1(top + h * q)}L${X(72)} ${n1(top + h * q - 3)}L${X(72)} ${n1(top + h * q + 1)}L${n1(X(x0 + 8 - q * 7))} ${n1(top + h * q + 3)}Z" fill="${far(mix(c0, '#5e2d1c', 0.4), airy)}"/>`;
      if (a.season === 'winter')
        o += `<path d="M${n1(X(x0 + 7))} ${n1(top + 4)}L${n1(X(x0 + 8))} ${n1(top - 1)}L${X(72)} ${n1(top - 4)}L${X(72)} ${n1(top + 2)}Z" fill="${far('#ffffff', airy)}"/>`;
    } else if (a.flank === 'trees') {
      const list = [];
      for (let i = 0; i < (layer ? 5 : 6); i++) {
        const t = r.f(0, 1);
        list.push([layer ? r.f(40, 64) : r.f(20, 62), base + t * (layer ? 8 : 3), (layer ? 32 : 22) + r.f(-4, 6)]);
      }
      for (const [x, y, s] of list.sort((p, q) => p[1] - q[1])) o += anyTree(F, X(x), y, s, airy);
    } else {
      const xs = layer
        ? [[44, 24]]
        : [
            [20, 14],
            [36, 18],
          ];
      for (const [x, w] of xs) {
        const h = layer ? r.f(44, 60) : r.f(28, 48),
          c0 = jitter(r, r.pick(['#8a97ad', '#b9846a', '#a7a9b5', '#6d7fa0', '#c2a878']), 8),
          xl = side < 0 ? X(x + w) : X(x),
          top = base - h;
        o += `<rect x="${n1(xl)}" y="${n1(top)}" width="${w}" height="${n1(h)}" fill="${far(c0, airy * 0.6)}"/>`;
        const lit = a.time === 'night' || a.time === 'sunset' ? '#ffd766' : far(mix(c0, '#e8f4ff', 0.7), airy);
        for (let yy = top + 4; yy < base - 5; yy += 7)
          for (let xx = xl + 3; xx < xl + w - 3; xx += 5.5)
            if (r.chance(0.85)) o += `<rect x="${n1(xx)}" y="${n1(yy)}" width="2.8" height="3.6" fill="${lit}"/>`;
      }
    }
  }
  return o;
}

const art = (s) => (/^[aeiou]/.test(s) ? 'an ' : 'a ') + s;

/** One caption that names a random part of the factors. */
export function landscapeCaption(r, a) {
  const adj =
    a.season === 'winter' && r.chance(0.5)
      ? 'snowy '
      : a.weather === 'fog' && r.chance(0.4)
        ? 'foggy '
        : a.weather === 'rain' && r.chance(0.3)
          ? 'rainy '
          : '';
  const m = a.middle,
    f = a.flank,
    adjF = adj && r.chance(0.45);
  const M = adj && !adjF ? adj + m : m,
    Fl = adjF ? adj + f : f;
  let s = r.weigh([
    [`${art(M)} between ${Fl}`, 6],
    [art(M), 1.2],
    [`${art(M)} with ${Fl} on both sides`, 1],
    [`a landscape with ${art(M)} between ${Fl}`, 1],
    [`${art(M)} surrounded by ${Fl}`, 0.7],
    [`${Fl} and ${art(M)}`, 0.9],
    [`a picture of ${art(M)} between ${Fl}`, 0.5],
  ]);
  if (a.thing && r.chance(0.88))
    s += r.weigh([
      [` with ${art(a.thing)}`, 3],
      [` and ${art(a.thing)}`, 1.5],
    ]);
  const tail = [];
  if (r.chance(a.time === 'day' ? 0.25 : 0.82))
    tail.push(
      a.time === 'day'
        ? r.pick(['during the day', 'at noon', 'in daylight'])
        : a.time === 'night'
          ? 'at night'
          : a.time === 'sunset'
            ? 'at sunset'
            : r.pick(['at dawn', 'at sunrise']),
    );
  if (!adj && r.chance(a.season === 'summer' ? 0.12 : 0.85)) tail.push(`in ${a.season}`);
  if (a.weather && !(adj && a.weather !== 'snow') && r.chance(0.85))
    tail.push(a.weather === 'rain' ? 'in the rain' : a.weather === 'fog' ? 'in the fog' : 'with falling snow');
  else if (a.clouds && r.chance(0.6)) tail.push(r.pick(['under a cloudy sky', 'with clouds']));
  else if (!a.clouds && !a.weather && a.time === 'night' && r.chance(0.45))
    tail.push(r.pick(['under a starry sky', 'with stars']));
  else if (!a.clouds && !a.weather && a.time !== 'night' && r.chance(0.15)) tail.push('under a clear sky');
  if (a.orb && r.chance(0.4)) tail.push(`with the ${a.orb}`);
  const t = r.shuffle(tail).slice(0, 3).join(' ');
  if (!t) return s;
  return s + (r.chance(0.3) ? ', ' : ' ') + t;
}
