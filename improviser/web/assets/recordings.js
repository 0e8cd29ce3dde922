// The list of recorded sessions: each leads to its own page.
import { element } from "./element.js";

const status = document.getElementById("status");

function length(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

async function show() {
  const answer = await fetch("recordings/list.json");
  if (!answer.ok) throw new Error(await answer.text());
  const recordings = await answer.json();
  document.getElementById("recordings").replaceChildren(...recordings.map(({ name, began, seconds }) => {
    const line = element("li", {}), link = element("a", { href: `recordings/${encodeURIComponent(name)}/`, textContent: new Date(began).toLocaleString() });
    line.append(link, element("span", { className: "soft", textContent: `about ${length(seconds)}` }), element("span", { className: "soft name", textContent: name }));
    return line;
  }));
  status.textContent = recordings.length === 1 ? "one session" : `${recordings.length} sessions`;
}

show().catch((error) => {
  status.textContent = `the list cannot be read: ${error.message.trim()}`;
  status.classList.add("bad");
});
