// The page of one recorded session: its button replays it from its log, and says whether every note is the same.
const button = document.getElementById("replay"), said = document.getElementById("replayed");

button?.addEventListener("click", async () => {
  button.disabled = true;
  said.textContent = "replaying…";
  try {
    const answer = await fetch("replay", { method: "POST" });
    said.textContent = answer.ok ? (await answer.json()).line : (await answer.text()).trim();
  } catch {
    said.textContent = "the session that serves this page has ended";
  }
  button.disabled = false;
});
