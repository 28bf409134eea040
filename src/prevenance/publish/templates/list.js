"use strict";
/* The view: sorting, filters, opened rows, keys. Texts come from the page's block; nothing is ever built from strings of HTML. */
const $ = (wanted, within = document) => within.querySelector(wanted);
const $$ = (wanted, within = document) => [...within.querySelectorAll(wanted)];
const block = JSON.parse($("#block").textContent);
const { run, labels, texts, columns, stories, order } = block;
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
const cell = (name, i) => {
  const column = columns[name];
  if (!column) return null;
  if (Array.isArray(column)) return column[i];
  return column.at[i] < 0 ? null : column.of[column.at[i]];
};
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
const counted = (label, n) => filled(labels[label][n === 1 ? 0 : 1], { n: n.toLocaleString(document.documentElement.lang) });

const groups = $$("section.group").map((el) => ({ el, key: el.dataset.group, table: $("table.list", el), details: $(":scope > details", el), rows: [], limit: block.first }));
const rows = [];
for (const group of groups) {
  for (const el of group.table.tBodies) {
    const one = { i: rows.length, el, group };
    rows.push(one);
    group.rows.push(one);
    el.row = one;
  }
  group.shown = group.rows;
}
const key = (i) => cell("customer_id", i) + (cell("product_id", i) ? "/" + cell("product_id", i) : "");
const chosen = { q: "", sort: "", open: "" };
const loss = (i) => (cell("value_at_stake", i) === null || cell("score", i) === null ? null : cell("value_at_stake", i) * cell("score", i));
const SORTS = {
  rank: (i) => i,
  name: (i) => cell("name", i) || cell("customer_id", i),
  chance: (i) => cell("score", i),
  trend: (i) => cell("change_28d", i),
  why: (i) => cell("reasons", i),
  money: loss,
  renewal: (i) => cell("_renews_on", i),
  contact: (i) => cell("_last_contact", i),
  by: (i) => cell("act_by", i),
  state: (i) => cell("state", i),
};
const FALLS = new Set(["chance", "trend", "money"]);
const days = (day) => (Date.parse(day.slice(0, 10)) - Date.parse(run.day)) / 864e5;
const CHIPS = {
  renewal: (i) => { const day = cell("_renews_on", i); return Boolean(day) && days(day) >= 0 && days(day) <= 90; },
  new: (i) => cell("state", i) === "new" || cell("_moved", i) === "entered",
  rising: (i) => cell("_rising", i) === 1,
  quiet: (i) => { const day = cell("_last_contact", i); return !day || days(day) <= -30; },
};
const FILTERS = {
  owner: (i, value) => cell("owner", i) === value,
  segment: (i, value) => cell("segment", i) === value,
  family: (i, value) => (" " + (cell("_families", i) || "") + " ").includes(" " + value + " "),
  value: (i, value) => (cell("value_at_stake", i) || 0) >= Number(value),
};
const searched = [];
const words = (i) => (searched[i] ??= ["name", "customer_id", "owner", "segment", "product", "reasons", "action"].map((name) => cell(name, i) || "").join("\n").toLocaleLowerCase());

function fits(i) {
  if (chosen.q && !chosen.q.toLocaleLowerCase().split(/\s+/).every((word) => words(i).includes(word))) return false;
  for (const name in CHIPS) if (chosen[name] && !CHIPS[name](i)) return false;
  for (const name in FILTERS) if (chosen[name] && !FILTERS[name](i, chosen[name])) return false;
  return true;
}
const narrowed = () => Boolean(chosen.q) || Object.keys(CHIPS).concat(Object.keys(FILTERS)).some((name) => chosen[name]);

function sorted(list) {
  if (!chosen.sort) return list;
  const down = chosen.sort.startsWith("-");
  const at = SORTS[chosen.sort.replace("-", "")];
  if (!at) return list;
  const known = list.map((one) => [at(one.i), one]);
  const last = (value) => value === null || value === undefined || value === "";
  known.sort(([a, one], [b, other]) => {
    if (last(a) || last(b)) return last(a) - last(b) || one.i - other.i;
    const way = typeof a === "number" ? a - b : collator.compare(a, b);
    return (down ? -way : way) || one.i - other.i;
  });
  return known.map(([, one]) => one);
}

function show(group) {
  const before = group.shown;
  group.shown = sorted(group.rows).filter((one) => fits(one.i));
  const seen = new Set(group.shown.slice(0, group.limit));
  for (const one of group.rows) one.el.classList.toggle("off", !seen.has(one));
  if (before.length !== group.shown.length || before.some((one, place) => one !== group.shown[place])) {
    let place = group.table.tHead;
    for (const one of seen) {
      if (place.nextElementSibling !== one.el) place.after(one.el);
      place = one.el;
    }
  }
  seen.forEach(dress);
  const further = $(".further", group.el);
  const more = group.shown.length - seen.size;
  further.hidden = more <= 0;
  $("button", further).textContent = counted("further", more);
  const matching = $(".matching", group.el);
  if (matching) matching.textContent = narrowed() ? counted("matching", group.shown.length) : "";
  if (group.details && chosen.q && group.shown.length) group.details.open = true;
}

function render() {
  const hidden = groups.filter((group) => group.details && !group.details.open && !chosen.q);
  for (const group of groups) if (!hidden.includes(group) || narrowed()) show(group);
  const total = groups.reduce((sum, group) => sum + group.shown.length, 0);
  if ($("#found")) {
    $("#found").textContent = narrowed() ? counted("found", total) : "";
    $("#clear").hidden = !narrowed() && !chosen.sort;
    $("#nothing").hidden = total > 0 || rows.length === 0;
  }
  for (const head of $$("th[data-sort]")) {
    const on = chosen.sort.replace("-", "") === head.dataset.sort;
    if (on) head.setAttribute("aria-sort", chosen.sort.startsWith("-") ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  for (const chip of $$("[data-chip]")) chip.setAttribute("aria-pressed", String(Boolean(chosen[chip.dataset.chip])));
  for (const select of $$("[data-filter]")) select.value = chosen[select.dataset.filter] || "";
  if ($("#q") && $("#q").value !== chosen.q) $("#q").value = chosen.q;
}

/* A row gets its buttons when it is first seen. */
function dress(one) {
  if (one.dressed) return;
  one.dressed = true;
  const name = $("th > b", one.el);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "name";
  button.setAttribute("aria-expanded", "false");
  button.append(...name.childNodes);
  name.replaceChildren(button);
  one.button = button;
  $("td:last-child", one.el.rows[0]).previousElementSibling.append($("#acts").content.cloneNode(true));
  noted(one);
}

function open(one, wanted) {
  dress(one);
  let more = one.el.rows[1];
  if (!more) {
    more = one.el.insertRow();
    more.className = "more";
    const place = more.insertCell();
    place.colSpan = one.el.rows[0].cells.length;
    const details = document.createElement("details");
    details.append(document.createElement("summary"), story(one.i));
    place.append(details);
  }
  $("details", more).open = wanted;
  one.el.classList.toggle("open", wanted);
  one.button.setAttribute("aria-expanded", String(wanted));
}
const toggle = (one) => {
  const wanted = !one.el.classList.contains("open");
  open(one, wanted);
  chosen.open = wanted ? key(one.i) : "";
  remember();
};

/* The parts of a row that the page holds in its block: references to texts, unfolded into the form that stands in the page. */
const told = (packed) => (typeof packed === "number" ? texts[packed] : packed.map(told));
function story(i) {
  const form = $("#story-form").content;
  const made = $(".story", form).cloneNode(true);
  const parts = {};
  (stories[i] || []).forEach((packed, place) => { if (packed !== 0) parts[order[place]] = told(packed); });
  for (const section of $$("section", made)) {
    const content = parts[section.dataset.part];
    if (content === undefined) section.remove();
    else FILL[section.dataset.kind](section, content, form);
  }
  return made;
}
const item = (form, kind, contents) => {
  const made = $(kind, form).cloneNode(true);
  made.removeAttribute("class");
  const places = made.children.length ? $$(":scope > span, :scope > time", made) : [made];
  contents.forEach((text, place) => { places[place].textContent = text; });
  return made;
};
const FILL = {
  points: (section, content, form) => content.forEach(([points, length, text]) => {
    const made = item(form, ".a-point", [points, text]);
    $("rect", made).setAttribute("width", length || "0");
    $("ul", section).append(made);
  }),
  lines: (section, content, form) => content.forEach((text) => $("ul", section).append(item(form, ".a-line", [text]))),
  days: (section, content, form) => content.forEach((day) => $("ol", section).append(item(form, ".a-day", day))),
  copy: (section, content) => { $(".text", section).textContent = content; },
  chart: (section, [path, last, top, , said, marks]) => {
    const svg = $("svg", section);
    svg.setAttribute("aria-label", said);
    $("text", svg).textContent = top;
    $(".line", svg).setAttribute("d", path);
    $("circle", svg).setAttribute("cx", last[0]);
    $("circle", svg).setAttribute("cy", last[1]);
    for (const [x, shape, text] of marks) {
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "text");
      for (const [name, value] of Object.entries({ class: "mark", x, y: "80", "text-anchor": "middle" })) mark.setAttribute(name, value);
      mark.textContent = shape;
      svg.append(mark);
      const line = document.createElement("span");
      line.textContent = shape + " " + text;
      $(".legend", section).append(line);
    }
  },
};

/* The chosen view lives in the address, so that it can be kept as a bookmark. */
let mine = "";
function remember() {
  const kept = new URLSearchParams();
  for (const name in chosen) if (chosen[name]) kept.set(name, chosen[name] === true ? "1" : chosen[name]);
  mine = String(kept);
  try { history.replaceState(null, "", mine ? "#" + mine : location.pathname + location.search); } catch { location.hash = mine; }
}
function recall() {
  const told = location.hash.slice(1);
  if ((told && !told.includes("=")) || (told && told === mine)) return;
  const kept = new URLSearchParams(told);
  for (const name of ["q", "sort", "open", ...Object.keys(FILTERS)]) chosen[name] = kept.get(name) || "";
  for (const name in CHIPS) chosen[name] = kept.get(name) === "1";
  // An address may say anything, also words that every object knows, such as constructor.
  if (!Object.hasOwn(SORTS, chosen.sort.replace("-", ""))) chosen.sort = "";
  render();
  const one = chosen.open && rows.find((each) => key(each.i) === chosen.open);
  if (one) reveal(one);
}
function reveal(one) {
  if (one.group.details) one.group.details.open = true;
  one.group.limit = Math.max(one.group.limit, sorted(one.group.rows).filter((each) => fits(each.i)).indexOf(one) + 1);
  show(one.group);
  open(one, true);
  one.el.scrollIntoView({ block: "nearest" });
}
function choose(name, value) {
  chosen[name] = value;
  for (const group of groups) group.limit = block.first;
  remember();
  render();
}

for (const head of $$("table:not(.again) th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.replaceChildren(button);
}
document.addEventListener("click", (event) => {
  const at = (wanted) => event.target.closest(wanted);
  const head = at("th[data-sort]");
  if (head) {
    const first = (FALLS.has(head.dataset.sort) ? "-" : "") + head.dataset.sort;
    const second = first.startsWith("-") ? first.slice(1) : "-" + first;
    choose("sort", chosen.sort === first ? second : chosen.sort === second ? "" : first);
  } else if (at("[data-chip]")) {
    const name = at("[data-chip]").dataset.chip;
    choose(name, !chosen[name]);
  } else if (at("[data-further]")) {
    const group = groups.find((each) => each.el.contains(event.target));
    const first = group.limit;
    group.limit += 200;
    show(group);
    group.shown[first]?.button.focus();
  } else if (at("[data-copy]")) {
    copy(at("section"), at("[data-copy]"));
  } else if (at("tbody") && at("table.list") && !at(".more, .acts, .noted, a") && (at("button.name") || !String(getSelection()))) {
    toggle(at("tbody").row);
  }
});
for (const select of $$("[data-filter]")) select.addEventListener("change", () => choose(select.dataset.filter, select.value));
let typed = 0;
$("#q")?.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(() => choose("q", $("#q").value.trim()), 120); });
$("#clear")?.addEventListener("click", () => {
  for (const name in chosen) chosen[name] = name === "open" ? chosen.open : "";
  choose("q", "");
  $("#q").focus();
});
for (const group of groups) group.details?.addEventListener("toggle", () => { if (group.details.open) show(group); });
addEventListener("hashchange", recall);

function copy(section, button) {
  const text = $(".text", section);
  const done = () => { button.textContent = labels.copied; setTimeout(() => { button.textContent = labels.copy; }, 2000); };
  const marked = () => {
    getSelection().selectAllChildren(text);
    if (document.execCommand("copy")) done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, marked);
  else marked();
}

document.addEventListener("keydown", (event) => {
  const el = event.target.closest?.("table.list tbody");
  if (!el || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const one = el.row;
  const act = { c: "contacted", a: "approved", s: "snooze", w: "wrong_alarm", t: "too_late" }[event.key];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const seen = $$("table.list tbody:not(.off) button.name").filter((button) => button.checkVisibility());
    seen[seen.indexOf(one.button) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    event.preventDefault();
  } else if (act) {
    ask(one, act, one.button);
    event.preventDefault();
  }
});
