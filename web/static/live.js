// Keeps a page fresh while it is looked at: fetches it again and swaps the parts that changed. Without this script
// every page says the same, as of the moment it was made.
(() => {
  "use strict";
  const EVERY_MS = 3000;
  const LONGEST_MS = 60000;
  const main = document.querySelector("main[data-live]");
  const note = document.getElementById("live");
  if (!main || !note) return;
  let wait = EVERY_MS;
  let timer = 0;

  // A reader who selects text, types or has opened something there is left alone.
  const isInUse = (part) => {
    const selection = document.getSelection();
    const selects = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    const focused = document.activeElement;
    const types = part.contains(focused) && focused.matches("input, select, textarea, summary, [role=region]");
    return selects || types || part.querySelector("details[open]") !== null;
  };

  // Focus on a link follows it to its successor, and what was scrolled stays so.
  const swap = (old, fresh) => {
    const places = Array.from(old.querySelectorAll(".scroll"), (box) => [box.scrollLeft, box.scrollTop]);
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const adopted = document.adoptNode(fresh);
    old.replaceWith(adopted);
    adopted.querySelectorAll(".scroll").forEach((box, index) => {
      if (places[index]) [box.scrollLeft, box.scrollTop] = places[index];
    });
    if (focused === null) return;
    for (const link of adopted.querySelectorAll("a[href]")) {
      if (link.getAttribute("href") === focused) { link.focus({ preventScroll: true }); return; }
    }
  };

  const update = (page) => {
    const fresh = page.querySelector("main[data-live]");
    if (!fresh) { location.reload(); return; }
    const olds = Array.from(main.children);
    const news = Array.from(fresh.children);
    if (olds.length !== news.length) {
      if (!isInUse(main)) main.replaceChildren(...news.map((part) => document.adoptNode(part)));
      return;
    }
    olds.forEach((old, index) => {
      if (!isInUse(old) && !old.isEqualNode(news[index])) swap(old, news[index]);
    });
  };

  const refresh = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      update(page);
      const made = page.getElementById("live");
      if (made) note.textContent = made.textContent;
      note.classList.remove("is-lost");
      wait = EVERY_MS;
    } catch {
      note.classList.add("is-lost");
      if (!note.textContent.startsWith("The hub")) note.textContent = "The hub does not answer. " + note.textContent;
      wait = Math.min(wait * 2, LONGEST_MS);
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, wait);
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { clearTimeout(timer); } else { wait = EVERY_MS; refresh(); }
  });
  plan();
})();
