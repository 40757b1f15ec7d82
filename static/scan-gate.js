// The gate at which this device scans. It is remembered, and chosen again only where somebody wants to, or it is closed.
"use strict";

window.scanGate = (() => {
  const GATE = "scan gate";
  const chooser = document.querySelector("[data-gates]");

  // Storage may be full or forbidden: then it is chosen on each visit.
  function remember(name) {
    try {
      localStorage.setItem(GATE, name);
    } catch {
      // As said.
    }
  }

  function remembered() {
    try {
      return localStorage.getItem(GATE);
    } catch {
      return null;
    }
  }

  if (chooser) {
    chooser.addEventListener("submit", ({ submitter }) => remember(submitter.value));
    const name = remembered();
    const isOpen = [...chooser.querySelectorAll("button")].some((button) => button.value === name);
    const isSaid = document.querySelector("[data-verdict]") !== null;
    if (name !== null && isOpen && !("asked" in chooser.dataset)) {
      const code = chooser.elements.code ? `&code=${encodeURIComponent(chooser.elements.code.value)}` : "";
      location.replace(`${chooser.dataset.gates}?gate=${encodeURIComponent(name)}${code}`);
      return { isLeaving: true };
    }
    if (name && !isOpen && !isSaid) {
      const lost = chooser.querySelector(".gate-lost");
      lost.textContent = `Gate ${name} is closed or was renamed. Choose a gate.`;
      lost.hidden = false;
    }
    return {};
  }

  // Without the network the page would be gone, and with it what was not answered.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-change-gate], #stage a[href*='choose=1']");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { redirect: "manual", signal: AbortSignal.timeout(5000) });
      if (answer.status < 500) location.assign(link.href);
      else throw new Error("no answer");
    } catch {
      const word = link.textContent;
      link.textContent = "No connection. Try again later.";
      setTimeout(() => (link.textContent = word), 3000);
    }
  });
  return {};
})();
