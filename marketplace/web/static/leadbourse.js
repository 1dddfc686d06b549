// What pages gain by a script; each of them works without it.
"use strict";

// Short ids are copied whole.
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1200);
});

// A row's link opens its story in the drawer, so that the place in the list is kept.
const drawer = document.getElementById("drawer");
document.addEventListener("click", async (event) => {
  if (!drawer || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (event.target.closest("button, a:not(.opens), input, label")) return;
  const link = event.target.closest("a.opens") || event.target.closest("tr")?.querySelector("a.opens");
  if (!link || link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const story = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("story");
  if (!answer.ok || !story) return location.assign(link.href);
  drawer.querySelector(".drawer-body").replaceChildren(story);
  for (const button of drawer.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  drawer.showModal();
});
drawer?.addEventListener("close", () => drawer.querySelector(".drawer-body").replaceChildren()); // its keys press nothing now
drawer?.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });

// Menus close on Escape and on a click beside them; keys named in the page press what they are named for.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

// Ctrl-K, or the glass, opens the search; what is found stands in a list that the arrows walk and Enter opens.
const finder = document.getElementById("finder");
const wanted = finder?.querySelector("[role=combobox]"), list = finder?.querySelector("[role=listbox]");
const openFinder = (event) => { event.preventDefault(); if (!finder.open) finder.showModal(); wanted.select(); };
document.addEventListener("keydown", (event) => {
  if (finder && event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) openFinder(event);
});
document.querySelector("a.open-finder")?.addEventListener("click", openFinder);
const choose = (option) => {
  for (const one of list.children) one.setAttribute("aria-selected", one === option);
  option ? wanted.setAttribute("aria-activedescendant", option.id) : wanted.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};
let asked = 0;
wanted?.addEventListener("input", () => {
  const turn = ++asked;
  setTimeout(async () => {
    if (turn !== asked) return;
    const form = wanted.form, said = new URLSearchParams(new FormData(form)), isPosted = form.method === "post";
    const answer = await fetch(isPosted ? form.action : `${form.action}?${said}`,
      { method: form.method, body: isPosted ? said : null, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked || !answer.ok) return;
    list.replaceChildren(...[...page.querySelectorAll("#found a")].map((link, place) => {
      const option = document.createElement("div");
      option.append(...link.childNodes);
      Object.assign(option, { id: `option-${place}`, role: "option" });
      option.dataset.href = link.getAttribute("href");
      return option;
    }));
    wanted.setAttribute("aria-expanded", list.children.length > 0);
    finder.querySelector("[role=status]").textContent = page.getElementById("said")?.textContent ?? "";
    choose(list.firstElementChild);
  }, 150);
});
wanted?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], options = [...(list?.children ?? [])];
  const at = options.findIndex((one) => one.ariaSelected === "true");
  if (step && options.length) { event.preventDefault(); choose(options.at((at + step) % options.length)); }
  if (event.key === "Enter" && at >= 0) { event.preventDefault(); location.assign(options[at].dataset.href); }
});
list?.addEventListener("click", (event) => { const one = event.target.closest("[role=option]"); if (one) location.assign(one.dataset.href); });
finder?.addEventListener("click", (event) => { if (event.target === finder) finder.close(); });
// What is still going on is asked for again until it has ended; without the script a link does the same.
async function refresh() {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  if (!document.hidden) {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    const text = answer?.ok ? await answer.text() : "";
    const found = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
    const isUsed = part.contains(document.activeElement) && found?.matches("[data-refresh]");
    if (found && isUsed) for (const piece of part.querySelectorAll("[data-moves]")) piece.replaceWith(found.querySelector(`[data-moves="${piece.dataset.moves}"]`));
    else if (found) part.replaceWith(found);
  }
  setTimeout(refresh, 2000);
}
setTimeout(refresh, 2000);
