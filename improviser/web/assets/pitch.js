// Pitches: their names, and where their keys are.
const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const WHITES = [0, 2, 4, 5, 7, 9, 11];

export const isBlack = (pitch) => !WHITES.includes(pitch % 12);
export const nameOf = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

// The keys from one white key to another, over a width of 1: {pitch, left, width, black}.
export function layout(low, high) {
  const whites = [];
  for (let pitch = low; pitch <= high; pitch += 1) if (!isBlack(pitch)) whites.push(pitch);
  const width = 1 / whites.length;
  const keys = new Map();
  whites.forEach((pitch, number) => keys.set(pitch, { pitch, left: number * width, width, black: false }));
  for (let pitch = low; pitch <= high; pitch += 1) {
    if (!isBlack(pitch)) continue;
    const before = keys.get(pitch - 1);
    if (before !== undefined) keys.set(pitch, { pitch, left: before.left + width * 0.69, width: width * 0.62, black: true });
  }
  return keys;
}
