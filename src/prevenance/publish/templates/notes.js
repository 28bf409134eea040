/* Notes: what was done with a row. They stay in this browser until they are saved as feedback.csv. */
const NOTE = ["target", "customer_id", "product_id", "run_id", "cutoff", "action", "at", "until", "channel", "outcome", "reason", "by", "contacted_on", "play"];
const STORE = "prevenance.notes";
let notes = [];
try { notes = JSON.parse(localStorage.getItem(STORE)) || []; } catch { notes = []; }
notes = notes.filter((note) => !note.saved || Date.now() - Date.parse(note.at) < 30 * 864e5);
const whose = (name, i) => cell(name, i) ?? run[name];
const of = (i) => notes.findLast((note) => note.run_id === whose("run_id", i) && note.target === whose("target", i) && note.customer_id === cell("customer_id", i) && (note.product_id || "") === (cell("product_id", i) || ""));
function keep() {
  try { localStorage.setItem(STORE, JSON.stringify(notes)); } catch { /* a page without a store keeps its notes until it is closed */ }
  const n = notes.filter((note) => !note.saved).length;
  $("#unsaved").textContent = n ? counted("unsaved", n) : labels.saved;
  $("#save").disabled = !notes.length;
  $("#savebar").hidden = !notes.length;
}
function noted(one) {
  const place = $(".noted", one.el.rows[0]);
  if (!place) return;
  const note = of(one.i);
  const back = note?.action === "undo";
  place.hidden = !note || (back && Boolean(note.saved));
  one.el.classList.toggle("done", Boolean(note) && !back);
  $("span", place).textContent = !note ? "" : back ? labels.undone : filled(labels.noted, { action: labels.acts[note.action] });
}
const today = () => new Date(Date.now() - new Date().getTimezoneOffset() * 6e4).toISOString().slice(0, 10);
let asked = null;
function ask(one, action, from) {
  if (action === "too_late" || action === "approved") { note(one, action, {}); return; }
  const dialog = $("#d-" + action);
  asked = one;
  $(".whom", dialog).textContent = cell("name", one.i) || cell("customer_id", one.i);
  if (action === "contacted") {
    $("#contacted-on").value = $("#contacted-on").max = today();
    $("#other-play").checked = false;
  }
  dialog.showModal();
  const at = from.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  if (width > 700) {
    dialog.style.left = Math.max(8, Math.min(at.left, width - dialog.offsetWidth - 16)) + "px";
    dialog.style.top = Math.max(8, Math.min(at.bottom + 6, innerHeight - dialog.offsetHeight - 16)) + "px";
  } else dialog.removeAttribute("style");
}
function note(one, action, said) {
  const made = { target: whose("target", one.i), customer_id: cell("customer_id", one.i), product_id: cell("product_id", one.i) || "", run_id: whose("run_id", one.i), cutoff: run.cutoff, action, at: new Date().toISOString().slice(0, 19) + "Z", until: "", channel: "", outcome: "", reason: "", by: $("#by").value.trim(), contacted_on: "", play: "" };
  const before = of(one.i);
  notes = notes.filter((each) => each !== before || each.saved);
  notes.push(Object.assign(made, said));
  keep();
  noted(one);
}
document.addEventListener("click", (event) => {
  const at = (wanted) => event.target.closest(wanted);
  if (at("[data-act]")) ask(at("tbody").row, at("[data-act]").dataset.act, at("[data-act]"));
  else if (at("[data-undo]")) {
    const one = at("tbody").row;
    const last = of(one.i);
    // What is in a file already is taken back by a line of the next one.
    if (last.saved) note(one, "undo", {});
    else {
      notes = notes.filter((each) => each !== last);
      keep();
      noted(one);
    }
    one.button.focus();
  } else if (at("dialog [data-close]")) at("dialog").close();
  else if (at("dialog .choices button")) {
    const picked = at("button").dataset;
    const said = { channel: picked.channel || "", outcome: picked.outcome || "", reason: picked.reason || "" };
    if (picked.days) said.until = new Date(Math.max(Date.now(), Date.parse(run.day)) + picked.days * 864e5).toISOString().slice(0, 10);
    else if ("days" in picked) said.until = $("#until").value;
    if ("channel" in picked) Object.assign(said, { contacted_on: $("#contacted-on").value, play: $("#other-play").checked ? "other" : "" });
    at("dialog").close();
    note(asked, at("dialog").id.slice(2), said);
  } else if (event.target.matches("dialog")) event.target.close();
});
$("#until").addEventListener("input", () => { for (const button of $$("[data-dated]")) button.disabled = !($("#until").value > run.day); });
$("#until").min = new Date(Date.parse(run.day) + 864e5).toISOString().slice(0, 10);

/* Files: RFC 4180, and nothing that a spreadsheet takes for a formula. */
const neutral = (value) => {
  const text = value === null || value === undefined ? "" : String(value).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff]/g, "");
  return typeof value !== "number" && /^[=+\-@\t\r＝＋－＠]/.test(text) ? "'" + text : text;
};
const quoted = (text) => (/[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
function download(name, heads, lines) {
  const text = [heads, ...lines].map((line) => line.map((value) => quoted(neutral(value))).join(",") + "\r\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
$("#save").addEventListener("click", () => {
  const fresh = notes.filter((each) => !each.saved);
  const going = fresh.length ? fresh : notes;
  const by = $("#by").value.trim();
  for (const each of going) each.by ||= by;
  download("feedback.csv", NOTE, going.map((each) => NOTE.map((name) => each[name])));
  for (const each of going) each.saved = true;
  keep();
  rows.filter((one) => one.dressed).forEach(noted);
});
$("#export")?.addEventListener("click", () => {
  const names = block.exported;
  const seen = groups.filter((group) => !group.details || group.details.open).flatMap((group) => group.shown);
  download(run.target + "-" + run.day + ".csv", names, seen.map((one) => names.map((name) => (name in run ? whose(name, one.i) : cell(name, one.i)))));
});
try { $("#by").value = localStorage.getItem("prevenance.by") || ""; } catch { /* no store */ }
$("#by").addEventListener("change", () => { try { localStorage.setItem("prevenance.by", $("#by").value.trim()); } catch { /* no store */ } });
addEventListener("beforeprint", () => {
  for (const group of groups.filter((each) => each.key !== "beyond_capacity" && each.key !== "below_floor")) {
    if (group.details) group.details.open = true;
    group.limit = Infinity;
    show(group);
  }
});

/* A browser asks before it closes a page whose notes are in no file yet. */
addEventListener("beforeunload", (event) => { if (notes.some((each) => !each.saved)) event.preventDefault(); });
keep();
for (const group of groups) if (!group.details || group.details.open) show(group);
recall();
if (!location.hash) render();
document.documentElement.classList.add("ready");
performance.mark("ready");
