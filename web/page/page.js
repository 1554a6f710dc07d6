// The page: from what is chosen it makes a command line, runs it in a worker, and shows and saves what comes of it.
//
// In: files and options of the form, files dropped on the page, `?sample` and `#CG001` in the address. Out: the report in
// its frame, the files that the program wrote, what it said. Bounded: by the worker's memory, which ends with each run.
// Left to others: everything that is known of captures.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const form = $("form");
  const task = () => form.elements.task.value;

  // ---- The program

  const bytesOf = (text) => Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const embedded = (id) => {
    const text = $(id).textContent.trim();
    $(id).remove();
    return text;
  };
  const workerText = new Blob([embedded("worker")], { type: "text/javascript" });
  const samples = embedded("samples").split("\n").map((line) => line.split(" "));
  // A worker with one task, which ends with the answer. It may be ended before that.
  function inWorker(message, heard = () => {}, signal) {
    const address = URL.createObjectURL(workerText);
    const worker = new Worker(address);
    const answer = new Promise((done, failed) => {
      if (signal?.aborted) return done();
      signal?.addEventListener("abort", () => done());
      worker.onmessage = ({ data }) => ("result" in data ? done(data.result) : heard(data));
      worker.onerror = (event) => failed(new Error(event.message || "the worker cannot be started"));
      worker.postMessage(message);
    });
    return answer.finally(() => {
      worker.terminate();
      URL.revokeObjectURL(address);
    });
  }

  const program = inWorker({ packed: bytesOf(embedded("program")) }).then((unpacked) => WebAssembly.compile(unpacked));

  // Runs the program with these arguments over files, given as { path, file }. Gives its status, its outputs as text, and
  // the files that it wrote; nothing if it was stopped.
  const run = async (args, files, { heard, signal } = {}) => inWorker({ program: await program, args, files }, heard, signal);

  const text = (bytes) => new TextDecoder().decode(bytes);

  // ---- What is chosen: for each input of files a list of { path, file }

  const inputs = ["captures", "roots", "chain", "profile-file", "keylog", "installed", "bundle"];
  const chosen = Object.fromEntries(inputs.map((name) => [name, []]));

  // A file chosen twice is one file; another one of the same name gets another name, as it would in a folder.
  function choose(name, list) {
    const others = inputs.filter((other) => other !== name).flatMap((other) => chosen[other]);
    const isSame = (a, b) => a.size === b.size && a.lastModified === b.lastModified;
    const taken = new Map(others.map(({ path, file }) => [path, file]));
    chosen[name] = list.map(({ path, file }) => {
      let free = path;
      for (let n = 2; taken.has(free) && !isSame(taken.get(free), file); n += 1) free = path.replace(/(\.[^./]*)?$/, `-${n}$1`);
      taken.set(free, file);
      return { path: free, file };
    });
    // The input names what was dropped too; of several files it tells only how many they are, so they are named below it.
    const transfer = new DataTransfer();
    for (const { file } of list) transfer.items.add(file);
    $(name).files = transfer.files;
    const said = $(`${name}-chosen`);
    const names = tops(chosen[name]);
    const [only] = chosen[name];
    if (said && chosen[name].length === 1 && only.path === only.file.name) names.length = 0;
    if (said) said.textContent = names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");
    if (name === "captures") {
      $("swap").hidden = task() !== "compare" || list.length !== 2;
      $("devices").replaceChildren();
    }
  }

  const plain = (files) => [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

  // Files by themselves and folders, each named once: what stands on the command line.
  const tops = (list) => [...new Set(list.map(({ path }) => path.split("/")[0]))];

  for (const name of inputs) $(name).addEventListener("change", () => choose(name, plain($(name).files)));

  $("folder").addEventListener("click", () => {
    const picker = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true });
    picker.addEventListener("change", () => choose("captures", plain(picker.files)));
    picker.click();
  });

  $("swap").addEventListener("click", () => choose("captures", [...chosen.captures].reverse()));

  // ---- Dropped files

  async function filesOf(entry, before = "") {
    const path = before + entry.name;
    if (entry.isFile) return [{ path, file: await new Promise((done, failed) => entry.file(done, failed)) }];
    const reader = entry.createReader(), all = [];
    // A reader gives the entries of a folder in several parts.
    for (let part; (part = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) all.push(...part);
    return (await Promise.all(all.map((inner) => filesOf(inner, `${path}/`)))).flat();
  }

  async function dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.kind === "file" && item.webkitGetAsEntry?.());
    const flat = plain(transfer.files);
    if (!entries.length || !entries.every(Boolean)) return flat;
    return (await Promise.all(entries.map((entry) => filesOf(entry)))).flat();
  }

  // For which input a file is, by its name and first bytes; inside a folder everything is a capture or passed over.
  async function kindOf({ path, file }) {
    if (path.includes("/")) return "captures";
    const head = new Uint8Array(await file.slice(0, 1 << 16).arrayBuffer());
    const words = text(head.filter((byte) => byte !== 0));
    if (/-----BEGIN (TRUSTED |X509 )?(CERTIFICATE|PKCS7)-----/.test(words)) return "roots";
    if (/\.(pem|crt|cer|der|p7b|p7c|sst)$/i.test(path)) return "roots";
    if (/^(CLIENT_RANDOM|RSA|[A-Z0-9_]+_SECRET(_0)?) [0-9a-fA-F]/m.test(words)) return "keylog";
    return /\.toml$/i.test(path) ? "profile-file" : "captures";
  }

  async function take(list) {
    const kinds = await Promise.all(list.map(kindOf));
    for (const name of new Set(kinds)) choose(name, list.filter((_, index) => kinds[index] === name));
    if (kinds.includes("profile-file")) {
      $("profile").value = "file";
      shape();
    }
    if (kinds.includes("captures")) {
      const several = ["analyze", "compare", "certs", "annotate"].includes(task());
      if (!several) select("analyze");
      await start();
    } else {
      say(`Taken: ${tops(list).join(", ")}. ${chosen.captures.length ? "" : "Now drop a capture."}`);
    }
  }

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") && !event.target.closest?.("input[type=file]");
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
  addEventListener("drop", async (event) => {
    document.body.classList.remove("dragging");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    try {
      await take(await dropped(event.dataTransfer));
    } catch (error) {
      say(`These files cannot be read: ${error.message}`);
    }
  });

  // ---- The form

  // Shows what the chosen task needs.
  function shape() {
    for (const part of document.querySelectorAll("[data-tasks]")) part.hidden = !part.dataset.tasks.split(" ").includes(task());
    $("swap").hidden ||= chosen.captures.length !== 2;
    $("profile-file").hidden = $("profile").value !== "file";
    $("profile").disabled = task() === "preflight" && $("all-profiles").checked;
    $("start").textContent = form.querySelector("input[name=task]:checked").dataset.button;
  }
  function select(name) {
    form.elements.task.value = name;
    shape();
  }
  for (const name of ["task", "profile", "all-profiles"]) {
    form.addEventListener("change", (event) => (event.target.name === name || event.target.id === name) && shape());
  }

  const say = (words) => { $("status").textContent = words; };

  // ---- The command line

  const value = (id) => $(id).value.trim();
  const option = (name, given) => (given ? [`--${name}=${given}`] : []);
  const flag = (id) => ($(id).checked ? [`--${id}`] : []);
  const each = (name) => chosen[name].map(({ path }) => `--${name}=${path}`);

  // Certificates, profile and time.
  function stores() {
    const own = chosen["profile-file"][0]?.path;
    const every = task() === "preflight" && $("all-profiles").checked;
    const profile = every || $("profile").value === "auto" ? "" : $("profile").value === "file" ? own : $("profile").value;
    return [...option("profile", profile), ...each("roots"), ...each("installed"), ...each("bundle"), ...option("at", value("at"))];
  }
  const trust = () => [...stores(), ...each("keylog"), ...option("device", value("device"))];

  // The beginning of the names of files that are saved.
  function stem(names) {
    const one = names.length === 1 && names[0].replace(/(\.(gz|zst|zstd))?$/i, "").replace(/\.[^.]*$/, "");
    return one || "report";
  }

  // For each task what to run: arguments without those that say where results go; the captures or the chain; results as
  // [label, ending], each a file that the run writes; and which of these is shown.
  const TASKS = {
    analyze: () => ({
      args: ["analyze", ...trust(), ...flag("redact")],
      from: tops(chosen.captures),
      results: [["HTML", "html"], ["Text", "txt"], ["JSON", "json"], ["Markdown", "md"], ["SARIF", "sarif"], ["JUnit", "xml"]],
      shown: "html",
    }),
    compare: () => ({
      args: ["compare", ...trust(), ...option("good", value("good")), ...option("bad", value("bad")), ...flag("redact")],
      from: tops(chosen.captures),
      results: [["HTML", "html"], ["Text", "txt"], ["JSON", "json"], ["Markdown", "md"]],
      shown: "html",
    }),
    certs: () => ({
      args: ["certs", ...trust(), ...flag("missing")],
      from: tops(chosen.captures),
      results: [["PEM", "pem"], ["PKCS#7 for Windows", "p7b"]],
    }),
    annotate: () => ({
      args: ["annotate", ...trust(), ...flag("with-credentials"), ...flag("embed-secrets")],
      from: tops(chosen.captures),
      results: [["Marked-up capture", "annotated.pcapng"]],
    }),
    preflight: () => ({
      args: ["preflight", ...stores(), ...option("host", value("host")), ...flag("all-profiles")],
      from: tops(chosen.chain),
      results: [["Text", "txt"], ["JSON", "json"]],
      shown: "txt",
    }),
    explain: () => ({ args: ["explain"], from: value("code") ? [value("code")] : [], results: [] }),
  };

  // Why a task cannot begin, or nothing.
  function lacks() {
    const count = tops(chosen.captures).length;
    if (task() === "explain") return "";
    if (task() === "preflight") return chosen.chain.length ? "" : "Choose the file with the server's chain first.";
    if (!count) return "Choose a capture first, or drop one on the page.";
    if (task() === "compare" && count > 2) return "Two captures can be set side by side; choose one or two.";
    if ($("profile").value === "file" && !chosen["profile-file"].length) return "Choose the file of the profile first.";
    if (task() === "annotate" && count > 1) return "One capture is marked up at a time; choose one.";
    return "";
  }

  const files = () => inputs.flatMap((name) => chosen[name]).filter(({ path }, index, all) => all.findIndex((other) => other.path === path) === index);

  const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  const commandLine = (args) => ["chaingap", ...args].map(quoted).join(" ");

  // ---- A run, and what it leaves

  // The run under way, which the next one ends.
  let stopping = new AbortController(), under = Promise.resolve();

  async function start() {
    say("");
    stopping.abort();
    await under;
    const missing = lacks();
    if (missing) return say(missing);
    const { args, from, results, shown } = TASKS[task()]();
    const given = files();
    let base = stem(from);
    // What is written must not have the name of a file that is read.
    while (given.some(({ path }) => path.startsWith(`${base}.`) && results.some(([, ending]) => path === `${base}.${ending}`))) base += "-report";
    const outputs = results.map(([, ending]) => `-o=${base}.${ending}`);
    // A name that begins with a hyphen is no option.
    const operands = from.some((name) => name.startsWith("-")) ? ["--", ...from] : from;
    stopping = new AbortController();
    under = watched([...args, ...outputs, ...operands], given, stopping.signal);
    const result = await under;
    if (!result) return;
    const parts = { result, results, shown, base, given, command: [...args, ...operands], from };
    show(parts);
  }

  // Runs with the progress shown and the button to stop it.
  async function watched(args, given, signal) {
    const began = performance.now();
    busy(true);
    const heard = ({ bytes, total }) => {
      const seconds = (performance.now() - began) / 1000;
      const mib = (count) => (count / 1048576).toFixed(count < 10485760 ? 1 : 0);
      $("progress").value = total ? bytes / total : 0;
      $("rate").textContent = bytes < total ? `${mib(bytes)} of ${mib(total)} MiB, ${mib(bytes / seconds)} MiB/s` : "Judging what was read";
    };
    try {
      const result = await run(args, given, { heard, signal });
      say(result ? `${ending(args[0], result.status)} (${((performance.now() - began) / 1000).toFixed(1)} s)` : "Stopped.");
      return result;
    } catch (error) {
      say(`The program failed: ${error.message}`);
    } finally {
      busy(false);
    }
  }

  // What an exit status means.
  function ending(command, status) {
    if (status > 1) return command === "compare" ? "They cannot be compared, or could not be read." : "Not everything could be done.";
    if (command === "compare") return status ? "Done: they part." : "Done: they agree.";
    if (command === "analyze" || command === "preflight") return status ? "Done: there are errors." : "Done: there is no error.";
    return "Done.";
  }

  function busy(is) {
    $("work").hidden = $("stop").hidden = !is;
    $("start").disabled = is;
    $("progress").value = 0;
    $("rate").textContent = is ? "Starting" : "";
    $("ask").toggleAttribute("aria-busy", is);
    if (is) $("result").hidden = $("report").hidden = true;
  }

  function show({ result, results, shown, base, given, command, from }) {
    const written = new Map(result.files.map(({ path, bytes }) => [path, bytes]));
    const saves = results.map(([label, ending]) => [label, `${base}.${ending}`]).filter(([, name]) => written.has(name));
    const said = text(result.stderr).trimEnd();
    $("messages").hidden = !said;
    $("messages").textContent = said;
    $("command").textContent = commandLine(command);
    const body = shown ? written.get(`${base}.${shown}`) : result.stdout;
    const asHtml = shown === "html" && body;
    $("text").hidden = asHtml || !body?.length;
    $("text").textContent = asHtml || !body ? "" : text(body);
    const more = task() === "analyze" && written.size ? again(base, given, from) : [];
    $("saves").replaceChildren(
      ...(saves.length ? [heading("Save")] : []),
      ...saves.map(([label, name]) => button(label, async () => save(name, written.get(name)))),
      ...more,
    );
    $("result").hidden = false;
    // A new frame for each report: Chromium does not paint a second document in a sandboxed frame that was hidden.
    const frame = $("report").cloneNode();
    frame.hidden = !asHtml;
    frame.srcdoc = asHtml ? text(body) : "";
    $("report").replaceWith(frame);
    document.body.classList.toggle("wide", Boolean(asHtml) && task() === "compare");
    if (written.has(`${base}.json`) && task() === "analyze") offer(JSON.parse(text(written.get(`${base}.json`))));
    $("result-title").focus({ preventScroll: true });
    $("status").scrollIntoView({ block: "nearest" });
  }

  // What the same captures give beside the report; each is a run of its own, when it is asked for.
  function again(base, given, from) {
    const judged = trust();
    const also = (label, name, args) => button(label, async () => {
      const result = await run(args, given);
      const bytes = name.endsWith(".jsonl") ? result?.stdout : result?.files.find(({ path }) => path === name)?.bytes;
      if (bytes) save(name, bytes);
      else say(text(result?.stderr ?? new Uint8Array()).trim() || "Nothing was written.");
    });
    const list = [
      also("JSON Lines", `${base}.jsonl`, ["analyze", ...judged, ...flag("redact"), "--format=jsonl", "--", ...from]),
      heading("Also from these captures"),
      also("Missing certificates (PEM)", `${base}-missing.pem`, ["certs", ...judged, "--missing", `-o=${base}-missing.pem`, "--", ...from]),
      also("Missing certificates (PKCS#7 for Windows)", `${base}-missing.p7b`, ["certs", ...judged, "--missing", `-o=${base}-missing.p7b`, "--", ...from]),
    ];
    if (!$("redact").checked) {
      list.splice(1, 0, also("Devices as CSV", `${base}.csv`, ["analyze", ...judged, `--csv-devices=${base}.csv`, "--", ...from]));
    }
    if (from.length === 1 && given.some(({ path }) => path === from[0])) {
      list.push(also("Marked up for Wireshark", `${base}.annotated.pcapng`, ["annotate", ...judged, `-o=${base}.annotated.pcapng`, "--", ...from]));
    }
    return list;
  }

  const heading = (words) => Object.assign(document.createElement("b"), { textContent: words });

  function button(label, action) {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    made.addEventListener("click", async () => {
      made.disabled = true;
      try {
        await action();
      } catch (error) {
        say(`The program failed: ${error.message}`);
      } finally {
        made.disabled = false;
      }
    });
    return made;
  }

  function save(name, bytes) {
    const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  // Offers the devices that a report names, in the fields that take one.
  function offer(report) {
    const addresses = [...report.devices.flatMap(({ addresses }) => addresses.map(({ address }) => address)), ...report.groups.flatMap((group) => group.addresses)];
    options("devices", [...new Set(addresses)].map((address) => [address, ""]));
  }

  function options(id, list) {
    $(id).replaceChildren(...list.map(([value, label]) => Object.assign(document.createElement("option"), { value, label })));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  $("stop").addEventListener("click", () => {
    stopping.abort();
    $("start").focus();
  });

  // ---- What the program knows, and what the address asks for

  async function prepare() {
    const profiles = await run(["profiles", "--format=json"], []);
    const known = JSON.parse(text(profiles.stdout)).profiles.map(({ name }) => Object.assign(document.createElement("option"), { value: name, textContent: name }));
    $("profile").lastElementChild.before(...known);
    const list = await run(["explain"], []);
    options("codes", [...text(list.stdout).matchAll(/^(CG\d{3}) +(\S+)/gm)].map(([, code, name]) => [code, name]));
  }

  function named() {
    const code = /^#(CG\d{3})$/i.exec(location.hash)?.[1];
    if (!code) return false;
    select("explain");
    $("code").value = code.toUpperCase();
    start();
    return true;
  }

  async function open() {
    shape();
    addEventListener("hashchange", named);
    if (named() || !new URLSearchParams(location.search).has("sample")) return;
    const list = samples.map(([name, content]) => ({ path: name, file: new File([bytesOf(content)], name, { lastModified: 0 }) }));
    await take(list);
  }

  open();
  prepare().catch((error) => say(`This browser cannot run the program: ${error.message}`));
})();
