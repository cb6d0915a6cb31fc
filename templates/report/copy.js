// Copies command lines and figures.
const copying = (function () {
  "use strict";
  const said = (button, word) => {
    button.dataset.word ??= button.textContent;
    button.textContent = word;
    setTimeout(() => (button.textContent = button.dataset.word), 2000);
  };

  // Where the browser lets no page write what is copied, a text is chosen for the keyboard.
  function choose(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  }

  async function copy(button, text, element) {
    if (element) choose(element);
    let copied = false;
    try {
      await navigator.clipboard.writeText(text);
      copied = true;
    } catch {
      if (!element) {
        element = button.parentElement.appendChild(document.createElement("pre"));
        element.textContent = text;
        choose(element);
        copied = document.execCommand("copy");
        element.remove();
      } else copied = document.execCommand("copy");
    }
    said(button, copied ? "Copied" : "Chosen");
  }

  for (const line of document.querySelectorAll(".curl")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const code = line.querySelector("code");
    button.addEventListener("click", () => copy(button, code.textContent, code));
    line.previousElementSibling.append(button);
  }
  return { copy };
})();
