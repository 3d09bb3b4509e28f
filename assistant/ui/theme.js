// Runs before the first paint, so that the page never flashes in the other scheme.
"use strict";
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("andon.theme"); } catch { /* storage may be switched off */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
