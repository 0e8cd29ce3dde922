// A MIDI keyboard at this browser's machine, by Web MIDI where there is it: its notes are the player's.
const SYSTEM = 0xf0;

export async function listenToMidi(playing, send, tell) {
  if (!navigator.requestMIDIAccess) {
    tell(window.isSecureContext ? "This browser knows no Web MIDI; a keyboard at the improviser's own machine is heard all the same." : "");
    return;
  }
  let access;
  try {
    access = await navigator.requestMIDIAccess({ sysex: false });
  } catch {
    tell("MIDI keyboards of this machine: not allowed by the browser.");
    return;
  }
  const take = (input) => (event) => {
    const [status, first, last] = event.data;
    if (status === undefined || status >= SYSTEM || first === undefined) return;
    const kind = status & 0xf0, channel = status & 0x0f;
    if (kind === 0x90 && last > 0) playing.press(`midi ${input.id}`, first, last, channel);
    else if (kind === 0x80 || kind === 0x90) playing.release(`midi ${input.id}`, first, channel, kind === 0x80 ? last : 64);
    else send({ type: "midi", bytes: [...event.data] });
  };
  const look = () => {
    const names = [];
    for (const input of access.inputs.values()) {
      if (input.state === "connected") { input.onmidimessage = take(input); names.push(input.name); }
      else playing.releaseAll((hand) => hand === `midi ${input.id}`);
    }
    tell(names.length ? `MIDI keyboard: ${names.join(", ")}` : "");
  };
  access.onstatechange = look;
  look();
}
