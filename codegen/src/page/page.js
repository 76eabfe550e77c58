"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const filter = byId("filter"), lacking = byId("lacking"), shown = byId("shown");
  const rows = [...document.querySelectorAll("tbody tr")];
  const noun = document.body.dataset.rows;
  const texts = rows.map((row) => row.textContent.toLowerCase());

  // Every word has to be somewhere in the row.
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      const fits = words.every((word) => texts[at].includes(word))
        && (!lacking.checked || row.classList.contains("lacks"));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = `${count} of ${rows.length} ${noun}`;
    byId("nothing").hidden = count > 0;
  };

  const theme = (name) => {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("theme", name); } catch { /* a page from a file has no storage */ }
  };
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  // What is looked at can be passed on: #q=words, #lacking, #theme=dark.
  const fromAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.has("q")) filter.value = given.get("q");
    if (given.has("lacking")) lacking.checked = true;
    if (given.has("theme")) theme(given.get("theme") === "dark" ? "dark" : "light");
    apply();
  };
  const toAddress = () => {
    const words = filter.value.trim(), parts = new URLSearchParams();
    if (words) parts.set("q", words);
    if (lacking.checked) parts.set("lacking", "");
    history.replaceState(null, "", parts.size ? `#${parts}` : location.pathname + location.search);
  };

  byId("tools").hidden = false;
  try {
    const kept = localStorage.getItem("theme");
    if (kept) document.documentElement.dataset.theme = kept;
  } catch { /* likewise */ }
  filter.addEventListener("input", () => { apply(); toAddress(); });
  lacking.addEventListener("change", () => { apply(); toAddress(); });
  byId("theme").addEventListener("click", () => theme(dark() ? "light" : "dark"));
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
