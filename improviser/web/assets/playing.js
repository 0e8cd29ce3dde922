// What is held here, by whatever hand: a key that two hold is up when the second lets go.
const SOON = 40; // milliseconds

export class Playing {
  constructor(send, sound) {
    this.send = send;
    this.sound = sound;
    this.held = new Map(); // channel * 128 + pitch → the hands that hold it
    this.pressed = new Map(); // the same → when it was sent, until the answer is here
  }

  press(hand, pitch, velocity, channel = 0) {
    if (pitch < 0 || pitch > 127) return;
    const place = channel * 128 + pitch, hands = this.held.get(place) ?? new Set();
    if (hands.has(hand)) return;
    if (!this.send({ type: "midi", bytes: [0x90 | channel, pitch, Math.max(1, Math.min(127, Math.round(velocity)))] })) return;
    this.pressed.set(place, performance.now());
    this.held.set(place, hands.add(hand));
    this.sound.own(channel, pitch, velocity);
  }

  release(hand, pitch, channel = 0, velocity = 64) {
    const place = channel * 128 + pitch, hands = this.held.get(place);
    if (!hands?.delete(hand) || hands.size > 0) return;
    this.held.delete(place);
    this.send({ type: "midi", bytes: [0x80 | channel, pitch, velocity] });
    this.sound.ownEnds(channel, pitch);
  }

  // Let go of all that some hands hold; of everything, pedals and wheels too, if there is no condition.
  releaseAll(condition = null) {
    for (const [place, hands] of [...this.held]) {
      for (const hand of [...hands]) if (condition === null || condition(hand)) this.release(hand, place % 128, Math.floor(place / 128));
    }
    if (condition === null) this.send({ type: "release" });
  }

  forget() {
    for (const place of this.held.keys()) this.sound.ownEnds(Math.floor(place / 128), place % 128);
    this.held.clear();
    this.pressed.clear();
  }

  // Whether an answer is to come, and soon: it sounds before anything is drawn.
  get awaits() {
    const now = performance.now();
    return [...this.pressed.values()].some((at) => now - at < SOON);
  }

  // The answer to a note of ours has come: after how many milliseconds? Null if the note was another's.
  answered(channel, pitch) {
    const place = channel * 128 + pitch, at = this.pressed.get(place);
    this.pressed.delete(place);
    return at === undefined ? null : performance.now() - at;
  }
}
