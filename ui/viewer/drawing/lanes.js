// Where the lanes lie, and what a pixel in them stands for.

const GAP = 24; // above each lane, for its title
const SCALE = 22; // below the lanes, for the seconds

/** Which lane lies where, for a width in pixels; two more lanes when another trace is held against this one, and
 *  one for what a word leaned on. */
function layout(width, { against = null, leaning = null } = {}) {
  const narrow = width < 560;
  const routing = narrow ? 68 : 92;
  const heights = {
    wave: narrow ? 40 : 48,
    sound: narrow ? 150 : 224,
    ...(leaning ? { leaning: narrow ? 50 : 64 } : {}),
    routing,
    ...(against ? { otherRouting: routing, moved: 44 } : {}),
    entropy: narrow ? 36 : 44,
    significance: narrow ? 74 : 96,
  };
  const lanes = {};
  let top = 0;
  for (const [name, height] of Object.entries(heights)) {
    top += name === "wave" ? 6 : GAP;
    lanes[name] = { top, height, bottom: top + height };
    top += height;
  }
  return { lanes, narrow, left: narrow ? 34 : 44, right: 10, bottom: top, height: top + SCALE };
}

/** Lowest and highest sample of [from, to). */
function extent(samples, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const end = Math.min(Math.max(Math.ceil(to), Math.floor(from) + 2), samples.length);
  for (let i = Math.max(0, Math.floor(from)); i < end; i++) {
    if (samples[i] < low) low = samples[i];
    if (samples[i] > high) high = samples[i];
  }
  return low > high ? [0, 0] : [low, high];
}

/** The same of peaks, which come in pairs of lowest and highest. */
function extentOfPeaks(peaks, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const end = Math.min(Math.max(Math.ceil(to), Math.floor(from) + 1), peaks.length / 2);
  for (let i = Math.max(0, Math.floor(from)); i < end; i++) {
    low = Math.min(low, peaks[2 * i]);
    high = Math.max(high, peaks[2 * i + 1]);
  }
  return low > high ? [0, 0] : [low, high];
}

/** Height of a frequency in a lane whose bands are evenly spaced, and back. */
function yOfHertz(centres, hertz, lane) {
  let band = centres.findIndex((centre) => centre >= hertz);
  if (band < 0) band = centres.length - 1;
  const before = Math.max(band - 1, 0);
  const share = band === before ? 0 : (hertz - centres[before]) / (centres[band] - centres[before]);
  return lane.bottom - ((before + share + 0.5) / centres.length) * lane.height;
}

function bandAt(centres, y, lane) {
  return clamp(Math.floor(((lane.bottom - y) / lane.height) * centres.length), 0, centres.length - 1);
}
