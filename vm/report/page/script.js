"use strict";
(() => {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  const stored = () => { try { return localStorage.getItem("scxhid-theme"); } catch { return null; } };
  const apply = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = theme;
    button.textContent = "Colours: " + theme;
    try { localStorage.setItem("scxhid-theme", theme); } catch { /* a browser that keeps nothing */ }
  };
  let now = themes.includes(stored()) ? stored() : "auto";
  button.hidden = false;
  button.addEventListener("click", () => { now = themes[(themes.indexOf(now) + 1) % 3]; apply(now); });
  apply(now);

  for (const pre of document.querySelectorAll("pre.command")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
      } catch {
        getSelection().selectAllChildren(pre);
        document.execCommand("copy");
      }
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    pre.after(copy);
  }
})();
