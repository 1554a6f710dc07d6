// Unpacks the program, or runs it once, away from the page, and ends with that: stopping is ending this worker.
//
// In: one message with the program, packed, or compiled with its arguments and files by their paths. Out: messages of how
// much has been read, and one with the result. Left to others: lzma.mjs and wasi.mjs, which stand before this in one
// script.

// A browser's file, read at once: only workers may do so.
class Slices {
  constructor(file) {
    this.file = file;
    this.size = file.size;
    this.reader = new FileReaderSync();
  }
  read(offset, length) {
    return new Uint8Array(this.reader.readAsArrayBuffer(this.file.slice(offset, offset + length)));
  }
}

// Milliseconds between two messages of progress.
const PACE = 100;

addEventListener("message", ({ data: { packed, program, args, files } }) => {
  if (packed) return postMessage({ result: unlzma(packed) });
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const sources = files.map(({ path, file }) => ({ path, source: new Slices(file) }));
  let last = performance.now();
  const result = run(program, args, sources, (bytes) => {
    const now = performance.now();
    if (now - last < PACE && bytes < total) return;
    last = now;
    postMessage({ bytes, total });
  });
  postMessage({ result });
}, { once: true });
