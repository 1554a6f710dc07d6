// Unpacks LZMA: what browsers unpack themselves is half as large again, for gzip looks back only 32 KiB.
//
// In: a file in the format of `.lzma` whose head says how much it holds. Out: what it holds. Bounded: by that size. After
// the LZMA specification by Igor Pavlov (lzma-specification.txt of the LZMA SDK), whose names are kept.

/// The bytes that were packed.
function unlzma(packed) {
  const properties = packed[0], lc = properties % 9, lp = Math.floor(properties / 9) % 5, pb = Math.floor(properties / 45);
  const size = Number(new DataView(packed.buffer, packed.byteOffset).getBigUint64(5, true));
  const out = new Uint8Array(size);
  let at = 14, range = 0xffffffff, code = 0, done = 0;
  for (let i = 0; i < 4; i += 1) code = ((code << 8) | packed[at++]) >>> 0;

  const half = (count) => new Uint16Array(count).fill(1024);
  const normalize = () => {
    if (range >= 0x1000000) return;
    range = (range << 8) >>> 0;
    code = ((code << 8) | packed[at++]) >>> 0;
  };
  const bit = (probabilities, index) => {
    const p = probabilities[index], bound = (range >>> 11) * p;
    if (code < bound) {
      range = bound;
      probabilities[index] = p + ((2048 - p) >> 5);
      normalize();
      return 0;
    }
    range -= bound;
    code -= bound;
    probabilities[index] = p - (p >> 5);
    normalize();
    return 1;
  };
  const direct = (count) => {
    let value = 0;
    for (; count > 0; count -= 1) {
      range >>>= 1;
      const one = code >= range ? 1 : 0;
      if (one) code -= range;
      normalize();
      value = value * 2 + one;
    }
    return value;
  };
  const tree = (probabilities, bits, from = 0) => {
    let m = 1;
    for (let i = 0; i < bits; i += 1) m = (m << 1) | bit(probabilities, from + m);
    return m - (1 << bits);
  };
  const reverse = (probabilities, bits, from) => {
    let m = 1, value = 0;
    for (let i = 0; i < bits; i += 1) {
      const one = bit(probabilities, from + m);
      m = (m << 1) | one;
      value |= one << i;
    }
    return value;
  };
  const lengths = () => {
    const choice = half(2), low = half(16 << 3), mid = half(16 << 3), high = half(256);
    return (posState) => {
      if (!bit(choice, 0)) return tree(low, 3, posState << 3);
      if (!bit(choice, 1)) return 8 + tree(mid, 3, posState << 3);
      return 16 + tree(high, 8);
    };
  };

  const literals = half(0x300 << (lc + lp));
  const isMatch = half(12 << 4), isRep = half(12), isRepG0 = half(12), isRepG1 = half(12), isRepG2 = half(12), isRep0Long = half(12 << 4);
  const posSlots = half(4 << 6), special = half(128), align = half(16);
  const matchLength = lengths(), repLength = lengths();
  let rep0 = 0, rep1 = 0, rep2 = 0, rep3 = 0, state = 0;

  const literal = () => {
    const before = done ? out[done - 1] : 0;
    const from = 0x300 * (((done & ((1 << lp) - 1)) << lc) + (before >> (8 - lc)));
    let symbol = 1;
    if (state >= 7) {
      let match = out[done - rep0 - 1];
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const one = bit(literals, from + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | one;
        if (matchBit !== one) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | bit(literals, from + symbol);
    out[done++] = symbol - 0x100;
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  };
  const distance = (length) => {
    const slot = tree(posSlots, 6, Math.min(length, 3) << 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1, base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + reverse(special, bits, base - slot);
    return base + direct(bits - 4) * 16 + reverse(align, 4, 0);
  };

  while (done < size) {
    const posState = done & ((1 << pb) - 1);
    if (!bit(isMatch, (state << 4) + posState)) {
      literal();
      continue;
    }
    let length;
    if (bit(isRep, state)) {
      if (!bit(isRepG0, state)) {
        if (!bit(isRep0Long, (state << 4) + posState)) {
          state = state < 7 ? 9 : 11;
          out[done] = out[done - rep0 - 1];
          done += 1;
          continue;
        }
      } else {
        let far = rep1;
        if (bit(isRepG1, state)) {
          far = rep2;
          if (bit(isRepG2, state)) {
            far = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        rep1 = rep0;
        rep0 = far;
      }
      length = repLength(posState);
      state = state < 7 ? 8 : 11;
    } else {
      [rep3, rep2, rep1] = [rep2, rep1, rep0];
      length = matchLength(posState);
      state = state < 7 ? 7 : 10;
      rep0 = distance(length);
    }
    for (const end = Math.min(done + length + 2, size); done < end; done += 1) out[done] = out[done - rep0 - 1];
  }
  return out;
}

export { unlzma };
