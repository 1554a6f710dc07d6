// The system that the program runs on in a browser: WASI preview 1 over files that somebody else reads.
//
// In: the program, compiled; its arguments; files by their paths. Out: its exit status, what it said, and the files that
// it wrote. Bounded: of a file that is read, one window is held, at most WINDOW bytes; what is written is held whole. Left
// to others: where the bytes of files come from. Only the calls that this program makes are here; the specification is
// https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md.

// Errors by their numbers in that specification.
const OK = 0, BAD_FD = 8, EXISTS = 20, INVALID = 28, IO = 29, IS_FOLDER = 31, NO_ENTRY = 44, UNSUPPORTED = 52, NO_FOLDER = 54;
// Kinds of files.
const FOLDER = 3, FILE = 4;
// Flags with which a path is opened.
const CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8;
// The folder in which the program runs; 0 to 2 are its input and outputs.
const ROOT = 3;

// Reading begins with little, since many files are only looked into, and goes on in pieces of which a browser needs few.
const FIRST_WINDOW = 1 << 20, WINDOW = 16 << 20;

class Exit extends Error {
  constructor(status) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

class Fault extends Error {
  constructor(errno) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

// A file that is read: `source` has its `size` and `read(offset, length)`, which gives bytes at once.
class Source {
  kind = FILE;
  seen = 0;
  constructor(source) {
    this.source = source;
  }
  get size() {
    return this.source.size;
  }
  open() {
    let window = new Uint8Array(0), start = 0, length = FIRST_WINDOW / 2;
    return (position, space) => {
      if (position < start || position >= start + window.length) {
        length = Math.min(length * 2, WINDOW);
        start = position;
        window = new Uint8Array(0);
        window = this.source.read(position, Math.min(length, Math.max(this.size - position, 0)));
      }
      const bytes = window.subarray(position - start, position - start + space.length);
      space.set(bytes);
      this.seen = Math.max(this.seen, position + bytes.length);
      return bytes.length;
    };
  }
}

// A file that the program writes, from its beginning to its end.
class Sink {
  kind = FILE;
  pieces = [];
  size = 0;
  append(bytes) {
    this.pieces.push(bytes.slice());
    this.size += bytes.length;
  }
  bytes() {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

class Folder {
  kind = FOLDER;
  size = 0;
  entries = new Map();

  // The folder that holds a path's last part, and that part.
  parent(path) {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    let folder = this;
    for (const part of parts.slice(0, -1)) {
      folder = folder.entries.get(part);
      if (!folder) throw new Fault(NO_ENTRY);
      if (folder.kind !== FOLDER) throw new Fault(NO_FOLDER);
    }
    return [folder, parts.at(-1)];
  }

  find(path) {
    const [folder, name] = this.parent(path);
    const entry = name === undefined ? folder : folder.entries.get(name);
    if (!entry) throw new Fault(NO_ENTRY);
    return entry;
  }

  put(path, source) {
    let folder = this;
    const parts = path.split("/");
    for (const part of parts.slice(0, -1)) {
      if (!folder.entries.has(part)) folder.entries.set(part, new Folder());
      folder = folder.entries.get(part);
    }
    folder.entries.set(parts.at(-1), new Source(source));
  }

  // What was written, by path.
  *written(before = "") {
    for (const [name, entry] of this.entries) {
      if (entry instanceof Folder) yield* entry.written(`${before}${name}/`);
      if (entry instanceof Sink) yield { path: before + name, bytes: entry.bytes() };
    }
  }
}

// The calls, for one run. `system` has the arguments, the root folder, the outputs and `heard`, told after each reading.
function calls(system) {
  const { root, outputs } = system;
  const text = new TextEncoder(), names = new TextDecoder();
  const open = new Map([[ROOT, { node: root }]]);
  let next = ROOT + 1;
  const view = () => new DataView(system.memory.buffer);
  const bytes = (at, length) => new Uint8Array(system.memory.buffer, at, length);
  const path = (at, length) => names.decode(bytes(at, length));
  const held = (fd) => open.get(fd) ?? (() => { throw new Fault(BAD_FD); })();
  const pieces = (at, count) => Array.from({ length: count }, (_, i) => {
    const list = view();
    return bytes(list.getUint32(at + 8 * i, true), list.getUint32(at + 8 * i + 4, true));
  });

  const strings = {
    sizes(all, count, size) {
      view().setUint32(count, all.length, true);
      view().setUint32(size, all.reduce((sum, one) => sum + text.encode(one).length + 1, 0), true);
    },
    put(all, pointers, at) {
      for (const [index, one] of all.entries()) {
        const encoded = text.encode(`${one}\0`);
        view().setUint32(pointers + 4 * index, at, true);
        bytes(at, encoded.length).set(encoded);
        at += encoded.length;
      }
    },
  };

  // A file's size, kind and times; the times are those of 1970.
  const about = (node, at) => {
    bytes(at, 64).fill(0);
    view().setUint8(at + 16, node.kind);
    view().setBigUint64(at + 24, 1n, true);
    view().setBigUint64(at + 32, BigInt(node.size), true);
  };

  const known = {
    args_sizes_get: (count, size) => strings.sizes(system.args, count, size),
    args_get: (pointers, at) => strings.put(system.args, pointers, at),
    environ_sizes_get: (count, size) => strings.sizes([], count, size),
    environ_get: () => {},
    clock_time_get: (_id, _precision, at) => view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true),
    random_get: (at, length) => { crypto.getRandomValues(bytes(at, length)); },
    sched_yield: () => {},
    proc_exit: (status) => { throw new Exit(status); },

    fd_prestat_get: (fd, at) => {
      if (fd !== ROOT) throw new Fault(BAD_FD);
      view().setUint32(at, 0, true);
      view().setUint32(at + 4, 1, true);
    },
    fd_prestat_dir_name: (_fd, at, length) => { bytes(at, length).set(text.encode(".").subarray(0, length)); },
    // Input and outputs are no terminals: their kind is that of a file.
    fd_fdstat_get: (fd, at) => {
      bytes(at, 24).fill(0);
      view().setUint8(at, fd < ROOT ? FILE : held(fd).node.kind);
      view().setBigUint64(at + 8, ~0n, true);
      view().setBigUint64(at + 16, ~0n, true);
    },
    fd_fdstat_set_flags: () => {},
    fd_filestat_get: (fd, at) => about(held(fd).node, at),
    fd_close: (fd) => {
      held(fd);
      open.delete(fd);
    },
    fd_seek: (fd, offset, whence, at) => {
      const file = held(fd);
      const position = Number(offset) + [0, file.position ?? 0, file.node.size][whence];
      if (!(position >= 0)) throw new Fault(INVALID);
      file.position = position;
      view().setBigUint64(at, BigInt(position), true);
    },
    fd_read: (fd, list, count, at) => {
      let total = 0;
      if (fd !== 0) {
        const file = held(fd);
        if (file.node.kind === FOLDER) throw new Fault(IS_FOLDER);
        if (!file.read) throw new Fault(BAD_FD);
        for (const space of pieces(list, count)) {
          const length = file.read(file.position, space);
          file.position += length;
          total += length;
          if (length < space.length) break;
        }
        system.heard();
      }
      view().setUint32(at, total, true);
    },
    fd_write: (fd, list, count, at) => {
      const to = fd < ROOT ? outputs[fd] : held(fd).node;
      if (!(to instanceof Sink)) throw new Fault(BAD_FD);
      const all = pieces(list, count);
      for (const piece of all) to.append(piece);
      view().setUint32(at, all.reduce((sum, piece) => sum + piece.length, 0), true);
    },
    fd_readdir: (fd, at, length, cookie, used) => {
      const { node } = held(fd);
      if (node.kind !== FOLDER) throw new Fault(NO_FOLDER);
      const all = [...node.entries];
      let filled = 0;
      for (let index = Number(cookie); index < all.length && filled < length; index += 1) {
        const [name, entry] = all[index];
        const encoded = text.encode(name);
        const record = new Uint8Array(24 + encoded.length), head = new DataView(record.buffer);
        head.setBigUint64(0, BigInt(index + 1), true);
        head.setBigUint64(8, BigInt(index + 1), true);
        head.setUint32(16, encoded.length, true);
        head.setUint8(20, entry.kind);
        record.set(encoded, 24);
        // A record that does not fit is cut: the program asks for it again.
        const part = record.subarray(0, length - filled);
        bytes(at + filled, part.length).set(part);
        filled += part.length;
      }
      view().setUint32(used, filled, true);
    },

    path_filestat_get: (_fd, _flags, name, length, at) => about(root.find(path(name, length)), at),
    path_create_directory: (_fd, name, length) => {
      const [folder, last] = root.parent(path(name, length));
      if (last === undefined || folder.entries.has(last)) throw new Fault(EXISTS);
      folder.entries.set(last, new Folder());
    },
    path_open: (_fd, _follow, name, length, how, _rights, _inherited, _flags, at) => {
      const [folder, last] = root.parent(path(name, length));
      let node = last === undefined ? folder : folder.entries.get(last);
      if (node && how & EXCLUSIVE) throw new Fault(EXISTS);
      if (!node && !(how & CREATE)) throw new Fault(NO_ENTRY);
      if (node && how & DIRECTORY && node.kind !== FOLDER) throw new Fault(NO_FOLDER);
      if (!node || (how & TRUNCATE && node.kind === FILE)) {
        node = new Sink();
        folder.entries.set(last, node);
      }
      open.set(next, { node, position: 0, read: node.open?.() });
      view().setUint32(at, next, true);
      next += 1;
    },
    path_rename: (_fd, from, fromLength, _to, to, toLength) => {
      const [folder, name] = root.parent(path(from, fromLength));
      const [target, last] = root.parent(path(to, toLength));
      if (!folder.entries.has(name)) throw new Fault(NO_ENTRY);
      target.entries.set(last, folder.entries.get(name));
      folder.entries.delete(name);
    },
    path_unlink_file: (_fd, name, length) => {
      const [folder, last] = root.parent(path(name, length));
      if (!folder.entries.delete(last)) throw new Fault(NO_ENTRY);
    },
  };

  const guarded = (call) => (...given) => {
    try {
      call(...given);
      return OK;
    } catch (error) {
      if (error instanceof Exit) throw error;
      return error instanceof Fault ? error.errno : IO;
    }
  };
  return Object.fromEntries(Object.entries(known).map(([name, call]) => [name, guarded(call)]));
}

/// Runs the program once. `files` are `{ path, source }`; `heard(bytes)` is told how much of them has been read. Gives
/// `{ status, stdout, stderr, files }`, the last as `{ path, bytes }`.
function run(program, args, files, heard = () => {}) {
  const root = new Folder();
  for (const { path, source } of files) root.put(path, source);
  const sources = [];
  const collect = (folder) => folder.entries.forEach((entry) => (entry.kind === FOLDER ? collect(entry) : sources.push(entry)));
  collect(root);
  const system = {
    args: ["chaingap", ...args],
    root,
    outputs: [undefined, new Sink(), new Sink()],
    heard: () => heard(sources.reduce((sum, source) => sum + source.seen, 0)),
    memory: undefined,
  };
  const own = calls(system);
  const unsupported = ({ name }) => [name, own[name] ?? (() => UNSUPPORTED)];
  const imports = Object.fromEntries(WebAssembly.Module.imports(program).map(unsupported));
  const { exports } = new WebAssembly.Instance(program, { wasi_snapshot_preview1: imports });
  system.memory = exports.memory;
  let status = 0;
  try {
    exports._start();
  } catch (error) {
    // A panic has said why on standard error, and ends in a trap. Its status is that of the program on other systems.
    if (!(error instanceof Exit)) system.outputs[2].append(new TextEncoder().encode(`chaingap: ${error.message}\n`));
    status = error instanceof Exit ? error.status : 2;
  }
  const [, stdout, stderr] = system.outputs.map((sink) => sink?.bytes());
  return { status, stdout, stderr, files: [...root.written()] };
}

export { run };
