// Filters the list of devices, copies commands, unfolds what a link leads to and what is printed. All is there to read without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const form = document.querySelector("form.filter");
  if (form) {
    const rows = all("nav.index tbody tr").map((row) => {
      const body = document.getElementById(row.dataset.device);
      return { row, section: body.closest("details"), status: row.dataset.status, text: row.textContent.toLowerCase() };
    });
    const boxes = all("input[type=checkbox]", form);
    const apply = () => {
      const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      let shown = 0;
      for (const { row, section, status, text } of rows) {
        const show = wanted.has(status) && words.every((word) => text.includes(word));
        row.hidden = section.hidden = !show;
        shown += show;
      }
      form.querySelector("[role=status]").textContent = `${shown} of ${rows.length} devices shown`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  }

  const copy = async (text, block) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(block);
      if (!document.execCommand("copy")) throw new Error("the browser does not allow it");
      getSelection().removeAllRanges();
    }
  };
  for (const button of all(".copied button")) {
    const block = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      let done = "Copied";
      try {
        await copy(block.textContent, block);
      } catch {
        done = "Select and copy";
      }
      button.textContent = done;
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // A link leads to what it names even where that is folded.
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    for (let box = target && target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  // Where a page shows this in a frame's srcdoc, links resolve against that page's address, and would lead there.
  if (location.protocol === "about:") {
    addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (!link) return;
      event.preventDefault();
      location.hash = link.hash;
    });
  }
  unfold();

  // Paper has no folds. Devices that are folded stay so: of many only those that somebody opened are printed whole.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not(.device):not([open])");
    for (const box of folded) box.open = true;
  });
  addEventListener("afterprint", () => {
    for (const box of folded) box.open = false;
    folded = [];
  });
})();
