"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const filter = byId("filter"), flagged = byId("flagged"), output = byId("count");
  const rows = [...document.querySelectorAll("tbody tr")];
  const noun = document.body.dataset.rows;
  const texts = rows.map((row) => row.textContent.toLowerCase());

  // A row matches if it contains every term.
  const apply = () => {
    const terms = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      const matches = terms.every((term) => texts[at].includes(term))
        && (!flagged.checked || row.classList.contains("flagged"));
      row.hidden = !matches;
      count += matches ? 1 : 0;
    });
    output.textContent = `${count} of ${rows.length} ${noun}`;
    byId("no-match").hidden = count > 0;
  };

  const theme = (name) => {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("theme", name); } catch { /* no storage for a page opened from a file */ }
  };
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  // The URL fragment has the view: #q=terms, #flagged, #theme=dark.
  const readFragment = () => {
    const params = new URLSearchParams(location.hash.slice(1));
    if (params.has("q")) filter.value = params.get("q");
    if (params.has("flagged")) flagged.checked = true;
    if (params.has("theme")) theme(params.get("theme") === "dark" ? "dark" : "light");
    apply();
  };
  const writeFragment = () => {
    const terms = filter.value.trim(), params = new URLSearchParams();
    if (terms) params.set("q", terms);
    if (flagged.checked) params.set("flagged", "");
    history.replaceState(null, "", params.size ? `#${params}` : location.pathname + location.search);
  };

  byId("tools").hidden = false;
  try {
    const stored = localStorage.getItem("theme");
    if (stored) document.documentElement.dataset.theme = stored;
  } catch { /* no storage for a page opened from a file */ }
  filter.addEventListener("input", () => { apply(); writeFragment(); });
  flagged.addEventListener("change", () => { apply(); writeFragment(); });
  byId("theme").addEventListener("click", () => theme(dark() ? "light" : "dark"));
  addEventListener("hashchange", readFragment);
  readFragment();
})();
