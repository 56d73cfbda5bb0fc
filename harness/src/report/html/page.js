"use strict";
(() => {
  const form = document.getElementById("filters");
  const rows = [...document.querySelectorAll("tr[data-id]")];
  const topics = [...document.querySelectorAll("details.topic")];
  const cases = new Map([...document.querySelectorAll("details.case")].map((one) => [one.id, one]));
  const count = document.getElementById("count");
  const fields = [...form.elements].filter((one) => one.name);
  form.hidden = false;
  const matches = (row, want) => {
    if (want.q && !row.dataset.id.toLowerCase().includes(want.q.toLowerCase())) return false;
    if (want.topic && row.dataset.topic !== want.topic) return false;
    const cells = [...row.querySelectorAll("td[data-target]")];
    return cells.some((cell) =>
      ["target", "outcome", "kx", "protocol", "status"].every(
        (key) => !want[key] || (cell.dataset[key] || "").split("|").includes(want[key])));
  };
  const apply = () => {
    const want = Object.fromEntries(fields.map((one) => [one.name, one.value]));
    const any = Object.values(want).some(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = matches(row, want);
      row.hidden = !fits;
      const own = cases.get(row.dataset.case);
      if (own) own.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const topic of topics) {
      const left = topic.querySelector("tr[data-id]:not([hidden])");
      topic.hidden = !left;
      if (any && left) topic.open = true;
    }
    count.textContent = shown + " of " + rows.length + " cases";
  };
  const save = () => {
    const set = new URLSearchParams();
    for (const one of fields) if (one.value) set.set(one.name, one.value);
    const text = set.toString();
    history.replaceState(null, "", text ? "#?" + text : "#");
  };
  const load = () => {
    const hash = location.hash;
    if (hash.startsWith("#?")) {
      const set = new URLSearchParams(hash.slice(2));
      for (const one of fields) one.value = set.get(one.name) || "";
      apply();
      return;
    }
    let place = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
    const target = place;
    for (; place; place = place.parentElement) {
      if (place.tagName === "DETAILS") { place.open = true; place.hidden = false; }
    }
    if (target) target.scrollIntoView();
  };
  form.addEventListener("input", () => { apply(); save(); });
  form.addEventListener("reset", () => setTimeout(() => { apply(); save(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", load);
  addEventListener("beforeprint", () => { for (const topic of topics) topic.open = true; });
  apply();
  load();
})();
